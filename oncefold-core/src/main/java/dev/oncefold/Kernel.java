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
    Fold.Ids.Kind ids = fold.ids().kind();
    // A floor above ids that are now remembered for ever was left by an earlier version of the
    // fold.
    boolean timed =
        ids == Fold.Ids.Kind.SPAN || (ids == Fold.Ids.Kind.FOREVER && floor != NO_FLOOR);
    String id = event.id();
    if (id != null && ids != Fold.Ids.Kind.NONE) {
      Remembered first = seen.remembered(event.key(), id);
      if (first != null) {
        return again(event, first);
      }
      if (timed && event.time() == null) {
        return new Verdict.Failed<>(
            Verdict.Cause.NO_TIME,
            "the event has no time; ids are forgotten by event time, so every event with an id"
                + " needs one");
      }
    }
    Instant time = event.time();
    if (timed && time != null) {
      Verdict<S, O> refused =
          byItsTime(id, time, floor, ids == Fold.Ids.Kind.SPAN ? latest : NO_LIMIT);
      if (refused != null) {
        return refused;
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

  private @Nullable Verdict<S, O> byItsTime(
      @Nullable String id, Instant time, long floor, long latest) {
    long millis;
    try {
      millis = time.toEpochMilli();
    } catch (ArithmeticException e) {
      return new Verdict.Failed<>(
          Verdict.Cause.NO_TIME, "the event's time " + time + " is out of range");
    }
    if (id != null && floor != NO_FLOOR && millis <= floor) {
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
    return null;
  }

  // Only the user's code stands inside a try: what fails in the store is no failure of the event.
  private Verdict<S, O> byTheRules(Event<E> event, Slots<S> slots) {
    Update<S, E, O> ofOneKey = fold.ofOneKey();
    return ofOneKey != null ? one(ofOneKey, event, slots) : several(event, slots);
  }

  private Verdict<S, O> one(Update<S, E, O> update, Event<E> event, Slots<S> slots) {
    S state = state(event.key(), slots);
    try {
      Outcome<S, O> outcome = update.apply(state, event);
      if (outcome instanceof Outcome.Accepted<S, O> accepted) {
        return new Verdict.Applied<>(States.one(event.key(), accepted.state()), accepted.outputs());
      }
      return rejected(outcome);
    } catch (Exception e) {
      return failed(e);
    }
  }

  private Verdict<S, O> several(Event<E> event, Slots<S> slots) {
    List<String> keys;
    try {
      keys = fold.keys(event);
    } catch (RuntimeException e) {
      return failed(e);
    }
    List<S> states = new ArrayList<>(keys.size());
    for (String key : keys) {
      states.add(state(key, slots));
    }
    try {
      return several(event, States.of(keys, states));
    } catch (Exception e) {
      return failed(e);
    }
  }

  private Verdict<S, O> several(Event<E> event, States<S> before) throws Exception {
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

  private static <S, O> Verdict<S, O> failed(Exception e) {
    return new Verdict.Failed<>(
        Verdict.Cause.UPDATE,
        e instanceof FailureException
            ? String.valueOf(e.getMessage())
            : "the update threw " + told(e));
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
