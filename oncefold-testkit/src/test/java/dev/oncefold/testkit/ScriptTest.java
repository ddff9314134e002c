package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A table says what it seems to say, or is an error. */
class ScriptTest {
  private static Step only(String line) {
    List<Step> steps = Script.of(line).steps();
    assertThat(steps).hasSize(1);
    return steps.get(0);
  }

  private static Step.Fed fed(String line) {
    return ((Step.Feed) only(line)).records().get(0);
  }

  @Test
  void anEventIsASentence() {
    Step.Fed fed = fed("p0: withdraw e2 of 99 from alice on day 3 at 09:01  rejected: no money");
    assertThat(fed.partition()).isEqualTo("p0");
    assertThat(fed.event())
        .isEqualTo(
            new Event<>(
                "e2",
                "alice",
                Instant.parse("2024-03-03T09:01:00Z"),
                new Move(Move.Kind.WITHDRAW, "alice", "", 99, 1, "")));
    assertThat(fed.expected()).isEqualTo(new Step.Expectation(Step.Fate.REJECTED, "no money"));
    assertThat(Bank.decode(fed.record())).isEqualTo(fed.event());
  }

  @Test
  void aTransferHasTwoAccountsAndANameMayBeInQuotes() {
    Event<Move> event = fed("p1: transfer t of 5 from \"a b\" to c  applied").event();
    assertThat(event).isNotNull();
    assertThat(event.value()).isEqualTo(new Move(Move.Kind.TRANSFER, "a b", "c", 5, 1, ""));
    assertThat(event.time()).isNull();
  }

  @Test
  void aReSendHasTheNumberOfTheFirstDeliveryAndAnEventWithoutAnIdHasItsOwn() {
    List<Step> steps =
        Script.of(
                """
                p0: deposit e1 of 1 to a  applied
                p0: deposit e2 of 1 to a  applied
                p0: deposit e1 of 1 to a  duplicate
                p0: deposit e1 of 1 to b  applied
                p0: deposit of 1 to a     applied
                p0: deposit of 1 to a     applied
                """)
            .steps();
    List<Long> numbers =
        steps.stream()
            .map(step -> ((Step.Feed) step).records().get(0).event())
            .map(event -> event == null ? 0 : event.value().seq())
            .toList();
    assertThat(numbers.get(2)).isEqualTo(numbers.get(0));
    assertThat(numbers.stream().distinct()).hasSize(5);
  }

  @Test
  void manyEventsAreOneLine() {
    Step.Feed feed = (Step.Feed) only("p0: 3 deposits e of 1 to a at 09:00  applied");
    assertThat(feed.records())
        .extracting(fed -> fed.event() == null ? null : fed.event().id())
        .containsExactly("e1", "e2", "e3");
  }

  @Test
  void whatIsComparedIsASentence() {
    Step.Line at = new Step.Line(1, "counts 2 applied, 3 duplicates, 1 failed, 4 outputs");
    assertThat(only(at.text())).isEqualTo(new Step.Total(at, new Counts(2, 0, 3, 0, 0, 1, 4)));
    at = new Step.Line(1, "state alice -10, 1 event, version 7");
    assertThat(only(at.text())).isEqualTo(new Step.State(at, "alice", -10, 1, 7L));
    at = new Step.Line(1, "state alice none");
    assertThat(only(at.text())).isEqualTo(new Step.NoState(at, "alice"));
    at = new Step.Line(1, "output large bank/a/e1/0 of a 10");
    assertThat(only(at.text())).isEqualTo(new Step.HasOutput(at, "large", "bank/a/e1/0", "a", 10));
    at = new Step.Line(1, "history a: e1 applied 10, e2 rejected: no money");
    assertThat(only(at.text()))
        .isEqualTo(
            new Step.History(
                at,
                "a",
                List.of(
                    new Step.Past("e1", new Step.Expectation(Step.Fate.APPLIED, ""), 10L),
                    new Step.Past(
                        "e2", new Step.Expectation(Step.Fate.REJECTED, "no money"), null))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          deposit e1 of 10 to alice  applied              | PARTITION: EVENT
          p0: deposit e1 of 10 to alice                   | what the event comes to
          p0: deposit e1 of 10 to alice  done             | what the event comes to
          p0: deposit e1 of 10 to alice applied           | an event
          p0: deposit e1 of ten to alice  applied         | an amount
          p0: deposit e1 to alice  applied                | an event
          p0: deposit e1 of alice  applied                | an amount
          p0: close e1 of 10 to alice  applied            | an amount
          p0: transfer e1 of 10 from alice  applied       | two accounts
          p0: deposit e1 of 10 to alice at nine  applied  | an event
          p0: nothing  applied                            | nothing behind
          state alice                                     | state
          state alice 10                                  | state
          counts 1 apples                                 | counts such as
          crash  applied                                  | nothing behind
          restart  failed                                 | refused
          settle now                                      | settle
          history alice e1 applied                        | history KEY
          """)
  void whatIsNoSentenceIsAnErrorThatSaysWhereAndWhatWasExpected(String line, String expected) {
    assertThatThrownBy(() -> Script.of("settle\n" + line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line 2: " + line)
        .hasMessageContaining(expected);
  }

  @Test
  void anEmptyTableIsAnError() {
    assertThatThrownBy(() -> Script.of("\n \n")).hasMessageContaining("empty");
  }

  @Test
  void aTableInWhichTheOrderOfTwoEventsIsNobodysPromiseIsAnError() {
    String table =
        """
        crash
        p0: deposit e1 of 1 to alice at 09:00   applied
        p1: deposit e1 of 1 to alice at 09:00   duplicate
        restart
        """;
    assertThatThrownBy(() -> Scenario.play(new NoOpFixture(), Claims.A_WEEK, table))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line 3")
        .hasMessageContaining("settle");
  }

  @Test
  void aTableThatEndsWithTheEngineDownIsAnError() {
    String table = "p0: deposit e1 of 1 to alice at 09:00   applied\ncrash";
    assertThatThrownBy(() -> Scenario.play(new NoOpFixture(), Claims.A_WEEK, table))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("restart");
  }

  @Test
  void aSetupComesThroughItsText() {
    Setup setup =
        Setup.remembering(Duration.ofDays(7))
            .atMost(5)
            .overSeveralKeys()
            .version(3)
            .whenFailed(Fold.WhenFailed.STOP)
            .withHistory()
            .acceptingChange()
            .partitions(List.of("p 0", "p1"));
    assertThat(Setup.of(setup.text())).isEqualTo(setup);
    assertThatThrownBy(() -> Setup.of("x y")).hasMessageContaining("x y");
  }
}
