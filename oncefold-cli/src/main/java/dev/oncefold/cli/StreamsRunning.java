package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Row;
import dev.oncefold.cli.Summary.Ending;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.kafkastreams.StreamsFold;
import dev.oncefold.kafkastreams.StreamsFoldException;
import dev.oncefold.kafkastreams.StreamsRun;
import dev.oncefold.kafkastreams.StreamsView;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An instance of a pipeline's application runs in this program. What it counts is what the
 * application has committed, all its instances together: Kafka keeps no counts for each.
 */
final class StreamsRunning implements Running {
  private final PipelineFile given;
  private final Pipeline pipeline;
  private final Storage.KafkaStreams engine;
  private final Reading reading;
  private final StreamsFold<Row, Row, String> fold;
  private @Nullable StreamsRun<Row> instance;
  private boolean stopped;

  /**
   * An instance.
   *
   * @param reading the topic that it reads
   * @param refused positions of events that may fail
   * @param acceptChange whether to go on where the stored rules are others
   */
  StreamsRunning(
      PipelineFile given,
      Pipeline pipeline,
      Reading reading,
      Collection<String> refused,
      boolean acceptChange) {
    this.given = given;
    this.pipeline = pipeline;
    this.engine = (Storage.KafkaStreams) pipeline.store();
    this.reading = reading;
    StreamsFold<Row, Row, String> stored = Streams.fold(engine, pipeline.fold()).refusing(refused);
    this.fold = acceptChange ? stored.acceptingChange() : stored;
  }

  @Override
  public void stop() {
    StreamsRun<Row> running;
    synchronized (this) {
      stopped = true;
      running = instance;
    }
    if (running != null) {
      running.close();
    }
  }

  /** Starts the instance unless it was stopped before. */
  private synchronized @Nullable StreamsRun<Row> begin() {
    if (!stopped) {
      instance = Streams.application(pipeline, fold).start();
    }
    return instance;
  }

  @Override
  public List<String> unmet() {
    return List.of();
  }

  @Override
  public Summary run(Consumer<String> say, Progress progress) throws InterruptedException {
    Streams.warnings(pipeline).forEach(warning -> say.accept("note: " + warning));
    Counts before = counts(Counts.NONE);
    Pace pace = reading.pace(Map.of());
    RuntimeException problem = null;
    StreamsRun<Row> running = begin();
    if (running != null) {
      say.accept(
          "reads the topic as an instance of the application "
              + engine.application()
              + " of Kafka Streams"
              + Reading.behind(before));
      try (running) {
        progress.during(running::await, () -> pace.told(counts(before).minus(before), 0));
      } catch (StreamsFoldException.OtherRules e) {
        throw new Stop(
            given.path()
                + ": "
                + e.getMessage()
                + "\nTo keep what was judged, and go on by the rules of the pipeline as they are"
                + " now:\n  "
                + given.command("run")
                + " --accept-change");
      } catch (StreamsFoldException | FailedEventException e) {
        problem = e;
      }
    }
    Counts total = counts(before);
    FailedEvent failed = problem instanceof FailedEventException e ? reading.failed(e) : null;
    return new Summary(
        problem == null ? Ending.STOPPED : Ending.FAILED,
        said(problem != null, failed, total.minus(before)),
        total.minus(before),
        total,
        pace.seconds(),
        problem == null
            ? null
            : failed == null ? String.valueOf(problem.getMessage()) : reading.told(failed),
        failed);
  }

  /**
   * What the application has counted.
   *
   * @param otherwise what to answer while it has stored nothing, or the cluster is away
   */
  private Counts counts(Counts otherwise) {
    try {
      return StreamsView.counts(Streams.client(engine), engine.application(), fold);
    } catch (StreamsFoldException e) {
      return otherwise;
    }
  }

  private List<String> said(boolean hasFailed, @Nullable FailedEvent failed, Counts counted) {
    List<String> said = new ArrayList<>();
    said.add(
        !hasFailed
            ? reading.stopped(true)
            : failed == null ? reading.stoppedByAProblem() : reading.stoppedBefore(failed));
    said.add("Counted is what all instances of the application have committed meanwhile.");
    String refusals = Places.refusals(pipeline, counted);
    if (refusals != null) {
      said.add(refusals);
    }
    return said;
  }
}
