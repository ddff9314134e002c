package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import dev.oncefold.verify.Observation;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A source read from its beginning to its end, one record after another, for nobody's sake. */
final class Reading<E> implements AutoCloseable {
  private static final int BATCH = 512;

  private final Source<E> source;
  private final String partition;
  private final Deque<Received<E>> read = new ArrayDeque<>();

  /**
   * Begins.
   *
   * @throws IllegalArgumentException if the source has more than one partition
   */
  Reading(Source<E> source) {
    this.source = source;
    List<String> partitions = source.partitions();
    if (partitions.size() != 1) {
      source.close();
      throw new IllegalArgumentException(
          "a crash run reads a source of one partition, and this one has " + partitions);
    }
    this.partition = partitions.get(0);
    source.seek(partition, Position.START);
  }

  String partition() {
    return partition;
  }

  /** The next record without taking it; null at the end. */
  @Nullable Received<E> peek() throws InterruptedException {
    while (read.isEmpty()) {
      Polled<E> polled = source.poll(BATCH, Duration.ZERO);
      if (polled == null) {
        if (source.ended()) {
          return null;
        }
        continue;
      }
      read.addAll(polled.events());
    }
    return read.peek();
  }

  @Nullable Received<E> next() throws InterruptedException {
    return peek() == null ? null : read.remove();
  }

  /** The event of an observation that is further on. */
  Event<E> event(Observation.Input input) {
    try {
      for (Received<E> received = next(); received != null; received = next()) {
        Event<E> event = received.event();
        if (received.offset() == input.at() && event != null) {
          return event;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the input was read again", e);
    }
    throw new IllegalStateException(
        "the input has no event at " + input.at() + " any more: it changed while it was verified");
  }

  @Override
  public void close() {
    source.close();
  }
}
