package dev.oncefold.flink;

import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** One broker for all tests of this process that do not kill it, started with the first. */
final class Servers {
  private static @Nullable Servers one;

  final KafkaBroker broker;
  final Admin admin;
  final KafkaProducer<byte[], byte[]> producer;
  private int places;

  private Servers(Path directory) throws IOException, InterruptedException {
    this.broker =
        KafkaBroker.in(directory)
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

  static synchronized Servers get() throws IOException, InterruptedException {
    if (one == null) {
      // The broker dies with this process.
      one = new Servers(Files.createTempDirectory("oncefold-flink-broker"));
    }
    return one;
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** A number that no test had before. */
  synchronized int place() {
    return ++places;
  }

  void topic(String name, int partitions) throws InterruptedException {
    try {
      admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the topic " + name + " cannot be made", e.getCause());
    }
  }

  void send(String topic, int partition, List<String> records) throws Exception {
    List<Future<?>> sent = new ArrayList<>();
    for (String record : records) {
      sent.add(producer.send(new ProducerRecord<>(topic, partition, null, bytes(record))));
    }
    for (Future<?> each : sent) {
      each.get();
    }
  }

  /** Reads the first partitions of topics, as far as they are committed, from their beginnings. */
  Reader reader(List<String> topics) {
    return new Reader(bootstrap(), topics);
  }

  static final class Reader implements AutoCloseable {
    private final KafkaConsumer<byte[], byte[]> consumer;

    Reader(String bootstrap, List<String> topics) {
      consumer =
          new KafkaConsumer<>(
              Map.of(
                  "bootstrap.servers", bootstrap,
                  "isolation.level", "read_committed",
                  "fetch.max.wait.ms", "20",
                  "auto.offset.reset", "earliest"),
              new ByteArrayDeserializer(),
              new ByteArrayDeserializer());
      consumer.assign(topics.stream().map(topic -> new TopicPartition(topic, 0)).toList());
    }

    /** Reads up to where the topics end now. */
    void readOn(Consumer<ConsumerRecord<byte[], byte[]>> messages) {
      Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        consumer.poll(Duration.ofMillis(100)).forEach(messages);
      }
    }

    @Override
    public void close() {
      consumer.close();
    }
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
