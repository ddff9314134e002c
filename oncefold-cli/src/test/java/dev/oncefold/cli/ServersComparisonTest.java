package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The comparison of the demo with Kafka and PostgreSQL finds whatever is not as it should be. */
class ServersComparisonTest {
  private final TopicReference expected = new TopicReference();
  private final Map<String, TopicReference.Row> rows = new TreeMap<>();
  private final List<String> alices = new ArrayList<>();
  private final List<String> refusals = new ArrayList<>();
  private Counts counts = Counts.NONE;

  @BeforeEach
  void aRightResult() {
    List<String> topic =
        List.of(
            payment("p-1", "deposit", "10.00"),
            payment("p-2", "deposit", "5.50"),
            payment("p-1", "deposit", "10.00"),
            payment("p-3", "withdraw", "99.00"),
            payment("p-3", "withdraw", "99.00"),
            payment("p-2", "deposit", "15.50"),
            "{\"id\":\"p-4\",");
    for (int i = 0; i < topic.size(); i++) {
      expected.next("payments-0", i, topic.get(i));
    }
    rows.put("alice", new TopicReference.Row(15_50, 2));
    alices.add("{\"id\":\"accounts/alice/p-1/0\",\"account\":\"alice\",\"balance\":10.00}");
    alices.add("{\"id\":\"accounts/alice/p-2/0\",\"account\":\"alice\",\"balance\":15.50}");
    refusals.add("{\"id\":\"p-3\",\"verdict\":\"rejected\",\"reason\":\"insufficient funds\"}");
    refusals.add("{\"id\":\"p-2\",\"verdict\":\"conflict\"}");
    refusals.add("{\"id\":\"payments-0@6\",\"verdict\":\"failed\"}");
    counts = new Counts(2, 1, 2, 1, 0, 1, 2);
  }

  private static String payment(String id, String type, String amount) {
    return "{\"id\":\"%s\",\"account\":\"alice\",\"type\":\"%s\",\"amount\":%s,\"at\":\"2025-01-01T00:00:00Z\"}"
        .formatted(id, type, amount);
  }

  private ServersComparison compared() {
    ServersComparison comparison = new ServersComparison(expected);
    comparison.counts(counts);
    comparison.rows(rows);
    alices.forEach(value -> comparison.receipt("alice", value));
    refusals.forEach(comparison::refusal);
    comparison.topics();
    return comparison;
  }

  private void finds(Consumer<ServersComparison> more, String... shown) {
    ServersComparison comparison = compared();
    assertThat(comparison.shown()).containsExactly(shown);
    assertThat(comparison.differences()).isEqualTo(shown.length);
    more.accept(comparison);
  }

  @Test
  void nothingWhereAllIsRight() {
    finds(comparison -> assertThat(comparison.lost() + comparison.doubled()).isZero());
  }

  @Test
  void anEffectThatIsThereTwice() {
    rows.put("alice", new TopicReference.Row(25_50, 3));
    finds(
        comparison -> assertThat(comparison.doubled()).isOne(),
        "the row of alice is Row[cents=2550, payments=3], not Row[cents=1550, payments=2]");
  }

  @Test
  void aRowThatIsGoneAndOneTooMany() {
    rows.clear();
    rows.put("mallory", new TopicReference.Row(1, 1));
    finds(
        comparison -> assertThat(comparison.lost()).isEqualTo(2),
        "the row of alice is Row[cents=0, payments=0], not Row[cents=1550, payments=2]",
        "the row of mallory is Row[cents=1, payments=1], not Row[cents=0, payments=0]");
  }

  @Test
  void aReceiptThatIsLost() {
    alices.remove(1);
    finds(
        comparison -> assertThat(comparison.lost()).isOne(),
        "receipt 2 of alice is nothing, not {\"id\":\"accounts/alice/p-2/0\",\"account\":\"alice\",\"balance\":15.50}");
  }

  @Test
  void aReceiptThatIsThereTwice() {
    alices.add(alices.get(1));
    finds(
        comparison -> assertThat(comparison.doubled()).isOne(),
        "receipt 3 of alice is {\"id\":\"accounts/alice/p-2/0\",\"account\":\"alice\",\"balance\":15.50}, not nothing");
  }

  @Test
  void receiptsInAnotherOrder() {
    alices.add(alices.remove(0));
    finds(
        comparison -> assertThat(comparison.lost() + comparison.doubled()).isZero(),
        "receipt 1 of alice is {\"id\":\"accounts/alice/p-2/0\",\"account\":\"alice\",\"balance\":15.50},"
            + " not {\"id\":\"accounts/alice/p-1/0\",\"account\":\"alice\",\"balance\":10.00}");
  }

  @Test
  void refusalsThatAreLostOrThereTwice() {
    refusals.set(0, refusals.get(1));
    finds(
        comparison -> {
          assertThat(comparison.lost()).isOne();
          assertThat(comparison.doubled()).isOne();
        },
        "the refusal p-2 conflict is there 2 times, not 1",
        "the refusal p-3 rejected is there 0 times, not 1");
  }

  @Test
  void countsThatDoNotAddUp() {
    counts = new Counts(2, 1, 1, 1, 0, 1, 3);
    finds(
        comparison -> {},
        "the count of events is 6, not 7",
        "the count of duplicates is 1, not 2",
        "the count of outputs is 3, not 2");
  }

  @Test
  void aRunWithoutFaultsProvesNothing() {
    ServersReport report = new ServersReport(counts, List.of(), compared(), 1);
    assertThat(report.passed()).isFalse();
    assertThat(report.verdict()).startsWith("FAIL: nothing differs, but it proves nothing: of 6");
  }
}
