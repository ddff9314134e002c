package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.YAML;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Pipeline;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code state}, {@code history} and {@code check} say of a pipeline. */
class StoredStateTest {
  private static final String STATE =
      """
      {"key":"alice","version":2,"state":{"balance":7.75,"payments":2}}
      {"key":"zoë","version":1,"state":{"balance":5.50,"payments":1}}
      """;

  @TempDir Path directory;
  private Accounts accounts;

  @BeforeEach
  void accounts() {
    accounts = Accounts.in(directory);
  }

  @Test
  void theStateIsOneObjectALine() {
    accounts.oncefold("run");
    Command state = accounts.oncefold("state");
    assertThat(state.out()).isEqualTo(STATE);
    assertThat(state.err()).isEmpty();
    assertThat(state.exitCode()).isZero();
    assertThat(accounts.oncefold("state", "--json").out())
        .isEqualTo(STATE + "{\"keys\":2,\"sequence\":6}\n");
    assertThat(accounts.oncefold("state", "zoë").out())
        .isEqualTo("{\"key\":\"zoë\",\"version\":1,\"state\":{\"balance\":5.50,\"payments\":1}}\n");
  }

  @Test
  void theStateOfTheMomentIsThereWhileThePipelineRuns() {
    accounts.oncefold("run");
    Pipeline pipeline = Pipeline.load(accounts.path("accounts.yaml"));
    try (var journal = Journal.open(pipeline.journal().directory(), pipeline.fold())) {
      assertThat(journal.sequence()).isEqualTo(6);
      assertThat(accounts.oncefold("state").out()).isEqualTo(STATE);
      assertThat(accounts.oncefold("history", "zoë").out().lines()).hasSize(3);
      assertThat(accounts.oncefold("check").exitCode()).isZero();
    }
  }

  @Test
  void theStateOfAnEarlierMoment() {
    accounts.oncefold("run");
    assertThat(accounts.oncefold("state", "--as-of", "1").out())
        .isEqualTo(
            "{\"key\":\"alice\",\"version\":1,\"state\":{\"balance\":10.00,\"payments\":1}}\n");
    assertThat(accounts.oncefold("state", "--as-of", "0", "--json").out())
        .isEqualTo("{\"keys\":0,\"sequence\":0}\n");
    assertThat(accounts.oncefold("state", "alice", "--as-of", "6").out())
        .isEqualTo(STATE.lines().findFirst().orElseThrow() + "\n");
    Command later = accounts.oncefold("state", "--as-of", "7");
    assertThat(later.err())
        .isEqualTo(
            "oncefold state: the journal data holds 6 events; there is no state as of 7 yet\n");
    assertThat(later.exitCode()).isEqualTo(1);
    Command early = accounts.oncefold("state", "zoë", "--as-of", "1");
    assertThat(early.err())
        .isEqualTo(
            "oncefold state: there is no key \"zoë\" behind event 1; without KEY all keys are"
                + " printed\n");
    assertThat(early.exitCode()).isEqualTo(1);
  }

  @Test
  void theHistoryOfAKeyHasItsEventsAndTheStateAfterEach() {
    accounts.oncefold("run");
    Command history = accounts.oncefold("history", "zoë", "--json");
    assertThat(history.out())
        .isEqualTo(
            """
            {"sequence":2,"id":"p-2","verdict":"applied","key":"zoë","time":"2026-01-01T00:00:02Z",\
            "event":{"id":"p-2","account":"zoë","type":"deposit","amount":5.50,\
            "at":"2026-01-01T00:00:02Z"},"version":1,"state":{"balance":5.50,"payments":1}}
            {"sequence":5,"id":"p-4","verdict":"rejected","reason":"insufficient funds",\
            "key":"zoë","time":"2026-01-01T00:00:04Z",\
            "event":{"id":"p-4","account":"zoë","type":"withdraw","amount":100.00,\
            "at":"2026-01-01T00:00:04Z"},"version":1,"state":{"balance":5.50,"payments":1}}
            {"sequence":6,"id":"p-2","verdict":"conflict","key":"zoë","time":"2026-01-01T00:00:02Z",\
            "event":{"id":"p-2","account":"zoë","type":"deposit","amount":6.00,\
            "at":"2026-01-01T00:00:02Z"},"version":1,"state":{"balance":5.50,"payments":1}}
            {"events":3,"sequence":6}
            """);
    assertThat(history.exitCode()).isZero();
  }

  @Test
  void whatIsNotThereIsSaid() {
    for (String[] command : new String[][] {{"state"}, {"history", "alice"}}) {
      Command none =
          command.length == 1
              ? accounts.oncefold(command[0])
              : accounts.oncefold(command[0], command[1]);
      assertThat(none.err())
          .isEqualTo(
              "accounts.yaml: nothing is stored in data yet. Run it first: oncefold run"
                  + " accounts.yaml\n");
      assertThat(none.out()).isEmpty();
      assertThat(none.exitCode()).isEqualTo(1);
    }
    assertThat(Files.exists(accounts.path("data"))).isFalse();
    accounts.oncefold("run");
    Command state = accounts.oncefold("state", "bob", "--json");
    assertThat(state.err())
        .isEqualTo(
            "oncefold state: there is no key \"bob\" behind event 6; without KEY all keys are"
                + " printed\n");
    assertThat(state.lastLine()).startsWith("{\"error\":\"oncefold state: there is no key");
    assertThat(state.exitCode()).isEqualTo(1);
    Command history = accounts.oncefold("history", "bob");
    assertThat(history.err())
        .isEqualTo(
            "oncefold history: no event has named or changed the key \"bob\"; \"oncefold state\""
                + " prints all keys\n");
    assertThat(history.exitCode()).isEqualTo(1);
  }

  @Test
  void withoutHistoryOnlyTheNewestStateIsThere() {
    accounts.pipeline(YAML.replace("journal: data", "journal: data, history: none"));
    accounts.oncefold("run");
    assertThat(accounts.oncefold("state").out()).isEqualTo(STATE);
    assertThat(accounts.oncefold("history", "alice").err())
        .startsWith("oncefold history: ")
        .contains("history");
    assertThat(accounts.oncefold("history", "alice").exitCode()).isEqualTo(1);
    assertThat(accounts.oncefold("state", "--as-of", "2").exitCode()).isEqualTo(1);
  }

  @Test
  void aCheckSaysWhatItFound() {
    Command before = accounts.oncefold("check");
    String bytes = String.format("%,d", directory.resolve("payments.ndjson").toFile().length());
    String found =
        """
          fold      accounts, version 1
          source    payments.ndjson, NDJSON, %s bytes, in the journal as "payments.ndjson"
          events    id string, account string, type string, amount decimal(2), at time
          journal   data: %s
          output    receipts to receipts.ndjson
          refusals  refused.ndjson
        It can run.
        """;
    assertThat(before.out()).isEqualTo(String.format(found, bytes, "new"));
    assertThat(before.err()).isEmpty();
    assertThat(before.exitCode()).isZero();
    assertThat(Files.exists(accounts.path("data"))).isFalse();
    accounts.oncefold("run");
    assertThat(accounts.oncefold("check").out()).isEqualTo(String.format(found, bytes, "6 events"));
    assertThat(accounts.oncefold("check", "--json").lastLine())
        .contains("\"fold\":\"accounts\"", "\"events\":6,\"change\":\"none\"", "\"runs\":true");
  }

  @Test
  void aCheckNamesEveryProblemOnItsLine() {
    accounts.pipeline(YAML.replace("failed: stop", "failed: halt").replace("state:", "stat:"));
    Command check = accounts.oncefold("check", "--json");
    assertThat(check.err().lines())
        .hasSizeGreaterThan(1)
        .allSatisfy(line -> assertThat(line).startsWith("accounts.yaml:"));
    assertThat(check.err()).contains("accounts.yaml:6:1: ");
    assertThat(check.lastLine()).startsWith("{\"runs\":false,\"problems\":[{\"message\":");
    assertThat(check.exitCode()).isEqualTo(1);
    assertThat(accounts.oncefold("run").err()).isEqualTo(check.err());
    assertThat(accounts.oncefold("run").exitCode()).isEqualTo(1);
    Command none = Command.oncefold("check", directory.resolve("none.yaml").toString());
    assertThat(none.err()).isEqualTo(directory + "/none.yaml: there is no such file\n");
    assertThat(none.exitCode()).isEqualTo(1);
  }

  @Test
  void aCheckTellsTheNotesAndStandardInput() {
    accounts.pipeline(YAML.replace("remember: P7D", "remember: forever"));
    assertThat(accounts.oncefold("check", "--source", "-").out())
        .contains("  source    standard input, NDJSON, in the journal as \"standard input\"\n")
        .contains("  note      ids are remembered for ever: memory grows with every event\n");
  }
}
