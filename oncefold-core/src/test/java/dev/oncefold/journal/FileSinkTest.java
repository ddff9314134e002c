package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a file sink writes, each line once, whatever happens in between. */
class FileSinkTest {
  private static final String FILE = "receipts.txt";
  private final TestDisk disk = new TestDisk();
  private final TestDisk outside = new TestDisk();

  private Journal<Account, Payment, Receipt> open(TestDisk disk) {
    return Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand());
  }

  private static FileSink<Account, Payment, Receipt> sink(
      Journal<Account, Payment, Receipt> journal, TestDisk outside) {
    return sink(journal, outside, output -> output.id() + "=" + output.value().cents());
  }

  private static FileSink<Account, Payment, Receipt> sink(
      Journal<Account, Payment, Receipt> journal,
      TestDisk outside,
      Function<Emitted<Receipt>, String> format) {
    return FileSink.open(
        journal, outside, FILE, FileSink.outputs(journal, "outputs", format), false);
  }

  private static void drain(
      Journal<Account, Payment, Receipt> journal, FileSink<Account, Payment, Receipt> sink) {
    while (sink.step()) {}
    while (journal.write()) {}
  }

  private String text() {
    return new String(outside.bytes(FILE), StandardCharsets.UTF_8);
  }

  @Test
  void writesEachOutputOnceAcrossCloseAndReopen() {
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      Bank.settle(
          journal,
          Bank.deposit("1", "a", 5),
          Bank.deposit("1", "a", 5),
          Bank.event("2", "a", "withdraw", 9),
          Bank.deposit("3", "b/c", 2));
      drain(journal, sink);
      assertThat(text()).isEqualTo("bank/a/1/0=5\nbank/b%2Fc/3/0=2\n");
    }
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      drain(journal, sink);
      Bank.settle(journal, Bank.deposit("3", "b/c", 2), Bank.deposit("4", "a", 1));
      drain(journal, sink);
      assertThat(text()).isEqualTo("bank/a/1/0=5\nbank/b%2Fc/3/0=2\nbank/a/4/0=6\n");
    }
  }

  @Test
  void whatIsNotCommittedIsNotWritten() {
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      var unused = journal.submit(Bank.deposit("1", "a", 5));
      Bank.judge(journal);
      while (sink.step()) {}
      assertThat(text()).isEmpty();
      drainAll(journal, sink);
      assertThat(text()).isEqualTo("bank/a/1/0=5\n");
    }
  }

  private static void drainAll(
      Journal<Account, Payment, Receipt> journal, FileSink<Account, Payment, Receipt> sink) {
    while (journal.write()) {}
    drain(journal, sink);
  }

  /** The crash: lines are in the file, and the journal does not know of them yet. */
  @Test
  void linesThatTheJournalDoesNotKnowAreCutAndWrittenAgain() {
    TestDisk crashed;
    TestDisk crashedOutside;
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      Bank.settle(journal, Bank.deposit("1", "a", 5));
      drain(journal, sink);
      Bank.settle(journal, Bank.deposit("2", "a", 1));
      assertThat(sink.step()).isTrue();
      crashed = disk.copy();
      crashedOutside = outside.copy();
    }
    assertThat(new String(crashedOutside.bytes(FILE), StandardCharsets.UTF_8))
        .isEqualTo("bank/a/1/0=5\nbank/a/2/0=6\n");
    try (Journal<Account, Payment, Receipt> journal = open(crashed)) {
      try (FileSink<Account, Payment, Receipt> sink = sink(journal, crashedOutside)) {
        assertThat(new String(crashedOutside.bytes(FILE), StandardCharsets.UTF_8))
            .isEqualTo("bank/a/1/0=5\n");
        drain(journal, sink);
      }
    }
    assertThat(new String(crashedOutside.bytes(FILE), StandardCharsets.UTF_8))
        .isEqualTo("bank/a/1/0=5\nbank/a/2/0=6\n");
  }

  @Test
  void aFileThatIsShorterOrChangedOrGoneStops() {
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      Bank.settle(journal, Bank.deposit("1", "a", 5));
      drain(journal, sink);
    }
    byte[] whole = outside.bytes(FILE);
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      outside.cut(FILE, whole.length - 1);
      assertThatThrownBy(() -> sink(journal, outside))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(FILE, "has 12 bytes, fewer than the 13 written", "Restore it");
      outside.put(FILE, whole);
      outside.flip(FILE, 3);
      assertThatThrownBy(() -> sink(journal, outside))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(FILE, "does not hold what was written to it");
      outside.remove(FILE);
      assertThatThrownBy(() -> sink(journal, outside))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(FILE, "is gone", "file:" + FILE);
      outside.put(FILE, whole);
      sink(journal, outside).close();
    }
  }

  @Test
  void aForeignFileIsRefused() {
    outside.put(FILE, "mine\n".getBytes(StandardCharsets.UTF_8));
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      assertThatThrownBy(() -> sink(journal, outside))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(FILE, "the journal has never written to it");
      assertThat(text()).isEqualTo("mine\n");
      assertThat(journal.sinks()).isEmpty();
    }
  }

  @Test
  void aForgottenSinkBeginsAnew() {
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      try (FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
        Bank.settle(journal, Bank.deposit("1", "a", 5));
        drain(journal, sink);
      }
      assertThat(journal.sinks()).containsExactly("file:" + FILE);
      assertThatThrownBy(() -> journal.forgetSink("file:other.txt"))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("file:other.txt", "[file:" + FILE + "]");
      journal.forgetSink("file:" + FILE);
      assertThat(journal.sinks()).isEmpty();
      outside.remove(FILE);
      try (FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
        drain(journal, sink);
        assertThat(text()).isEqualTo("bank/a/1/0=5\n");
      }
    }
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      journal.forgetSink("file:" + FILE);
    }
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      assertThat(journal.sinks()).isEmpty();
    }
  }

  /** Two writers of one file would write over each other. */
  @Test
  void theSameSinkIsNotOpenedTwiceAtOnce() {
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      FileSink<Account, Payment, Receipt> first = sink(journal, outside);
      assertThatThrownBy(() -> sink(journal, outside))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("file:" + FILE, "open already");
      assertThatThrownBy(() -> journal.forgetSink("file:" + FILE))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("close it first");
      first.close();
      sink(journal, outside).close();
    }
  }

  // ---------------------------------------------------------------- with a thread of its own

  @Test
  void closeWritesEverythingCommittedUntilNow(@TempDir Path directory) throws IOException {
    Path data = directory.resolve("data");
    Path out = directory.resolve("out");
    for (int round = 0; round < 3; round++) {
      try (Journal<Account, Payment, Receipt> journal =
          Journal.open(data, Bank.fold(), Bank.OPTIONS)) {
        FileSink<Account, Payment, Receipt> receipts =
            FileSink.outputs(
                journal, "outputs", out.resolve("receipts"), o -> o.key() + o.value().cents());
        FileSink<Account, Payment, Receipt> others =
            FileSink.outputs(journal, "others", out.resolve("others"), Emitted::id);
        FileSink<Account, Payment, Receipt> refused =
            FileSink.refusals(
                journal,
                out.resolve("refused"),
                e -> e.sequence() + " " + e.id() + " " + e.verdict() + " " + e.reason());
        journal.submit(Bank.deposit("d" + round, "a", 10)).join();
        journal.submit(Bank.deposit("d" + round, "a", 10)).join();
        journal.submit(Bank.deposit("d" + round, "a", 11)).join();
        journal.submit(Bank.event("w" + round, "a", "withdraw", 99)).join();
        receipts.close();
        others.close();
        refused.close();
      }
    }
    assertThat(Files.readAllLines(out.resolve("receipts"))).containsExactly("a10", "a20", "a30");
    assertThat(Files.readAllLines(out.resolve("others"))).isEmpty();
    assertThat(Files.readAllLines(out.resolve("refused")))
        .containsExactly(
            "3 d0 CONFLICT null",
            "4 w0 REJECTED insufficient funds",
            "7 d1 CONFLICT null",
            "8 w1 REJECTED insufficient funds",
            "11 d2 CONFLICT null",
            "12 w2 REJECTED insufficient funds");
  }

  @Test
  void whatStopsTheThreadIsToldByClose(@TempDir Path directory) {
    stops(
        directory.resolve("1"),
        output -> {
          throw new IllegalStateException("no format today");
        },
        IllegalStateException.class,
        "no format today");
    stops(
        directory.resolve("2"),
        output -> "two\nlines",
        JournalException.class,
        "a line with a line end in it");
    stops(
        directory.resolve("3"),
        output -> {
          throw new LinkageError("a class is broken");
        },
        Throwable.class,
        "a class is broken");
  }

  private static void stops(
      Path directory,
      Function<Emitted<Receipt>, String> format,
      Class<? extends Throwable> type,
      String message) {
    Path file = directory.resolve(FILE);
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(directory, Bank.fold(), Bank.OPTIONS)) {
      FileSink<Account, Payment, Receipt> sink = FileSink.outputs(journal, "outputs", file, format);
      assertThat(sink.hasFailed()).isFalse();
      journal.submit(Bank.deposit("1", "a", 10)).join();
      assertThat(failed(sink)).isTrue();
      assertThatThrownBy(sink::close).isInstanceOf(type).hasMessageContaining(message);
      // Mended, it goes on where it was.
      FileSink.outputs(journal, "outputs", file, Emitted::id).close();
    }
    assertThat(file).hasContent("bank/a/1/0\n");
  }

  private static boolean failed(FileSink<?, ?, ?> sink) {
    for (long end = System.nanoTime() + 60_000_000_000L; System.nanoTime() < end; ) {
      if (sink.hasFailed()) {
        return true;
      }
    }
    return false;
  }

  @Test
  void aFullDiskStopsTheSinkAndNotTheJournal() {
    try (Journal<Account, Payment, Receipt> journal = open(disk)) {
      FileSink<Account, Payment, Receipt> sink = sink(journal, outside);
      Bank.settle(journal, Bank.deposit("1", "a", 5));
      outside.failing("write", FILE, "No space left on device");
      assertThatThrownBy(sink::step)
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(FILE, "make room", "Nothing is lost");
      outside.mended();
      assertThat(Bank.settle(journal, Bank.deposit("2", "a", 5))).containsExactly("applied 10");
      drain(journal, sink);
      sink.close();
      assertThat(text()).isEqualTo("bank/a/1/0=5\nbank/a/2/0=10\n");
    }
  }

  @Test
  void linesAreInTheOrderOfTheJournal() {
    try (Journal<Account, Payment, Receipt> journal = open(disk);
        FileSink<Account, Payment, Receipt> sink =
            sink(journal, outside, output -> String.valueOf(output.sequence()))) {
      for (int i = 0; i < 40; i++) {
        Bank.settle(journal, Bank.deposit("x" + i, "k" + i % 3, 1));
        if (i % 7 == 0) {
          drain(journal, sink);
        }
      }
      drain(journal, sink);
      List<String> lines = text().lines().toList();
      assertThat(lines).hasSize(40);
      for (int i = 0; i < 40; i++) {
        assertThat(lines.get(i)).isEqualTo(String.valueOf(i + 1));
      }
    }
  }

  // ---------------------------------------------------------------- names

  /** The name in the journal is the sink's, so that two files may have one name. */
  @Test
  void twoFilesOfOneNameHaveSinksOfTheirOwn(@TempDir Path directory) throws IOException {
    Path data = directory.resolve("data");
    Path receipts = directory.resolve("a").resolve("out");
    Path refused = directory.resolve("b").resolve("out");
    Path moved = directory.resolve("c").resolve("elsewhere");
    for (int round = 0; round < 2; round++) {
      Path second = round == 0 ? refused : moved;
      try (Journal<Account, Payment, Receipt> journal =
          Journal.open(data, Bank.fold(), Bank.OPTIONS)) {
        FileSink<Account, Payment, Receipt> one =
            FileSink.outputs(journal, "one", "outputs", receipts, Emitted::id);
        FileSink<Account, Payment, Receipt> two =
            FileSink.refusals(journal, "two", second, entry -> String.valueOf(entry.id()));
        journal.submit(Bank.deposit("d" + round, "a", 10)).join();
        journal.submit(Bank.event("w" + round, "a", "withdraw", 99)).join();
        assertThat(journal.sinks()).containsExactly("one", "two");
        one.close();
        two.close();
      }
      if (round == 0) {
        Files.createDirectories(moved.getParent());
        Files.move(refused, moved);
      }
    }
    assertThat(receipts).hasContent("bank/a/d0/0\nbank/a/d1/0\n");
    assertThat(moved).hasContent("w0\nw1\n");
    assertThat(refused).doesNotExist();
  }

  @Test
  void twoSinksOfOneFileOrOneNameAreRefused(@TempDir Path directory) {
    Path out = directory.resolve("out");
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(directory.resolve("data"), Bank.fold(), Bank.OPTIONS)) {
      FileSink<Account, Payment, Receipt> one =
          FileSink.outputs(journal, "one", "outputs", out, Emitted::id);
      assertThatThrownBy(() -> FileSink.outputs(journal, "two", "outputs", out, Emitted::id))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(out.toString(), "a file of its own");
      assertThatThrownBy(
              () ->
                  FileSink.outputs(
                      journal, "one", "outputs", directory.resolve("other"), Emitted::id))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("\"one\"", "a name of its own");
      assertThatThrownBy(() -> FileSink.outputs(journal, " ", "outputs", out, Emitted::id))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("needs a name");
      assertThat(journal.sinks()).containsExactly("one");
      journal.submit(Bank.deposit("1", "a", 10)).join();
      one.close();
      // Under another name it is another sink's file.
      assertThatThrownBy(() -> FileSink.outputs(journal, "two", "outputs", out, Emitted::id))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll(out.toString(), "never written to it", "\"two\"");
    }
    assertThat(out).hasContent("bank/a/1/0\n");
  }

  @Test
  void aDirectoryIsNoFileToWriteTo(@TempDir Path directory) throws IOException {
    Path out = Files.createDirectory(directory.resolve("out"));
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(directory.resolve("data"), Bank.fold(), Bank.OPTIONS)) {
      for (Path target : List.of(out, Path.of("/"))) {
        assertThatThrownBy(() -> FileSink.outputs(journal, "outputs", target, Emitted::id))
            .isInstanceOf(JournalException.class)
            .hasMessageContainingAll(target.toString(), "is a directory", "Name a file in it");
        assertThatThrownBy(() -> FileSink.refusals(journal, target, e -> String.valueOf(e.id())))
            .isInstanceOf(JournalException.class)
            .hasMessageContaining("is a directory");
      }
      assertThat(journal.sinks()).isEmpty();
    }
  }
}
