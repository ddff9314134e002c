package dev.oncefold;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Judges one event. Pure but for the functions it is given: no I/O, no clock, no threads; every
 * engine calls it, and it calls none.
 *
 * <p>The order is: the id, then the floor, then the clock's limit, then the user's rules. Not
 * thread-safe, since it keeps a buffer for fingerprints.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Kernel<S, E, O> {
  /** The floor where no id was ever forgotten. */
  public static final long NO_FLOOR = Long.MIN_VALUE;

  /** The limit where event times are not held against the clock. */
  public static final long NO_LIMIT = Long.MAX_VALUE;

  private final Fold<S, E, O> fold;
  // Unkeyed on purpose: whoever forges a payload of equal fingerprint gets his own event called
  // Duplicate instead of Conflict; neither is applied.
  private final SipHash hash = new SipHash(0, 0);
  private final Encoder scratch = new Encoder();

  /**
   * A kernel for a fold.
   *
   * @param fold the fold
   */
  public Kernel(Fold<S, E, O> fold) {
    this.fold = fold;
  }

  /**
   * Where the kernel reads states.
   *
   * @param <S> the type of one key's state
   */
  @FunctionalInterface
  public interface Slots<S> {
    /**
     * Finds what is stored for a key.
     *
     * @param key the key
     * @return its slot, or null where it has none
     */
    @Nullable Slot<S> slot(String key);
  }

  /** Where the kernel looks up ids. */
  @FunctionalInterface
  public interface Seen {
    /**
     * Finds what is remembered of an id.
     *
     * @param key the event's key
     * @param id the event's id
     * @return what is remembered, or null where the id is unknown
     */
    @Nullable Remembered remembered(String key, String id);
  }

  /**
   * Judges an event.
   *
   * @param event the event
   * @param slots the states
   * @param seen the remembered ids
   * @param floor the greatest event time (epoch milliseconds) whose ids may have been forgotten;
   *     {@link #NO_FLOOR} where there is none
   * @param latest the greatest event time (epoch milliseconds) that is believed; {@link #NO_LIMIT}
   *     where there is none. Only a fold that remembers ids for a span looks at it
   * @return the verdict. {@link Error}s of the user's code pass through
   */
  public Verdict<S, O> judge(Event<E> event, Slots<S> slots, Seen seen, long floor, long latest) {
    boolean span = fold.ids().kind() == Fold.Ids.Kind.SPAN;
    String id = event.id();
    if (id != null && fold.ids().kind() != Fold.Ids.Kind.NONE) {
      Remembered first = seen.remembered(event.key(), id);
      if (first != null) {
        return again(event, first);
      }
      if (span && event.time() == null) {
        return new Verdict.Failed<>(
            Verdict.Cause.NO_TIME,
            "the event has no time; ids are remembered for "
                + fold.ids().span()
                + " of event time, so every event with an id needs one");
      }
    }
    Instant time = event.time();
    if (span && time != null) {
      long millis;
      try {
        millis = time.toEpochMilli();
      } catch (ArithmeticException e) {
        return new Verdict.Failed<>(
            Verdict.Cause.NO_TIME, "the event's time " + time + " is out of range");
      }
      if (id != null && millis <= floor) {
        return new Verdict.Expired<>(time, instant(floor));
      }
      if (millis > latest) {
        return new Verdict.Failed<>(
            Verdict.Cause.AHEAD_OF_CLOCK,
            "the event's time "
                + time
                + " is later than "
                + instant(latest)
                + ", the latest believed");
      }
    }
    return byTheRules(event, slots);
  }

  private Verdict<S, O> again(Event<E> event, Remembered first) {
    long fingerprint;
    try {
      fingerprint = fingerprint(event.value());
    } catch (RuntimeException e) {
      return new Verdict.Failed<>(Verdict.Cause.UPDATE, "the event cannot be encoded: " + told(e));
    }
    return first.fingerprint() == fingerprint
        ? new Verdict.Duplicate<>(first.rejected())
        : new Verdict.Conflict<>();
  }

  private Verdict<S, O> byTheRules(Event<E> event, Slots<S> slots) {
    try {
      Update<S, E, O> ofOneKey = fold.ofOneKey();
      return ofOneKey != null ? one(ofOneKey, event, slots) : several(event, slots);
    } catch (Exception e) {
      return new Verdict.Failed<>(Verdict.Cause.UPDATE, "the update threw " + told(e));
    }
  }

  private Verdict<S, O> one(Update<S, E, O> update, Event<E> event, Slots<S> slots)
      throws Exception {
    Outcome<S, O> outcome = update.apply(state(event.key(), slots), event);
    if (outcome instanceof Outcome.Accepted<S, O> accepted) {
      return new Verdict.Applied<>(States.one(event.key(), accepted.state()), accepted.outputs());
    }
    return rejected(outcome);
  }

  private Verdict<S, O> several(Event<E> event, Slots<S> slots) throws Exception {
    List<String> keys = fold.keys(event);
    List<S> states = new ArrayList<>(keys.size());
    for (String key : keys) {
      states.add(state(key, slots));
    }
    States<S> before = States.of(keys, states);
    Update<States<S>, E, O> update = fold.ofSeveralKeys();
    Outcome<States<S>, O> outcome = update == null ? null : update.apply(before, event);
    if (!(outcome instanceof Outcome.Accepted<States<S>, O> accepted)) {
      return rejected(outcome);
    }
    States<S> after = accepted.state();
    if (after == null) {
      after = before;
      for (String key : before.keys()) {
        after = after.without(key);
      }
    } else if (!after.keys().equals(before.keys())) {
      throw new IllegalStateException(
          "the update answered states of " + after.keys() + " for an event of " + before.keys());
    }
    return new Verdict.Applied<>(after, accepted.outputs());
  }

  private Verdict<S, O> rejected(@Nullable Outcome<?, O> outcome) {
    if (outcome instanceof Outcome.Rejected<?, O> rejected) {
      return new Verdict.Rejected<>(rejected.reason());
    }
    throw new IllegalStateException("the update answered null instead of an Outcome");
  }

  private S state(String key, Slots<S> slots) {
    Slot<S> slot = slots.slot(key);
    return slot == null ? fold.initial() : slot.state();
  }

  /**
   * The fingerprint of a payload: the 64-bit SipHash (under the key 0) of its canonical encoding,
   * narrowed as the fold says. It never covers the time.
   *
   * @param value the value of an event
   * @return the fingerprint
   */
  public long fingerprint(E value) {
    scratch.truncate(0);
    fold.fingerprintCodec().encode(value, scratch);
    return fingerprint(scratch.array(), 0, scratch.length());
  }

  /**
   * The fingerprint of a payload that is encoded already by {@link Fold#fingerprintCodec}.
   *
   * @param bytes holds the encoded payload
   * @param from where it begins
   * @param length how long it is
   * @return the fingerprint
   */
  public long fingerprint(byte[] bytes, int from, int length) {
    return hash.hash(bytes, from, length);
  }

  /**
   * An exception in the words of a {@link Verdict.Failed} reason: its type and message.
   *
   * @param e the exception
   * @return the text
   */
  public static String told(Exception e) {
    return e.getMessage() == null
        ? e.getClass().getName()
        : e.getClass().getName() + ": " + e.getMessage();
  }

  private static Instant instant(long millis) {
    try {
      return Instant.ofEpochMilli(millis);
    } catch (DateTimeException e) {
      return millis < 0 ? Instant.MIN : Instant.MAX;
    }
  }
}
