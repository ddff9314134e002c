package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** The whole demo with Kafka and PostgreSQL, with real servers, real workers and real faults. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
@Isolated("its workers are thrown out when they cannot say for two seconds that they are there")
class ServersDemoTest {
  @TempDir Path directory;

  @Test
  void itPassesAndOneCentTooMuchIsFound() throws IOException, InterruptedException, SQLException {
    try (Servers servers = Servers.in(directory);
        ServersDemo demo = ServersDemo.of(servers, 7, 10_000, Progress.none())) {
      ServersReport report = demo.run();
      assertThat(report.lines())
          .as(() -> String.join("\n", report.lines()))
          .last()
          .asString()
          .startsWith("PASS: 6 faults, ");
      assertThat(report.passed()).isTrue();
      assertThat(report.counts().events()).isGreaterThanOrEqualTo(10_000);

      try (Connection connection = servers.connect();
          Statement statement = connection.createStatement()) {
        statement.execute(
            "update accounts set balance = balance + 0.01"
                + " where key = (select min(key) from accounts)");
      }
      ServersReport falsified = demo.compare();
      assertThat(falsified.passed()).isFalse();
      assertThat(falsified.verdict()).startsWith("FAIL: 1 differences");
    }
  }
}
