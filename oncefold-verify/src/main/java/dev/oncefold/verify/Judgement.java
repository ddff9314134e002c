package dev.oncefold.verify;

import dev.oncefold.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * What an engine may say of an event.
 *
 * @param first whether the event is the first with its id, as far as anybody has to know
 * @param unlessTold the verdict to go on with where the engine does not tell one
 * @param why why, for a message
 * @param effect what comes of it by the rules, where they were asked
 */
record Judgement(First first, Verdict.Kind unlessTold, String why, Model.@Nullable Effect effect) {
  /** Whether the id came before. */
  enum First {
    YES,
    NO,
    /** Its time is at or below the floor: nobody has to know. */
    FORGOTTEN
  }

  static Judgement undecodable() {
    return cannot("no event can be made of it");
  }

  static Judgement cannot(String why) {
    return new Judgement(First.YES, Verdict.Kind.FAILED, why, null);
  }

  static Judgement known(boolean samePayload) {
    return samePayload
        ? new Judgement(First.NO, Verdict.Kind.DUPLICATE, "it was judged before", null)
        : new Judgement(
            First.NO, Verdict.Kind.CONFLICT, "it was judged before with another payload", null);
  }

  static Judgement old(long time, long floor) {
    return new Judgement(
        First.FORGOTTEN,
        Verdict.Kind.EXPIRED,
        "its time " + time + " is not above the floor " + floor + ", so it may have been applied",
        null);
  }

  static Judgement byTheRules(Model.Effect effect) {
    return new Judgement(
        First.YES, effect.verdict(), "it is new, and the rules say " + effect.verdict(), effect);
  }

  /** The rule that a verdict breaks, or null. */
  @Nullable Rule breaks(Verdict.Kind told) {
    if (told == unlessTold) {
      return null;
    }
    boolean judgedAgain = told == Verdict.Kind.APPLIED || told == Verdict.Kind.REJECTED;
    return switch (first) {
      case NO -> judgedAgain ? Rule.C2 : told == Verdict.Kind.EXPIRED ? Rule.C14 : Rule.C13;
      case FORGOTTEN -> judgedAgain ? Rule.C2 : told == Verdict.Kind.FAILED ? Rule.C13 : null;
      case YES ->
          switch (told) {
            case APPLIED -> Rule.C3;
            case EXPIRED -> Rule.C14;
            case DUPLICATE, CONFLICT -> Rule.C1;
            case REJECTED -> unlessTold == Verdict.Kind.APPLIED ? Rule.C5 : Rule.C13;
            case FAILED -> Rule.C13;
          };
    };
  }
}
