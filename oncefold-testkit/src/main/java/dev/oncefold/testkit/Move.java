package dev.oncefold.testkit;

/**
 * What happened, in an event of the suite.
 *
 * @param kind what is asked for
 * @param key whose account
 * @param other to whom, in a transfer; empty otherwise
 * @param amount how much
 * @param seq the number of the event in its scenario; the same in every re-send
 * @param memo a text that the receipt repeats; empty but where values are large
 */
public record Move(Kind kind, String key, String other, long amount, long seq, String memo) {
  /** The kinds of events. */
  public enum Kind {
    /** Adds to an account. */
    DEPOSIT,
    /** Takes from an account, which must not fall below zero. */
    WITHDRAW,
    /** Takes from one account and adds to another, both or none. */
    TRANSFER,
    /** Deletes the account: the update answers a null state. */
    CLOSE,
    /** The update throws. */
    BREAK
  }
}
