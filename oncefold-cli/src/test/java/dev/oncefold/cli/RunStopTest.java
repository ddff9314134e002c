package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.PAYMENTS;
import static dev.oncefold.cli.Accounts.payment;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run that somebody ends is ended in order. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class RunStopTest {
  @TempDir Path directory;

  private static boolean has(Path file, int lines) {
    try {
      return Files.exists(file) && Files.readString(file).lines().count() >= lines;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void aRunThatFollowsItsFileIsStoppedAndGoesOn() throws IOException, InterruptedException {
    Accounts accounts = Accounts.in(directory);
    Path receipts = accounts.path("receipts.ndjson");
    String pipeline = accounts.path("accounts.yaml").toString();
    Path log = accounts.path("log");
    try (RunningChild run = RunningChild.start(log, "run", pipeline, "--follow")) {
      run.await(() -> has(receipts, 3));
      append(accounts, payment("p-7", "bob", "deposit", "3.00", 7));
      run.await(() -> has(receipts, 4));
      assertThat(run.terminate()).isZero();
      assertThat(run.said())
          .contains("  events                    7              7\n")
          .contains("\n\nStopped. Run it again to go on from here.\n");
    }
    append(accounts, payment("p-8", "bob", "deposit", "4.00", 8));
    Path again = accounts.path("again");
    try (RunningChild run = RunningChild.start(again, "run", pipeline, "--follow", "--json")) {
      run.await(() -> has(receipts, 5));
      assertThat(run.terminate()).isZero();
      assertThat(run.said())
          .startsWith("{\"ending\":\"stopped\"")
          .contains("\"run\":{\"events\":1,", "\"total\":{\"events\":8,");
    }
    assertThat(accounts.oncefold("run").out()).contains("Nothing new in payments.ndjson");
    assertThat(accounts.read("receipts.ndjson").lines()).hasSize(5);
  }

  private static void append(Accounts accounts, String line) throws IOException {
    Files.writeString(accounts.path("payments.ndjson"), line + "\n", StandardOpenOption.APPEND);
  }

  @Test
  void aRunThatIsStoppedBeforeTheEndEndsByTheSignal() throws IOException, InterruptedException {
    Accounts accounts = Accounts.in(directory);
    String pipeline = accounts.path("accounts.yaml").toString();
    byte[] events = (String.join("\n", PAYMENTS) + "\n").getBytes(StandardCharsets.UTF_8);
    try (RunningChild run =
        RunningChild.start(accounts.path("log"), "run", pipeline, "--source", "-")) {
      run.write(events);
      run.await(() -> has(accounts.path("receipts.ndjson"), 3));
      assertThat(run.terminate()).isEqualTo(128 + 15);
      assertThat(run.said())
          .startsWith("reads standard input\n")
          .contains("  events                    6              6\n")
          .contains("\nStopped before the end of standard input. To go on, send all of it again:");
    }
    Command again =
        accounts.reading(new String(events, StandardCharsets.UTF_8), "run", "--source", "-");
    assertThat(again.out()).contains("6 events were judged before");
    assertThat(accounts.read("receipts.ndjson").lines()).hasSize(3);
  }
}
