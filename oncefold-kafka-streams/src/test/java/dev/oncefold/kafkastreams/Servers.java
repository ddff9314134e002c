package dev.oncefold.kafkastreams;

import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** One broker for many scenarios, each in a place of its own. */
final class Servers implements AutoCloseable {
  final KafkaBroker broker;
  final Admin admin;
  final KafkaProducer<byte[], byte[]> producer;
  private final Path directory;
  private int places;

  /** The names of a scenario. */
  record Place(int number) {
    String input() {
      return "input-" + number;
    }

    String output(String name) {
      return "output-" + number + "-" + name;
    }

    String refusals() {
      return "refusals-" + number;
    }

    String application() {
      return "application-" + number;
    }

    List<String> topics(List<String> outputs) {
      List<String> topics = new ArrayList<>(outputs.stream().map(this::output).toList());
      topics.add(refusals());
      return topics;
    }
  }

  Servers(Path directory) throws IOException, InterruptedException {
    this.directory = directory;
    this.broker =
        KafkaBroker.in(directory.resolve("broker"))
            .with("group.min.session.timeout.ms", "500")
            .with("transaction.abort.timed.out.transaction.cleanup.interval.ms", "200")
            .with("auto.create.topics.enable", "false")
            .start();
    this.admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap(), "linger.ms", "0"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  Place place() {
    return new Place(++places);
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** The settings of an application that is in a hurry. */
  Map<String, Object> hurried() {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap());
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("state.dir", directory.resolve("state").toString());
    settings.put("commit.interval.ms", "30");
    settings.put("poll.ms", "10");
    settings.put("session.timeout.ms", "5000");
    settings.put("heartbeat.interval.ms", "200");
    settings.put("producer.linger.ms", "0");
    settings.put("fetch.max.wait.ms", "20");
    return settings;
  }

  void topic(String name, int partitions) throws InterruptedException {
    try {
      admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the topic " + name + " cannot be made", e.getCause());
    }
  }

  /** Reads the first partition of each topic, as far as it is committed, from its beginning. */
  KafkaConsumer<byte[], byte[]> reader(List<String> topics) {
    KafkaConsumer<byte[], byte[]> reader =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "isolation.level", "read_committed",
                "fetch.max.wait.ms", "20",
                "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    reader.assign(topics.stream().map(topic -> new TopicPartition(topic, 0)).toList());
    return reader;
  }

  @Override
  public void close() throws IOException {
    producer.close();
    admin.close();
    broker.close();
  }
}
