package dev.oncefold.testkit;

import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What every engine must do, whatever it is made of: one test for each claim. An engine joins with
 * a class that extends this one and answers a fixture; {@code docs/conformance.md} shows how.
 *
 * <p>Nothing is skipped: what an engine cannot do it must refuse, and that is tested in its place.
 */
@ExtendWith(NothingAborts.class)
@DisplayNameGeneration(DisplayNameGenerator.Simple.class)
public abstract class ConformanceSuite {
  /**
   * A new engine with an empty input, nothing stored and nothing emitted. It is closed after its
   * scenario.
   *
   * @param directory an empty directory, removed after the scenario
   * @return the engine, not started
   * @throws Exception if it cannot be made
   */
  protected abstract EngineFixture engine(Path directory) throws Exception;

  /** Re-sends, conflicts and rejections. */
  @Nested
  class Ids extends IdClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** Ids are forgotten by event time, and nothing is applied twice for it. */
  @Nested
  class Floor extends FloorClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** Events that cannot be judged. */
  @Nested
  class Failures extends FailureClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** State, versions, outputs, refusals and counts. */
  @Nested
  class Outputs extends OutputClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** The engine dies, is started again, or has a rival. */
  @Nested
  class Crashes extends CrashClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** Events that change several keys, all or none. */
  @Nested
  class SeveralKeys extends SeveralKeysClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }

  /** Another version of the fold; what was judged in the past. */
  @Nested
  class Versions extends VersionClaims {
    @Override
    final EngineFixture engine(Path directory) throws Exception {
      return ConformanceSuite.this.engine(directory);
    }
  }
}
