package dev.oncefold.testkit;

/**
 * What not every engine can do. An engine that lacks one refuses to start where it is asked for,
 * and the suite checks that it does.
 */
public enum Capability {
  /** Folds over several keys: all of them change or none. */
  SEVERAL_KEYS,
  /** Ids are remembered for a span of event time. */
  SPAN,
  /** The count of ids is bounded. */
  BOUND,
  /** Ids are remembered for ever. */
  FOREVER,
  /** No ids are remembered. */
  NO_IDS,
  /** Stops before an event that Failed. */
  STOP_WHEN_FAILED,
  /** Every event of a key can be read again, with its verdict and the state after it. */
  HISTORY,
  /** Goes on under another version of the fold, if told to. */
  ACCEPTED_CHANGE
}
