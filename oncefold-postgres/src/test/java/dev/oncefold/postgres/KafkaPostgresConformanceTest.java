package dev.oncefold.postgres;

import dev.oncefold.testkit.ConformanceSuite;
import dev.oncefold.testkit.EngineFixture;
import dev.oncefold.testkit.EngineHosts;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The engine between Kafka and PostgreSQL, as a process that is killed. */
class KafkaPostgresConformanceTest extends ConformanceSuite {
  private static @Nullable Servers servers;
  private static @Nullable EngineHosts hosts;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    servers = new Servers(directory);
    hosts =
        new EngineHosts(
            KafkaPostgresEngine.class,
            directory,
            Workers.options(servers.bootstrap(), servers.url()));
  }

  @AfterAll
  static void stop() throws Exception {
    if (hosts != null) {
      hosts.close();
    }
    if (servers != null) {
      servers.close();
    }
  }

  @Override
  protected EngineFixture engine(Path directory) {
    if (servers == null || hosts == null) {
      throw new IllegalStateException("nothing was started");
    }
    return new KafkaPostgresFixture(servers, hosts);
  }
}
