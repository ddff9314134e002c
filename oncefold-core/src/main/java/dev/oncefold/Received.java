package dev.oncefold;

import org.jspecify.annotations.Nullable;

/**
 * One thing read from a partition: an event, or what the source could not make an event of.
 *
 * @param offset where it stands in the partition
 * @param next the position after it
 * @param event the event, or null where it is undecodable
 * @param undecodable why no event could be made of it, or null
 * @param raw the bytes read, where they are undecodable; null otherwise. A source may cut them
 *     short and says so in the reason
 * @param <E> the type of the events' values
 */
@SuppressWarnings(
    "ArrayRecordComponent") // never compared; copying each would cost more than it guards
public record Received<E>(
    long offset,
    Position next,
    @Nullable Event<E> event,
    @Nullable String undecodable,
    byte @Nullable [] raw) {

  /**
   * An event was read.
   *
   * @param offset where it stands
   * @param next the position after it
   * @param event the event
   * @param <E> the type of the events' values
   * @return what was received
   */
  public static <E> Received<E> of(long offset, Position next, Event<E> event) {
    return new Received<>(offset, next, event, null, null);
  }

  /**
   * Something was read that is no event.
   *
   * @param offset where it stands
   * @param next the position after it
   * @param reason why it is none
   * @param raw the bytes read
   * @param <E> the type of the events' values
   * @return what was received
   */
  public static <E> Received<E> undecodable(long offset, Position next, String reason, byte[] raw) {
    return new Received<>(offset, next, null, reason, raw);
  }

  /**
   * The id that stands in for an event's own: where it was read.
   *
   * @param partition the partition's name
   * @return {@code partition@offset}
   */
  public String positionId(String partition) {
    return partition + '@' + offset;
  }
}
