package dev.oncefold.verify;

import static dev.oncefold.verify.Sketch.P;
import static dev.oncefold.verify.Sketch.deposit;
import static dev.oncefold.verify.Sketch.transfer;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** For each rule a small history that it alone rejects, beside the same one that is sound. */
class CheckerTest {
  private static final Trace ONE = Trace.NONE.after("e1", 1, 10);
  private static final Trace TWO = ONE.after("e2", 2, 5);

  /** Two deposits, both held, their outputs read; not ended yet. */
  private static Sketch sound() {
    return committed().output("a", "e1", 0, ONE).output("a", "e2", 0, TWO).complete().snapshot();
  }

  private static Sketch committed() {
    return new Sketch()
        .input("e1", 100, deposit(1, "a", 10))
        .input("e2", 101, deposit(2, "a", 5))
        .commit("AA")
        .holds("e1", deposit(1, "a", 10))
        .holds("e2", deposit(2, "a", 5));
  }

  /** A transfer out of the world, then one between two keys. */
  private static Sketch transfers() {
    return new Sketch(Observation.Needs.LEAST, 0L)
        .input("e1", 100, transfer(1, "@world", "a", 10))
        .commit("A")
        .holds("e1", transfer(1, "@world", "a", 10));
  }

  private static Set<Rule> rules(Result result) {
    EnumSet<Rule> rules = EnumSet.noneOf(Rule.class);
    if (result instanceof Result.Fail fail) {
      fail.violations().forEach(violation -> rules.add(violation.rule()));
    }
    return rules;
  }

  @Test
  void aSoundHistoryPasses() {
    Result result = sound().end().check();
    assertThat(result).isInstanceOf(Result.Pass.class);
    assertThat(result.figures().counts()).isEqualTo(new Counts(2, 0, 0, 0, 0, 0, 2));
    assertThat(result.figures().snapshots()).isEqualTo(1);
    assertThat(result.figures().outputs()).isEqualTo(2);
    assertThat(result.figures().keys()).isEqualTo(1);
  }

  @Test
  void everyKindOfVerdictPasses() {
    Sketch sketch =
        sound()
            .input("e2", 101, deposit(2, "a", 5))
            .input("e2", 101, deposit(2, "a", 6))
            .input("e3", 102, deposit(3, "a", -99))
            .undecodable()
            .input("e4", 2000, deposit(4, "b", 1))
            .commit("DCRFA", 1000L)
            .holds("e4", deposit(4, "b", 1))
            .input("e2", 101, deposit(2, "a", 5))
            .commit("E")
            .refusal("a", "e2", Verdict.Kind.CONFLICT)
            .refusal("a", "e3", Verdict.Kind.REJECTED)
            .refusal("", "p0@5", Verdict.Kind.FAILED)
            .refusal("a", "e2", Verdict.Kind.EXPIRED)
            .output("b", "e4", 0, Trace.NONE.after("e4", 4, 1))
            .complete()
            .snapshot();
    assertThat(sketch.end().check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void eventsWithoutIdsAreKnownByPosition() {
    Sketch sketch =
        new Sketch()
            .input(null, 1, deposit(1, "a", 1))
            .input(null, 1, deposit(1, "a", 1))
            .commit("AA")
            .holds("p0@0", deposit(1, "a", 1))
            .holds("p0@1", deposit(1, "a", 1))
            .output("a", "p0@0", 0, Trace.NONE.after("p0@0", 1, 1))
            .output("a", "p0@1", 0, Trace.NONE.after("p0@0", 1, 1).after("p0@1", 1, 1))
            .complete()
            .snapshot();
    assertThat(sketch.end().check()).isInstanceOf(Result.Pass.class);
  }

  // Each breaks one rule and no other; in the second column what was done to the engine.
  @TestFactory
  List<DynamicTest> eachRuleAloneRejects() {
    Map<Rule, Supplier<Sketch>> broken = new TreeMap<>();
    broken.put(
        Rule.C1, // what was answered is gone, with all that belongs to it
        () ->
            new Sketch()
                .input("e1", 100, deposit(1, "a", 10))
                .commit("A")
                .add(new Observation.Answered(P, 1))
                .add(new Observation.Snapshot(Map.of(P, 0L), Counts.NONE, null, 0)));
    broken.put(
        Rule.C2, // the second delivery is applied like the first
        () -> committed().input("e2", 101, deposit(2, "a", 5)).commit("A"));
    broken.put(
        Rule.C3, // an output of an event that nobody sent
        () ->
            committed()
                .output("a", "e1", 0, ONE)
                .output("a", "e9", 0, TWO)
                .output("a", "e2", 0, TWO)
                .complete());
    broken.put(
        Rule.C4, // both events are applied, the second one first
        () ->
            new Sketch()
                .input("e1", 100, deposit(1, "a", 10))
                .input("e2", 101, deposit(2, "a", 5))
                .commit("AA")
                .holds("e2", deposit(2, "a", 5))
                .holds("e1", deposit(1, "a", 10))
                .snapshot());
    broken.put(
        Rule.C5, // an output is not there although all are
        () -> committed().output("a", "e1", 0, ONE).complete());
    broken.put(
        Rule.C6, // an output is there twice
        () ->
            committed()
                .output("a", "e1", 0, ONE)
                .output("a", "e2", 0, TWO)
                .output("a", "e2", 0, TWO)
                .complete());
    broken.put(
        Rule.C7, // somebody sees a transfer between its two halves
        () -> {
          Sketch sketch = transfers();
          Observation.Slot world = sketch.slot("@world");
          Observation.Slot a = sketch.slot("a");
          return sketch
              .input("e2", 101, transfer(2, "a", "b", 4))
              .commit("A")
              .holds("e2", transfer(2, "a", "b", 4))
              .add(new Observation.Query("reader", true, List.of(world, a, sketch.slot("b"))));
        });
    broken.put(
        Rule.C8, // a query goes back to an older version
        () ->
            committed()
                .add(new Observation.Query("reader", false, List.of(slot(2, TWO))))
                .add(new Observation.Query("reader", false, List.of(slot(1, ONE)))));
    broken.put(
        Rule.C9, // a commit starts behind the position
        () ->
            committed()
                .input("e3", 102, deposit(3, "a", 1))
                .add(new Observation.Commit(P, 1, 3, 1, null, null, 1, "AA")));
    broken.put(
        Rule.C10, // the older owner commits after the newer one has claimed
        () ->
            committed()
                .add(new Observation.Claimed(P, 2, 2))
                .input("e3", 102, deposit(3, "a", 1))
                .commit("A"));
    broken.put(
        Rule.C11, // it opens what was damaged, and shows something else
        () ->
            committed()
                .add(new Observation.Damaged("a flipped bit"))
                .holds("e2", deposit(2, "a", 5))
                .snapshot());
    broken.put(
        Rule.C12, // with all the time of the world it does not go on
        () -> sound().add(new Observation.Calm()).input("e3", 102, deposit(3, "a", 1)).end());
    broken.put(
        Rule.C13, // a duplicate is counted as a conflict
        () -> committed().snapshot(2, new Counts(1, 0, 0, 1, 0, 0, 2)));
    broken.put(
        Rule.C14, // refused as too old, though nothing was ever forgotten
        () -> committed().input("e3", 1, deposit(3, "a", 1)).commit("E"));
    assertThat(broken.keySet()).containsExactly(Rule.values());
    return broken.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey() + " " + entry.getKey().says(),
                    () -> {
                      Result result = entry.getValue().get().check();
                      assertThat(rules(result)).as("%s", result).containsExactly(entry.getKey());
                      Result.Violation violation = ((Result.Fail) result).violations().get(0);
                      assertThat(violation.witness()).isNotEmpty();
                      assertThat(violation.message()).isNotEmpty();
                    }))
        .toList();
  }

  private static Observation.Slot slot(long version, Trace trace) {
    return new Observation.Slot("a", version, trace.text());
  }

  // ---------------------------------------------------------------- more ways to break a rule

  @Test
  void anEventTakenForADuplicateIsLost() {
    assertThat(rules(committed().input("e3", 1, deposit(3, "a", 1)).commit("D").check()))
        .containsExactly(Rule.C1);
  }

  @Test
  void aLostEffectIsFoundInTheState() {
    Sketch sketch =
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .input("e2", 101, deposit(2, "b", 5))
            .commit("AA")
            .holds("e2", deposit(2, "b", 5))
            .snapshot();
    assertThat(rules(sketch.check())).containsExactly(Rule.C1);
  }

  @Test
  void aDoubledEffectIsFoundInTheState() {
    assertThat(rules(committed().holds("e2", deposit(2, "a", 5)).snapshot().check()))
        .containsExactly(Rule.C2);
  }

  @Test
  void aKeyFromNowhereIsAPhantom() {
    assertThat(rules(committed().holds("e9", deposit(9, "z", 5)).snapshot().check()))
        .containsExactly(Rule.C3);
  }

  @Test
  void aPositionOfWhatNobodyReadIsTold() {
    Sketch sketch = committed();
    sketch.snapshot();
    sketch.add(
        new Observation.Snapshot(
            Map.of(P, 2L, "p9", 5L), new Counts(2, 0, 0, 0, 0, 0, 2), null, 0));
    assertThat(rules(sketch.check())).containsExactly(Rule.C9);
  }

  @Test
  void aPositionAheadOfTheStateIsTold() {
    Sketch sketch =
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .commit("A")
            .holds("e1", deposit(1, "a", 10))
            .input("e2", 101, deposit(2, "a", 5))
            .commit("A")
            .snapshot();
    assertThat(rules(sketch.check())).containsExactlyInAnyOrder(Rule.C9, Rule.C1);
  }

  @Test
  void halfATransferIsFoundInTheSum() {
    Sketch sketch =
        transfers()
            .input("e2", 101, transfer(2, "a", "b", 4))
            .commit("A")
            .holds("e2", deposit(2, "a", -4))
            .snapshot();
    assertThat(rules(sketch.check())).contains(Rule.C7);
  }

  @Test
  void aQueryOfWhatIsNeverCommittedIsFoundWhenNothingIsInFlight() {
    Sketch sketch = committed();
    sketch.add(new Observation.Query("reader", false, List.of(slot(3, TWO.after("e3", 3, 1)))));
    assertThat(rules(sketch.snapshot().check())).containsExactly(Rule.C8);
  }

  @Test
  void aQueryMaySeeACommitBeforeItsAnswer() {
    Trace three = TWO.after("e3", 3, 1);
    Sketch sketch =
        committed()
            .add(new Observation.Query("reader", false, List.of(slot(3, three))))
            .input("e3", 102, deposit(3, "a", 1))
            .commit("A")
            .holds("e3", deposit(3, "a", 1))
            .output("a", "e1", 0, ONE)
            .output("a", "e2", 0, TWO)
            .output("a", "e3", 0, three)
            .complete()
            .snapshot();
    assertThat(sketch.end().check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void outputsOutOfOrderAreFound() {
    assertThat(
            rules(
                committed().output("a", "e2", 0, TWO).output("a", "e1", 0, ONE).complete().check()))
        .containsExactly(Rule.C6);
  }

  @Test
  void anOutputOfAnAbortedAttemptIsAPhantom() {
    assertThat(
            rules(
                committed()
                    .output("a", "e1", 0, ONE)
                    .output("a", "e2", 0, Trace.NONE.after("e2", 2, 5))
                    .output("a", "e2", 0, TWO)
                    .complete()
                    .check()))
        .containsExactly(Rule.C3);
  }

  @Test
  void anOutputOfWhatIsDamagedIsAbsorbedDamage() {
    Sketch sketch = committed().add(new Observation.Damaged("a flipped bit"));
    assertThat(rules(sketch.output("a", "e1", 0, ONE).output("a", "e2", 0, ONE).complete().check()))
        .containsExactly(Rule.C11);
  }

  @Test
  void idsOfOutputsAreEscaped() {
    Trace one = Trace.NONE.after("50%", 1, 10);
    Sketch sketch =
        new Sketch()
            .input("50%", 100, deposit(1, "a/b", 10))
            .commit("A")
            .holds("50%", deposit(1, "a/b", 10))
            .add(
                new Observation.Output(
                    "file", TraceModel.OUTPUT, "a/b", "moves/a%2Fb/50%25/0", one.text()))
            .complete()
            .snapshot();
    assertThat(sketch.end().check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void outputsOfDifferentNamesHaveNoOrder() {
    Model twoNames =
        (event, foldVersion, states) ->
            new Model.Effect(
                Verdict.Kind.APPLIED,
                List.of(new Model.Change("a", Trace.NONE.text())),
                List.of(new Model.Emitted("x", "1"), new Model.Emitted("y", "2")));
    Sketch sketch =
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .input("e2", 101, deposit(2, "a", 10))
            .commit("AA");
    for (String name : List.of("y", "x")) {
      for (String id : List.of("e1", "e2")) {
        int n = name.equals("x") ? 0 : 1;
        sketch.add(
            new Observation.Output(
                "file", name, "a", "moves/a/" + id + "/" + n, name.equals("x") ? "1" : "2"));
      }
    }
    assertThat(rules(Checker.check(sketch.complete(), () -> twoNames))).isEmpty();
  }

  @Test
  void aFailedEventThatIsInNoRefusalIsFound() {
    assertThat(rules(sound().undecodable().commit("F").complete().check()))
        .containsExactly(Rule.C13);
  }

  @Test
  void anEventCommittedInNoCountIsFound() {
    assertThat(rules(committed().undecodable().commit("").check())).isEmpty();
    Sketch sketch = committed().undecodable().input("e3", 1, deposit(3, "a", 1));
    assertThat(rules(sketch.commit("A").check())).contains(Rule.C3);
    assertThat(rules(committed().undecodable().undecodable().commit("F").check()))
        .containsExactly(Rule.C13);
  }

  @Test
  void belowTheFloorNothingIsAppliedAgain() {
    Sketch sketch =
        sound()
            .input("e4", 2000, deposit(4, "b", 1))
            .commit("A", 1000L)
            .input("e2", 101, deposit(2, "a", 5))
            .commit("A");
    assertThat(rules(sketch.check())).containsExactly(Rule.C2);
  }

  @Test
  void whatIsDetectedAndRepairedIsNoHarm() {
    Sketch sketch =
        sound()
            .add(new Observation.Damaged("a flipped bit"))
            .add(new Observation.Refused("bytes are damaged at 17"))
            .add(new Observation.Repaired())
            .snapshot();
    assertThat(sketch.end().check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void damageWhereNothingIsReadIsNoHarm() {
    assertThat(sound().add(new Observation.Damaged("a hole")).snapshot().end().check())
        .isInstanceOf(Result.Pass.class);
  }

  // ---------------------------------------------------------------- histories that tell the rules

  private static History told(Sketch sketch) {
    List<Observation> whole = new ArrayList<>();
    Checker.tell(sketch.withModel(RecordedModel.NAME), new TraceModel(), whole::add);
    int last = whole.size() - 1;
    if (whole.get(last) instanceof Observation.End) {
      whole.set(last, new Observation.End(last));
    }
    return whole::forEach;
  }

  @Test
  void aHistoryThatTellsItsRulesIsJudgedAlone() {
    assertThat(
            Checker.check(
                told(
                    sound()
                        .input("e3", 1, deposit(3, "a", -99))
                        .commit("R")
                        .refusal("a", "e3", Verdict.Kind.REJECTED)
                        .complete()
                        .snapshot()
                        .end())))
        .isInstanceOf(Result.Pass.class);
  }

  @Test
  void whatBreaksARuleBreaksItThereToo() {
    assertThat(rules(Checker.check(told(committed().output("a", "e1", 0, ONE).complete().end()))))
        .containsExactly(Rule.C5);
    assertThat(rules(Checker.check(told(committed().holds("e2", deposit(2, "a", 5)).snapshot()))))
        .containsExactly(Rule.C2);
  }
}
