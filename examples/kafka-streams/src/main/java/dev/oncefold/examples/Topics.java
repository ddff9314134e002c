package dev.oncefold.examples;

import dev.oncefold.Counts;
import dev.oncefold.kafkastreams.StreamsRun;
import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Topics of text on a broker of their own, which is gone afterwards: what an example works on. */
final class Topics implements AutoCloseable {
  private static final int PARTITIONS = 4;

  private final Path directory;
  private final KafkaBroker broker;

  private Topics(Path directory, KafkaBroker broker) {
    this.directory = directory;
    this.broker = broker;
  }

  static Topics create(String... names) throws Exception {
    Path directory = Files.createTempDirectory("oncefold-example");
    Topics topics = new Topics(directory, KafkaBroker.start(directory.resolve("kafka")));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", topics.bootstrap()))) {
      admin
          .createTopics(
              Stream.of(names).map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList())
          .all()
          .get();
    }
    return topics;
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** A directory for what a program keeps between its runs. */
  String directory(String name) {
    return directory.resolve(name).toString();
  }

  void send(List<ProducerRecord<String, String>> messages) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (ProducerRecord<String, String> message : messages) {
        var unused = producer.send(message);
      }
    }
  }

  /** The values that a reader of committed messages is given. */
  List<String> read(String topic) {
    KafkaBroker.awaitMarks(bootstrap());
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap(), "isolation.level", "read_committed"),
            new StringDeserializer(),
            new StringDeserializer())) {
      List<TopicPartition> partitions =
          IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(topic, i)).toList();
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (partitions.stream()
          .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
        consumer.poll(Duration.ofMillis(100)).forEach(message -> values.add(message.value()));
      }
    }
    return values;
  }

  /** Waits until an instance has committed so many events, and answers what it has counted. */
  static Counts await(StreamsRun<?> run, long events) throws InterruptedException {
    while (run.counts().events() < events) {
      if (run.streams().state().hasStartedOrFinishedShuttingDown()) {
        run.await(); // throws what it has stopped for
      }
      Thread.sleep(5);
    }
    return run.counts();
  }

  @Override
  public void close() throws IOException {
    broker.close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
