package dev.oncefold.flinkjob;

import dev.oncefold.Row;
import dev.oncefold.flink.FlinkFold;
import dev.oncefold.flink.FlinkJob;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.References;
import dev.oncefold.pipeline.Storage;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A pipeline with {@code engine: flink} as a job.
 *
 * @param text the pipeline
 * @param engine what it says of the job
 * @param fold the fold, as the job stores it
 */
record PipelineJob(PipelineText text, Storage.Flink engine, FlinkFold<Row, Row, String> fold) {
  /**
   * The job of a pipeline.
   *
   * @param acceptChange whether to go on where the stored rules are others
   * @param refusing positions of events that may fail
   * @throws IllegalArgumentException if it has another engine, or none
   */
  static PipelineJob of(PipelineText text, boolean acceptChange, Collection<String> refusing) {
    Pipeline pipeline = text.pipeline();
    if (!(pipeline.store() instanceof Storage.Flink engine)) {
      throw new IllegalArgumentException(
          pipeline.file()
              + ": no job of Flink: write \"engine: { flink: { checkpoints: { directory: … } } }\""
              + " instead of store");
    }
    FlinkFold<Row, Row, String> fold =
        FlinkFold.of(() -> text.pipeline().fold()).storedAs(engine.job()).refusing(refusing);
    return new PipelineJob(text, engine, acceptChange ? fold.acceptingChange() : fold);
  }

  /**
   * Builds it.
   *
   * @param environment where it will run; what the file says of checkpoints, state and parallelism
   *     is set in it
   * @param more settings of Kafka's clients besides those in the file
   * @throws dev.oncefold.flink.FlinkFoldException if a setting cannot stand, also of the cluster
   * @throws References.Missing if what a setting refers to is not there
   */
  void in(StreamExecutionEnvironment environment, Map<String, String> more) {
    environment.configure(settings(), PipelineJob.class.getClassLoader());
    Pipeline pipeline = text.pipeline();
    PipelineText shipped = text;
    FlinkJob<Row, Row, String> job =
        FlinkJob.of(engine.bootstrap(), engine.job(), fold)
            .with(References.followed(engine.properties()))
            .with(more)
            .from(
                record -> shipped.pipeline().event(new Parts(record)),
                ((Origin.Kafka) pipeline.origin()).topic());
    for (Map.Entry<String, Destination> output : pipeline.outputs().entrySet()) {
      job =
          job.output(
              output.getKey(),
              ((Destination.Kafka) output.getValue()).topic(),
              emitted -> utf8(Json.line(emitted)));
    }
    if (pipeline.refusals() instanceof Destination.Kafka topic) {
      job = job.refusals(topic.topic(), entry -> utf8(Json.line(entry, shipped.pipeline())));
    }
    job.in(environment);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** What holds the state. */
  Configuration backend() {
    Configuration settings = new Configuration();
    settings.set(
        StateBackendOptions.STATE_BACKEND, engine.backend().name().toLowerCase(Locale.ROOT));
    return settings;
  }

  private Configuration settings() {
    Configuration settings = new Configuration();
    settings.set(PipelineOptions.NAME, engine.job());
    settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, engine.checkpoints().interval());
    settings.set(CheckpointingOptions.CHECKPOINTING_TIMEOUT, engine.checkpoints().timeout());
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, engine.checkpoints().directory());
    settings.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    settings.addAll(backend());
    if (engine.parallelism() > 0) {
      settings.set(CoreOptions.DEFAULT_PARALLELISM, engine.parallelism());
    }
    return settings;
  }
}
