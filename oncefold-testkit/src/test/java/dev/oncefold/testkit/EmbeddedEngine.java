package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.FileSource;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.Options;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The embedded engine as a user puts it together: files in, a journal, files out. */
final class EmbeddedEngine implements AutoCloseable {
  /** Small, so that new segments and snapshots are among what a scenario meets. */
  private static final int BYTES = 1 << 16;

  final Journal<Trace, Move, Receipt> journal;
  private final Runner<Trace, Move, Receipt> runner;
  // Closed from the last to the first: the journal after all that use it.
  private final List<Runnable> closes = new ArrayList<>();

  EmbeddedEngine(Disk disk, Path directory, Setup setup) {
    Fold<Trace, Move, Receipt> fold = setup.fold();
    journal = Journal.open(disk, fold, options(setup));
    closes.add(journal::close);
    boolean opened = false;
    try {
      for (String name : setup.outputs()) {
        closes.add(
            FileSink.outputs(journal, name, output(directory, name), EmbeddedEngine::line)::close);
      }
      closes.add(FileSink.refusals(journal, refusals(directory), EmbeddedEngine::line)::close);
      List<FileSource<Move>> sources = new ArrayList<>();
      for (String partition : setup.partitions()) {
        sources.add(
            FileSource.of(input(directory, partition), setup::decode).named(partition).following());
      }
      sources.forEach(source -> closes.add(source::close));
      runner = new Runner<>(journal, fold, sources, Clock.systemUTC());
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  static Options options(Setup setup) {
    Options options =
        Options.defaults()
            .history(setup.history() ? Options.History.FULL : Options.History.NONE)
            .segmentBytes(BYTES)
            .snapshotBytes(BYTES);
    return setup.acceptChange() ? options.acceptingChange() : options;
  }

  static Path journal(Path directory) {
    return directory.resolve("journal");
  }

  static Path input(Path directory, String partition) {
    return directory.resolve(partition + ".in");
  }

  static Path output(Path directory, String name) {
    return directory.resolve(name + ".out");
  }

  static Path refusals(Path directory) {
    return directory.resolve("refusals.out");
  }

  private static String line(Emitted<Receipt> output) {
    Receipt receipt = output.value();
    return Fields.join(
        output.id(), output.key(), receipt.key(), receipt.count(), receipt.sum(), receipt.memo());
  }

  private static String line(Entry<Trace, Move, Receipt> refusal) {
    String key = refusal.key();
    String id = refusal.id();
    String reason = refusal.reason();
    return Fields.join(
        refusal.verdict(),
        key == null ? "" : key,
        id == null ? "" : id,
        reason == null ? "" : reason);
  }

  /** Works until it is over, or until something stops it. */
  void run(BooleanSupplier over) throws InterruptedException {
    try {
      while (!over.getAsBoolean()) {
        // Sooner than the runner's own pause: a scenario waits for each of its steps.
        runner.step(Duration.ofMillis(2));
      }
    } finally {
      runner.awaitCommits();
    }
  }

  /** Writes what is left to the files, and ends. */
  @Override
  public void close() {
    RuntimeException failure = null;
    for (int i = closes.size() - 1; i >= 0; i--) {
      try {
        closes.get(i).run();
      } catch (RuntimeException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Ends with nothing finished: the journal first, so that nothing waits for it. */
  void abandon() {
    for (Runnable close : closes) {
      try {
        close.run();
      } catch (JournalException e) {
        // Its disk is gone, and it says so.
      }
    }
  }
}
