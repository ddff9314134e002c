package dev.oncefold.testkit;

import java.nio.file.Path;

/** The embedded engine under power losses. */
class InProcessConformanceTest extends ConformanceSuite {
  @Override
  protected EngineFixture engine(Path directory) {
    return new InProcessFixture(directory);
  }
}
