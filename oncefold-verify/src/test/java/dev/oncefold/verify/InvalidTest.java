package dev.oncefold.verify;

import static dev.oncefold.verify.Sketch.deposit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Histories that prove nothing, although nothing in them is wrong. */
class InvalidTest {
  private static Sketch sketch(Observation.Needs needs) {
    return new Sketch(needs, null)
        .input("e1", 100, deposit(1, "a", 10))
        .commit("A")
        .holds("e1", deposit(1, "a", 10))
        .output("a", "e1", 0, Trace.NONE.after("e1", 1, 10))
        .complete()
        .snapshot();
  }

  private static void invalid(History history, String... reasons) {
    Result result = Checker.check(history);
    assertThat(result).isInstanceOf(Result.Invalid.class);
    assertThat(((Result.Invalid) result).reasons()).containsExactly(reasons);
  }

  private static Observation.Fault kill(boolean landed, boolean open) {
    return new Observation.Fault("F2", "SIGKILL", landed, true, open);
  }

  @Test
  void soundIsSound() {
    assertThat(sketch(Observation.Needs.LEAST).end().check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void anEmptyHistory() {
    invalid(each -> {}, "the history is empty");
  }

  @Test
  void anEmptyInput() {
    invalid(
        new Sketch().snapshotOfNothing().end(),
        "it needs 1 committed events, and had 0",
        "it needs 1 commits, and had 0");
  }

  @Test
  void aNemesisThatDoesNothing() {
    invalid(
        sketch(new Observation.Needs(1, 2, 1, 1, List.of("F2", "F4")))
            .add(kill(false, false))
            .end(),
        "it needs 2 kills, and had 0",
        "it needs 1 kills inside an open commit, and had 0",
        "the fault F2 did not land, tried 1 times",
        "the fault F4 did not land: it was never tried");
  }

  @Test
  void tooFewKillsInsideAnOpenCommit() {
    invalid(
        sketch(new Observation.Needs(1, 2, 1, 1, List.of()))
            .add(kill(true, false))
            .add(kill(true, false))
            .end(),
        "it needs 1 kills inside an open commit, and had 0");
  }

  @Test
  void noEnd() {
    Sketch sketch = sketch(Observation.Needs.LEAST);
    invalid(
        sketch,
        "the history is incomplete: it has no end behind its "
            + sketch.observations.size()
            + " observations");
  }

  @Test
  void halfTheHistoryDeleted() {
    List<Observation> all = sketch(Observation.Needs.LEAST).end().observations;
    for (int from = 1; from < all.size() - 1; from++) {
      for (int to = from + 1; to < all.size(); to++) {
        List<Observation> less = new java.util.ArrayList<>(all);
        less.subList(from, to).clear();
        // With a part missing it may look as if a rule were broken; it never looks right.
        assertThat(Checker.check(less::forEach)).isNotInstanceOf(Result.Pass.class);
      }
    }
  }

  @Test
  void inputThatIsMissing() {
    invalid(
        new Sketch().commitTo(1, "A"),
        "behind observation 2: a commit of p0 ends at 1, but the history has its input up to 0 only");
  }

  /** A topic has offsets at which no event stands; that none did is known by the next one. */
  @Test
  void aGapIsSureOnlyIfTheNextEventIsKnown() {
    Move one = deposit(1, "a", 10);
    Move two = deposit(2, "a", 5);
    Observation.Input first = new Observation.Input("p0", 0, 1, "a", "e1", 100L, one.text());
    Observation.Input second = new Observation.Input("p0", 4, 5, "a", "e2", 101L, two.text());
    Observation.Commit pastTheGap = new Observation.Commit("p0", 0, 4, 1, null, null, 1, "A");
    invalid(
        new Sketch().add(first).add(pastTheGap).add(second),
        "behind observation 3: a commit of p0 ends at 4, but the history has its input up to 1 only");
    Trace after = Trace.NONE.after("e1", 1, 10);
    Result known =
        Checker.check(
            new Sketch()
                .add(first)
                .add(second)
                .add(pastTheGap)
                .add(new Observation.Commit("p0", 4, 5, 1, null, null, 1, "A"))
                .output("a", "e1", 0, after)
                .output("a", "e2", 0, after.after("e2", 2, 5))
                .complete()
                .holds("e1", one)
                .holds("e2", two)
                .add(
                    new Observation.Snapshot(
                        Map.of("p0", 5L), new Counts(2, 0, 0, 0, 0, 0, 2), null, 1))
                .add(new Observation.Slot("a", 2, after.after("e2", 2, 5).text()))
                .end());
    assertThat(known).isInstanceOf(Result.Pass.class);
  }

  @Test
  void notCaughtUpWhileFaultsGoOn() {
    invalid(
        sketch(Observation.Needs.LEAST).input("e2", 101, deposit(2, "a", 5)).end(),
        "it did not catch up: p0 has 1 events that are not committed");
  }

  @Test
  void outputsThatNobodyRead() {
    invalid(
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .commit("A")
            .holds("e1", deposit(1, "a", 10))
            .snapshot()
            .end(),
        "it did not catch up: nobody has read the outputs and refusals to their end");
  }

  @Test
  void noSnapshot() {
    invalid(
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .commit("A")
            .output("a", "e1", 0, Trace.NONE.after("e1", 1, 10))
            .complete()
            .end(),
        "it needs 1 snapshots compared, and had 0");
  }

  @Test
  void aModelThatNobodyKnows() {
    invalid(
        new Sketch().withModel("accounts").end(),
        "the history asks for the model \"accounts\"; there are recorded, trace");
  }

  @Test
  void slotsThatAreMissing() {
    invalid(
        new Sketch()
            .add(new Observation.Snapshot(Map.of(), dev.oncefold.Counts.NONE, null, 2))
            .end(),
        "behind observation 3: 2 slots of the snapshot before are missing");
  }

  @Test
  void rulesThatTheHistoryDoesNotTell() {
    invalid(
        new Sketch().withModel(RecordedModel.NAME).input("e1", 1, deposit(1, "a", 1)).commit("A"),
        "behind observation 3: the history does not tell what the rules make of the event at p0@0");
  }

  @Test
  void nothingApplied() {
    invalid(
        new Sketch(new Observation.Needs(1, 1, 1, 1, List.of()), null)
            .input("e1", 100, deposit(1, "a", -1))
            .add(kill(true, true))
            .commit("R")
            .refusal("a", "e1", Verdict.Kind.REJECTED)
            .complete()
            .snapshot()
            .end(),
        "no event was applied: the kills had no effect to do harm to");
  }

  @Test
  void moreBehindItsEnd() {
    Sketch ended = sketch(Observation.Needs.LEAST).end();
    invalid(
        ended.snapshot(),
        "behind observation " + ended.observations.size() + ": it goes on behind its end");
  }

  @Test
  void noSnapshotBehindTheLastCommit() {
    invalid(
        sketch(Observation.Needs.LEAST)
            .input("e9", 109, deposit(9, "a", -99))
            .commit("R")
            .refusal("a", "e9", Verdict.Kind.REJECTED)
            .complete()
            .end(),
        "no snapshot was compared behind the last commit");
  }

  @Test
  void aReaderThatWasNeverCompared() {
    invalid(
        sketch(Observation.Needs.LEAST)
            .add(new Observation.Output("other", "traces", "a", "moves/a/e9/0", "1 1 1 1"))
            .end(),
        "it did not catch up: the reader other has not read to the end");
  }

  @Test
  void damageThatNobodyLookedAt() {
    invalid(
        sketch(Observation.Needs.LEAST)
            .add(new Observation.Damaged("a hole"))
            .add(new Observation.Repaired())
            .end(),
        "nobody looked at what is stored after its damage: a hole");
  }
}
