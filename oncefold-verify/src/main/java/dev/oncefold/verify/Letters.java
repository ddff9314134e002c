package dev.oncefold.verify;

import dev.oncefold.Verdict;

/** Verdicts as the letters of a history. */
public final class Letters {
  /** Where the engine does not tell. */
  public static final char UNTOLD = '?';

  private static final Verdict.Kind[] KINDS = Verdict.Kind.values();

  private Letters() {}

  /**
   * The letter of a verdict.
   *
   * @param kind the verdict
   * @return its first letter
   */
  public static char of(Verdict.Kind kind) {
    return kind.name().charAt(0);
  }

  /**
   * The verdict of a letter.
   *
   * @param letter the letter
   * @return the verdict
   * @throws HistoryException if no verdict begins with it
   */
  public static Verdict.Kind kind(char letter) {
    for (Verdict.Kind kind : KINDS) {
      if (of(kind) == letter) {
        return kind;
      }
    }
    throw new HistoryException(
        "no verdict has the letter '" + letter + "': there are A, R, D, C, E and F", null);
  }
}
