package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A dry run comes to what a store would, and a look at an event leaves nothing. */
class DryRunTest {
  record Amount(long cents, List<String> notes) {}

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  private static Fold.Builder<Amount, Amount, String> bank() {
    return Fold.of("bank", Amount.class, Amount.class, String.class)
        .initially(new Amount(0, List.of()));
  }

  private static Outcome<Amount, String> add(Amount state, Event<Amount> event) {
    long cents = state.cents() + event.value().cents();
    if (cents == 0) {
      return Outcome.accept(null);
    }
    return cents < 0
        ? Outcome.reject("insufficient funds")
        : Outcome.accept(new Amount(cents, event.value().notes()));
  }

  private static Event<Amount> event(String id, long cents) {
    return new Event<>(id, "k", NOON, new Amount(cents, List.of()));
  }

  private static String told(Verdict<Amount, String> verdict) {
    return verdict.kind().name().toLowerCase(java.util.Locale.ROOT);
  }

  @Test
  void anIdIsJudgedOnceAndSlotsAreKept() {
    DryRun<Amount, Amount, String> run =
        new DryRun<>(
            bank().remembering(Duration.ofDays(7)).update(DryRunTest::add), Kernel.NO_LIMIT);
    assertThat(told(run.apply(event("1", 5)))).isEqualTo("applied");
    assertThat(told(run.apply(event("1", 5)))).isEqualTo("duplicate");
    assertThat(told(run.apply(event("1", 6)))).isEqualTo("conflict");
    assertThat(run.apply(event("2", -6))).isEqualTo(new Verdict.Rejected<>("insufficient funds"));
    assertThat(run.apply(event("2", -6))).isEqualTo(new Verdict.Duplicate<>("insufficient funds"));
    assertThat(told(run.apply(event("3", 2)))).isEqualTo("applied");
    assertThat(run.slots()).containsEntry("k", new Slot<>(new Amount(7, List.of()), 2));
    assertThat(told(run.apply(event("4", -7)))).isEqualTo("applied");
    assertThat(run.slots()).isEmpty();
    assertThat(told(run.apply(event("5", 1)))).isEqualTo("applied");
    assertThat(run.slots()).containsEntry("k", new Slot<>(new Amount(1, List.of()), 1));
  }

  @Test
  void aLookLeavesNothing() {
    DryRun<Amount, Amount, String> run =
        new DryRun<>(bank().rememberingForever().update(DryRunTest::add), Kernel.NO_LIMIT);
    assertThat(told(run.judge(event("1", 5)))).isEqualTo("applied");
    assertThat(run.slots()).isEmpty();
    assertThat(told(run.judge(event("1", 5)))).isEqualTo("applied");
  }

  @Test
  void withoutIdsTheSameEventIsAppliedAgain() {
    DryRun<Amount, Amount, String> run =
        new DryRun<>(bank().rememberingNoIds().update(DryRunTest::add), Kernel.NO_LIMIT);
    assertThat(told(run.apply(event("1", 5)))).isEqualTo("applied");
    assertThat(told(run.apply(event("1", 5)))).isEqualTo("applied");
  }

  @Test
  void whatAStoreCouldNotWriteOrWouldNotBelieveIsFailed() {
    DryRun<Amount, Amount, String> run =
        new DryRun<>(
            bank().remembering(Duration.ofDays(7)).update(DryRunTest::add), NOON.toEpochMilli());
    List<String> broken = List.of("\ud800"); // half a character
    Verdict<Amount, String> verdict = run.apply(new Event<>("1", "k", NOON, new Amount(1, broken)));
    assertThat(verdict.kind()).isEqualTo(Verdict.Kind.FAILED);
    assertThat(run.slots()).isEmpty();
    assertThat(told(run.apply(event("1", 5)))).isEqualTo("applied");
    assertThat(told(run.apply(new Event<>("2", "k", NOON.plusMillis(1), new Amount(1, List.of())))))
        .isEqualTo("failed");
  }
}
