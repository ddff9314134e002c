package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Writes down what an application went through, by its changelog as far as it is committed, and not
 * by what it says of itself.
 */
final class Onlooker implements AutoCloseable {
  private final Changelog<Trace> changelog;
  private final MoveFeed feed;
  private final Consumer<Observation> history;
  private final Snapshots<Trace> snapshots;
  private final Map<String, Long> positions = new TreeMap<>();
  private int commits;

  Onlooker(Changelog<Trace> changelog, MoveFeed feed, Consumer<Observation> history) {
    this.changelog = changelog;
    this.feed = feed;
    this.history = history;
    this.snapshots = new Snapshots<>(Trace::text, history);
    for (int i = 0; i < CrashRig.PARTITIONS; i++) {
      positions.put(CrashWorker.INPUT + "-" + i, 0L);
    }
  }

  /** The fold as the changelog knows it. */
  static dev.oncefold.Fold<Trace, Move, String> fold(boolean remembering) {
    return remembering ? Moves.remembering() : Moves.withoutIds();
  }

  /** Tells everything since the last look; answers how many events are applied. */
  long look() throws InterruptedException {
    int before = commits;
    changelog.readOn(this::flushed);
    if (commits > before) {
      Map<String, Slot<Trace>> slots = new HashMap<>();
      Counts counts = Counts.NONE;
      for (Memory<Trace> memory : changelog.memories().values()) {
        slots.putAll(memory.committed());
        counts = counts.plus(memory.committedHead().counts());
      }
      snapshots.observe(new TreeMap<>(positions), counts, null, slots);
    }
    return positions.values().stream().mapToLong(each -> each).sum();
  }

  /** How far each partition is applied. */
  Map<String, Long> positions() {
    return new TreeMap<>(positions);
  }

  private void flushed(int partition, Memory<Trace> memory) {
    String name = CrashWorker.INPUT + "-" + partition;
    long from = positions.getOrDefault(name, 0L);
    long to = from;
    for (Head.Input input : memory.committedHead().inputs().values()) {
      to = input.offset() + 1;
    }
    try {
      feed.tell(partition, to, history);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    history.accept(new Observation.Commit(name, from, to, 1, null, null, 1, ""));
    positions.put(name, to);
    commits++;
  }

  @Override
  public void close() {
    changelog.close();
  }
}
