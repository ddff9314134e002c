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
}
