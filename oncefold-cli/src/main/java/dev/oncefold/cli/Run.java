package dev.oncefold.cli;

import static java.util.stream.Collectors.joining;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.cli.Summary.Ending;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.postgres.StoreException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One run of a pipeline: from its source into its store and out to where its outputs go. */
final class Run implements Running {
  private static final long TICK_MILLIS = 50;

  private final Pipeline pipeline;
  private final Reading reading;
  private final Supplier<Keeping> opens;
  private final Collection<String> refused;
  private final Collection<String> retired;
  private final Set<String> unmet = ConcurrentHashMap.newKeySet();
  // How far each partition is committed, for progress only.
  private final Map<String, Position> reached = new ConcurrentHashMap<>();
  private @Nullable Runner<Row, Row, String> runner;
  private boolean stopped;

  /**
   * A run.
   *
   * @param pipeline the pipeline
   * @param reading what it reads
   * @param opens opens where the results are kept
   * @param refused positions of events that may fail
   * @param retired partitions of which nothing comes any more
   */
  Run(
      Pipeline pipeline,
      Reading reading,
      Supplier<Keeping> opens,
      Collection<String> refused,
      Collection<String> retired) {
    this.retired = retired;
    this.pipeline = pipeline;
    this.reading = reading;
    this.opens = opens;
    this.refused = refused;
    unmet.addAll(refused);
  }

  @Override
  public synchronized void stop() {
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

  @Override
  public List<String> unmet() {
    return unmet.stream().sorted().toList();
  }

  @Override
  public Summary run(Consumer<String> say, Progress progress) throws InterruptedException {
    Keeping keeping = opens.get();
    Map<String, Position> from = Map.of();
    Pace pace = null;
    Counts judged = Counts.NONE;
    boolean ended = false;
    RuntimeException problem = null;
    boolean wasAway = false;
    try (keeping;
        Source<Row> source = reading.open()) {
      from = keeping.positions();
      reached.putAll(from);
      Runner<Row, Row, String> walking = runner(keeping, source);
      retire(source, keeping, say);
      say.accept(reading.begins(source, from, keeping.before()));
      pace = reading.pace(from);
      try {
        walk(walking, source, keeping, pace, progress);
      } finally {
        judged = walking.counts();
      }
      ended = source.ended();
    } catch (StoreException.Stopped e) {
      if (pace == null) {
        throw e;
      }
      wasAway = true; // to stop is what it was asked for
    } catch (RuntimeException e) {
      if (pace == null) {
        throw e;
      }
      problem = e;
    }
    Counts counted = keeping.counted(judged);
    Ending ending = problem != null ? Ending.FAILED : ended ? Ending.END : Ending.STOPPED;
    FailedEvent failed = problem instanceof FailedEventException e ? reading.failed(e) : null;
    List<String> said = said(ending, counted, from, failed, keeping);
    String trouble = keeping.trouble();
    if (trouble != null) {
      said.add(
          "Not everything has left for its topics: "
              + trouble
              + ". It is kept, in its order, and leaves with the next run once that is mended.");
    }
    if (wasAway) {
      said.add("The database was away: what was not committed comes again with the next run.");
    }
    return new Summary(
        ending,
        said,
        counted,
        keeping.total(judged),
        pace.seconds(),
        problem == null ? null : told(problem, failed),
        failed);
  }

  private Runner<Row, Row, String> runner(Keeping keeping, Source<Row> source) {
    return new Runner<>(
            keeping.store(),
            pipeline.fold(),
            List.of(source),
            Clock.systemUTC(),
            pipeline.fold().whenFailed(),
            (polled, verdicts) -> {
              reached.put(polled.partition(), polled.to());
              if (!unmet.isEmpty()) {
                polled
                    .events()
                    .forEach(event -> unmet.remove(event.positionId(polled.partition())));
              }
            })
        .refusing(refused);
  }

  /** Retires what it is to, and tells of what else holds the floor though it is not read. */
  private void retire(Source<Row> source, Keeping keeping, Consumer<String> say) {
    List<String> read = source.partitions();
    for (String partition : retired) {
      if (read.contains(partition)) {
        throw new Stop(
            "oncefold run: --retire " + partition + ": it is a partition of this source, not gone");
      }
      keeping.retire(partition);
      say.accept("retired " + partition + ": it holds the floor no longer");
    }
    List<String> held =
        keeping.holding().stream()
            .filter(partition -> !read.contains(partition) && !retired.contains(partition))
            .toList();
    if (!held.isEmpty()) {
      say.accept(
          "note: no ids are forgotten before "
              + String.join(", ", held)
              + (held.size() == 1 ? " is" : " are")
              + " read to the end, and this source does not read "
              + (held.size() == 1 ? "it" : "them")
              + ". If nothing does any more, stop all workers and start one with"
              + held.stream().map(p -> " --retire " + PipelineFile.word(p)).collect(joining()));
    }
  }

  private void walk(
      Runner<Row, Row, String> walking,
      Source<Row> source,
      Keeping keeping,
      Pace pace,
      Progress progress)
      throws InterruptedException {
    begins(walking);
    CountDownLatch over = new CountDownLatch(1);
    Thread ticker =
        new Thread(
            () -> {
              String told = null;
              try {
                while (!over.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) {
                  if (keeping.haveFailed()) {
                    walking.stop();
                  }
                  String trouble = keeping.trouble();
                  if (trouble != null && !trouble.equals(told)) {
                    progress.notice("outputs do not leave: " + trouble);
                  }
                  told = trouble;
                  progress.at(
                      () ->
                          pace.told(walking.counts(), reading.offset(reached))
                              + reading.behind(source));
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

  // ---------------------------------------------------------------- what is said

  private String told(RuntimeException problem, @Nullable FailedEvent failed) {
    // A full disk is told by everything that writes to it, in the same words.
    Set<String> told = new LinkedHashSet<>();
    told.add(failed == null ? String.valueOf(problem.getMessage()) : reading.told(failed));
    for (Throwable more : problem.getSuppressed()) {
      told.add(String.valueOf(more.getMessage()));
    }
    return String.join("\n", told);
  }

  private List<String> said(
      Ending ending,
      Counts counted,
      Map<String, Position> from,
      @Nullable FailedEvent failed,
      Keeping keeping) {
    List<String> said = new ArrayList<>();
    said.add(
        switch (ending) {
          case END -> reading.atEnd(counted, from);
          case STOPPED -> reading.stopped(wasStopped() && reading.isEndless());
          case FAILED ->
              failed == null ? reading.stoppedByAProblem() : reading.stoppedBefore(failed);
        });
    long refusals = counted.rejected() + counted.conflicts() + counted.expired() + counted.failed();
    if (refusals > 0) {
      said.add(
          keeping.refusalsAre(
              String.format(
                  Locale.ROOT, refusals == 1 ? "%,d refusal is" : "%,d refusals are", refusals)));
    }
    return said;
  }
}
