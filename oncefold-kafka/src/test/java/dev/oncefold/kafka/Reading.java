package dev.oncefold.kafka;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Drives one source as a runner does, over positions that a test sees and sets. */
final class Reading implements AutoCloseable {
  private static final long PATIENCE = 60_000_000_000L;

  final KafkaSource<String> source;

  /** Where each partition is applied; it outlives the reading where a test hands it on. */
  final Map<String, Position> positions;

  final List<String> values = new ArrayList<>();
  final List<Polled<String>> polls = new ArrayList<>();

  /** How often a partition was sought. */
  int sought;

  private List<String> assigned = List.of();

  Reading(KafkaSource<String> source, Map<String, Position> positions) {
    this.source = source;
    this.positions = positions;
  }

  Reading(KafkaSource<String> source) {
    this(source, new HashMap<>());
  }

  /** The value of a record as text, its key as the key, and no id. */
  static KafkaSource<String> of(Cluster cluster, String topic) {
    return of(cluster.bootstrap(), topic);
  }

  static KafkaSource<String> of(String bootstrap, String topic) {
    return KafkaSource.of(
        bootstrap,
        topic,
        record ->
            new Event<>(null, Cluster.text(record.key()), null, Cluster.text(record.value())));
  }

  /** One round of the walk; false where there was nothing. */
  boolean step() throws InterruptedException {
    List<String> now = source.assigned();
    for (String partition : now) {
      if (!assigned.contains(partition)) {
        source.seek(partition, positions.getOrDefault(partition, Position.START));
        sought++;
      }
    }
    assigned = List.copyOf(now);
    Polled<String> polled = source.poll(100, Duration.ofMillis(20));
    if (polled == null) {
      return false;
    }
    Position applied = positions.getOrDefault(polled.partition(), Position.START);
    if (!applied.equals(polled.from()) || !assigned.contains(polled.partition())) {
      throw new AssertionError(
          polled.partition() + " is at " + applied + ", but was read from " + polled.from());
    }
    for (Received<String> received : polled.events()) {
      Event<String> event = received.event();
      values.add(event == null ? "undecodable: " + received.undecodable() : event.value());
    }
    polls.add(polled);
    positions.put(polled.partition(), polled.to());
    source.acknowledge(polled.partition(), polled.to());
    return true;
  }

  Reading until(BooleanSupplier done) throws InterruptedException {
    long begin = System.nanoTime();
    while (!done.getAsBoolean()) {
      step();
      if (System.nanoTime() - begin > PATIENCE) {
        throw new AssertionError("not so far after a minute: " + positions + ", " + values);
      }
    }
    return this;
  }

  Reading untilValues(int count) throws InterruptedException {
    return until(() -> values.size() >= count);
  }

  /** Until all partitions that are assigned have nothing more, and there are some. */
  Reading untilRead() throws InterruptedException {
    return until(
        () ->
            !assigned.isEmpty()
                && assigned.stream().noneMatch(p -> source.mayHaveMore(p, true))
                && positions.keySet().containsAll(assigned));
  }

  List<String> assigned() {
    return assigned;
  }

  @Override
  public void close() {
    source.close();
  }
}
