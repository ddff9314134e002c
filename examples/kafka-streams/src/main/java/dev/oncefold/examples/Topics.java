package dev.oncefold.examples;

import dev.oncefold.Counts;
import dev.oncefold.kafkastreams.StreamsRun;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
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
    List<String> values = new ArrayList<>();
    Committed.read(
        bootstrap(),
        List.of(topic),
        message -> values.add(new String(message.value(), StandardCharsets.UTF_8)));
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
