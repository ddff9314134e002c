package dev.oncefold;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One event of a source.
 *
 * <p>An id is unique within its key: the same id under another key is another event. An event
 * without an id is identified by the position it was read from; such an event is protected by the
 * position alone, so its id is never remembered and it never expires.
 *
 * @param id what a re-send of this event carries again, or null
 * @param key the key whose state the event changes, and which routes it. For a fold over several
 *     keys it is by convention the first of them
 * @param time when it happened, by the event's own account: the same in every re-send. Null only
 *     where the fold does not remember ids for a span of time
 * @param value what happened
 * @param <E> the type of the value
 */
public record Event<E>(@Nullable String id, String key, @Nullable Instant time, E value) {
  public Event {
    Objects.requireNonNull(key, "an event needs a key");
    Objects.requireNonNull(value, "an event needs a value");
  }
}
