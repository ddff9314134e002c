package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.References;
import dev.oncefold.pipeline.Settings;
import dev.oncefold.pipeline.Storage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The engine that a pipeline names: what the file says of it, and what it says of the file. */
final class EngineCheck {
  private final PipelineFile given;
  private final Pipeline pipeline;
  private final Settings settings;
  private @Nullable Map<String, String> flink;

  private EngineCheck(PipelineFile given, Pipeline pipeline, Settings settings) {
    this.given = given;
    this.pipeline = pipeline;
    this.settings = settings;
  }

  /** That of a pipeline; null where it has no engine but the command itself. */
  static @Nullable EngineCheck of(PipelineFile given, Pipeline pipeline) {
    if (pipeline.store() instanceof Storage.KafkaStreams streams) {
      return new EngineCheck(given, pipeline, streams.properties());
    }
    return pipeline.store() instanceof Storage.Flink engine
        ? new EngineCheck(given, pipeline, engine.properties())
        : null;
  }

  /** What is referred to and is not there, a sentence each. */
  List<String> missing() {
    return References.missing(settings);
  }

  /** What of a cluster weakens the promise, a sentence each; that it is not known, where so. */
  List<String> warnings() {
    if (!(pipeline.store() instanceof Storage.Flink)) {
      return Streams.warnings(pipeline);
    }
    String unknown = flink().get(FlinkSide.UNKNOWN);
    return unknown == null ? List.of() : List.of(unknown);
  }

  /** What a run would refuse: the engine is asked, and its cluster. */
  List<String> refused() {
    List<String> refused = new ArrayList<>();
    if (pipeline.store() instanceof Storage.Flink) {
      String problem = flink().get(FlinkSide.PROBLEM);
      if (problem != null) {
        refused.add(problem);
      }
      String otherRules = flink().get(FlinkSide.OTHER_RULES);
      if (otherRules != null) {
        refused.add(otherRules + Flink.acceptHint(given));
      }
    }
    return refused;
  }

  /** What Flink says; asked once. */
  private Map<String, String> flink() {
    Map<String, String> said = flink;
    if (said == null) {
      said = Flink.side(given.path(), false, List.of()).check();
      flink = said;
    }
    return said;
  }

  /** What shares the partitions of the topic. */
  String sharers() {
    return pipeline.store() instanceof Storage.Flink ? "subtasks" : "instances";
  }

  /** What it is, for a person. */
  String told() {
    if (pipeline.store() instanceof Storage.Flink engine) {
      return "Flink, the job "
          + engine.job()
          + " at "
          + engine.bootstrap()
          + (engine.parallelism() > 0 ? ", parallelism " + engine.parallelism() : "")
          + ", a checkpoint every "
          + engine.checkpoints().interval()
          + " in "
          + engine.checkpoints().directory()
          + ", state in "
          + engine.backend().name().toLowerCase(Locale.ROOT);
    }
    Storage.KafkaStreams engine = (Storage.KafkaStreams) pipeline.store();
    return "Kafka Streams, the application "
        + engine.application()
        + " at "
        + engine.bootstrap()
        + (engine.threads() == 1 ? ", one thread" : ", " + engine.threads() + " threads")
        + (engine.repartitions()
            ? ", through a topic under the events' keys"
            : ", partitioned by key as the source is");
  }

  /** The same for machines. */
  void json(ObjectNode to) {
    if (pipeline.store() instanceof Storage.Flink engine) {
      ObjectNode job = to.putObject("flink");
      job.put("job", engine.job()).put("kafka", engine.bootstrap());
      job.put("parallelism", Math.max(1, engine.parallelism()));
      job.put("checkpoints", engine.checkpoints().directory());
      job.put("interval", engine.checkpoints().interval().toString());
      job.put("backend", engine.backend().name().toLowerCase(Locale.ROOT));
      return;
    }
    Storage.KafkaStreams engine = (Storage.KafkaStreams) pipeline.store();
    ObjectNode application = to.putObject("kafkaStreams");
    application.put("application", engine.application()).put("kafka", engine.bootstrap());
    application.put("threads", engine.threads()).put("repartition", engine.repartitions());
  }
}
