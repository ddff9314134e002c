package dev.oncefold;

import java.util.List;

/**
 * A batch read from one partition.
 *
 * @param partition the partition's name
 * @param from the position it was read from
 * @param events what was read, in order. It may be empty where the partition holds something that
 *     is no event, such as the mark of a transaction: then only the position moves
 * @param to the position after everything read: at or behind the last event's {@link Received#next}
 * @param unread whether the partition has more to read, as far as the source knows
 * @param <E> the type of the events' values
 */
public record Polled<E>(
    String partition, Position from, List<Received<E>> events, Position to, boolean unread) {
  /**
   * A batch that goes up to its last event.
   *
   * @param partition the partition's name
   * @param from the position it was read from
   * @param events what was read, in order
   * @param unread whether the partition has more to read, as far as the source knows
   */
  public Polled(String partition, Position from, List<Received<E>> events, boolean unread) {
    this(
        partition,
        from,
        events,
        events.isEmpty() ? from : events.get(events.size() - 1).next(),
        unread);
  }

  /** The same batch, cut off after some events. */
  Polled<E> first(int count) {
    return count == events.size()
        ? this
        : new Polled<>(
            partition,
            from,
            events.subList(0, count),
            count == 0 ? from : events.get(count - 1).next(),
            true);
  }

  /** What is left of the batch behind its first events, of which there is at least one. */
  Polled<E> after(int count) {
    return new Polled<>(
        partition, events.get(count - 1).next(), events.subList(count, events.size()), to, unread);
  }
}
