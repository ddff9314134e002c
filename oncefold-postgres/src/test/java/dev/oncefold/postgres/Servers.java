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

  synchronized Place place() {
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

  /** Makes the topics of a place. */
  void topics(Place place, int partitions, List<String> outputs) throws InterruptedException {
    List<NewTopic> topics = new ArrayList<>();
    topics.add(new NewTopic(place.input(), partitions, (short) 1));
    place.topics(outputs).forEach(each -> topics.add(new NewTopic(each, 1, (short) 1)));
    try {
      admin.createTopics(topics).all().get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the topics cannot be made: " + topics, e.getCause());
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

  /** How far each partition is applied. */
  synchronized Map<String, Long> positions(Place place) throws SQLException {
    Map<String, Long> positions = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select name, position_offset from " + place.schema() + ".partitions")) {
      while (row.next()) {
        positions.put(row.getString(1), row.getLong(2));
      }
    }
    return positions;
  }

  /** How many batches of the outbox were not relayed yet. */
  long waiting(Place place) throws SQLException {
    return number("select count(*) from " + place.schema() + ".outbox");
  }

  /** How often partitions were claimed. */
  long claims(Place place) throws SQLException {
    return number("select coalesce(sum(epoch), 0) from " + place.schema() + ".partitions");
  }

  private synchronized long number(String query) throws SQLException {
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
