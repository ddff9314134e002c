package dev.oncefold.flink;

import dev.oncefold.testkit.ConformanceSuite;
import dev.oncefold.testkit.EngineFixture;
import dev.oncefold.testkit.EngineHosts;
import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The engine between topics, in a small Flink in this process, on a real broker. */
class FlinkConformanceTest extends ConformanceSuite {
  private static @Nullable EngineHosts hosts;

  @BeforeAll
  static void start(@TempDir Path directory) throws IOException {
    hosts = new EngineHosts(SecondJob.class, directory, Child.shortLived());
  }

  @AfterAll
  static void stop() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @Override
  protected EngineFixture engine(Path directory) throws Exception {
    if (hosts == null) {
      throw new IllegalStateException("nothing was started");
    }
    return new FlinkFixture(Servers.get(), hosts, directory);
  }
}
