package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.journal.Description;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a pipeline differs from what its store was written with, and what tells events apart. */
class ChangeTest {
  private static final String BEFORE =
      """
      name: accounts
      source: { file: in.ndjson }
      types: { id: string, account: string, amount: decimal(2), at: time }
      event: { id: event.id, key: event.account, time: event.at, remember: P7D }
      state: { balance: decimal(2) 0.00, payments: int 0 }
      update:
        - reject: no amount
          when: event.amount == decimal("0.00")
        - set: { balance: state.balance + event.amount, payments: state.payments + 1 }
      store: { journal: data }
      """;

  @TempDir private Path directory;

  private Pipeline load(String text) throws IOException {
    Path data = directory.resolve("in.ndjson");
    if (!Files.exists(data)) {
      Files.writeString(data, "");
    }
    return Pipeline.load(Files.writeString(directory.resolve("p.yaml"), text));
  }

  private Change change(String... replacements) throws IOException {
    Fold<Row, Row, String> fold = load(BEFORE).fold();
    Description stored =
        new Description(
            fold.name(),
            fold.version(),
            fold.ids().kind(),
            fold.rules(),
            true,
            fold.stateCodec().schema());
    String after = BEFORE;
    for (int i = 0; i < replacements.length; i += 2) {
      assertThat(after).contains(replacements[i]);
      after = after.replace(replacements[i], replacements[i + 1]);
    }
    return load(after).change(stored);
  }

  // ---------------------------------------------------------------- changes

  @Test
  void theSameFileIsNoChange() throws IOException {
    assertThat(change().kind()).isEqualTo(Change.Kind.NONE);
  }

  @Test
  void spacesCommentsAndQuotesAreNoChange() throws IOException {
    Change change =
        change(
            "state.balance + event.amount",
            "'(state . balance+event.amount)'",
            "when: event.amount == decimal(\"0.00\")",
            "when: >-\n        event.amount\n        ==   decimal('0.00')",
            "update:",
            "# what an event does\nupdate:",
            "state: { balance: decimal(2) 0.00, payments: int 0 }",
            "state:\n  balance: decimal(2)   0.00\n  payments:   int 0");
    assertThat(change.gone()).isEmpty();
    assertThat(change.added()).isEmpty();
    assertThat(change.kind()).isEqualTo(Change.Kind.NONE);
  }

  @Test
  void whereThingsAreIsNoChange() throws IOException {
    assertThat(change("journal: data", "journal: elsewhere").kind()).isEqualTo(Change.Kind.NONE);
  }

  @Test
  void aFieldThatIsAddedToTheStateIsOneOfItsOwnKind() throws IOException {
    Change change = change("payments: int 0", "payments: int 0, last: 'time?', n: int 7");
    assertThat(change.kind()).isEqualTo(Change.Kind.STATE_ADDED);
    assertThat(change.gone()).isEmpty();
    assertThat(change.added()).containsExactly("state: last time? null", "state: n int 7");
  }

  @Test
  void anotherInitialValueIsAnotherRule() throws IOException {
    Change change = change("payments: int 0", "payments: int 1");
    assertThat(change.kind()).isEqualTo(Change.Kind.RULES);
    assertThat(change.gone()).containsExactly("state: payments int 0");
    assertThat(change.added()).containsExactly("state: payments int 1");
  }

  @Test
  void aFieldThatIsGoneFromTheStateIsRefused() throws IOException {
    Change change = change(", payments: int 0", "", ", payments: state.payments + 1", "");
    assertThat(change.kind()).isEqualTo(Change.Kind.REFUSED);
    assertThat(change.reason())
        .isEqualTo(
            "the field \"payments\" (int) of the state is gone, and what is stored in it would be"
                + " lost");
  }

  @Test
  void aFieldOfAnotherTypeIsRefused() throws IOException {
    Change change =
        change("payments: int 0", "payments: double 0", "payments + 1", "payments + 1.0");
    assertThat(change.kind()).isEqualTo(Change.Kind.REFUSED);
    assertThat(change.reason())
        .isEqualTo(
            "the field \"payments\" of the state was int and is double now, and what is stored"
                + " would be misread");
  }

  @Test
  void aStepThatIsChangedIsAnotherRule() throws IOException {
    Change change = change("payments + 1", "payments + 2");
    assertThat(change.kind()).isEqualTo(Change.Kind.RULES);
    assertThat(change.gone()).containsExactly("set payments = state.payments + 1");
    assertThat(change.added()).containsExactly("set payments = state.payments + 2");
  }

  @Test
  void stepsInAnotherOrderAreOtherRules() throws IOException {
    String reject = "  - reject: no amount\n    when: event.amount == decimal(\"0.00\")\n";
    String set =
        "  - set: { balance: state.balance + event.amount, payments: state.payments + 1 }\n";
    Change change = change(reject + set, set + reject);
    assertThat(change.kind()).isEqualTo(Change.Kind.RULES);
  }

  @Test
  void setsThatAreTakenApartAreOtherRulesSinceTheSecondSeesTheFirst() throws IOException {
    Change change =
        change(
            "  - set: { balance: state.balance + event.amount, payments: state.payments + 1 }",
            "  - set: { balance: state.balance + event.amount }\n"
                + "  - set: { payments: state.payments + 1 }");
    assertThat(change.kind()).isEqualTo(Change.Kind.RULES);
  }

  @Test
  void whereOneSetEndsAndTheNextBeginsIsARule() throws IOException {
    String one = "  - set: { balance: state.balance + event.amount, payments: state.payments + 1 }";
    String three = "n: int 0, payments: int 0";
    String first = one + "\n  - set: { n: state.payments }";
    String second =
        "  - set: { balance: state.balance + event.amount }\n"
            + "  - set: { payments: state.payments + 1, n: state.payments }";
    assertThat(load(BEFORE.replace("payments: int 0", three).replace(one, first)).fold().rules())
        .isNotEqualTo(
            load(BEFORE.replace("payments: int 0", three).replace(one, second)).fold().rules())
        .endsWith("set payments = state.payments + 1\nthen set n = state.payments");
  }

  @Test
  void aSetThatIsRepeatedIsAnotherRule() throws IOException {
    String set =
        "  - set: { balance: state.balance + event.amount, payments: state.payments + 1 }\n";
    assertThat(change(set, set + set).kind()).isEqualTo(Change.Kind.RULES);
  }

  @Test
  void anotherKeyIdTimeOrVersionIsAnotherRule() throws IOException {
    assertThat(change("key: event.account", "key: event.account.lower()").kind())
        .isEqualTo(Change.Kind.RULES);
    assertThat(change("id: event.id", "id: event.id + \"x\"").kind()).isEqualTo(Change.Kind.RULES);
    assertThat(change("name: accounts", "name: accounts\nversion: 2").kind())
        .isEqualTo(Change.Kind.RULES);
    assertThat(change("P7D", "forever").kind()).isEqualTo(Change.Kind.RULES);
  }

  @Test
  void theStoreOfAnotherFoldIsRefused() throws IOException {
    Change change = change("name: accounts", "name: payments");
    assertThat(change.kind()).isEqualTo(Change.Kind.OTHER_FOLD);
    assertThat(change.reason())
        .isEqualTo("the journal belongs to \"accounts\", not to \"payments\"");
  }

  // ---------------------------------------------------------------- fingerprints

  private long fingerprint(String pipeline, String file, String text) throws Exception {
    Files.writeString(directory.resolve(file), text);
    Pipeline loaded = load(pipeline);
    try (Source<Row> source = loaded.source(false)) {
      source.seek(loaded.partition(), Position.START);
      Polled<Row> polled = Objects.requireNonNull(source.poll(1, Duration.ZERO));
      Row row = Objects.requireNonNull(polled.events().get(0).event()).value();
      return new Kernel<>(loaded.fold()).fingerprint(row);
    }
  }

  private static String payment(String amount, String at) {
    return "{\"id\":\"1\",\"account\":\"a\",\"amount\":" + amount + ",\"at\":\"" + at + "\"}\n";
  }

  @Test
  void aReSendIsToldByItsFieldsAndNotByItsTime() throws Exception {
    long first = fingerprint(BEFORE, "in.ndjson", payment("1.50", "2026-01-31T12:00:00Z"));
    assertThat(fingerprint(BEFORE, "in.ndjson", payment("1.5", "2026-02-01T12:00:00Z")))
        .isEqualTo(first);
    assertThat(fingerprint(BEFORE, "in.ndjson", payment("1.51", "2026-01-31T12:00:00Z")))
        .isNotEqualTo(first);
  }

  @Test
  void aFingerprintCanBeNarrowed() throws Exception {
    String narrow = BEFORE.replace("P7D }", "P7D, fingerprint: [account] }");
    assertThat(fingerprint(narrow, "in.ndjson", payment("1", "2026-01-31T12:00:00Z")))
        .isEqualTo(fingerprint(narrow, "in.ndjson", payment("2", "2026-01-31T12:00:00Z")));
  }

  @Test
  void columnsThatNobodyDeclaredTellNoEventsApart() throws Exception {
    String csv = BEFORE.replace("in.ndjson", "in.csv");
    String header = "id,account,amount,at,";
    String row = "1,a,1.50,2026-01-31T12:00:00Z,";
    long first = fingerprint(csv, "in.csv", header + "note\n" + row + "x\n");
    assertThat(fingerprint(csv, "in.csv", header + "note\n" + row + "y\n")).isEqualTo(first);
    assertThat(fingerprint(csv, "in.csv", header + "other,more\n" + row + "x,y\n"))
        .isEqualTo(first);
    assertThat(
            fingerprint(
                csv,
                "in.csv",
                "at," + header.replace("at,", "") + "x\n2026-01-31T12:00:00Z,1,a,1.50,y\n"))
        .isEqualTo(first);
  }
}
