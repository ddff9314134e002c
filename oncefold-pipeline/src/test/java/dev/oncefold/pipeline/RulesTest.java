package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the steps of an update do to states and outputs, and what an event that fails leaves. */
class RulesTest {
  private static final String ONE =
      """
      name: one
      source: { file: in.ndjson }
      types:
        key: string
        n: int
        amount: decimal(2)
        x: double
        text: string?
        m: int?
        fee: decimal(2)?
        yes: bool?
        at: time?
      event: { key: event.key }
      state:
        a: int 1
        b: int 2
        sum: decimal(2) 0.00
        ratio: double 0
        note: string?
      store: { journal: data }
      """;
  private static final String SEVERAL =
      """
      name: several
      source: { file: in.ndjson }
      types: { key: string, from: string, to: string, n: int }
      event: { keys: { from: event.from, to: event.to } }
      state: { n: int 10 }
      store: { journal: data }
      """;
  private static final String EVENT = "{\"key\":\"k\",\"n\":5,\"amount\":1.50,\"x\":0.5}";

  @TempDir private Path directory;

  private Judged one(String steps, String... lines) {
    return Judged.by(directory, ONE + steps, lines.length == 0 ? new String[] {EVENT} : lines);
  }

  // ---------------------------------------------------------------- steps

  @Test
  void rightSidesOfOneSetSeeTheStateBeforeIt() {
    Judged judged = one("update:\n  - set: { a: state.b, b: state.a }");
    assertThat(judged.state("k")).startsWith("{\"a\":2,\"b\":1,");
  }

  @Test
  void oneValueOfTheInputMayBeSeveralFields() {
    Judged judged =
        Judged.by(
            directory,
            ONE.replace("at: time?", "at: time?\n  day: { type: string, from: at }")
                + "update:\n  - set: { note: event.day }",
            EVENT.replace("}", ",\"at\":\"2026-01-31T12:00:00Z\"}"));
    assertThat(judged.state("k")).contains("\"note\":\"2026-01-31T12:00:00Z\"");
  }

  @Test
  void aStepSeesWhatTheStepsBeforeItHaveSet() {
    Judged judged = one("update:\n  - set: { a: event.n }\n  - set: { b: state.a + 1 }");
    assertThat(judged.state("k")).startsWith("{\"a\":5,\"b\":6,");
  }

  @Test
  void theNextEventSeesWhatTheOneBeforeItHasSet() {
    Judged judged = one("update:\n  - set: { a: state.a + event.n }", EVENT, EVENT, EVENT);
    assertThat(judged.state("k")).startsWith("{\"a\":16,");
  }

  @Test
  void anEmitSeesTheStateWhereItStands() {
    Judged judged =
        one(
            """
            update:
              - emit: { before: state.a }
                to: log
              - set: { a: event.n }
              - emit: { after: state.a, key: event.key, sum: state.sum, note: state.note }
                to: log
            outputs: { log: { file: log.ndjson } }
            """);
    assertThat(judged.outputs())
        .containsExactly(
            "log {\"before\":1}", "log {\"after\":5,\"key\":\"k\",\"sum\":0.00,\"note\":null}");
  }

  @Test
  void aRejectUndoesEveryStepBeforeIt() {
    Judged judged =
        one(
            """
            update:
              - set: { a: 100 }
              - emit: { a: state.a }
                to: log
              - delete: true
                when: event.n == 6
              - reject: too many
                when: event.n > 4
              - set: { b: 100 }
            outputs: { log: { file: log.ndjson } }
            """,
            EVENT.replace("5,", "3,"),
            EVENT,
            EVENT.replace("5,", "6,"));
    assertThat(judged.verdicts())
        .containsExactly("applied", "rejected: too many", "rejected: too many");
    assertThat(judged.outputs()).containsExactly("log {\"a\":100}");
    assertThat(judged.state("k")).startsWith("{\"a\":100,\"b\":100,");
  }

  @Test
  void aRejectWithoutWhenAlwaysRejects() {
    assertThat(one("update:\n  - reject: never").verdicts()).containsExactly("rejected: never");
  }

  @Test
  void aStepWhoseWhenDoesNotHoldDoesNothing() {
    Judged judged =
        one(
            "update:\n  - set: { a: 7 }\n    when: event.n > 5\n"
                + "  - set: { b: 7 }\n    when: event.n == 5");
    assertThat(judged.state("k")).startsWith("{\"a\":1,\"b\":7,");
  }

  @Test
  void aDeleteDropsTheKeyAndTheNextEventStartsAnew() {
    String steps =
        "update:\n  - set: { a: state.a + 1 }\n  - delete: true\n    when: event.n == 0\n";
    String delete = EVENT.replace("5,", "0,");
    assertThat(one(steps, EVENT, delete).state("k")).isNull();
    assertThat(one(steps, EVENT, delete, EVENT).state("k")).startsWith("{\"a\":2,");
  }

  @Test
  void aSetBehindADeleteStartsFromTheBeginning() {
    Judged judged =
        one("update:\n  - set: { a: 50 }\n  - delete: true\n  - set: { b: state.a + 1 }", EVENT);
    assertThat(judged.state("k")).startsWith("{\"a\":1,\"b\":2,");
  }

  // ---------------------------------------------------------------- events that fail

  @Test
  void nothingOfAnEventThatFailsStays() {
    Judged judged =
        one(
            """
            update:
              - set: { a: event.n }
              - emit: { a: state.a }
                to: log
              - set: { b: 10 / (event.n - 5) }
            outputs: { log: { file: log.ndjson } }
            """,
            EVENT.replace("5,", "6,"),
            EVENT);
    assertThat(judged.verdicts())
        .containsExactly("applied", "failed: set b (p.yaml:25): division by zero");
    assertThat(judged.state("k")).startsWith("{\"a\":6,\"b\":10,");
    assertThat(judged.outputs()).containsExactly("log {\"a\":6}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a: event.n / 0 => division by zero",
        "a: event.n % 0 => division by zero",
        "a: event.n + 9223372036854775807 => the result does not fit into the 64 bits of an int",
        "a: event.n * 9223372036854775807 => the result does not fit into the 64 bits of an int",
        "a: 0 - event.n - 9223372036854775807 => the result does not fit into the 64 bits of an int",
        "a: abs(-9223372036854775807 - 1) => abs(-9223372036854775808) does not fit into an int",
        "a: -(-9223372036854775807 - 1) => the result does not fit into the 64 bits of an int",
        "a: event.m + 1 => event.m is missing: coalesce(event.m, …) says what to take instead",
        "a: event.n + event.m => event.m is missing: coalesce(event.m, …) says what to take instead",
        "a: event.m => event.m is missing",
        "a: 'event.n > 100 ? 1 : event.m' => is null",
        "a: min(event.m, 1) => event.m is missing: coalesce(event.m, …) says what to take instead",
        "a: size(event.text) => event.text is missing: coalesce(event.text, …) says what to take instead",
        "note: event.text.upper() => event.text is missing: coalesce(event.text, …) says what to take instead",
        "note: event.text + \"!\" => event.text is missing: coalesce(event.text, …) says what to take instead",
        "sum: state.sum + event.fee => event.fee is missing: coalesce(event.fee, …) says what to take instead",
        "sum: event.fee => event.fee is missing",
        "sum: -event.fee => event.fee is missing: coalesce(event.fee, …) says what to take instead",
        "sum: event.amount * 9223372036854775807 * 9223372036854775807 => the result has more than 38 digits",
        "sum: decimal(\"999999999999999999999999999999999999.99\") + decimal(\"0.01\") => the result has more than 38 digits",
        "sum: divide(event.amount, 0, 2, \"HALF_UP\") => division by zero",
        "sum: toDecimal(\"1,50\", 2) => \"1,50\" is no decimal(2): the point is a \".\"",
        "sum: toDecimal(\"0.005\", 2) => 0.005 has more than 2 digits behind the point",
        "sum: toDecimal(round(event.x, 4, \"DOWN\"), 2) + toDecimal(decimal(\"0.001\"), 2) => 0.001 has more than 2 digits behind the point",
        "a: int(\"12x\") => \"12x\" is no int: digits only, and a - before them",
        "a: int(event.amount) => 1.50 is no int: round it first, or it is too large",
        "a: int(1e30) => 1.0E30 is no int: round(x, 0, \"HALF_UP\") first, or it is too large",
        "ratio: event.x / 0.0 => is Infinity, which is no number",
        "ratio: 0.0 / 0.0 => is NaN, which is no number",
        "ratio: double(\"abc\") => \"abc\" is no number",
        "a: '[1, 2][event.n]' => there is nothing at 5: it is too short for that",
        "note: '\"abc\".substring(2, 1)' => there is nothing at [2, 1): it is too short for that",
        "note: '\"abc\".charAt(7)' => there is nothing at 7: it is too short for that",
        "note: formatTime(parseTime(\"x\", \"yyyy-MM-dd\", \"UTC\"), \"yyyy\", \"UTC\") => \"x\" is no time of the pattern yyyy-MM-dd",
        "note: string(event.at) => event.at is missing: coalesce(event.at, …) says what to take instead",
        "a: event.at.getFullYear() => event.at is missing: coalesce(event.at, …) says what to take instead",
        "a: 'event.yes ? 1 : 2' => event.yes is missing: coalesce(event.yes, …) says what to take instead",
        "a: 'event.yes && event.n > 1 ? 1 : 2' => event.yes is missing: coalesce(event.yes, …) says what to take instead",
        "a: 'event.m > 1 ? 1 : 2' => event.m is missing: coalesce(event.m, …) says what to take instead",
        "a: 'event.fee > event.amount ? 1 : 2' => event.fee is missing: coalesce(event.fee, …) says what to take instead",
        "a: int(timestamp(\"2026\")) => \"2026\" is no time such as 2026-01-31T12:00:00Z; declare it a string and read it by its pattern",
        "a: 'event.text.matches(\"(\") ? 1 : 2' => event.text is missing: coalesce(event.text, …) says what to take instead",
        "a: '\"x\".matches(\"(\") ? 1 : 2' => the pattern is no regular expression: missing closing ): `(`",
      })
  void aFailureNamesTheStepItsLineAndWhatToDo(String row) {
    String[] parts = row.split(" => ", 2);
    String field = parts[0].substring(0, parts[0].indexOf(':'));
    assertThat(one("update:\n  - set:\n      " + parts[0]).verdicts())
        .as(row)
        .containsExactly("failed: set " + field + " (p.yaml:23): " + parts[1]);
  }

  @Test
  void aConditionThatIsMissingFails() {
    assertThat(one("update:\n  - set: { a: 2 }\n    when: event.yes").verdicts())
        .containsExactly("failed: when (p.yaml:23): event.yes is missing");
  }

  // ---------------------------------------------------------------- several keys

  private Judged several(String steps, String... lines) {
    return Judged.by(directory, SEVERAL + steps, lines);
  }

  private static String transfer(String from, String to, int n) {
    return "{\"key\":\"k\",\"from\":\"" + from + "\",\"to\":\"" + to + "\",\"n\":" + n + "}";
  }

  private static final String MOVE =
      """
      update:
        - reject: to itself
          when: event.from == event.to
        - set: { from.n: from.n - event.n, to.n: to.n + event.n }
        - reject: not enough
          when: from.n < 0
      """;

  @Test
  void allStatesOfAnEventChangeOrNoneDoes() {
    Judged judged =
        several(MOVE, transfer("a", "b", 4), transfer("b", "c", 15), transfer("a", "c", 1));
    assertThat(judged.verdicts()).containsExactly("applied", "rejected: not enough", "applied");
    assertThat(judged.state("a")).isEqualTo("{\"n\":5}");
    assertThat(judged.state("b")).isEqualTo("{\"n\":14}");
    assertThat(judged.state("c")).isEqualTo("{\"n\":11}");
  }

  @Test
  void anEventWhoseKeysAreOneCanBeRejectedBeforeItChangesAnything() {
    Judged judged = several(MOVE, transfer("a", "a", 4));
    assertThat(judged.verdicts()).containsExactly("rejected: to itself");
    assertThat(judged.state("a")).isNull();
  }

  @Test
  void anEventWhoseKeysAreOneFailsWhereItChangesThem() {
    String reason =
        "failed: from is \"a\", and so is another key of the event, which cannot both be changed:"
            + " reject such an event in a step before";
    String both = "update:\n  - set: { from.n: from.n - 1, to.n: to.n + 1 }";
    assertThat(several(both, transfer("a", "a", 4)).verdicts()).containsExactly(reason);
    String first = "update:\n  - set: { from.n: from.n - 1 }";
    assertThat(several(first, transfer("a", "a", 4)).verdicts()).containsExactly(reason);
  }

  @Test
  void deletesOneStateOfSeveral() {
    Judged judged =
        several(
            "update:\n  - set: { to.n: to.n + from.n }\n  - delete: from\n", transfer("a", "b", 0));
    assertThat(judged.state("a")).isNull();
    assertThat(judged.state("b")).isEqualTo("{\"n\":20}");
  }

  @Test
  void anEmptyKeyAmongSeveralFails() {
    assertThat(several(MOVE, transfer("a", "", 1)).verdicts())
        .containsExactly("failed: the key is empty");
    assertThat(several(MOVE, transfer("", "b", 1)).verdicts())
        .containsExactly("undecodable: the key is empty");
  }

  @Test
  void stepsSeeTheEventsTimeAsItWasRead() {
    String timed =
        """
        name: t
        source: { file: in.ndjson }
        types: { key: string, day: string, other: "string?" }
        event: { key: event.key, time: { field: event.day, pattern: yyMMdd, zone: UTC } }
        state: { last: "time?", count: int 0 }
        update:
          - set: { last: time, count: state.count + 1 }
            when: '!has(state.last) || time > state.last'
        store: { journal: data }
        """;
    Judged judged =
        Judged.by(
            directory,
            timed,
            "{\"key\":\"k\",\"day\":\"980101\"}",
            "{\"key\":\"k\",\"day\":\"971231\"}",
            "{\"key\":\"k\",\"day\":\"980301\"}");
    assertThat(judged.state("k")).isEqualTo("{\"last\":\"1998-03-01T00:00:00Z\",\"count\":2}");
  }

  @Test
  void stepsSeeTheTimeBesideSeveralStates() {
    Judged judged =
        Judged.by(
            directory,
            """
            name: t
            source: { file: in.ndjson }
            types: { a: string, b: string, at: time }
            event: { keys: { one: event.a, two: event.b }, time: event.at }
            state: { last: "time?" }
            update:
              - set: { two.last: time }
            store: { journal: data }
            """,
            "{\"a\":\"x\",\"b\":\"y\",\"at\":\"2026-01-31T12:00:00Z\"}");
    assertThat(judged.state("y")).isEqualTo("{\"last\":\"2026-01-31T12:00:00Z\"}");
  }

  @Test
  void anExpressionThatGoesRoundTooOftenIsFailed() {
    String pipeline =
        """
        name: t
        source: { file: in.ndjson }
        types: { key: string, text: string }
        event: { key: event.key }
        state: { n: int 0 }
        update:
          - set:
              n: 'event.text.split("").all(x, event.text.split("").all(y, x == y)) ? 1 : 2'
        store: { journal: data }
        """;
    String few = "{\"key\":\"k\",\"text\":\"" + "x".repeat(300) + "\"}";
    String many = "{\"key\":\"k\",\"text\":\"" + "x".repeat(20_000) + "\"}";
    assertThat(Judged.by(directory, pipeline, few, many).verdicts())
        .containsExactly(
            "applied",
            "failed: set n (p.yaml:8): its exists, all, map or filter go round more than 100000"
                + " times for one event");
  }
}
