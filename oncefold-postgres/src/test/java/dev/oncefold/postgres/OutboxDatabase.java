package dev.oncefold.postgres;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** A database with the tables of the outbox; each test has a fold of its own. */
final class OutboxDatabase {
  static final String SCHEMA = "\"outbox\"";
  private static final String URL = start();

  private OutboxDatabase() {}

  private static String start() {
    try {
      String url = Database.create().url();
      try (Connection connection = DriverManager.getConnection(url)) {
        new Migrations(Name.of("outbox")).run(connection);
      }
      return url;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  static int newFold() throws SQLException {
    return (int)
        number(
            "insert into $.folds (name, target, keys, version, rules, ids, state, event, output, k0,"
                + " k1) select 'f' || count(*), '', '', 1, '', '', '', '', '', 0, 0 from $.folds"
                + " returning id");
  }

  static Connection connect() throws SQLException {
    return DriverManager.getConnection(URL);
  }

  static void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql.replace("$", SCHEMA));
    }
  }

  static long number(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet answer = statement.executeQuery(sql.replace("$", SCHEMA))) {
      answer.next();
      return answer.getLong(1);
    }
  }

  /** The store's part: takes a partition over. */
  static long claim(int fold, String partition) throws SQLException {
    return number(
        ("insert into $.partitions as p (fold, name, epoch) values (%d, '%s', 1) on conflict (fold, name)"
                + " do update set epoch = p.epoch + 1 returning epoch")
            .formatted(fold, partition));
  }

  /** The store's part: a batch that does nothing but send, one message for each value. */
  static long commit(Outbox outbox, String lane, String... values) throws SQLException {
    try (Connection connection = connect()) {
      connection.setAutoCommit(false);
      long seq = outbox.write(connection, lane, parcel(values));
      connection.commit();
      return seq;
    }
  }

  static Parcel parcel(String... values) {
    Parcel parcel = new Parcel();
    for (String value : values) {
      parcel.add("out", "key", "id-" + value, value.getBytes(StandardCharsets.UTF_8));
    }
    return parcel;
  }
}
