package dev.oncefold.testkit;

import java.nio.file.Path;

/** The embedded engine as a process that is killed. */
class EmbeddedConformanceTest extends ConformanceSuite {
  @Override
  protected EngineFixture engine(Path directory) {
    return new ChildFixture(directory);
  }
}
