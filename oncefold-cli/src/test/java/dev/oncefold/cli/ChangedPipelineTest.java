package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.PAYMENTS;
import static dev.oncefold.cli.Accounts.YAML;
import static dev.oncefold.cli.Accounts.payment;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pipeline whose file changed after it ran. */
class ChangedPipelineTest {
  private static final String OTHER_RULES = YAML.replace("payments + 1", "payments + 2");
  private static final String MORE_STATE =
      YAML.replace("payments: int 0 }", "payments: int 0, last: string \"\" }");
  private static final String LESS_STATE =
      YAML.replace(", payments: int 0 }", " }").replaceAll(" +payments: state.*\n", "");
  private static final String RETYPED =
      YAML.replace("payments: int 0", "payments: string \"\"")
          .replace("state.payments + 1", "event.type");

  @TempDir Path directory;
  private Accounts accounts;

  @BeforeEach
  void ranOnce() {
    accounts = Accounts.in(directory);
    assertThat(accounts.oncefold("run").exitCode()).isZero();
    List<String> more = new ArrayList<>(PAYMENTS);
    more.add(payment("p-9", "alice", "deposit", "1.00", 9));
    accounts.payments(more);
  }

  private String alice() {
    return accounts.oncefold("state", "alice").out();
  }

  private static String state(int version, String state) {
    return "{\"key\":\"alice\",\"version\":" + version + ",\"state\":{" + state + "}}\n";
  }

  @Test
  void otherRulesAreToldAndNothingRuns() {
    accounts.pipeline(OTHER_RULES);
    Command run = accounts.oncefold("run");
    String told =
        """
        accounts.yaml: the rules are not those that data was written with. Gone (-) and new (+):
        - set payments = state.payments + 1
        + set payments = state.payments + 2
        to judge what was applied again, by the new rules, and see what differs:
          oncefold rebuild accounts.yaml
        to keep it as it was judged and go on by the new rules:
          oncefold run accounts.yaml --accept-change
        """;
    assertThat(run.err()).isEqualTo(told);
    assertThat(run.out()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(1);
    Command check = accounts.oncefold("check");
    assertThat(check.err()).isEqualTo(told);
    assertThat(check.out())
        .contains("  journal   data: 6 events; by other rules\n")
        .endsWith("It cannot run.\n");
    assertThat(check.exitCode()).isEqualTo(1);
    assertThat(alice()).isEqualTo(state(2, "\"balance\":7.75,\"payments\":2"));
  }

  @Test
  void otherRulesCanBeAccepted() {
    accounts.pipeline(OTHER_RULES);
    Command run = accounts.oncefold("run", "--accept-change");
    assertThat(run.out())
        .startsWith(
            """
            the rules have changed, and what was judged by the old ones stays:
            - set payments = state.payments + 1
            + set payments = state.payments + 2
            goes on behind line 6 of payments.ndjson; 6 events were judged before
            """);
    assertThat(run.exitCode()).isZero();
    assertThat(alice()).isEqualTo(state(3, "\"balance\":8.75,\"payments\":4"));
    assertThat(accounts.oncefold("run").out()).startsWith("goes on behind line 7");
  }

  @Test
  void otherRulesCanJudgeEverythingAgain() {
    accounts.pipeline(OTHER_RULES);
    Command seen = accounts.oncefold("rebuild");
    String table =
        """
                               before          after
          events                    6              6
            applied                 3              3
            duplicates              1              1
            rejected                1              1
            conflicts               1              1
            expired                 0              0
            failed                  0              0
          outputs                   3              3

        2 keys differ:
          "alice": {"balance":7.75,"payments":2} → {"balance":7.75,"payments":4}
          "zoë": {"balance":5.50,"payments":1} → {"balance":5.50,"payments":2}

        """;
    assertThat(seen.err()).isEmpty();
    assertThat(seen.out())
        .isEqualTo(
            table
                + "Nothing is changed. To make this the state: oncefold rebuild accounts.yaml"
                + " --switch\n");
    assertThat(alice()).isEqualTo(state(2, "\"balance\":7.75,\"payments\":2"));
    assertThat(accounts.oncefold("run").exitCode()).isEqualTo(1);

    Command switched = accounts.oncefold("rebuild", "--switch");
    assertThat(switched.out())
        .isEqualTo(
            table
                + "Switched: the journal holds the state after, and goes on by the rules as they are"
                + " now.\n");
    assertThat(switched.exitCode()).isZero();
    assertThat(alice()).isEqualTo(state(2, "\"balance\":7.75,\"payments\":4"));
    Command run = accounts.oncefold("run");
    assertThat(run.err()).isEmpty();
    assertThat(alice()).isEqualTo(state(3, "\"balance\":8.75,\"payments\":6"));
    assertThat(accounts.read("receipts.ndjson").lines()).as("none for the past").hasSize(4);
    assertThat(accounts.oncefold("rebuild", "--json").lastLine())
        .endsWith("\"differences\":0,\"keys\":[],\"switched\":false}");
  }

  @Test
  void theRulesOfTheJournalChangeNothing() {
    assertThat(accounts.oncefold("rebuild").out())
        .endsWith("\nThe rules are those of the journal, and there is nothing to change.\n");
  }

  @Test
  void onlyTheFirstKeysThatDifferAreShown() {
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      many.add(payment("q-" + i, String.format("k%02d", i), "deposit", "1.00", 10));
    }
    accounts.write("many.ndjson", String.join("\n", many) + "\n");
    accounts.oncefold("run", "--source", accounts.path("many.ndjson").toString());
    accounts.pipeline(OTHER_RULES);
    assertThat(accounts.oncefold("rebuild").out())
        .contains("32 keys differ; the first 20 (--all shows all):\n")
        .contains("\"k18\"")
        .doesNotContain("\"k19\"");
    assertThat(accounts.oncefold("rebuild", "--all").out())
        .contains("32 keys differ:\n")
        .contains("\"k29\"", "\"zoë\"");
    assertThat(accounts.oncefold("rebuild", "--json").lastLine())
        .contains("\"differences\":32")
        .contains("{\"key\":\"alice\",\"before\":{\"balance\":7.75,\"payments\":2},\"after\":");
  }

  @Test
  void moreStateGoesOnAndIsTold() {
    accounts.pipeline(MORE_STATE);
    assertThat(accounts.oncefold("check").out())
        .contains("  journal   data: 6 events; new in the state: last string \"\"\n")
        .endsWith("It can run.\n");
    Command run = accounts.oncefold("run");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .startsWith(
            "the state has new fields, which begin with their first values: last string \"\"\n");
    assertThat(alice()).isEqualTo(state(3, "\"balance\":8.75,\"payments\":3,\"last\":\"\""));
  }

  @Test
  void lessStateIsRefusedUntilItIsRebuilt() {
    accounts.pipeline(LESS_STATE);
    Command run = accounts.oncefold("run", "--accept-change");
    assertThat(run.err())
        .startsWith(
            "accounts.yaml: the field \"payments\" (int) of the state is gone, and what is stored in"
                + " it would be lost. Write it as it was, or name another directory as the journal"
                + " and apply everything anew; or judge what was applied again, with the new"
                + " state:\n  oncefold rebuild accounts.yaml\n");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(accounts.oncefold("rebuild", "--switch").exitCode()).isZero();
    assertThat(accounts.oncefold("run").exitCode()).isZero();
    assertThat(alice()).isEqualTo(state(3, "\"balance\":8.75"));
  }

  @Test
  void anotherTypeIsRefusedUntilItIsRebuilt() {
    accounts.pipeline(RETYPED);
    Command run = accounts.oncefold("run");
    assertThat(run.err())
        .startsWith(
            "accounts.yaml: the field \"payments\" of the state was int and is string now, and what"
                + " is stored would be misread. ");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(accounts.oncefold("rebuild").out())
        .contains(
            "  \"alice\": (none, or of the old types) → {\"balance\":7.75,\"payments\":\"withdraw\"}");
    assertThat(accounts.oncefold("rebuild", "--switch").exitCode()).isZero();
    assertThat(accounts.oncefold("run").exitCode()).isZero();
    assertThat(alice()).isEqualTo(state(3, "\"balance\":8.75,\"payments\":\"deposit\""));
  }

  @Test
  void anotherVersionIsAChange() {
    accounts.pipeline(YAML.replace("version: 1", "version: 2"));
    Command run = accounts.oncefold("run");
    assertThat(run.err()).contains("- version: 1\n+ version: 2\n", "--accept-change");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(accounts.oncefold("run", "--accept-change").exitCode()).isZero();
  }

  @Test
  void anotherFoldIsRefused() {
    accounts.pipeline(YAML.replace("name: accounts", "name: wallets"));
    for (String command : List.of("check", "run")) {
      Command run = accounts.oncefold(command);
      assertThat(run.err())
          .isEqualTo(
              "accounts.yaml: the journal belongs to \"accounts\", not to \"wallets\". Name another"
                  + " directory as the journal, or the pipeline as it was: data cannot hold both\n");
      assertThat(run.exitCode()).isEqualTo(1);
    }
    for (String command : List.of("rebuild", "state")) {
      Command refused = accounts.oncefold(command);
      assertThat(refused.err()).contains("belongs to the fold \"accounts\", not to \"wallets\"");
      assertThat(refused.exitCode()).isEqualTo(1);
    }
  }

  @Test
  void withoutHistoryThereIsNothingToJudgeAgain() {
    accounts.pipeline(YAML.replace("journal: data", "journal: brief, history: none"));
    accounts.write("receipts.ndjson", "").write("refused.ndjson", "");
    assertThat(accounts.oncefold("run").exitCode()).isZero();
    accounts.pipeline(OTHER_RULES.replace("journal: data", "journal: brief, history: none"));
    assertThat(accounts.oncefold("run").err())
        .contains("--accept-change")
        .doesNotContain("oncefold rebuild");
    Command rebuild = accounts.oncefold("rebuild");
    assertThat(rebuild.err()).startsWith("oncefold rebuild: ").contains("history");
    assertThat(rebuild.exitCode()).isEqualTo(1);
  }

  @Test
  void whatWasNeverRunIsNotRebuilt() {
    accounts.pipeline(YAML.replace("journal: data", "journal: other"));
    Command rebuild = accounts.oncefold("rebuild");
    assertThat(rebuild.err())
        .isEqualTo(
            "accounts.yaml: nothing is stored in other yet, so there is nothing to judge again. Run"
                + " it: oncefold run accounts.yaml\n");
    assertThat(rebuild.exitCode()).isEqualTo(1);
  }
}
