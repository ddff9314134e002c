package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Versions begin anew where a key is deleted, and a query that lags may still see the old ones. */
class DeletedKeysTest {
  /** The payload becomes the state; "-" deletes it. */
  private static final Model LAST =
      (event, foldVersion, states) ->
          new Model.Effect(
              Verdict.Kind.APPLIED,
              List.of(new Model.Change("k", event.payload().equals("-") ? null : event.payload())),
              List.of());

  private final List<Observation> seen = new ArrayList<>();
  private int number;

  DeletedKeysTest() {
    seen.add(
        new Observation.Begin(
            "by hand",
            "last",
            1,
            "last",
            Observation.Begin.FOREVER,
            null,
            Observation.Needs.LEAST,
            Map.of()));
  }

  private void committed(String... states) {
    for (String state : states) {
      long at = number++;
      seen.add(new Observation.Input("p", at, at + 1, "k", "e" + at, null, state));
      seen.add(new Observation.Commit("p", at, at + 1, 1, null, null, 1, "A"));
    }
  }

  private void shown(String session, long version, String state) {
    seen.add(
        new Observation.Query(session, true, List.of(new Observation.Slot("k", version, state))));
  }

  private Result check() {
    Counts counts = new Counts(number, 0, 0, 0, 0, 0, 0);
    seen.add(new Observation.Snapshot(Map.of("p", (long) number), counts, null, 1));
    seen.add(new Observation.Slot("k", 2, "e"));
    seen.add(new Observation.End(seen.size()));
    return Checker.check(each -> seen.forEach(each), () -> LAST);
  }

  private void isRefused() {
    assertThat(((Result.Fail) check()).violations().get(0).rule()).isEqualTo(Rule.C8);
  }

  @Test
  void whoLagsSeesTheOldVersionsThenTheNewOnes() {
    committed("a", "b", "c", "-", "d", "e");
    shown("late", 2, "b");
    shown("late", 3, "c");
    shown("late", 1, "d");
    shown("late", 2, "e");
    assertThat(check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void whoLagsDoesNotGoBackTwice() {
    committed("a", "b", "c", "-", "d", "e");
    shown("late", 3, "c");
    shown("late", 2, "e");
    shown("late", 1, "d");
    isRefused();
  }

  @Test
  void whatStoodThereBeforeTheDeletionIsNotWaitedFor() {
    committed("a", "b", "c", "-");
    shown("late", 2, "b");
    committed("d", "e");
    assertThat(check()).isInstanceOf(Result.Pass.class);
  }

  @Test
  void versionsThatNeverWereAreFoundAfterADeletionToo() {
    committed("a", "-", "d", "e");
    shown("late", 2, "x");
    isRefused();
  }
}
