package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code oncefold verify} says, and what it leaves alone. */
class VerifyCommandTest {
  @TempDir private Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    List<String> all = new ArrayList<>(List.of("verify"));
    all.addAll(List.of(args));
    return Main.command(new DemoCommand(), InputStream.nullInputStream())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(new String[0]));
  }

  private Path pipeline(String source, String remember) throws IOException {
    Path file = directory.resolve("accounts.yaml");
    Files.writeString(
        file,
        """
        name: accounts
        version: 1
        source: { file: %s }
        types: { id: string, account: string, type: string, cents: int, at: time }
        event:
          id: event.id
          key: event.account
          time: event.at
          remember: %s
        state: { cents: int 0, payments: int 0 }
        update:
          - reject: insufficient funds
            when: event.type == "withdraw" && state.cents < event.cents
          - set:
              cents: 'event.type == "withdraw" ? state.cents - event.cents : state.cents + event.cents'
              payments: state.payments + 1
          - emit: { account: event.account, cents: state.cents }
            to: receipts
        failed: refuse
        store: { journal: data/accounts }
        outputs: { receipts: { file: receipts.ndjson } }
        refusals: { file: refused.ndjson }
        """
            .formatted(source, remember));
    return file;
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString())
          .sorted()
          .toList();
    }
  }

  @Test
  void aPipelineWithoutASourceIsVerifiedOnEventsMadeForIt() throws IOException {
    Path file = pipeline("payments.ndjson", "P1D");
    Path work = directory.resolve("work");
    int code =
        run(
            file.toString(),
            "--events",
            "2000",
            "--kills",
            "4",
            "--json",
            "--dir",
            work.toString());
    assertThat(out.toString()).as("%s", err).contains("PASS: every event applied exactly once.");
    assertThat(code).isZero();
    List<String> lines = out.toString().lines().toList();
    JsonNode json = new ObjectMapper().readTree(lines.get(lines.size() - 1));
    assertThat(json.get("verdict").asText()).isEqualTo("PASS");
    assertThat(json.get("kills").asInt()).isEqualTo(4);
    assertThat(json.get("killsInsideCommit").asInt()).isGreaterThanOrEqualTo(2);
    assertThat(json.get("events").asInt()).isEqualTo(2000);
    assertThat(json.get("faultsLanded").get("F2").asInt()).isGreaterThan(0);
    assertThat(json.get("faultsLanded").get("F13").asInt()).isEqualTo(1);
    for (String kind : List.of("applied", "rejected", "duplicates", "conflicts", "failed")) {
      assertThat(json.get(kind).asInt()).as(kind).isPositive();
    }
    // It wrote where it said, and made nothing that the pipeline names.
    assertThat(files())
        .filteredOn(name -> !name.startsWith("work/"))
        .containsExactly("accounts.yaml");
    assertThat(out.toString())
        .contains("writes   " + work + " and nothing else")
        .contains("The faults of the first round, by the seed 1:")
        .contains("data/accounts")
        .contains("receipts.ndjson");

    // What it left can be judged by itself.
    Path history = work.resolve("round-1/history.ndjson");
    assertThat(run("--history", history.toString())).isZero();
    // And no longer once a line of it is gone.
    List<String> less = new ArrayList<>(Files.readAllLines(history, StandardCharsets.UTF_8));
    less.remove(less.size() / 2);
    Files.write(history, less);
    out.getBuffer().setLength(0);
    assertThat(run("--history", history.toString())).isEqualTo(1);
    assertThat(out.toString()).contains("INVALID: the run proved nothing.").contains("missing");
  }

  @Test
  void theSourceIsReadAsASampleAndNothingElseIsTouched() throws IOException {
    Path file = pipeline("payments.ndjson", "forever");
    String payment =
        "{\"id\":\"p1\",\"account\":\"alice\",\"type\":\"deposit\",\"cents\":5,"
            + "\"at\":\"2026-01-01T00:00:00Z\"}\n";
    Files.writeString(directory.resolve("payments.ndjson"), payment);
    Files.writeString(directory.resolve("receipts.ndjson"), "somebody else's\n");
    Files.createDirectories(directory.resolve("data/accounts"));
    Files.writeString(directory.resolve("data/accounts/lock"), "held");
    int code = run(file.toString(), "--events", "1000", "--kills", "2");
    assertThat(out.toString()).as("%s", err).contains("PASS");
    assertThat(code).isZero();
    assertThat(out.toString()).contains("from 1 records of the sample");
    assertThat(files())
        .containsExactly(
            "accounts.yaml", "data/accounts/lock", "payments.ndjson", "receipts.ndjson");
    assertThat(Files.readString(directory.resolve("payments.ndjson"))).isEqualTo(payment);
    assertThat(Files.readString(directory.resolve("receipts.ndjson")))
        .isEqualTo("somebody else's\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | Name the PIPELINE to verify, or a history with --history FILE",
        "x.yaml --history y | --history judges a file that is there: leave PIPELINE out",
        "x.yaml --events 10 | '--events is 10; give a number from 1,000 to 2,000,000'",
        "x.yaml --kills 0 | '--kills is 0; for 20,000 events give 1 to 40'",
        "x.yaml --kills 41 | '--kills is 41; for 20,000 events give 1 to 40'",
        "x.yaml --for ever | '--for ever is no time; write 90s, 5m or 2h'",
        "x.yaml --for -5m | '--for -5m is no time; write 90s, 5m or 2h'",
      })
  void wrongUsageIsTold(String args, String message) {
    assertThat(run(args.isEmpty() ? new String[0] : args.split(" ", -1))).isEqualTo(2);
    assertThat(err.toString()).startsWith("oncefold verify: " + message);
  }

  @Test
  void aPipelineThatIsBrokenIsTold() throws IOException {
    Path file = directory.resolve("broken.yaml");
    Files.writeString(file, "name: x\n");
    assertThat(run(file.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("broken.yaml").doesNotContain("should not have happened");
  }

  @Test
  void aHistoryThatIsNotThereIsTold() {
    assertThat(run("--history", directory.resolve("none").toString())).isEqualTo(1);
    assertThat(out.toString()).contains("there is no history").contains("INVALID");
  }
}
