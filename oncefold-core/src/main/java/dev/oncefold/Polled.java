package dev.oncefold;

import java.util.List;

/**
 * A batch read from one partition.
 *
 * @param partition the partition's name
 * @param from the position it was read from
 * @param events what was read, in order
 * @param unread whether the partition has more to read, as far as the source knows
 * @param <E> the type of the events' values
 */
public record Polled<E>(String partition, Position from, List<Received<E>> events, boolean unread) {
  /**
   * The position after the last event.
   *
   * @return that position; {@link #from} where the batch is empty
   */
  public Position to() {
    return events.isEmpty() ? from : events.get(events.size() - 1).next();
  }

  /** The same batch, cut off after some events. */
  Polled<E> first(int count) {
    return count == events.size()
        ? this
        : new Polled<>(partition, from, events.subList(0, count), true);
  }

  /** What is left of the batch behind its first events, of which there is at least one. */
  Polled<E> after(int count) {
    return new Polled<>(
        partition, events.get(count - 1).next(), events.subList(count, events.size()), unread);
  }
}
