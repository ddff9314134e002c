package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.PAYMENTS;
import static dev.oncefold.cli.Accounts.YAML;
import static dev.oncefold.cli.Accounts.payment;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Pipeline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCommandTest {
  private static final String BAD_LINE = "{\"id\":\"p-5\",\"account\":\"alice\",\"amount\":1.999}";

  @TempDir Path directory;
  private Accounts accounts;

  @BeforeEach
  void accounts() {
    accounts = Accounts.in(directory);
  }

  private static String table(String... rows) {
    return "                     this run       in total\n" + String.join("\n", rows) + "\n";
  }

  private static final String FIRST =
      table(
          "  events                    6              6",
          "    applied                 3              3",
          "    duplicates              1              1",
          "    rejected                1              1",
          "    conflicts               1              1",
          "    expired                 0              0",
          "    failed                  0              0",
          "  outputs                   3              3",
          "  seconds",
          "  events/s");

  private static final String NOTHING =
      table(
          "  events                    0              6",
          "    applied                 0              3",
          "    duplicates              0              1",
          "    rejected                0              1",
          "    conflicts               0              1",
          "    expired                 0              0",
          "    failed                  0              0",
          "  outputs                   0              3",
          "  seconds");

  @Test
  void aRunSaysWhatItDidAndASecondThatThereIsNothingNew() {
    Command first = accounts.oncefold("run");
    assertThat(first.err()).isEmpty();
    assertThat(first.out())
        .isEqualTo(
            "begins with payments.ndjson\n\n"
                + FIRST
                + "\nApplied payments.ndjson to its end.\n"
                + "2 refusals are in refused.ndjson, with the reasons.\n");
    assertThat(first.exitCode()).isZero();
    String receipts = accounts.read("receipts.ndjson");
    assertThat(receipts)
        .isEqualTo(
            """
            {"id":"accounts/alice/p-1/0","account":"alice","balance":10.00}
            {"id":"accounts/zoë/p-2/0","account":"zoë","balance":5.50}
            {"id":"accounts/alice/p-3/0","account":"alice","balance":7.75}
            """);
    String refused = accounts.read("refused.ndjson");
    assertThat(refused.lines())
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains("rejected", "insufficient funds"))
        .anySatisfy(line -> assertThat(line).contains("conflict"));

    Command second = accounts.oncefold("run");
    assertThat(second.err()).isEmpty();
    assertThat(second.out())
        .isEqualTo(
            "goes on behind line 6 of payments.ndjson; 6 events were judged before\n\n"
                + NOTHING
                + "\nNothing new in payments.ndjson: it was applied to its end before.\n");
    assertThat(second.exitCode()).isZero();
    assertThat(accounts.read("receipts.ndjson")).isEqualTo(receipts);
    assertThat(accounts.read("refused.ndjson")).isEqualTo(refused);
  }

  @Test
  void whatIsAppendedIsAppliedByTheNextRun() {
    accounts.oncefold("run");
    List<String> more = new ArrayList<>(PAYMENTS);
    more.add(payment("p-9", "alice", "deposit", "1.00", 9));
    accounts.payments(more);
    Command run = accounts.oncefold("run");
    assertThat(run.out())
        .contains("goes on behind line 6 of payments.ndjson; 6 events were judged before")
        .contains("  events                    1              7\n")
        .contains("Applied payments.ndjson to its end.");
    assertThat(accounts.oncefold("state", "alice").out())
        .isEqualTo(
            "{\"key\":\"alice\",\"version\":3,\"state\":{\"balance\":8.75,\"payments\":3}}\n");
  }

  @Test
  void theSameEventsFromAnotherFileAreAllDuplicates() {
    accounts.oncefold("run");
    String state = accounts.oncefold("state").out();
    accounts.write("other.ndjson", String.join("\n", PAYMENTS.subList(0, 4)) + "\n");
    Command run = accounts.oncefold("run", "--source", accounts.path("other.ndjson").toString());
    assertThat(run.out())
        .contains("begins with other.ndjson; 6 events were judged before\n")
        .contains("    duplicates              4              5\n")
        .endsWith("\nNothing changed: every event of other.ndjson was judged before.\n");
    assertThat(run.exitCode()).isZero();
    assertThat(accounts.oncefold("state").out()).isEqualTo(state);
  }

  @Test
  void standardInputIsProtectedByIds() {
    String events = String.join("\n", PAYMENTS.subList(0, 3)) + "\n";
    Command first = accounts.reading(events, "run", "--source", "-");
    assertThat(first.out())
        .startsWith("reads standard input\n")
        .contains("    applied                 3              3\n")
        .endsWith("\nApplied standard input to its end.\n");
    Command again = accounts.reading(events, "run", "--source", "-");
    assertThat(again.out())
        .startsWith("reads standard input; 3 events were judged before\n")
        .endsWith("\nNothing changed: every event of standard input was judged before.\n");
    Command none = accounts.reading("", "run", "--source", "-");
    assertThat(none.out()).endsWith("\nThere are no events in standard input.\n");
    assertThat(accounts.read("receipts.ndjson").lines()).hasSize(3);
  }

  @Test
  void standardInputWithoutIdsIsRefused() {
    accounts.pipeline(
        YAML.replace("id: event.id, ", "").replace("remember: P7D", "remember: none"));
    Command run = accounts.reading("", "run", "--source", "-");
    assertThat(run.err()).contains("accounts.yaml:3:", "standard input has no position", "ids");
    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void aFailedEventStopsTheRunAndSaysHowToGoOn() {
    accounts.payments(List.of(PAYMENTS.get(0), PAYMENTS.get(1), BAD_LINE, PAYMENTS.get(2)));
    long at = PAYMENTS.get(0).length() + 1L + utf8(PAYMENTS.get(1)) + 1;
    Command stopped = accounts.oncefold("run");
    assertThat(stopped.err())
        .startsWith("oncefold run: line 3 of payments.ndjson failed: ")
        .contains("Nothing of this event is applied, everything before it is.")
        .contains("Mend the line and run again; or let it go to the refusals:\n")
        .endsWith("\n  oncefold run accounts.yaml --refuse payments.ndjson@" + at + "\n");
    assertThat(stopped.out())
        .contains("    applied                 2              2\n")
        .endsWith("\nStopped before line 3 of payments.ndjson.\n");
    assertThat(stopped.exitCode()).isEqualTo(1);
    assertThat(accounts.read("receipts.ndjson").lines()).hasSize(2);

    Command still = accounts.oncefold("run", "--refuse", "payments.ndjson@1");
    assertThat(still.out()).contains("goes on behind line 2 of payments.ndjson");
    assertThat(still.err())
        .contains("line 3 of payments.ndjson failed")
        .endsWith(
            "oncefold run: no event that was read now stands at payments.ndjson@1, so --refuse did"
                + " nothing there\n");
    assertThat(still.exitCode()).isEqualTo(1);

    Command over = accounts.oncefold("run", "--refuse", "payments.ndjson@" + at);
    assertThat(over.err()).isEmpty();
    assertThat(over.out())
        .contains("    applied                 1              3\n")
        .contains("    failed                  1              1\n")
        .contains("\nApplied payments.ndjson to its end.\n")
        .endsWith("\n1 refusal is in refused.ndjson, with the reasons.\n");
    assertThat(over.exitCode()).isZero();
    assertThat(accounts.read("refused.ndjson")).contains("\"verdict\":\"failed\"", "1.999");
  }

  private static int utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  @Test
  void aFailedEventOfStandardInputCannotBeMetAgain() {
    Command run = accounts.reading(BAD_LINE + "\n", "run", "--source", "-");
    assertThat(run.err())
        .startsWith("oncefold run: an event of standard input failed: ")
        .endsWith("write \"failed: refuse\" in the pipeline\n");
    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void aPositionOfSomethingElseIsWrongUsage() {
    for (String position : List.of("payments.ndjson", "other.ndjson@3", "payments.ndjson@x", "3")) {
      Command run = accounts.oncefold("run", "--refuse", position);
      assertThat(run.err())
          .contains(
              "--refuse "
                  + position
                  + " is no position of this source; they are told as payments.ndjson@1234");
      assertThat(run.exitCode()).isEqualTo(2);
    }
  }

  @Test
  void whereRefusedEventsAreIsSaid() {
    accounts.payments(List.of(PAYMENTS.get(0), BAD_LINE, "no JSON"));
    String refusing = YAML.replace("failed: stop", "failed: refuse");
    accounts.pipeline(refusing.replaceAll("refusals: .*\n", ""));
    assertThat(accounts.oncefold("run").out())
        .contains("    failed                  2              2\n")
        .endsWith(
            "\n2 refusals are in the journal only. To have them in a file, write \"refusals: { file:"
                + " refused.ndjson }\" in the pipeline and run it again.\n");
    accounts.pipeline(refusing);
    assertThat(accounts.oncefold("run").exitCode()).isZero();
    assertThat(accounts.read("refused.ndjson").lines())
        .hasSize(2)
        .last()
        .asString()
        .contains("\"line\":\"no JSON\"");
  }

  @Test
  void forMachinesThereIsOneObject() {
    Command first = accounts.oncefold("run", "--json");
    assertThat(first.out())
        .isEqualTo(
            "{\"ending\":\"end\",\"message\":\"Applied payments.ndjson to its end.\\n2 refusals are in"
                + " refused.ndjson, with the reasons.\",\"run\":{\"events\":6,\"applied\":3,"
                + "\"duplicates\":1,\"rejected\":1,\"conflicts\":1,\"expired\":0,\"failed\":0,"
                + "\"outputs\":3,\"seconds\":0},\"total\":{\"events\":6,\"applied\":3,"
                + "\"duplicates\":1,\"rejected\":1,\"conflicts\":1,\"expired\":0,\"failed\":0,"
                + "\"outputs\":3}}\n");
    List<String> more = new ArrayList<>(PAYMENTS);
    more.add(BAD_LINE);
    Command failed = accounts.payments(more).oncefold("run", "--json");
    assertThat(failed.lastLine())
        .contains("\"ending\":\"failed\"", "\"failedEvent\":{\"position\":\"payments.ndjson@")
        .contains("\"line\":7,\"reason\":");
    assertThat(failed.out().lines()).hasSize(1);
    assertThat(failed.exitCode()).isEqualTo(1);
    Command broken = accounts.pipeline("name: x").oncefold("run", "--json");
    assertThat(broken.lastLine()).startsWith("{\"error\":\"accounts.yaml:1:1: ");
    assertThat(broken.exitCode()).isEqualTo(1);
  }

  @Test
  void aJournalThatRunsElsewhereIsLeftAlone() {
    Pipeline pipeline = Pipeline.load(accounts.path("accounts.yaml"));
    try (var journal = Journal.open(pipeline.journal().directory(), pipeline.fold())) {
      assertThat(journal.sequence()).isZero();
      Command run = accounts.oncefold("run");
      assertThat(run.err()).startsWith("oncefold run: the journal data").contains("open elsewhere");
      assertThat(run.exitCode()).isEqualTo(1);
    }
  }

  @Test
  void aFileThatIsNotTheJournalsIsNotWrittenOver() {
    accounts.write("receipts.ndjson", "precious\n");
    Command run = accounts.oncefold("run");
    assertThat(run.err())
        .isEqualTo(
            "accounts.yaml: receipts.ndjson exists, and the journal, which is new, has not written"
                + " it. Move it away, or name another file\n");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(accounts.read("receipts.ndjson")).isEqualTo("precious\n");
    assertThat(Files.exists(accounts.path("data"))).isFalse();
  }

  @Test
  void aSourceThatWasWrittenAnewStopsTheRun() throws IOException {
    accounts.oncefold("run");
    Files.writeString(
        accounts.path("payments.ndjson"),
        accounts.read("payments.ndjson").replace("10.00", "20.00"));
    Command run = accounts.oncefold("run");
    assertThat(run.err()).startsWith("oncefold run: ").contains("payments.ndjson");
    assertThat(run.out()).endsWith("\nStopped before the end of payments.ndjson.\n");
    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void anOutputThatWasCutStopsTheRunBeforeItBegins() {
    accounts.oncefold("run");
    accounts.write("receipts.ndjson", "");
    Command run = accounts.oncefold("run");
    assertThat(run.err()).startsWith("oncefold run: the output file ").contains("fewer than");
    assertThat(run.out()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void aFileThatWasLostIsWrittenAnewFromTheJournal() throws IOException {
    accounts.oncefold("run");
    String receipts = accounts.read("receipts.ndjson");
    String refused = accounts.read("refused.ndjson");
    Files.delete(directory.resolve("receipts.ndjson"));
    Files.writeString(directory.resolve("refused.ndjson"), "");
    Command lost = accounts.oncefold("run");
    assertThat(lost.exitCode()).isEqualTo(1);
    assertThat(lost.err()).contains("receipts.ndjson is gone").endsWith("--rewrite receipts\n");
    Command other = accounts.oncefold("run", "--rewrite", "receipts");
    assertThat(other.exitCode()).isEqualTo(1);
    assertThat(other.err()).contains("has 0 bytes, fewer than").endsWith("--rewrite refusals\n");
    Command anew = accounts.oncefold("run", "--rewrite", "refusals");
    assertThat(anew.err()).isEmpty();
    assertThat(anew.exitCode()).isZero();
    assertThat(accounts.read("receipts.ndjson")).isEqualTo(receipts);
    assertThat(accounts.read("refused.ndjson")).isEqualTo(refused);
    Command unknown = accounts.oncefold("run", "--rewrite", "receipt");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.err())
        .contains(
            "--rewrite receipt: the pipeline writes no such output; there is receipts, refusals");
  }

  @Test
  void aFileThatIsStillThereIsNotRewrittenAndNotForgottenEither() {
    accounts.oncefold("run");
    String receipts = accounts.read("receipts.ndjson");
    Command rewrite = accounts.oncefold("run", "--rewrite", "receipts");
    assertThat(rewrite.exitCode()).isEqualTo(1);
    assertThat(rewrite.err())
        .contains("receipts.ndjson is still there: move it away")
        .endsWith("Nothing is changed\n");
    Command again = accounts.oncefold("run");
    assertThat(again.err()).isEmpty();
    assertThat(again.exitCode()).isZero();
    assertThat(accounts.read("receipts.ndjson")).isEqualTo(receipts);
  }
}
