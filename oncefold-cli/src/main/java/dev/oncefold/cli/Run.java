package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.FileSource;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import dev.oncefold.cli.Summary.Ending;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import dev.oncefold.pipeline.Pipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One run of a pipeline: from its source into its journal and out to its files. */
final class Run {
  private static final long TICK_MILLIS = 50;

  private final Pipeline pipeline;
  private final PipelineFile given;
  private final Options options;
  private final boolean follow;
  private final Collection<String> refused;
  private final Collection<String> rewritten;
  private final Set<String> unmet = ConcurrentHashMap.newKeySet();
  private @Nullable Runner<Row, Row, String> runner;
  private boolean stopped;

  /**
   * A run.
   *
   * @param given as the user named the pipeline
   * @param pipeline the pipeline
   * @param options how the journal is kept
   * @param follow whether to wait for more at the end of the source
   * @param refused positions of events that may fail
   * @param rewritten outputs, or the refusals, whose files are written anew from the journal
   */
  Run(
      PipelineFile given,
      Pipeline pipeline,
      Options options,
      boolean follow,
      Collection<String> refused,
      Collection<String> rewritten) {
    this.given = given;
    this.pipeline = pipeline;
    this.options = options;
    this.follow = follow;
    this.refused = refused;
    this.rewritten = rewritten;
    unmet.addAll(refused);
  }

  /** Lets it finish the batch in hand and end. From any thread, and at any time. */
  synchronized void stop() {
    stopped = true;
    if (runner != null) {
      runner.stop();
    }
  }

  private synchronized void begins(Runner<Row, Row, String> begun) {
    runner = begun;
    if (stopped) {
      begun.stop();
    }
  }

  private synchronized boolean wasStopped() {
    return stopped;
  }

  /** The positions given to be refused at which no event stood. */
  List<String> unmet() {
    return unmet.stream().sorted().toList();
  }

  /**
   * Runs to the end of the source, or until it is stopped or cannot go on.
   *
   * @param say told where it begins
   * @param progress told how far it is
   * @return what came of it; everything it tells is committed, and written to the files
   * @throws RuntimeException if it could not begin
   */
  Summary run(Consumer<String> say, Progress progress) throws InterruptedException {
    Journal<Row, Row, String> journal =
        Journal.open(pipeline.store().journal(), pipeline.fold(), options);
    Counts before = journal.counts();
    Pace pace = null;
    Position from = Position.START;
    boolean ended = false;
    RuntimeException problem = null;
    try (journal;
        Sinks sinks = Sinks.open(pipeline, journal, rewritten);
        Source<Row> source = pipeline.source(follow)) {
      from = position(journal);
      say.accept(begins(source, from, before));
      pace = new Pace(sourceName(), from.offset(), follow ? 0 : size());
      walk(journal, source, sinks, pace, progress);
      ended = source.ended();
    } catch (RuntimeException e) {
      if (pace == null) {
        throw e;
      }
      problem = e;
    }
    Counts counted = journal.counts().minus(before);
    Ending ending = problem != null ? Ending.FAILED : ended ? Ending.END : Ending.STOPPED;
    FailedEvent failed = problem instanceof FailedEventException e ? failed(e) : null;
    return new Summary(
        ending,
        said(ending, counted, from, failed),
        counted,
        journal.counts(),
        pace.seconds(),
        problem == null ? null : told(problem, failed),
        failed);
  }

  private void walk(
      Journal<Row, Row, String> journal,
      Source<Row> source,
      Sinks sinks,
      Pace pace,
      Progress progress)
      throws InterruptedException {
    Runner<Row, Row, String> walking =
        new Runner<>(
                journal,
                pipeline.fold(),
                List.of(source),
                Clock.systemUTC(),
                pipeline.fold().whenFailed(),
                (polled, verdicts) -> {
                  if (!unmet.isEmpty()) {
                    polled
                        .events()
                        .forEach(event -> unmet.remove(event.positionId(polled.partition())));
                  }
                })
            .refusing(refused);
    begins(walking);
    CountDownLatch over = new CountDownLatch(1);
    Thread ticker =
        new Thread(
            () -> {
              try {
                while (!over.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) {
                  if (sinks.haveFailed()) {
                    walking.stop();
                  }
                  progress.at(() -> pace.told(walking.counts(), position(journal).offset()));
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "oncefold-progress");
    ticker.setDaemon(true);
    ticker.start();
    try {
      walking.run();
    } finally {
      over.countDown();
      ticker.join();
      progress.done();
    }
  }

  private Position position(Journal<Row, Row, String> journal) {
    return journal.positions().getOrDefault(pipeline.partition(), Position.START);
  }

  private long size() {
    Path file = pipeline.sourceFile();
    try {
      return file == null ? 0 : Files.size(file);
    } catch (IOException e) {
      return 0; // it is for progress only, and the source itself tells what is wrong
    }
  }

  // ---------------------------------------------------------------- what is said

  private String sourceName() {
    Path file = pipeline.sourceFile();
    return file == null ? "standard input" : String.valueOf(file.getFileName());
  }

  private String begins(Source<Row> source, Position from, Counts before) {
    String behind =
        before.events() == 0
            ? ""
            : String.format(Locale.ROOT, "; %,d events were judged before", before.events());
    if (pipeline.sourceFile() == null) {
      return "reads standard input" + behind;
    }
    if (from.offset() == 0) {
      return "begins with " + sourceName() + behind;
    }
    return String.format(
        Locale.ROOT,
        "goes on behind line %,d of %s%s",
        lineAt(source, from.offset() - 1),
        sourceName(),
        behind);
  }

  /** The line of the file in which a byte stands; 0 where there is no file. */
  private static long lineAt(Source<Row> source, long offset) {
    return source instanceof FileSource<Row> file ? file.lineAt(offset) : 0;
  }

  private FailedEvent failed(FailedEventException e) {
    long line = 0;
    if (pipeline.sourceFile() != null) {
      try (Source<Row> source = pipeline.source(false)) {
        line = lineAt(source, e.offset());
      } catch (SourceException gone) {
        line = 0; // the position is told instead; why the event failed counts for more
      }
    }
    return new FailedEvent(e.position(), line, e.reason());
  }

  private String told(RuntimeException problem, @Nullable FailedEvent failed) {
    // A full disk is told by everything that writes to it, in the same words.
    Set<String> told = new LinkedHashSet<>();
    told.add(failed == null ? String.valueOf(problem.getMessage()) : told(failed));
    for (Throwable more : problem.getSuppressed()) {
      told.add(String.valueOf(more.getMessage()));
    }
    return String.join("\n", told);
  }

  private String told(FailedEvent failed) {
    String reason = failed.reason().replaceFirst("\\.$", "");
    String applied = ". Nothing of this event is applied, everything before it is. ";
    if (pipeline.sourceFile() == null) {
      return "an event of standard input failed: "
          + reason
          + applied
          + "Send all of it again, with the event mended or left out, or write \"failed: refuse\" in"
          + " the pipeline";
    }
    String which =
        failed.line() == 0
            ? "the event at " + failed.position()
            : "line " + failed.line() + " of " + sourceName();
    return which
        + " failed: "
        + reason
        + applied
        + "Mend the line and run again; or let it go to the refusals:\n  "
        + given.command("run")
        + (follow ? " --follow" : "")
        + " --refuse "
        + PipelineFile.word(failed.position());
  }

  private List<String> said(
      Ending ending, Counts counted, Position from, @Nullable FailedEvent failed) {
    List<String> said = new ArrayList<>();
    said.add(
        switch (ending) {
          case END -> atEnd(counted, from);
          case STOPPED -> wasStopped() ? stopped(follow) : stopped(false);
          case FAILED ->
              failed == null || failed.line() == 0
                  ? "Stopped before the end of " + sourceName() + "."
                  : String.format(
                      Locale.ROOT, "Stopped before line %,d of %s.", failed.line(), sourceName());
        });
    long refusals = counted.rejected() + counted.conflicts() + counted.expired() + counted.failed();
    if (refusals > 0) {
      said.add(whereRefusalsAre(refusals));
    }
    return said;
  }

  private String atEnd(Counts counted, Position from) {
    if (counted.events() == 0) {
      return from.offset() > 0 && pipeline.sourceFile() != null
          ? "Nothing new in " + sourceName() + ": it was applied to its end before."
          : "There are no events in " + sourceName() + ".";
    }
    return counted.events() == counted.duplicates()
        ? "Nothing changed: every event of " + sourceName() + " was judged before."
        : "Applied " + sourceName() + " to its end.";
  }

  private String stopped(boolean asUsual) {
    String what = asUsual ? "Stopped." : "Stopped before the end of " + sourceName() + ".";
    return pipeline.sourceFile() == null
        ? what + " To go on, send all of it again: ids tell what was applied."
        : what + " Run it again to go on from here.";
  }

  private String whereRefusalsAre(long refusals) {
    Path file = pipeline.refusals();
    String those =
        String.format(Locale.ROOT, refusals == 1 ? "%,d refusal is" : "%,d refusals are", refusals);
    if (file != null) {
      return those + " in " + PipelineFile.shown(file) + ", with the reasons.";
    }
    return pipeline.store().history()
        ? those
            + " in the journal only. To have them in a file, write \"refusals: { file:"
            + " refused.ndjson }\" in the pipeline and run it again."
        : those + " only counted: the pipeline names no file for refusals.";
  }
}
