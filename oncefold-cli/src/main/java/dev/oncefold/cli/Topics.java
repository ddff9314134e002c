package dev.oncefold.cli;

import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Pipeline;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The topics that outputs and refusals of a pipeline go to. */
final class Topics {
  private Topics() {}

  /** The sink of all of them; null where nothing goes to a topic. */
  static @Nullable KafkaSink sink(Pipeline pipeline) {
    Destination.Kafka cluster = Places.cluster(pipeline);
    if (cluster == null) {
      return null;
    }
    KafkaSink sink =
        KafkaSink.of(cluster.bootstrap(), pipeline.fold().name())
            .with(cluster.properties().values());
    for (Map.Entry<String, Destination> output : pipeline.outputs().entrySet()) {
      if (output.getValue() instanceof Destination.Kafka topic) {
        sink = sink.output(output.getKey(), topic.topic());
      }
    }
    return pipeline.refusals() instanceof Destination.Kafka topic
        ? sink.refusals(topic.topic())
        : sink;
  }
}
