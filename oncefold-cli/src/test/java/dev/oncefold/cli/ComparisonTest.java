package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.journal.Journal;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The comparison passes what is right, and catches everything that is not. */
class ComparisonTest {
  private static final long EVENTS = 20_000;

  @TempDir static Path right;
  @TempDir Path copy;

  /** A run without a kill, from which each test makes something else. */
  @BeforeAll
  static void run() throws IOException, InterruptedException {
    Workplace at = Workplace.at(right);
    PaymentFile.write(at.payments(), 3, EVENTS);
    Beacon.at(at.beacon()).set(Field.ALLOWED, Long.MAX_VALUE);
    Worker.apply(at, Payments.fold(), source -> source);
  }

  private Workplace copied() throws IOException {
    try (Stream<Path> files = Files.walk(right)) {
      for (Path file : files.toList()) {
        Path to = copy.resolve(right.relativize(file));
        if (Files.isDirectory(file)) {
          Files.createDirectories(to);
        } else {
          Files.copy(file, to);
        }
      }
    }
    return Workplace.at(copy);
  }

  private static Report compared(Workplace at) throws IOException {
    Kills.Tally tally = new Kills.Tally();
    tally.kills = 4;
    tally.insideCommit = 2;
    return compared(at, tally);
  }

  private static Report compared(Workplace at, Kills.Tally tally) throws IOException {
    try (Reference reference = new Reference(at.payments())) {
      Comparison comparison = new Comparison(reference);
      Counts counts = Demo.compare(at, reference, comparison);
      return new Report(new Report.Plan(3, EVENTS, 4), counts, tally, comparison, 1.5);
    }
  }

  private static void change(Path file, Consumer<List<String>> how) throws IOException {
    List<String> lines = new java.util.ArrayList<>(Files.readAllLines(file));
    how.accept(lines);
    Files.write(file, lines);
  }

  private static void assertFails(Report report, String difference, long lost, long doubled) {
    assertThat(report.passed()).isFalse();
    assertThat(report.verdict()).startsWith("FAIL: ");
    assertThat(report.json().get("lost").asLong()).isEqualTo(lost);
    assertThat(report.json().get("doubled").asLong()).isEqualTo(doubled);
    assertThat(String.join("\n", report.lines())).contains("The first differences:", difference);
  }

  @Test
  void aRightRunPasses() throws IOException {
    Report report = compared(Workplace.at(right));
    assertThat(report.verdict()).startsWith("PASS: ");
    assertThat(report.passed()).isTrue();
    assertThat(report.counts().events()).isEqualTo(EVENTS);
    assertThat(report.comparison().differences()).isZero();
  }

  @Test
  void aReceiptThatIsMissingIsLost() throws IOException {
    Workplace at = copied();
    change(at.receipts(), lines -> lines.remove(100));
    assertFails(compared(at), "receipts.csv lacks accounts/", 1, 0);
  }

  @Test
  void aReceiptThatIsThereTwiceIsDoubled() throws IOException {
    Workplace at = copied();
    change(at.receipts(), lines -> lines.add(lines.get(100)));
    assertFails(compared(at), "more than once", 0, 1);
  }

  @Test
  void aReceiptThatSaysSomethingElseIsSeen() throws IOException {
    Workplace at = copied();
    change(at.receipts(), lines -> lines.set(100, lines.get(100) + "0"));
    assertFails(compared(at), "receipts.csv has in line 101 \"", 0, 0);
  }

  @Test
  void receiptsInAnotherOrderAreSeen() throws IOException {
    Workplace at = copied();
    change(at.receipts(), lines -> lines.add(100, lines.remove(101)));
    assertFails(compared(at), "receipts.csv has in line 101 \"", 0, 0);
  }

  @Test
  void aRefusalThatIsMissingIsLost() throws IOException {
    Workplace at = copied();
    change(at.refusals(), lines -> lines.remove(lines.size() - 1));
    assertFails(compared(at), "refusals.csv lacks ", 1, 0);
  }

  @Test
  void aFileThatIsMissingIsSeen() throws IOException {
    Workplace at = copied();
    Files.delete(at.receipts());
    Report report = compared(at);
    assertFails(report, "receipts.csv lacks", report.counts().outputs(), 0);
  }

  @Test
  void aPaymentThatWasAppliedOnceMoreIsDoubled() throws IOException {
    Workplace at = copied();
    try (Journal<Account, Payment, Receipt> journal = Journal.open(at.journal(), Payments.fold())) {
      Instant time = Instant.parse("2024-01-28T00:00:00Z");
      Payment payment = new Payment.Deposit("acct-10007", 5);
      journal.submit(new Event<>("more", payment.account(), time, payment)).join();
    }
    assertFails(compared(at), "acct-10007 is Account[", 0, 1);
  }

  @Test
  void otherPaymentsAreSeen() throws IOException {
    Workplace at = copied();
    PaymentFile.write(at.payments(), 4, EVENTS);
    Report report = compared(at);
    assertThat(report.passed()).isFalse();
    assertThat(report.comparison().lost()).isPositive();
    assertThat(report.comparison().doubled()).isPositive();
  }

  @Test
  void inputThatWasNotAppliedIsLost() throws IOException {
    Workplace at = copied();
    Files.writeString(
        at.payments(),
        Files.readString(at.payments()) + "p-new,1706000000000,deposit,acct-10007,,1\n");
    assertFails(compared(at), "the position in payments.csv is ", 2, 0);
  }

  @Test
  void aPositionThatWentBackIsSeen() throws IOException {
    Workplace at = Workplace.at(right);
    try (Reference reference = new Reference(at.payments())) {
      Comparison comparison = new Comparison(reference);
      comparison.recoveryPoint(1, Journal.view(at.journal(), Payments.fold()), at.partition());
      assertThat(comparison.differences()).isZero();
      comparison.recoveryPoint(
          2,
          new dev.oncefold.journal.View<>(0, Counts.NONE, java.util.Map.of(), java.util.Map.of()),
          at.partition());
      assertThat(comparison.shown()).singleElement().asString().contains("after kill 2");
    }
  }

  @Test
  void goingOnElsewhereThanAnsweredIsSeen() throws IOException {
    try (Reference reference = new Reference(Workplace.at(right).payments())) {
      Comparison comparison = new Comparison(reference);
      comparison.resumed(1, 100, 100, 200);
      comparison.resumed(1, 200, 100, 200);
      assertThat(comparison.differences()).isZero();
      comparison.resumed(1, 99, 100, 200);
      comparison.resumed(1, 201, 100, 200);
      assertThat(comparison.differences()).isEqualTo(2);
    }
  }

  @Test
  void tooFewKillsProveNothing() throws IOException {
    Kills.Tally tally = new Kills.Tally();
    tally.kills = 3;
    tally.insideCommit = 3;
    Report few = compared(Workplace.at(right), tally);
    assertThat(few.passed()).isFalse();
    assertThat(few.verdict()).contains("FAIL", "it proves nothing", "of 4 kills 3 landed");
    tally.kills = 4;
    tally.insideCommit = 1;
    Report aside = compared(Workplace.at(right), tally);
    assertThat(aside.passed()).isFalse();
    assertThat(aside.verdict()).contains("FAIL", "it proves nothing", "1 of them inside");
  }
}
