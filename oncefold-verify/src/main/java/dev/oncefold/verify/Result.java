package dev.oncefold.verify;

import java.util.List;

/** What the checker says of a history. */
public sealed interface Result {
  /**
   * What was checked.
   *
   * @return the figures to publish with the result
   */
  Figures figures();

  /**
   * The same, with what was checked before it.
   *
   * @param before the figures of other histories
   * @return this result with the figures of all
   */
  default Result after(Figures before) {
    Figures all = before.plus(figures());
    if (this instanceof Fail fail) {
      return new Fail(fail.violations(), all);
    } else if (this instanceof Invalid invalid) {
      return new Invalid(invalid.reasons(), all);
    }
    return new Pass(all);
  }

  /**
   * No rule is broken, and what had to happen happened.
   *
   * @param figures what was checked
   */
  record Pass(Figures figures) implements Result {}

  /**
   * A rule is broken.
   *
   * @param violations what is wrong at the first place where anything is; at least one
   * @param figures what was checked up to there
   */
  record Fail(List<Violation> violations, Figures figures) implements Result {
    /** Copies the list. */
    public Fail {
      violations = List.copyOf(violations);
    }
  }

  /**
   * The run proved nothing.
   *
   * @param reasons why; at least one
   * @param figures what was checked
   */
  record Invalid(List<String> reasons, Figures figures) implements Result {
    /** Copies the list. */
    public Invalid {
      reasons = List.copyOf(reasons);
    }
  }

  /**
   * A broken rule with its smallest witness.
   *
   * @param rule the rule
   * @param line the number of the observation that shows it, from 1
   * @param message what is wrong
   * @param witness the observations that prove it, each as its line of the history
   */
  record Violation(Rule rule, long line, String message, List<String> witness) {
    /** Copies the list. */
    public Violation {
      witness = List.copyOf(witness);
    }
  }
}
