package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.PostgresServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A broker, a database with fsync on, a topic of payments and a table of accounts. */
final class Rig implements AutoCloseable {
  static final String TOPIC = "payments";
  static final String TABLE = "accounts";
  static final int ACCOUNTS = 100_000;

  /** What an account begins with: enough for every withdrawal, so every event has its output. */
  static final long BALANCE = 1_000_000_000;

  /** The account of a payment that stands at every so-manieth place, to see how far a peer is. */
  static final String MARK = "mark";

  private final Path directory;
  private final KafkaBroker broker;
  private final PostgresServer database;

  private Rig(Path directory, KafkaBroker broker, PostgresServer database) {
    this.directory = directory;
    this.broker = broker;
    this.database = database;
  }

  static Rig start(Settings settings) throws IOException, InterruptedException {
    Path directory = settings.directory();
    KafkaBroker broker =
        KafkaBroker.in(directory.resolve("kafka")).javaOptions(List.of("-Xmx1g")).start();
    try {
      return new Rig(
          directory,
          broker,
          PostgresServer.in(directory.resolve("postgres"))
              .with("shared_buffers", settings.text("shared_buffers", "512MB"))
              .start());
    } catch (IOException | InterruptedException | RuntimeException e) {
      broker.close();
      throw e;
    }
  }

  Path directory() {
    return directory;
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  PostgresServer database() {
    return database;
  }

  /** A connection with more options than the URL has, {@code ""} or {@code "&name=value"}. */
  Connection connect(String options) throws SQLException {
    return DriverManager.getConnection(database.jdbcUrl("postgres") + options);
  }

  /** Accounts without money, and whatever else the peer needs; nothing of the peer before. */
  void reset(Peer peer) throws SQLException {
    try (Connection connection = connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("DROP SCHEMA IF EXISTS oncefold CASCADE");
      statement.execute("DROP SCHEMA public CASCADE");
      statement.execute("CREATE SCHEMA public");
      statement.execute(
          "CREATE TABLE "
              + TABLE
              + " (key text PRIMARY KEY, cents bigint NOT NULL, payments bigint NOT NULL)"
              + " WITH (fillfactor = 70)");
      for (String table : peer.tables()) {
        statement.execute(table);
      }
      statement.execute(
          "INSERT INTO "
              + TABLE
              + " SELECT 'account-' || i, "
              + BALANCE
              + ", 0 FROM generate_series(0, "
              + (ACCOUNTS - 1)
              + ") i UNION ALL SELECT '"
              + MARK
              + "', 0, 0");
      statement.execute("VACUUM ANALYZE " + TABLE);
      statement.execute("CHECKPOINT");
    }
  }

  Map<String, Object> consumerProperties(String group, int max) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", bootstrap());
    properties.put("group.id", group.replace(' ', '-') + "-" + System.nanoTime());
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("isolation.level", "read_committed");
    properties.put("max.poll.records", max);
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    return properties;
  }

  /** A consumer of the whole topic from its beginning, in no group. */
  Consumer<byte[], byte[]> consumer(String topic, int max) {
    Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumerProperties("alone", max));
    List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return consumer;
  }

  KafkaProducer<byte[], byte[]> producer(int lingerMillis) {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", bootstrap(), "linger.ms", lingerMillis, "acks", "all"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  void create(String topic) throws InterruptedException, ExecutionException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
      admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
    }
  }

  /** Payments, one in twenty a re-send, every so-manieth one to the account {@link #MARK}. */
  void fill(String topic, int count, int every) throws InterruptedException, ExecutionException {
    create(topic);
    SplittableRandom random = new SplittableRandom(7);
    List<Event<Workload.Payment>> recent = new java.util.ArrayList<>();
    try (KafkaProducer<byte[], byte[]> producer = producer(20)) {
      for (int i = 1; i <= count; i++) {
        Event<Workload.Payment> event;
        if (i % every == 0) {
          event = mark(i, i / every);
        } else if (recent.size() == 1000 && random.nextInt(20) == 0) {
          event = recent.get(random.nextInt(1000));
        } else {
          event = Workload.event(i, random.nextInt(ACCOUNTS), random);
          if (recent.size() < 1000) {
            recent.add(event);
          } else {
            recent.set(i % 1000, event);
          }
        }
        var unused = producer.send(record(topic, event));
      }
    }
  }

  /** The n-th mark, a deposit of n cents: so also a peer that cannot add shows it. */
  static Event<Workload.Payment> mark(int i, int n) {
    return new Event<>(
        "pay-" + i, MARK, Workload.BEGIN.plusMillis(i), new Workload.Payment(MARK, "deposit", n));
  }

  static ProducerRecord<byte[], byte[]> record(String topic, Event<Workload.Payment> event) {
    return new ProducerRecord<>(
        topic, event.key().getBytes(StandardCharsets.UTF_8), Payments.encode(event));
  }

  @Override
  public void close() throws IOException {
    try (broker) {
      database.close();
    }
    Settings.delete(directory);
  }
}
