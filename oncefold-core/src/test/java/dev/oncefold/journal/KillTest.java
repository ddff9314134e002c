package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Verdict;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The journal in a process of its own that is killed, or that meets another one. */
class KillTest {
  private static final int KEYS = 50;

  /** The other process: opens the journal and submits until it is killed. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) throws IOException {
      Path data = Path.of(args[0]);
      long from = Long.parseLong(args[1]);
      try (Journal<Account, Payment, Receipt> journal =
          Journal.open(data, Bank.withTransfers(), Bank.OPTIONS)) {
        FileSink<Account, Payment, Receipt> sink = sink(journal, data);
        System.out.println("open");
        if (from >= 0) {
          submitForEver(journal, from);
        }
        // With a negative number it only holds the lock, until its input ends.
        while (System.in.read() >= 0) {}
        sink.close();
      } catch (JournalException e) {
        System.out.println("refused");
      }
    }

    private static void submitForEver(Journal<Account, Payment, Receipt> journal, long from) {
      for (long i = from; true; i++) {
        String id = "p-" + i;
        var answer =
            journal
                .submit(Bank.deposit(id, "k" + i % KEYS, 1))
                .thenAccept(verdict -> System.out.println(id));
        if (i % 64 == 0) {
          answer.join();
        }
      }
    }
  }

  private static FileSink<Account, Payment, Receipt> sink(
      Journal<Account, Payment, Receipt> journal, Path data) {
    return FileSink.outputs(
        journal,
        "outputs",
        data.resolve("receipts.txt"),
        output -> output.id() + " " + output.value().cents());
  }

  private static Process child(Path data, long from) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            data.toString(),
            String.valueOf(from))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static BufferedReader lines(Process process) {
    return process.inputReader(StandardCharsets.US_ASCII);
  }

  @Test
  void whatWasAnsweredIsThereOnceAfterKillNine(@TempDir Path data) throws Exception {
    List<String> answered = new ArrayList<>();
    long next = 0;
    for (int kills = 0; kills < 3; kills++) {
      Process child = child(data, next);
      BufferedReader lines = lines(child);
      assertThat(lines.readLine()).isEqualTo("open");
      for (int i = 0; i < 1500 + 777 * kills; i++) {
        answered.add(lines.readLine());
      }
      child.toHandle().destroyForcibly(); // the process only, not the pipe from it
      // What it had printed before it died counts too; the last line may be cut.
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        answered.add(line);
      }
      assertThat(child.waitFor()).isNotZero();
      answered.removeIf(line -> !line.matches("p-\\d+"));
      next = 1_000_000L * (kills + 1);
    }
    Map<String, Integer> times = new HashMap<>();
    Map<String, Long> sums = new HashMap<>();
    List<String> receipts = new ArrayList<>();
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(data, Bank.withTransfers(), Bank.OPTIONS)) {
      journal.history(
          entry -> {
            assertThat(entry.verdict()).isEqualTo(Verdict.Kind.APPLIED);
            times.merge(String.valueOf(entry.id()), 1, Integer::sum);
            long sum = sums.merge(String.valueOf(entry.key()), 1L, Long::sum);
            receipts.add(entry.outputs().get(0).id() + " " + sum);
          });
      for (int i = 0; i < KEYS; i++) {
        long sum = sums.getOrDefault("k" + i, -1L);
        assertThat(journal.state("k" + i)).isEqualTo(new Account(sum, sum));
      }
      assertThat(journal.counts().events()).isEqualTo(times.size());
      sink(journal, data).close();
    }
    assertThat(times.values()).containsOnly(1);
    // The last digits of an id that was being printed may be missing: then it is another id.
    List<String> lost = new ArrayList<>(answered);
    lost.removeAll(times.keySet());
    assertThat(lost)
        .hasSizeLessThanOrEqualTo(3)
        .allMatch(id -> times.keySet().stream().anyMatch(k -> k.startsWith(id)));
    assertThat(Files.readAllLines(data.resolve("receipts.txt"))).isEqualTo(receipts);
  }

  @Test
  void aJournalInAnotherProcessIsLocked(@TempDir Path data) throws Exception {
    Process child = child(data, -1);
    BufferedReader lines = lines(child);
    assertThat(lines.readLine()).isEqualTo("open");
    assertThatThrownBy(() -> Journal.open(data, Bank.withTransfers(), Bank.OPTIONS))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("is open elsewhere");
    assertThat(Files.readString(data.resolve("lock")).strip())
        .as("the lock names its holder")
        .isEqualTo(String.valueOf(child.pid()));
    child.outputWriter().close();
    assertThat(child.waitFor()).isZero();
    Journal.open(data, Bank.withTransfers(), Bank.OPTIONS).close();
  }

  /** On POSIX, closing any channel of a file gives up all of the process's locks on it. */
  @Test
  void aRefusedOpenInThisProcessDoesNotLetAnotherIn(@TempDir Path data) throws Exception {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(data, Bank.withTransfers(), Bank.OPTIONS)) {
      assertThatThrownBy(() -> Journal.open(data, Bank.withTransfers(), Bank.OPTIONS))
          .isInstanceOf(JournalException.class);
      Process child = child(data, -1);
      child.outputWriter().close();
      assertThat(lines(child).readLine()).isEqualTo("refused");
      child.waitFor();
      assertThat(Bank.told(journal.submit(Bank.deposit("1", "a", 1)).join()))
          .isEqualTo("applied 1");
    }
  }

  @Test
  void anotherProcessSeesWhatIsCommitted(@TempDir Path data) throws Exception {
    Process child = child(data, 0);
    BufferedReader lines = lines(child);
    assertThat(lines.readLine()).isEqualTo("open");
    long before = 0;
    for (int i = 0; i < 5; i++) {
      for (int n = 0; n < 200; n++) {
        lines.readLine();
      }
      View<Account> view = Journal.view(data, Bank.withTransfers());
      assertThat(view.sequence()).isGreaterThanOrEqualTo(before);
      assertThat(view.slots().values().stream().mapToLong(slot -> slot.state().cents()).sum())
          .isEqualTo(view.counts().applied())
          .isEqualTo(view.sequence());
      before = view.sequence();
    }
    child.destroyForcibly().waitFor();
  }
}
