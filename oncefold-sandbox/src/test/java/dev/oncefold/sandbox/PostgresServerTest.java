package dev.oncefold.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PostgresServerTest {
  @TempDir Path directory;

  private static void execute(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String query(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      assertThat(result.next()).isTrue();
      return result.getString(1);
    }
  }

  private static List<ProcessHandle> processes(PostgresServer server) {
    ProcessHandle first = ProcessHandle.of(server.pid()).orElseThrow();
    return Stream.concat(Stream.of(first), first.descendants()).toList();
  }

  @Test
  void whatIsCommittedOutlivesAKillAPauseAndAStopOnTheSamePort() throws Exception {
    List<ProcessHandle> last;
    PostgresServer server = PostgresServer.start(directory);
    try (server) {
      server.createDatabase("a \"shop\" & Co?");
      assertThat(query(server.jdbcUrl("a \"shop\" & Co?"), "SELECT current_database()"))
          .isEqualTo("a \"shop\" & Co?");
      server.createDatabase("shop");
      String url = server.jdbcUrl("shop");
      assertThat(query(url, "SHOW fsync")).isEqualTo("on");
      assertThat(query(url, "SHOW synchronous_commit")).isEqualTo("on");
      assertThat(query(url, "SELECT 'é'")).isEqualTo("é");
      execute(url, "CREATE TABLE t (n int)");
      execute(url, "INSERT INTO t VALUES (1)");

      try (Connection open = DriverManager.getConnection(url);
          Statement statement = open.createStatement()) {
        open.setAutoCommit(false);
        statement.execute("INSERT INTO t VALUES (100)");
        List<ProcessHandle> all = processes(server);
        assertThat(all).as("a backend among them").hasSizeGreaterThan(5);
        server.kill();
        assertThat(all).allMatch(ServerProcess::hasEnded);
      }
      assertThatThrownBy(() -> DriverManager.getConnection(url)).isInstanceOf(SQLException.class);
      server.restart();
      assertThat(server.jdbcUrl("shop")).isEqualTo(url);
      assertThat(query(url, "SELECT sum(n) FROM t")).isEqualTo("1");

      try (Connection open = DriverManager.getConnection(url);
          Statement statement = open.createStatement()) {
        server.pause();
        CompletableFuture<Integer> changed =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return statement.executeUpdate("INSERT INTO t VALUES (10)");
                  } catch (SQLException e) {
                    throw new IllegalStateException(e);
                  }
                });
        assertThatThrownBy(() -> changed.get(300, TimeUnit.MILLISECONDS))
            .isInstanceOf(TimeoutException.class);
        server.resume();
        assertThat(changed).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(1);
      }

      server.stopImmediately();
      assertThat(server.isAlive()).isFalse();
      server.with("work_mem", "5MB").restart();
      assertThat(query(url, "SELECT sum(n) FROM t")).isEqualTo("11");
      assertThat(query(url, "SHOW work_mem")).isEqualTo("5MB");
      last = processes(server);
      server.pause();
    }
    assertThat(last).allMatch(ServerProcess::hasEnded);
  }

  /** On Linux, where they can be listed. */
  private static boolean isInMemory(String id) throws IOException {
    return Files.readAllLines(Path.of("/proc/sysvipc/shm")).stream()
        .anyMatch(line -> line.matches("\\s*-?\\d+\\s+" + id + "\\s.*"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aCrashLeavesNothingInTheMemoryOfTheSystem() throws Exception {
    String id;
    PostgresServer server = PostgresServer.start(directory);
    try (server) {
      // There it names its segment: the key, and the id.
      String line = Files.readAllLines(directory.resolve("data/postmaster.pid")).get(6);
      id = line.strip().replaceFirst("\\d+\\s+", "");
      assertThat(isInMemory(id)).isTrue();
      assertThat(query(server.jdbcUrl("postgres"), "SHOW dynamic_shared_memory_type"))
          .isEqualTo("mmap");
      server.kill();
      assertThat(isInMemory(id)).isTrue();
    }
    assertThat(isInMemory(id)).isFalse();
  }

  @Test
  void onlyThePasswordOpensIt() throws Exception {
    try (PostgresServer server = PostgresServer.start(directory)) {
      String wrong = server.jdbcUrl("postgres").replace(server.password(), "guess");
      assertThatThrownBy(() -> DriverManager.getConnection(wrong))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("password authentication failed");
    }
  }

  @Test
  void oneThatDoesNotComeUpSaysWhy() throws IOException {
    PostgresServer server = PostgresServer.in(directory).with("work_mem", "a lot");
    assertThatThrownBy(server::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("PostgreSQL ended with exit code 1 at its start")
        .hasMessageContaining(server.log().toString())
        .hasMessageContaining("invalid value for parameter \"work_mem\": \"a lot\"");
    assertThat(server.isAlive()).isFalse();
  }
}
