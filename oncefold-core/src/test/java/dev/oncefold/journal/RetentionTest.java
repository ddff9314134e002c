package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Snapshots, and which old segments they let go. */
class RetentionTest {
  private static final Options SMALL =
      Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 17).retainBytes(0);
  private final TestDisk disk = new TestDisk();
  private final TestDisk outside = new TestDisk();
  private int sent;

  private Journal<Account, Payment, Receipt> open(Options options) {
    return Journal.open(disk, Bank.fold(), options, new Bank.ByHand());
  }

  /** About a hundred bytes each, in groups of a hundred. */
  private void send(Journal<Account, Payment, Receipt> journal, int events) {
    for (int i = 0; i < events; i++, sent++) {
      var unused = journal.submit(Bank.deposit("payment-" + sent, "account-" + sent % 50, 1));
      if (i % 100 == 99) {
        Bank.judge(journal);
        while (journal.write()) {}
      }
    }
  }

  private static FileSink<Account, Payment, Receipt> sink(
      Journal<Account, Payment, Receipt> journal, TestDisk outside) {
    return FileSink.open(
        journal, outside, "ids", FileSink.outputs(journal, "outputs", Emitted::id), false);
  }

  private void whole(Journal<Account, Payment, Receipt> journal) {
    assertThat(journal.counts()).isEqualTo(Bank.counts(sent, 0, 0, 0));
    assertThat(journal.view().slots()).hasSize(50);
    assertThat(journal.view().slots().values().stream().mapToLong(s -> s.state().cents()).sum())
        .isEqualTo(sent);
  }

  @Test
  void aSnapshotLetsOldSegmentsGo() {
    try (Journal<Account, Payment, Receipt> journal = open(SMALL)) {
      assertThat(journal.goesBackToItsBeginning()).isTrue();
      send(journal, 8000);
      assertThat(journal.goesBackToItsBeginning()).isFalse();
      assertThat(disk.names(".snapshot")).hasSize(1);
      assertThat(disk.names(".log").get(0)).isNotEqualTo(Log.name(0, ".log"));
      assertThat(disk.names(".log")).hasSizeLessThan(6);
      assertThatThrownBy(() -> journal.history(entry -> {}))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("does not go back to its beginning", "Options.retainBytes");
      assertThatThrownBy(() -> journal.asOf(3)).isInstanceOf(JournalException.class);
      whole(journal);
    }
    try (Journal<Account, Payment, Receipt> journal = open(SMALL)) {
      whole(journal);
      assertThat(Bank.settle(journal, Bank.deposit("payment-0", "account-0", 1)))
          .as("ids come back from the snapshot")
          .containsExactly("duplicate");
      assertThat(Bank.settle(journal, Bank.deposit("payment-0", "account-0", 2)))
          .containsExactly("conflict");
    }
    assertThat(Journal.<Account, Payment, Receipt>open(disk, Bank.fold(), SMALL).sequence())
        .isEqualTo(sent + 2);
  }

  @Test
  void withoutTheSnapshotTheJournalDoesNotPretend() {
    try (Journal<Account, Payment, Receipt> journal = open(SMALL)) {
      send(journal, 8000);
    }
    disk.remove(disk.names(".snapshot").get(0));
    assertThatThrownBy(() -> open(SMALL))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll("no snapshot stands for what was before", "Restore");
  }

  @Test
  void aDamagedSnapshotIsNamed() {
    try (Journal<Account, Payment, Receipt> journal = open(SMALL)) {
      send(journal, 8000);
    }
    String snapshot = disk.names(".snapshot").get(0);
    disk.flip(snapshot, disk.bytes(snapshot).length / 2);
    assertThatThrownBy(() -> open(SMALL))
        .isInstanceOfSatisfying(
            JournalException.Corrupt.class,
            corrupt -> assertThat(corrupt.file()).isEqualTo(disk.path(snapshot)))
        .hasMessageContaining("a checksum does not match");
  }

  @Test
  void fullHistoryKeepsEverythingUnlessToldOtherwise() {
    Options full = Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 17);
    try (Journal<Account, Payment, Receipt> journal = open(full)) {
      send(journal, 6000);
      assertThat(disk.names(".snapshot")).hasSize(1);
      assertThat(disk.names(".log").get(0)).isEqualTo(Log.name(0, ".log"));
      assertThat(journal.asOf(17).sequence()).isEqualTo(17);
      assertThat(journal.asOf(5999).counts()).isEqualTo(Bank.counts(5999, 0, 0, 0));
    }
    try (Journal<Account, Payment, Receipt> journal = open(full)) {
      whole(journal);
    }
  }

  @Test
  void withoutHistorySegmentsGoByThemselves() {
    Options none =
        Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 16).history(Options.History.NONE);
    try (Journal<Account, Payment, Receipt> journal = open(none)) {
      send(journal, 8000);
      assertThat(disk.names(".log").get(0)).isNotEqualTo(Log.name(0, ".log"));
    }
    try (Journal<Account, Payment, Receipt> journal = open(none)) {
      whole(journal);
    }
  }

  @Test
  void aSinkHoldsSegmentsBackUntilItHasPassedOrIsForgotten() {
    try (Journal<Account, Payment, Receipt> journal = open(SMALL)) {
      FileSink<Account, Payment, Receipt> sink = sink(journal, outside);
      send(journal, 6000);
      assertThat(disk.names(".log").get(0)).isEqualTo(Log.name(0, ".log"));
      while (sink.step()) {}
      send(journal, 4000);
      String first = disk.names(".log").get(0);
      assertThat(first).isNotEqualTo(Log.name(0, ".log"));
      sink.close();
      send(journal, 6000);
      assertThat(disk.names(".log").get(0))
          .as("the closed sink still counts")
          .isLessThanOrEqualTo(Log.name(sinkOffset(journal), ".log"));
      journal.forgetSink("file:ids");
      send(journal, 4000);
      assertThat(disk.names(".log").get(0)).isGreaterThan(first);
      assertThatThrownBy(() -> sink(journal, new TestDisk()))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("has dropped older segments");
    }
  }

  private static long sinkOffset(Journal<Account, Payment, Receipt> journal) {
    Memory.SinkPosition position = journal.sink("file:ids");
    assertThat(position).isNotNull();
    return position.offset();
  }

  /**
   * A sink's position counts only once it is durable: a crash would bring the older one back, and
   * then the segments must still be there.
   */
  @Test
  void aSinkPositionThatIsNotDurableLetsNothingGo() {
    TestDisk[] crashed = new TestDisk[2];
    try (Journal<Account, Payment, Receipt> journal = open(SMALL);
        FileSink<Account, Payment, Receipt> sink = sink(journal, outside)) {
      boolean[] written = new boolean[1];
      disk.before(
          (operation, name) -> {
            if (operation.equals("rename") && name.endsWith(".snapshot")) {
              // While the snapshot is written the sink goes on …
              while (sink.step()) {}
              written[0] = true;
            } else if (written[0] && operation.equals("write") && crashed[0] == null) {
              // … and the process dies before the next group is.
              crashed[0] = disk.copy();
              crashed[1] = outside.copy();
            }
          });
      send(journal, 2500);
      disk.mended();
    }
    assertThat(crashed[0]).isNotNull();
    try (Journal<Account, Payment, Receipt> journal =
            Journal.open(crashed[0], Bank.fold(), SMALL, new Bank.ByHand());
        FileSink<Account, Payment, Receipt> sink = sink(journal, crashed[1])) {
      while (sink.step()) {}
      assertThat(journal.sequence()).isGreaterThan(1000);
      assertThat(new String(crashed[1].bytes("ids"), StandardCharsets.UTF_8).lines())
          .hasSize((int) journal.sequence())
          .doesNotHaveDuplicates();
    }
  }
}
