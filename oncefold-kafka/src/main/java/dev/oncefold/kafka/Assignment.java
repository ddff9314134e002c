package dev.oncefold.kafka;

import dev.oncefold.Position;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What this consumer reads now. Kafka tells of it inside a poll, by what is added and what is taken
 * away; the runner asks for it between polls. A partition that went and came back in between is
 * missing from one answer, so that it is claimed anew: somebody else may have had it.
 *
 * <p>Used by the thread that polls.
 */
final class Assignment implements ConsumerRebalanceListener {
  private final Consumer<?, ?> consumer;
  private final String name;
  private final SortedMap<Integer, Progress> held = new TreeMap<>();
  private final SortedMap<Integer, Progress> arriving = new TreeMap<>();
  private final Set<Integer> goneUntold = new HashSet<>();
  private List<String> told = List.of();

  /** How far one partition is read, as long as it is held. */
  static final class Progress {
    final TopicPartition partition;
    final String name;

    /** What the store said; null until it did, and again once the reading has begun. */
    @Nullable Position sought;

    /** Where the last batch ended. */
    Position answered = Position.START;

    /** The offset behind everything read; where nothing is buffered, behind everything there. */
    long next;

    /** Whether it is sought and fetched. */
    boolean reading;

    /** Whether the position is to be committed though there is no event. */
    boolean owed;

    /** When a position was answered without events, by {@link System#nanoTime}. */
    long movedAt = System.nanoTime();

    /** Whether it is read no more. */
    boolean gone;

    Progress(TopicPartition partition, String name) {
      this.partition = partition;
      this.name = name;
    }
  }

  Assignment(Consumer<?, ?> consumer, String name) {
    this.consumer = consumer;
    this.name = name;
  }

  String name(int partition) {
    return name + '-' + partition;
  }

  /** The names of what is read, for the runner. */
  List<String> tell() {
    List<String> now = new ArrayList<>(held.size());
    held.values().forEach(progress -> now.add(progress.name));
    goneUntold.clear();
    held.putAll(arriving);
    arriving.clear();
    if (!now.equals(told)) {
      told = List.copyOf(now);
    }
    return told;
  }

  /** All that is held. */
  Collection<Progress> all() {
    return held.values();
  }

  /** One that is held; null where it is not. */
  @Nullable Progress at(TopicPartition partition) {
    return held.get(partition.partition());
  }

  /** One that is held; null where it is not. */
  @Nullable Progress named(String partition) {
    for (Progress progress : held.values()) {
      if (progress.name.equals(partition)) {
        return progress;
      }
    }
    return null;
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> added) {
    // A position, so that none is looked for, and no fetch before the store has told the true one.
    consumer.pause(added);
    for (TopicPartition partition : added) {
      consumer.seek(partition, 0);
      int number = partition.partition();
      (goneUntold.contains(number) ? arriving : held)
          .put(number, new Progress(partition, name(number)));
    }
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> taken) {
    taken.forEach(partition -> drop(partition.partition()));
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> lost) {
    onPartitionsRevoked(lost);
  }

  /** Drops all: nothing is read any more. */
  void dropAll() {
    Set<Integer> all = new HashSet<>(held.keySet());
    all.addAll(arriving.keySet());
    all.forEach(this::drop);
  }

  private void drop(int number) {
    Progress was = held.remove(number);
    if (was != null) {
      was.gone = true;
      goneUntold.add(number);
    }
    arriving.remove(number);
  }
}
