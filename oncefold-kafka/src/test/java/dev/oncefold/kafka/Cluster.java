package dev.oncefold.kafka;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** A broker, and what tests do to it directly. */
final class Cluster implements AutoCloseable {
  private static final AtomicInteger NAMES = new AtomicInteger();
  private static @Nullable Cluster running;

  final KafkaBroker broker;
  final Admin admin;

  private Cluster(KafkaBroker broker) {
    this.broker = broker;
    this.admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
  }

  /** Starts the broker at the first call; it ends with the tests' process. Nobody may kill it. */
  static synchronized Cluster get() throws IOException, InterruptedException {
    Cluster cluster = running;
    if (cluster == null) {
      cluster = start();
      running = cluster;
    }
    return cluster;
  }

  /** Of a broker that runs. */
  static Cluster of(KafkaBroker broker) {
    return new Cluster(broker);
  }

  /** One of its own, for who kills it. */
  static Cluster start() throws IOException, InterruptedException {
    Path directory =
        Files.createTempDirectory(Files.createDirectories(Path.of("target")), "broker");
    return new Cluster(
        KafkaBroker.in(directory)
            // A member learns of a rebalance by its next heartbeat: by default after up to 5 s.
            .with("group.consumer.min.heartbeat.interval.ms", "100")
            .with("group.consumer.heartbeat.interval.ms", "100")
            .start());
  }

  @Override
  public void close() throws IOException {
    admin.close();
    broker.close();
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** A name that no other test has. */
  static String name(String prefix) {
    return prefix + NAMES.incrementAndGet();
  }

  /** Makes a topic with a name of its own. */
  String topic(int partitions) throws ExecutionException, InterruptedException {
    return make(name("t"), partitions);
  }

  String make(String topic, int partitions) throws ExecutionException, InterruptedException {
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    return topic;
  }

  void delete(String topic) throws ExecutionException, InterruptedException {
    admin.deleteTopics(List.of(topic)).all().get();
  }

  void deleteRecords(String topic, int partition, long before)
      throws ExecutionException, InterruptedException {
    admin
        .deleteRecords(
            Map.of(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(before)))
        .all()
        .get();
  }

  KafkaProducer<String, String> producer() {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", bootstrap(), "linger.ms", "0"),
        new StringSerializer(),
        new StringSerializer());
  }

  KafkaProducer<String, String> transactional(String id) {
    KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap(), "linger.ms", "0", "transactional.id", id),
            new StringSerializer(),
            new StringSerializer());
    producer.initTransactions();
    return producer;
  }

  /** Appends values to a partition, all under one key. */
  void produce(String topic, int partition, String... values)
      throws ExecutionException, InterruptedException {
    try (KafkaProducer<String, String> producer = producer()) {
      for (String value : values) {
        producer.send(new ProducerRecord<>(topic, partition, "k" + partition, value)).get();
      }
    }
  }

  /** All committed records of a topic, by partition and in order. */
  List<ConsumerRecord<byte[], byte[]>> committed(String topic) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    Committed.read(bootstrap(), List.of(topic), all::add);
    return all;
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
