package dev.oncefold.cli;

import dev.oncefold.Fold;
import dev.oncefold.Row;
import dev.oncefold.kafkastreams.StreamsApplication;
import dev.oncefold.kafkastreams.StreamsFold;
import dev.oncefold.kafkastreams.StreamsFoldException;
import dev.oncefold.kafkastreams.StreamsView;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.References;
import dev.oncefold.pipeline.Storage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.streams.StreamsConfig;

/** A pipeline as an application of Kafka Streams. */
final class Streams {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private Streams() {}

  /**
   * The application.
   *
   * @throws References.Missing if what a setting refers to is not there
   */
  static StreamsApplication<Row, Row, String> application(
      Pipeline pipeline, StreamsFold<Row, Row, String> fold) {
    Storage.KafkaStreams engine = (Storage.KafkaStreams) pipeline.store();
    StreamsApplication<Row, Row, String> application =
        StreamsApplication.of(engine.bootstrap(), engine.application(), fold)
            .with(References.followed(engine.properties()))
            .with(Map.of(StreamsConfig.NUM_STREAM_THREADS_CONFIG, engine.threads()))
            .from(
                record -> pipeline.event(new TopicReading.Parts(record)),
                ((Origin.Kafka) pipeline.origin()).topic());
    for (Map.Entry<String, Destination> output : pipeline.outputs().entrySet()) {
      application =
          application.output(
              output.getKey(),
              ((Destination.Kafka) output.getValue()).topic(),
              emitted -> utf8(Json.line(emitted)));
    }
    return pipeline.refusals() instanceof Destination.Kafka topic
        ? application.refusals(topic.topic(), entry -> utf8(Json.line(entry, pipeline)))
        : application;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The fold as the application stores it. */
  static StreamsFold<Row, Row, String> fold(
      Storage.KafkaStreams engine, Fold<Row, Row, String> fold) {
    // The fold's name may be any text, and that of a topic may not.
    StreamsFold<Row, Row, String> stored = StreamsFold.of(fold).storedAs("fold");
    if (!engine.repartitions()) {
      return stored.partitionedByKey();
    }
    return engine.partitions() == 0 ? stored : stored.repartitionedInto(engine.partitions());
  }

  /**
   * What is committed.
   *
   * @throws StreamsFoldException if the application has stored nothing
   */
  static StreamsView<Row> view(Storage.KafkaStreams engine, Fold<Row, Row, String> fold) {
    return StreamsView.read(client(engine), engine.application(), fold(engine, fold));
  }

  /** Settings of a consumer that reads what the application stores. */
  static Map<String, Object> client(Storage.KafkaStreams engine) {
    Map<String, Object> client = new HashMap<>(References.followed(engine.properties()));
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, engine.bootstrap());
    return client;
  }

  /** What weakens the promise, a sentence each; that it is not known, where that is so. */
  static List<String> warnings(Pipeline pipeline) {
    Storage.KafkaStreams engine = (Storage.KafkaStreams) pipeline.store();
    try {
      return application(pipeline, fold(engine, pipeline.fold())).warnings(PATIENCE);
    } catch (StreamsFoldException e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }
}
