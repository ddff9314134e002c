package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A fold over several keys: all of them change, or none does. */
class KernelKeysTest {
  record Balance(long cents) {}

  record Transfer(String from, String to, long cents) {}

  private static final Map<String, Slot<Balance>> SLOTS =
      Map.of("a", new Slot<>(new Balance(10), 3), "b", new Slot<>(new Balance(20), 4));

  private static Outcome<States<Balance>, String> move(
      States<Balance> states, Event<Transfer> event) {
    Transfer t = event.value();
    long left = states.get(t.from()).cents() - t.cents();
    if (left < 0) {
      return Outcome.reject("insufficient funds");
    }
    return Outcome.accept(
        states
            .with(t.from(), new Balance(left))
            .with(t.to(), new Balance(states.get(t.to()).cents() + t.cents())),
        t.from() + ">" + t.to());
  }

  private static Verdict<Balance, String> judge(
      Function<Event<Transfer>, List<String>> keys,
      Update<States<Balance>, Transfer, String> update,
      Transfer transfer) {
    Fold<Balance, Transfer, String> fold =
        Fold.of("transfers", Balance.class, Transfer.class, String.class)
            .initially(new Balance(0))
            .rememberingForever()
            .update(keys, update);
    assertThat(fold.hasSeveralKeys()).isTrue();
    return new Kernel<>(fold)
        .judge(
            new Event<>("t-1", transfer.from(), null, transfer),
            SLOTS::get,
            (key, id) -> null,
            Kernel.NO_FLOOR,
            Kernel.NO_LIMIT);
  }

  private static List<String> both(Event<Transfer> event) {
    return List.of(event.value().from(), event.value().to());
  }

  private static String failure(Verdict<Balance, String> verdict) {
    if (verdict instanceof Verdict.Failed<Balance, String> failed) {
      assertThat(failed.cause()).isEqualTo(Verdict.Cause.UPDATE);
      return failed.reason();
    }
    throw new AssertionError("not Failed: " + verdict);
  }

  @Test
  void allChange() {
    Verdict<Balance, String> verdict =
        judge(KernelKeysTest::both, KernelKeysTest::move, new Transfer("a", "b", 4));
    assertThat(verdict)
        .isEqualTo(
            new Verdict.Applied<>(
                States.of(List.of("a", "b"), List.of(new Balance(6), new Balance(24))),
                List.of(new Output<>(Output.DEFAULT, "a>b"))));
  }

  @Test
  void aKeyWithoutAStateStartsFromTheInitialOne() {
    Verdict<Balance, String> verdict =
        judge(KernelKeysTest::both, KernelKeysTest::move, new Transfer("b", "new", 5));
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Verdict.Applied.class,
            applied ->
                assertThat(applied.states())
                    .hasToString("{b=Balance[cents=15], new=Balance[cents=5]}"));
  }

  @Test
  void orNoneDoes() {
    assertThat(judge(KernelKeysTest::both, KernelKeysTest::move, new Transfer("a", "b", 11)))
        .isEqualTo(new Verdict.Rejected<Balance, String>("insufficient funds"));
  }

  @Test
  void aNullStateDeletesThemAll() {
    assertThat(
            judge(
                KernelKeysTest::both,
                (states, event) -> Outcome.accept(null),
                new Transfer("a", "b", 1)))
        .isInstanceOfSatisfying(
            Verdict.Applied.class,
            applied -> assertThat(applied.states()).hasToString("{a=null, b=null}"));
  }

  @Test
  void oneOfThemCanBeDeleted() {
    assertThat(
            judge(
                KernelKeysTest::both,
                (states, event) -> Outcome.accept(states.without("b")),
                new Transfer("a", "b", 1)))
        .isInstanceOfSatisfying(
            Verdict.Applied.class,
            applied -> assertThat(applied.states()).hasToString("{a=Balance[cents=10], b=null}"));
  }

  @Test
  void unusableKeysFail() {
    assertThat(failure(judge(e -> List.of(), KernelKeysTest::move, new Transfer("a", "b", 1))))
        .contains("names no key");
    assertThat(
            failure(
                judge(
                    e -> List.of("a", "b", "a"), KernelKeysTest::move, new Transfer("a", "b", 1))))
        .contains("names \"a\" twice");
    assertThat(
            failure(judge(KernelKeysTest::both, KernelKeysTest::move, new Transfer("a", "a", 1))))
        .contains("names \"a\" twice");
    assertThat(failure(judge(e -> withNull(), KernelKeysTest::move, new Transfer("a", "b", 1))))
        .contains("names a null key");
    assertThat(failure(judge(e -> noList(), KernelKeysTest::move, new Transfer("a", "b", 1))))
        .contains("names no key");
    assertThat(
            failure(
                judge(
                    e -> {
                      throw new IllegalStateException("no keys today");
                    },
                    KernelKeysTest::move,
                    new Transfer("a", "b", 1))))
        .contains("no keys today");
  }

  @Test
  void statesOfOtherKeysThanTheNamedOnesFail() {
    assertThat(
            failure(
                judge(
                    KernelKeysTest::both,
                    (states, event) ->
                        Outcome.accept(
                            States.of(List.of("a", "c"), List.of(new Balance(1), new Balance(1)))),
                    new Transfer("a", "b", 1))))
        .contains("[a, c]")
        .contains("[a, b]");
    assertThat(
            failure(
                judge(
                    KernelKeysTest::both,
                    (states, event) -> Outcome.accept(States.one("a", new Balance(1))),
                    new Transfer("a", "b", 1))))
        .contains("[a] for an event of [a, b]");
    assertThat(
            failure(
                judge(
                    KernelKeysTest::both,
                    (states, event) -> Outcome.accept(states.with("c", new Balance(1))),
                    new Transfer("a", "b", 1))))
        .contains("does not name the key \"c\"");
  }

  @Test
  void anAnswerOfNullFails() {
    assertThat(
            failure(judge(KernelKeysTest::both, (s, e) -> noOutcome(), new Transfer("a", "b", 1))))
        .contains("answered null");
  }

  @Test
  void whatTheUserDoesToItsListAfterwardsChangesNothing() {
    List<String> keys = new ArrayList<>(List.of("a", "b"));
    Verdict<Balance, String> verdict =
        judge(
            e -> keys,
            (states, event) -> {
              keys.clear();
              return move(states, event);
            },
            new Transfer("a", "b", 4));
    assertThat(verdict.kind()).isEqualTo(Verdict.Kind.APPLIED);
  }

  @Test
  void anErrorPassesThrough() {
    assertThatThrownBy(
            () ->
                judge(
                    e -> {
                      throw new StackOverflowError("deep");
                    },
                    KernelKeysTest::move,
                    new Transfer("a", "b", 1)))
        .isInstanceOf(StackOverflowError.class);
  }

  @SuppressWarnings("NullAway") // the mistake that is tested
  private static List<String> withNull() {
    List<String> keys = new ArrayList<>();
    keys.add("a");
    keys.add(null);
    return keys;
  }

  @SuppressWarnings("NullAway") // the mistake that is tested
  private static List<String> noList() {
    return null;
  }

  @SuppressWarnings("NullAway") // the mistake that is tested
  private static Outcome<States<Balance>, String> noOutcome() {
    return null;
  }
}
