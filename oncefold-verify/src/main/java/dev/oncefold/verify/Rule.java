package dev.oncefold.verify;

/** What an engine must never do. The numbers are those of the proof, in messages and in docs. */
public enum Rule {
  /** Nothing below the committed position is lost. */
  C1("nothing is lost"),
  /** Each effect is applied once. */
  C2("each effect once"),
  /** No effect without an event, and none of an aborted attempt. */
  C3("no phantom"),
  /** The events of a key are applied in order. */
  C4("order of a key"),
  /**
   * At every recovery point state is the fold of the input up to the position, and so are outputs.
   */
  C5("state and outputs are those of the input up to the position"),
  /** Outputs are unique and in order for each key. */
  C6("outputs unique and in order"),
  /** What is conserved is conserved in everything that anybody sees. */
  C7("sums conserved"),
  /** A query sees committed versions only, and never goes back within a session. */
  C8("queries see what is committed"),
  /** The position is never ahead of the state and never goes back. */
  C9("position and state go together"),
  /** Nothing comes from a fenced owner. */
  C10("nothing from a fenced owner"),
  /** Damage is detected, never absorbed. */
  C11("damage is told"),
  /** Once the faults stop, it catches up. */
  C12("it catches up"),
  /** Every event is in exactly one count. */
  C13("every event in one count"),
  /** Expired only at or below a committed floor. */
  C14("expired only below the floor");

  private final String says;

  Rule(String says) {
    this.says = says;
  }

  /**
   * The rule in words.
   *
   * @return a few words
   */
  public String says() {
    return says;
  }
}
