package dev.oncefold.journal;

import org.jspecify.annotations.Nullable;

/** The simulated journal broke its promise. */
final class SimViolation extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What was broken. */
  enum Rule {
    /** Something answered is gone. */
    LOST,
    /** State is not the fold of the input up to the position. */
    STATE,
    /** Positions do not fit the events that survived. */
    POSITION,
    /** Outputs or refusals are not those of the input up to the position. */
    OUTPUTS,
    /** An event is in no count, or in another one. */
    COUNTS,
    /** Other ids are remembered than should be. */
    IDS,
    /** The floor stands where it may not. */
    FLOOR,
    /** The journal answered another verdict, or in another order. */
    VERDICT,
    /** A stale claim was let through. */
    FENCE,
    /** An undamaged journal was refused. */
    REFUSED,
    /** Damage was taken for content. */
    ABSORBED,
    /** An exception that is not documented. */
    UNEXPECTED,
    /** It does not catch up although nothing fails. */
    STUCK
  }

  final Rule rule;

  SimViolation(Rule rule, String what) {
    this(rule, what, null);
  }

  SimViolation(Rule rule, String what, @Nullable Throwable cause) {
    super(rule + ": " + what, cause);
    this.rule = rule;
  }
}
