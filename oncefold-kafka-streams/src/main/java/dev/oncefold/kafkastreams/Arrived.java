package dev.oncefold.kafkastreams;

import dev.oncefold.Event;
import org.jspecify.annotations.Nullable;

/**
 * What came in, on its way to the fold: an event, or what none could be made of.
 *
 * @param origin where it was read
 * @param event the event; null where it is undecodable
 * @param undecodable why no event could be made of it
 * @param raw what was read, where that is undecodable and bytes
 * @param everywhere whether every task gets it, so that none applies what stands behind it; the
 *     first one counts it
 * @param unreadable why this itself could not be read from the repartition topic: nothing else is
 *     true then
 * @param <E> the type of the events' values
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Arrived<E>(
    Origin origin,
    @Nullable Event<E> event,
    @Nullable String undecodable,
    byte @Nullable [] raw,
    boolean everywhere,
    @Nullable String unreadable) {
  private static final Origin NOWHERE = new Origin("", "", 0, 0, 0);

  static <E> Arrived<E> of(Origin origin, Event<E> event) {
    return new Arrived<>(origin, event, null, null, false, null);
  }

  static <E> Arrived<E> undecodable(
      Origin origin, String why, byte @Nullable [] raw, boolean everywhere) {
    return new Arrived<>(origin, null, why, raw, everywhere, null);
  }

  static <E> Arrived<E> unreadable(String why) {
    return new Arrived<>(NOWHERE, null, null, null, false, why);
  }

  /** What routes it: all events of a key come to one task. */
  String key() {
    return event == null ? origin.id() : event.key();
  }
}
