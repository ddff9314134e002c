package dev.oncefold.bench;

import dev.oncefold.sandbox.PostgresServer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * What it costs the database's server to add ids, by the statement that adds them. Told is the CPU
 * time of the one process that serves the connection, which is nearly the same on a busy machine.
 */
final class IdInserts {
  private enum How {
    LOOKING("INSERT that looks for rows in its way"),
    FROM("plain INSERT, arrays in FROM"),
    LISTS("plain INSERT, arrays in the list"),
    COPY("COPY");

    private final String told;

    How(String told) {
      this.told = told;
    }

    private String table() {
      return "ids_" + name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private IdInserts() {}

  static void run(Settings settings) throws Exception {
    int rounds = settings.number("rounds", 5);
    int batches = settings.number("batches", 100);
    int size = settings.number("batch", 4_000);
    Path directory = settings.directory();
    SplittableRandom random = new SplittableRandom(1);
    try (PostgresServer server =
            PostgresServer.in(directory.resolve("postgres"))
                .with("shared_buffers", settings.text("shared_buffers", "512MB"))
                .start();
        Connection connection =
            DriverManager.getConnection(server.jdbcUrl("postgres") + "&prepareThreshold=1");
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (How how : How.values()) {
        statement.execute(
            "CREATE TABLE "
                + how.table()
                + " (hi bigint NOT NULL, lo bigint NOT NULL, fingerprint bigint NOT NULL, time"
                + " bigint NOT NULL, rejected text, PRIMARY KEY (hi, lo))");
      }
      connection.commit();
      ProcessHandle process = process(statement);
      Map<How, double[]> micros = new EnumMap<>(How.class);
      for (int round = 0; round < rounds; round++) {
        for (How how : How.values()) {
          statement.execute("CHECKPOINT");
          connection.commit();
          long before = cpu(process);
          for (int batch = 0; batch < batches; batch++) {
            add(connection, how, random, size);
            connection.commit();
          }
          micros.computeIfAbsent(how, any -> new double[rounds])[round] =
              (cpu(process) - before) / 1e3 / batches / size;
        }
      }
      micros.forEach(
          (how, each) ->
              System.out.printf(
                  "%-40s  %5.2f µs of the server an id (%.2f to %.2f)%n",
                  how.told,
                  Throughput.median(each),
                  Arrays.stream(each).min().orElse(0),
                  Arrays.stream(each).max().orElse(0)));
    } finally {
      Settings.delete(directory);
    }
  }

  private static ProcessHandle process(Statement statement) throws SQLException {
    try (ResultSet answer = statement.executeQuery("SELECT pg_backend_pid()")) {
      answer.next();
      return ProcessHandle.of(answer.getInt(1)).orElseThrow();
    }
  }

  private static long cpu(ProcessHandle process) {
    return process.info().totalCpuDuration().map(Duration::toNanos).orElseThrow();
  }

  private static void add(Connection connection, How how, SplittableRandom random, int size)
      throws SQLException {
    long[] hi = random.longs(size).sorted().toArray();
    long[] lo = random.longs(size).toArray();
    if (how == How.COPY) {
      copy(connection, hi, lo);
      return;
    }
    String rows =
        how == How.LISTS
            ? " SELECT unnest(?::bigint[]), unnest(?::bigint[]), unnest(?::bigint[]),"
                + " unnest(?::bigint[]), unnest(?::text[])"
            : " SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],"
                + " ?::text[])";
    String found =
        how == How.LOOKING
            ? " ON CONFLICT (hi, lo) DO UPDATE SET time = excluded.time WHERE t.time < 0"
            : "";
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO " + how.table() + " AS t" + rows + found)) {
      insert.setObject(1, hi);
      insert.setObject(2, lo);
      insert.setObject(3, lo);
      insert.setObject(4, hi);
      insert.setArray(5, connection.createArrayOf("text", new String[size]));
      insert.executeUpdate();
    }
  }

  private static void copy(Connection connection, long[] hi, long[] lo) throws SQLException {
    ByteBuffer rows = ByteBuffer.allocate(21 + hi.length * 54);
    rows.put("PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1)).putInt(0).putInt(0);
    for (int i = 0; i < hi.length; i++) {
      rows.putShort((short) 5);
      for (long value : new long[] {hi[i], lo[i], lo[i], hi[i]}) {
        rows.putInt(8).putLong(value);
      }
      rows.putInt(-1);
    }
    rows.putShort((short) -1);
    CopyIn copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("COPY " + How.COPY.table() + " FROM STDIN (FORMAT binary)");
    copy.writeToCopy(rows.array(), 0, rows.position());
    copy.endCopy();
  }
}
