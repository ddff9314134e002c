package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading a journal beside the process that has it open. */
class BesideTest {
  @TempDir Path directory;

  private Journal<Account, Payment, Receipt> open() throws IOException {
    return open(Disk.at(data()), Bank.OPTIONS);
  }

  private static Journal<Account, Payment, Receipt> open(Disk disk, Options options) {
    return Journal.open(disk, Bank.withTransfers(), options, new Bank.ByHand());
  }

  private Path data() {
    return directory.resolve("data");
  }

  private static Fold.Builder<Account, Payment, Receipt> named(String name) {
    return Fold.of(name, Account.class, Payment.class, Receipt.class).initially(new Account(0, 0));
  }

  /** Each file with its size. */
  private Map<String, Long> files() throws IOException {
    Map<String, Long> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(directory.relativize(file).toString(), Files.size(file));
      }
    }
    return files;
  }

  private static List<String> told(Path data, Fold<Account, Payment, Receipt> fold, String key) {
    List<String> lines = new ArrayList<>();
    Journal.history(data, fold, key, entry -> lines.add(entry.sequence() + " " + entry.verdict()));
    return lines;
  }

  @Test
  void readsWhatIsCommittedWhileTheJournalIsOpen() throws IOException {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      Bank.settle(
          journal,
          Bank.deposit("1", "a", 10),
          Bank.transfer("2", "a", "b", 4),
          Bank.deposit("3", "c", 1),
          Bank.event("4", "b", "withdraw", 99));
      Map<String, Long> before = files();
      var unused = journal.submit(Bank.deposit("5", "a", 1));
      Bank.judge(journal);

      assertThat(told(data(), Bank.withTransfers(), "a")).containsExactly("1 APPLIED", "2 APPLIED");
      assertThat(told(data(), Bank.withTransfers(), "b"))
          .containsExactly("2 APPLIED", "4 REJECTED");
      for (long sequence = 0; sequence <= 4; sequence++) {
        assertThat(Journal.asOf(data(), Bank.withTransfers(), sequence))
            .isEqualTo(journal.asOf(sequence));
      }
      assertThatThrownBy(() -> Journal.asOf(data(), Bank.withTransfers(), 5))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("holds 4 events", "as of 5 yet");
      assertThat(Journal.view(data(), Bank.withTransfers())).isEqualTo(journal.view());
      assertThat(files()).isEqualTo(before);
    }
    assertThat(told(data(), Bank.withTransfers(), "a")).hasSize(3);
  }

  @Test
  void readsByAnotherVersionAndOtherRulesButNotAnotherFold() throws IOException {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(data(), Bank.define().rules("these").update(Bank::rules), Bank.OPTIONS)) {
      journal.submit(Bank.deposit("1", "a", 10)).join();
    }
    Map<String, Long> before = files();
    for (Fold<Account, Payment, Receipt> other :
        List.of(
            Bank.define().version(2).update(Bank::rules),
            Bank.define().rules("others").update(Bank::rules),
            named("bank").rememberingNoIds().update(Bank::rules))) {
      assertThat(Journal.view(data(), other).state("a")).isEqualTo(new Account(10, 1));
      assertThat(Journal.asOf(data(), other, 1).state("a")).isEqualTo(new Account(10, 1));
      assertThat(told(data(), other, "a")).containsExactly("1 APPLIED");
    }
    Fold<Account, Payment, Receipt> stranger =
        named("others").rememberingNoIds().update(Bank::rules);
    for (ThrowingCallable reading : readings(data(), stranger)) {
      assertThatThrownBy(reading)
          .isInstanceOf(JournalException.OtherFold.class)
          .hasMessageContainingAll("\"bank\"", "\"others\"");
    }
    // What the codec cannot read it refuses.
    record Unlike(String cents) {}
    Fold<Unlike, Payment, Receipt> unreadable =
        Fold.of("bank", Unlike.class, Payment.class, Receipt.class)
            .version(2)
            .initially(new Unlike(""))
            .rememberingForever()
            .update((state, event) -> Outcome.accept(state));
    assertThatThrownBy(() -> Journal.view(data(), unreadable))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("cannot be read as the ones of version 2");
    assertThat(files()).isEqualTo(before);
  }

  private static List<ThrowingCallable> readings(Path data, Fold<Account, Payment, Receipt> fold) {
    return List.of(
        () -> Journal.view(data, fold),
        () -> Journal.asOf(data, fold, 0),
        () -> Journal.history(data, fold, "a", entry -> {}));
  }

  @Test
  void whereThereIsNoJournalNothingIsMade() throws IOException {
    List<ThrowingCallable> readings = new ArrayList<>(readings(data(), Bank.fold()));
    readings.add(() -> Journal.rebuild(data(), Bank.fold(), Bank.OPTIONS).close());
    for (ThrowingCallable reading : readings) {
      assertThatThrownBy(reading)
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("there is no journal in " + data());
    }
    assertThat(Journal.describe(data())).isNull();
    assertThat(directory).isEmptyDirectory();
    Files.createDirectory(data());
    for (ThrowingCallable reading : readings(data(), Bank.fold())) {
      assertThatThrownBy(reading)
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("there is no journal in " + data());
    }
    assertThat(Journal.describe(data())).isNull();
    assertThat(data()).isEmptyDirectory();
    Path file = Files.writeString(directory.resolve("file"), "x");
    assertThatThrownBy(() -> Journal.describe(file))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll(file.toString(), "cannot hold a journal");
  }

  @Test
  void describesAJournalThatIsOpen() throws IOException {
    Fold<Account, Payment, Receipt> fold =
        Bank.define().version(3).rules("first\nsecond").update(Bank::rules);
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(data(), fold, Bank.OPTIONS.history(Options.History.NONE))) {
      Map<String, Long> before = files();
      assertThat(Journal.describe(data()))
          .isEqualTo(
              new Description(
                  "bank",
                  3,
                  Fold.Ids.Kind.SPAN,
                  "first\nsecond",
                  false,
                  "Account{cents:long,payments:long}"));
      assertThat(files()).isEqualTo(before);
      assertThat(journal.sequence()).isZero();
    }
    Fold<Account, Payment, Receipt> next = named("bank").rememberingNoIds().update(Bank::rules);
    Journal.open(data(), next, Bank.OPTIONS.acceptingChange()).close();
    Description changed = Journal.describe(data());
    assertThat(changed)
        .isEqualTo(
            new Description(
                "bank", 1, Fold.Ids.Kind.NONE, "", true, "Account{cents:long,payments:long}"));
  }

  @Test
  void damageIsNoDescription() {
    TestDisk disk = new TestDisk();
    open(disk, Bank.OPTIONS).close();
    String segment = disk.names(".log").get(0);
    disk.flip(segment, Frame.HEADER + 20);
    assertThatThrownBy(() -> History.describe(disk))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining(segment);
    disk.remove(segment);
    disk.put(Log.name(77, ".snapshot"), new byte[] {1});
    assertThatThrownBy(() -> History.describe(disk))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("has no log beside it");
  }

  /** What stands in the file and may yet be lost is not shown. */
  @Test
  void stopsAtTheNewestMark() {
    TestDisk disk = new TestDisk();
    Journal<Account, Payment, Receipt> journal = open(disk, Bank.OPTIONS);
    Bank.settle(journal, Bank.deposit("1", "a", 10));
    disk.failing("sync", ".log", "the cable is out");
    var unused = journal.submit(Bank.deposit("2", "a", 10));
    Bank.judge(journal);
    while (journal.write()) {}
    assertThatThrownBy(journal::close).hasMessageContaining("the cable is out");
    disk.mended();
    assertThat(History.view(disk, Bank.withTransfers()).state("a")).isEqualTo(new Account(10, 1));
    assertThatThrownBy(() -> History.asOf(disk, Bank.withTransfers(), 2))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("holds 1 events");
    List<Long> told = new ArrayList<>();
    History.read(disk, Bank.withTransfers(), entry -> told.add(entry.sequence()));
    assertThat(told).containsExactly(1L);
    // The frame was whole: whoever opens the journal makes it durable first.
    try (Journal<Account, Payment, Receipt> again = open(disk, Bank.OPTIONS)) {
      assertThat(again.sequence()).isEqualTo(2);
    }
  }

  /** The writer drops a snapshot for a newer one while a reader is about to open it. */
  @Test
  void aFileThatGoesWhileItIsReadIsNoDamage() {
    TestDisk disk = new TestDisk();
    try (Journal<Account, Payment, Receipt> journal = open(disk, Bank.OPTIONS.snapshotBytes(1))) {
      Bank.settle(journal, Bank.deposit("1", "a", 10));
      Bank.settle(journal, Bank.deposit("2", "a", 10));
      assertThat(disk.names(".snapshot")).isNotEmpty();
      List<ThrowingCallable> readings =
          List.of(
              () -> History.view(disk, Bank.withTransfers()),
              () -> History.asOf(disk, Bank.withTransfers(), 2),
              () -> journal.asOf(2));
      for (ThrowingCallable reading : readings) {
        AtomicInteger gone = new AtomicInteger();
        disk.before(
            (operation, name) -> {
              if (operation.equals("open")
                  && name.endsWith(".snapshot")
                  && gone.getAndIncrement() == 0) {
                throw new NoSuchFileException(name);
              }
            });
        assertThatCode(reading).doesNotThrowAnyException();
        assertThat(gone).hasValueGreaterThan(1);
      }
      disk.mended();
    }
  }

  /** A history is read once: where a segment goes half-way it says so, and tells nothing twice. */
  @Test
  void aHistoryTellsNoEventTwice() {
    TestDisk disk = new TestDisk();
    open(disk, Bank.OPTIONS).close();
    try (Journal<Account, Payment, Receipt> journal = open(disk, Bank.OPTIONS)) {
      Bank.settle(journal, Bank.deposit("1", "a", 10));
    }
    Fold<Account, Payment, Receipt> ruled =
        Bank.define().rules("a new segment").update(Bank::rules);
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, ruled, Bank.OPTIONS, new Bank.ByHand())) {
      Bank.settle(journal, Bank.deposit("2", "a", 10));
    }
    String second = disk.names(".log").get(1);
    List<Long> told = new ArrayList<>();
    disk.before(
        (operation, name) -> {
          if (!told.isEmpty() && operation.equals("open") && name.equals(second)) {
            throw new NoSuchFileException(name);
          }
        });
    assertThatThrownBy(() -> History.read(disk, ruled, entry -> told.add(entry.sequence())))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("cannot be read");
    assertThat(told).containsExactly(1L);
    disk.mended();
    told.clear();
    History.read(disk, ruled, entry -> told.add(entry.sequence()));
    assertThat(told).containsExactly(1L, 2L);
  }
}
