package dev.oncefold.postgres;

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
import java.util.concurrent.atomic.AtomicInteger;

/** An empty database on the one server that all tests share, unless they break it. */
final class Database {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final String STAMP = Long.toString(System.nanoTime(), 36);

  /** Started by the first test, ended with the program. */
  private static final class Shared {
    static final PostgresServer SERVER = start();

    private static PostgresServer start() {
      try {
        return PostgresServer.start(Path.of("target", "database").toAbsolutePath());
      } catch (IOException e) {
        throw new IllegalStateException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }

  private final PostgresServer server;
  private final String name;

  private Database(PostgresServer server) {
    this.server = server;
    this.name = "test_" + STAMP + "_" + COUNT.incrementAndGet();
  }

  static Database create() throws SQLException {
    return on(Shared.SERVER);
  }

  static Database on(PostgresServer server) throws SQLException {
    Database database = new Database(server);
    server.createDatabase(database.name);
    return database;
  }

  PostgresServer server() {
    return server;
  }

  String name() {
    return name;
  }

  String url() {
    return server.jdbcUrl(name);
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /**
   * Waits until so many workers of the bank are connected: the server notes an end a little later.
   */
  void awaitSessions(int count) throws SQLException {
    while (query(
                "select 1 from pg_stat_activity where application_name = 'oncefold bank' and"
                    + " datname = current_database()")
            .size()
        != count) {
      Thread.onSpinWait();
    }
  }

  /** The first column of what a query answers, as text. */
  List<String> query(String sql) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement();
        ResultSet answer = statement.executeQuery(sql)) {
      while (answer.next()) {
        found.add(String.valueOf(answer.getString(1)));
      }
    }
    return found;
  }
}
