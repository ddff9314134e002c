package dev.oncefold.testkit;

import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The embedded engine as a process that is killed. */
class EmbeddedConformanceTest extends ConformanceSuite {
  private static @Nullable EngineHosts hosts;

  @BeforeAll
  static void start(@TempDir Path directory) throws IOException {
    hosts = new EngineHosts(ChildFixture.Engine.class, directory, Child.shortLived());
  }

  @AfterAll
  static void stop() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @Override
  protected EngineFixture engine(Path directory) {
    if (hosts == null) {
      throw new IllegalStateException("nothing was started");
    }
    return new ChildFixture(hosts, directory);
  }
}
