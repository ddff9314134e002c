package dev.oncefold.kafkastreams;

import dev.oncefold.testkit.ConformanceSuite;
import dev.oncefold.testkit.EngineFixture;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The engine between topics, in this process, on a real broker. */
class StreamsConformanceTest extends ConformanceSuite {
  private static @Nullable Servers servers;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    servers = new Servers(directory);
  }

  @AfterAll
  static void stop() throws Exception {
    if (servers != null) {
      servers.close();
    }
  }

  @Override
  protected EngineFixture engine(Path directory) {
    if (servers == null) {
      throw new IllegalStateException("nothing was started");
    }
    return new StreamsFixture(servers);
  }
}
