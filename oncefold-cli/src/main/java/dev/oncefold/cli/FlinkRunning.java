package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.cli.Summary.Ending;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The job of a pipeline runs in a Flink of this program. What it counts is what is in checkpoints.
 */
final class FlinkRunning implements Running {
  private final PipelineFile given;
  private final Pipeline pipeline;
  private final Storage.Flink engine;
  private final Reading reading;
  private final FlinkSide job;

  /**
   * A run.
   *
   * @param reading the topic that it reads
   * @param refused positions of events that may fail
   * @param acceptChange whether to go on where the stored rules are others
   */
  FlinkRunning(
      PipelineFile given,
      Pipeline pipeline,
      Reading reading,
      Collection<String> refused,
      boolean acceptChange) {
    this.given = given;
    this.pipeline = pipeline;
    this.engine = (Storage.Flink) pipeline.store();
    this.reading = reading;
    this.job = Flink.side(given.path(), acceptChange, refused);
  }

  @Override
  public void stop() {
    job.stop();
  }

  @Override
  public List<String> unmet() {
    return List.of();
  }

  @Override
  public Summary run(Consumer<String> say, Progress progress) throws InterruptedException {
    Counts before = Flink.counts(job);
    Pace pace = reading.pace(Map.of());
    say.accept(
        "reads the topic as the job "
            + engine.job()
            + " of Flink, in this process"
            + Reading.behind(before));
    Map<String, String> came = new HashMap<>();
    progress.during(
        () ->
            came.putAll(
                job.run(told -> progress.notice("the job has failed, and starts again: " + told))),
        () -> pace.told(Flink.counts(job).minus(before), 0));
    String otherRules = came.get(FlinkSide.OTHER_RULES);
    if (otherRules != null) {
      throw new Stop(given.path() + ": " + otherRules + Flink.acceptHint(given));
    }
    Counts total = Flink.counts(job);
    String position = came.get(FlinkSide.POSITION);
    FailedEvent failed =
        position == null
            ? null
            : new FailedEvent(position, 0, came.getOrDefault(FlinkSide.REASON, ""));
    return new Summary(
        came.isEmpty() ? Ending.STOPPED : Ending.FAILED,
        said(!came.isEmpty(), failed, total.minus(before)),
        total.minus(before),
        total,
        pace.seconds(),
        failed == null ? came.get(FlinkSide.PROBLEM) : reading.told(failed),
        failed);
  }

  private List<String> said(boolean hasFailed, @Nullable FailedEvent failed, Counts counted) {
    List<String> said = new ArrayList<>();
    said.add(
        !hasFailed
            ? reading.stopped(true)
            : failed == null ? reading.stoppedByAProblem() : reading.stoppedBefore(failed));
    String refusals = Places.refusals(pipeline, counted);
    if (refusals != null) {
      said.add(refusals);
    }
    return said;
  }
}
