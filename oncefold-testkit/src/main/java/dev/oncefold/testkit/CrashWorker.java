package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.SourceException;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.Options;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Letters;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The process that a crash run kills: applies the input of a subject to a journal. It knows nothing
 * of having been killed before; that is the journal's business.
 */
final class CrashWorker {
  /** Small, so that new segments and snapshots are among what the kills meet. */
  private static final int BYTES = 1 << 20;

  private CrashWorker() {}

  /**
   * Runs until the input is applied.
   *
   * @param args the directory of the run, the subject's class, and the subject's own arguments
   */
  public static void main(String[] args) throws Exception {
    try {
      Subject<?, ?, ?> subject =
          Subject.of(Class.forName(args[1]), Arrays.copyOfRange(args, 2, args.length));
      apply(subject, new Scratch(Path.of(args[0])));
    } catch (JournalException | SourceException e) {
      // A full disk, for one: the message says all, and the run passes it on.
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  /** How the journal is kept, here and where it is looked at. */
  static Options options() {
    return Options.defaults().segmentBytes(BYTES).snapshotBytes(BYTES);
  }

  private static <S, E, O> void apply(Subject<S, E, O> subject, Scratch scratch)
      throws IOException, InterruptedException {
    Beacon beacon = Beacon.at(scratch.beacon());
    long opened = System.nanoTime();
    beacon.set(Field.OPENING, 1);
    Fold<S, E, O> fold = subject.fold();
    Disk disk = new WatchedDisk(Disk.at(scratch.journal()), beacon);
    List<FileSink<S, E, O>> sinks = new ArrayList<>();
    try (Journal<S, E, O> journal = Journal.open(disk, fold, options());
        PacedSource<E> source =
            new PacedSource<>(
                subject.source(),
                beacon,
                opened,
                () -> beacon.set(Field.EVENTS, journal.sequence()))) {
      beacon.set(Field.FOUND, journal.sequence());
      beacon.set(Field.EVENTS, journal.sequence());
      Words words = new Words();
      int number = 0;
      for (String name : scratch.outputs()) {
        sinks.add(
            FileSink.outputs(
                journal,
                "output:" + name,
                name,
                scratch.output(number++),
                emitted -> line(fold, words, emitted)));
      }
      sinks.add(FileSink.refusals(journal, scratch.refusals(), CrashWorker::line));
      // A Failed event is refused, whatever the fold says: a stop would end the run.
      new Runner<>(
              journal,
              fold,
              List.of(source),
              Clock.systemUTC(),
              Fold.WhenFailed.REFUSE,
              (polled, verdicts) -> {})
          .run();
      for (FileSink<S, E, O> sink : sinks) {
        sink.close();
      }
      source.finished();
    }
  }

  private static <S, E, O> String line(Fold<S, E, O> fold, Words words, Emitted<O> emitted) {
    String value;
    synchronized (words) { // each sink has a thread
      value = words.of(fold.outputCodec(), emitted.value());
    }
    return Fields.join(emitted.key(), emitted.id(), value);
  }

  private static String line(Entry<?, ?, ?> entry) {
    String key = entry.key();
    return Fields.join(
        key == null ? "" : key,
        String.valueOf(entry.id()),
        String.valueOf(Letters.of(entry.verdict())));
  }
}
