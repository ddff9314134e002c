package dev.oncefold;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What became of an event. Every event read has exactly one verdict and is in exactly one count.
 *
 * @param <S> the type of the state
 * @param <O> the type of the outputs
 */
public sealed interface Verdict<S, O> {
  /**
   * Which verdict it is.
   *
   * @return the kind
   */
  Kind kind();

  /**
   * Why the event is refused, for a person.
   *
   * @return the reason; null where the kind says it all, or the event is not refused
   */
  default @Nullable String refusal() {
    return null;
  }

  /** The kinds of verdict. */
  enum Kind {
    /** {@link Verdict.Applied}. */
    APPLIED,
    /** {@link Verdict.Rejected}. */
    REJECTED,
    /** {@link Verdict.Duplicate}. */
    DUPLICATE,
    /** {@link Verdict.Conflict}. */
    CONFLICT,
    /** {@link Verdict.Expired}. */
    EXPIRED,
    /** {@link Verdict.Failed}. */
    FAILED
  }

  /**
   * Accepted, and its effect applied.
   *
   * @param states the new state of each key that the event named
   * @param outputs what was emitted
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Applied<S, O>(States<S> states, List<Output<O>> outputs) implements Verdict<S, O> {
    @Override
    public Kind kind() {
      return Kind.APPLIED;
    }

    /**
     * The new state of the event's key; of the first key named, for a fold over several keys.
     *
     * @return the state, or null where the key was deleted
     */
    public @Nullable S state() {
      return states.at(0);
    }
  }

  /**
   * Rejected by the user's rules.
   *
   * @param reason the reason the rules gave
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Rejected<S, O>(String reason) implements Verdict<S, O> {
    public Rejected {
      Objects.requireNonNull(reason);
    }

    @Override
    public String refusal() {
      return reason;
    }

    @Override
    public Kind kind() {
      return Kind.REJECTED;
    }
  }

  /**
   * A re-send: the same key, id and payload were judged before. Nothing is applied again.
   *
   * @param rejected the reason why the first delivery was rejected, or null where it was applied
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Duplicate<S, O>(@Nullable String rejected) implements Verdict<S, O> {
    @Override
    public Kind kind() {
      return Kind.DUPLICATE;
    }
  }

  /**
   * The same key and id were judged before with another payload. Nothing is applied; the id keeps
   * its first verdict.
   *
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Conflict<S, O>() implements Verdict<S, O> {
    @Override
    public Kind kind() {
      return Kind.CONFLICT;
    }
  }

  /**
   * Too old to tell whether it is a re-send: its id is unknown, and ids of its time may have been
   * forgotten. Nothing is applied, and nothing is remembered.
   *
   * @param time the event's time
   * @param floor the greatest event time whose ids may have been forgotten
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Expired<S, O>(Instant time, Instant floor) implements Verdict<S, O> {
    @Override
    public String refusal() {
      return "ids up to " + floor + " may have been forgotten";
    }

    @Override
    public Kind kind() {
      return Kind.EXPIRED;
    }
  }

  /**
   * Could not be judged. Nothing is applied, and nothing is remembered: the same event may come
   * again once the cause is mended.
   *
   * @param cause what kind of failure
   * @param reason what went wrong, for a person
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Failed<S, O>(Cause cause, String reason) implements Verdict<S, O> {
    @Override
    public String refusal() {
      return reason;
    }

    @Override
    public Kind kind() {
      return Kind.FAILED;
    }
  }

  /** Why an event {@link Failed}. */
  enum Cause {
    /** The source could not make an event of what it read. */
    UNDECODABLE,
    /** The fold remembers ids for a span of event time, and the event has no usable time. */
    NO_TIME,
    /** The event's time is too far ahead of the clock. */
    AHEAD_OF_CLOCK,
    /**
     * The user's code failed: the update threw or answered null, the keys it named are unusable, or
     * the state or an output it answered cannot be stored.
     */
    UPDATE
  }
}
