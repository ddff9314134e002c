package dev.oncefold.postgres;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.PostgresServer;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
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

/** One broker and one database for many scenarios, each in a place of its own. */
final class Servers implements AutoCloseable {
  private final KafkaBroker broker;
  private final PostgresServer database;
  private final Admin admin;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Connection connection;
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

    String table() {
      return "bank_" + number;
    }

    String schema() {
      return "books_" + number;
    }

    List<String> topics(List<String> outputs) {
      List<String> topics = new ArrayList<>(outputs.stream().map(this::output).toList());
      topics.add(refusals());
      return topics;
    }
  }

  Servers(Path directory) throws IOException, InterruptedException, SQLException {
    this.broker = KafkaBroker.start(directory.resolve("broker"));
    this.database = PostgresServer.start(directory.resolve("database"));
    database.createDatabase("bank");
    this.admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    this.connection = DriverManager.getConnection(url());
  }

  Place place() {
    return new Place(++places);
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  String url() {
    return database.jdbcUrl("bank");
  }

  KafkaProducer<byte[], byte[]> producer() {
    return producer;
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
                "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    reader.assign(topics.stream().map(topic -> new TopicPartition(topic, 0)).toList());
    return reader;
  }

  /** How many batches of the outbox were not relayed yet. */
  long waiting(Place place) throws SQLException {
    return number("select count(*) from " + place.schema() + ".outbox");
  }

  /** How often partitions were claimed. */
  long claims(Place place) throws SQLException {
    return number("select coalesce(sum(epoch), 0) from " + place.schema() + ".partitions");
  }

  private long number(String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  @Override
  public void close() throws IOException, SQLException {
    producer.close();
    admin.close();
    connection.close();
    database.close();
    broker.close();
  }
}
