package dev.oncefold.testkit;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;

/** Some claims of the suite, each a test of its own on a new engine. */
abstract class Claims {
  /** Most claims are about a fold over one key that remembers ids for a week. */
  static final Setup A_WEEK = Setup.remembering(Duration.ofDays(7));

  @TempDir Path directory;

  abstract EngineFixture engine(Path directory) throws Exception;

  final void play(Setup setup, String table) throws Exception {
    try (EngineFixture engine = engine(directory)) {
      Scenario.play(engine, setup, table);
    }
  }
}
