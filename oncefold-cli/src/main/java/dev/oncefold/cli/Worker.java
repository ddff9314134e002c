package dev.oncefold.cli;

import dev.oncefold.Disk;
import dev.oncefold.FileSource;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.Options;
import dev.oncefold.testkit.PacedSource;
import dev.oncefold.testkit.WatchedDisk;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The process that the demo kills: applies the payments of a directory to the journal in it. It
 * knows nothing of having been killed before; that is the journal's business.
 */
final class Worker {
  /** Small, so that new segments and snapshots are among what the kills meet. */
  private static final int BYTES = 1 << 22;

  private Worker() {}

  /**
   * Runs until the payments are all applied.
   *
   * @param args the demo's directory
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    try {
      apply(Workplace.at(Path.of(args[0])), Payments.fold(), source -> source);
    } catch (JournalException | SourceException e) {
      // A full disk, for one: the message says all, and the demo passes it on.
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  /**
   * Applies the payments.
   *
   * @param at where everything stands
   * @param fold what to apply
   * @param between what stands between the payments and the runner; a test puts something wrong
   */
  @SuppressWarnings("try") // the sinks need only be open
  static void apply(
      Workplace at, Fold<Account, Payment, Receipt> fold, UnaryOperator<Source<Payment>> between)
      throws IOException, InterruptedException {
    Beacon beacon = Beacon.at(at.beacon());
    long opened = System.nanoTime();
    beacon.set(Field.OPENING, 1);
    Disk disk = new WatchedDisk(Disk.at(at.journal()), beacon);
    try (Journal<Account, Payment, Receipt> journal = Journal.open(disk, fold, options());
        FileSink<Account, Payment, Receipt> receipts =
            FileSink.outputs(journal, Payments.RECEIPTS, at.receipts(), Payments::line);
        FileSink<Account, Payment, Receipt> refusals =
            FileSink.refusals(journal, at.refusals(), Payments::line);
        PacedSource<Payment> source =
            new PacedSource<>(
                between.apply(FileSource.of(at.payments(), Payments::decode)),
                beacon,
                opened,
                () -> beacon.set(Field.EVENTS, journal.sequence()))) {
      beacon.set(Field.FOUND, journal.sequence());
      beacon.set(Field.EVENTS, journal.sequence());
      new Runner<>(journal, fold, List.of(source), Clock.systemUTC()).run();
      source.finished();
    }
  }

  static Options options() {
    return Options.defaults().segmentBytes(BYTES).snapshotBytes(BYTES);
  }
}
