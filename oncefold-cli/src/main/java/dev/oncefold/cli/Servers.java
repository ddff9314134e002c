package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.postgres.PostgresView;
import dev.oncefold.postgres.StoreException;
import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;

/** The broker and the database of a demo, in a directory, with a pipeline file between them. */
final class Servers implements AutoCloseable {
  static final String PAYMENTS = "payments";
  static final String RECEIPTS = "receipts";
  static final String REFUSED = "refused";
  static final int PARTITIONS = 4;

  private static final String DATABASE = "bank";

  private final Path directory;
  private final KafkaBroker broker;
  private final PostgresServer database;

  private Servers(Path directory, KafkaBroker broker, PostgresServer database) {
    this.directory = directory;
    this.broker = broker;
    this.database = database;
  }

  /** Chooses ports and directories. */
  static Servers in(Path directory) throws IOException {
    return new Servers(
        directory,
        // Members that stand still are to be thrown out within the patience of a person.
        KafkaBroker.in(directory.resolve("kafka")).with("group.min.session.timeout.ms", "500"),
        PostgresServer.in(directory.resolve("postgres")));
  }

  /** Starts both, makes what is needed in them, and writes the pipeline file. */
  void start() throws IOException, InterruptedException {
    CompletableFuture<?> both =
        CompletableFuture.allOf(background(broker::start), background(database::start));
    try {
      both.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw e;
    }
    try {
      database.createDatabase(DATABASE);
    } catch (SQLException e) {
      throw new IOException("the database cannot be created", e);
    }
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              Stream.of(PAYMENTS, RECEIPTS, REFUSED)
                  .map(topic -> new NewTopic(topic, PARTITIONS, (short) 1))
                  .toList())
          .all()
          .get();
    } catch (ExecutionException e) {
      throw new IOException("the topics cannot be created", e);
    }
    Files.writeString(pipeline(), text());
  }

  /** Something that starts a process. */
  private interface Starting {
    Object start() throws IOException, InterruptedException;
  }

  private static CompletableFuture<@Nullable Object> background(Starting starting) {
    CompletableFuture<@Nullable Object> done = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                done.complete(starting.start());
              } catch (IOException | InterruptedException | RuntimeException e) {
                done.completeExceptionally(e);
              }
            },
            "oncefold-start");
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  KafkaBroker broker() {
    return broker;
  }

  PostgresServer database() {
    return database;
  }

  Path directory() {
    return directory;
  }

  /** The pipeline file. */
  Path pipeline() {
    return directory.resolve("accounts.yaml");
  }

  private String text() {
    return """
        name: accounts
        version: 1
        source:
          kafka:
            bootstrap: %1$s
            topic: %2$s
            group: accounts
            # A worker that stands still for two seconds loses its partitions to the others.
            properties: { session.timeout.ms: 2000, heartbeat.interval.ms: 500 }
        types: { id: string, account: string, type: string, amount: decimal(2), at: time }
        event: { id: event.id, key: event.account, time: event.at, remember: P7D }
        state: { balance: decimal(2) 0.00, payments: int 0 }
        update:
          - reject: insufficient funds
            when: event.type == "withdraw" && state.balance < event.amount
          - set:
              balance: 'event.type == "withdraw" ? state.balance - event.amount : state.balance + event.amount'
              payments: state.payments + 1
          - emit: { account: event.account, balance: state.balance }
            to: receipts
        failed: refuse
        store:
          postgres:
            url: jdbc:postgresql://%5$s:%6$d/%7$s
            table: accounts
            user: %8$s
            password: ${file:postgres/password}
        outputs: { receipts: { kafka: { bootstrap: "%1$s", topic: %3$s } } }
        refusals: { kafka: { bootstrap: "%1$s", topic: %4$s } }
        """
        .formatted(
            broker.bootstrap(),
            PAYMENTS,
            RECEIPTS,
            REFUSED,
            database.address().getHostString(),
            database.address().getPort(),
            DATABASE,
            database.user());
  }

  /** What the store has counted; null while the database is away, or there is nothing yet. */
  @Nullable Counts counts() {
    Pipeline.Stored stored = Pipeline.stored(pipeline());
    try {
      return PostgresView.read(
              Table.options((Storage.Postgres) stored.store()), stored.fold(), List.of())
          .counts();
    } catch (StoreException e) {
      return null;
    }
  }

  /** A connection of the demo's own: it asks past the store. */
  Connection connect() throws SQLException {
    return DriverManager.getConnection(database.jdbcUrl(DATABASE));
  }

  /** Whether everything that was committed has left for its topic. */
  boolean hasLeft() {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select not exists (select from oncefold.outbox)")) {
      return row.next() && row.getBoolean(1);
    } catch (SQLException e) {
      return false; // the database is away
    }
  }

  /** The rows of the table. */
  Map<String, TopicReference.Row> rows() throws SQLException {
    Map<String, TopicReference.Row> rows = new TreeMap<>();
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select key, balance, payments from accounts")) {
      while (row.next()) {
        rows.put(
            row.getString(1),
            new TopicReference.Row(
                row.getBigDecimal(2).movePointRight(2).longValueExact(), row.getLong(3)));
      }
    }
    return rows;
  }

  @Override
  public void close() throws IOException {
    try {
      broker.close();
    } finally {
      database.close();
    }
  }
}
