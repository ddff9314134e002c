package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.ClassArchive;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * How the tests' workers start: their processes load the classes of Kafka and PostgreSQL from an
 * archive, which one of them makes for all.
 */
final class Workers {
  private static final Event<Move> MOVE =
      new Event<>("1", "a", null, new Move(1, List.of("a"), List.of(1L)));
  private static @Nullable List<String> options;

  private Workers() {}

  /**
   * Options for their Java.
   *
   * @param bootstrap a broker
   * @param url a database
   */
  static synchronized List<String> options(String bootstrap, String url)
      throws IOException, InterruptedException {
    List<String> made = options;
    if (made == null) {
      Path directory =
          Files.createTempDirectory(Files.createDirectories(Path.of("target")), "classes");
      made = new ArrayList<>(Child.shortLived());
      made.addAll(ClassArchive.of(Workers.class, directory, bootstrap, url));
      options = made;
    }
    return made;
  }

  /** Takes one event from a topic into a table and to another topic, as workers do. */
  public static void main(String[] args) throws Exception {
    Map<String, Object> broker = Map.of("bootstrap.servers", args[0]);
    try (Admin admin = Admin.create(broker)) {
      admin
          .createTopics(
              List.of(
                  new NewTopic("archive-in", 1, (short) 1),
                  new NewTopic("archive-out", 1, (short) 1)))
          .all()
          .get();
    }
    byte[] bytes = "1".getBytes(StandardCharsets.UTF_8);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(broker, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>("archive-in", 0, bytes, bytes)).get();
    }
    Fold<Trace, Move, String> fold = Moves.overOneKey();
    try (KafkaSink sink =
            KafkaSink.of(args[0], "archive").output(TraceModel.OUTPUT, "archive-out");
        KafkaSource<Move> source =
            KafkaSource.<Move>of(args[0], "archive-in", record -> MOVE).group("archive");
        PostgresStore<Trace, Move, String> store =
            PostgresStore.open(
                Options.<Trace, Move, String>of(args[1], "archive")
                    .schema("archive")
                    .sink(sink)
                    .output(TraceModel.OUTPUT, emitted -> bytes),
                fold)) {
      Runner<Trace, Move, String> runner =
          new Runner<>(store, fold, List.of(source), Clock.systemUTC());
      while (runner.counts().applied() == 0) {
        runner.step(Duration.ofMillis(20));
      }
    }
  }
}
