package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where the outputs and the refusals of a pipeline go, in the words of messages. */
final class Places {
  /** What names the refusals among the outputs. */
  static final String REFUSALS = "refusals";

  private Places() {}

  /** A place as a person would write it here. */
  static String told(Destination place) {
    return place instanceof Destination.File file
        ? PipelineFile.shown(file.path())
        : "the topic " + ((Destination.Kafka) place).topic();
  }

  /** Where a state is kept, and why no events are there. */
  static String withoutEvents(Storage store) {
    return "in "
        + (store instanceof Storage.Postgres
            ? "PostgreSQL"
            : store instanceof Storage.Flink
                ? "the checkpoints of Flink"
                : "the topics of Kafka Streams")
        + " there is the newest state, and no events";
  }

  /** Where the refusals of an engine's run are, in a sentence; null where there are none. */
  static @Nullable String refusals(Pipeline pipeline, Counts counted) {
    long refusals = counted.rejected() + counted.conflicts() + counted.expired() + counted.failed();
    Destination place = pipeline.refusals();
    return refusals == 0
        ? null
        : String.format(
                Locale.ROOT, refusals == 1 ? "%,d refusal is" : "%,d refusals are", refusals)
            + (place == null
                ? " only counted: the pipeline names no topic for refusals."
                : " in " + told(place) + ", with the reasons.");
  }

  /** The same for machines. */
  static String machine(Destination place) {
    return place instanceof Destination.File file
        ? file.path().toString()
        : "kafka:" + ((Destination.Kafka) place).topic();
  }

  /** The places of all outputs, and of the refusals where they have one. */
  static Map<String, Destination> all(Pipeline pipeline) {
    Map<String, Destination> all = new LinkedHashMap<>(pipeline.outputs());
    Destination refusals = pipeline.refusals();
    if (refusals != null) {
      all.put(REFUSALS, refusals);
    }
    return all;
  }

  /** The files among them. */
  static Map<String, Path> files(Pipeline pipeline) {
    Map<String, Path> files = new LinkedHashMap<>();
    all(pipeline)
        .forEach(
            (name, place) -> {
              if (place instanceof Destination.File file) {
                files.put(name, file.path());
              }
            });
    return files;
  }

  /** The topics among them; all are of one Kafka. */
  static Map<String, Destination.Kafka> topics(Pipeline pipeline) {
    Map<String, Destination.Kafka> topics = new LinkedHashMap<>();
    all(pipeline)
        .forEach(
            (name, place) -> {
              if (place instanceof Destination.Kafka topic) {
                topics.put(name, topic);
              }
            });
    return topics;
  }

  /** The Kafka that topics are of; null where there are none. */
  static Destination.@Nullable Kafka cluster(Pipeline pipeline) {
    return topics(pipeline).values().stream().findFirst().orElse(null);
  }
}
