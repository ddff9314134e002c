package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.Events;
import org.opentest4j.TestAbortedException;

/** No test of the suite passes, is skipped or is aborted without its claim being proven. */
class NothingPassesUnprovenTest {
  static class NoOp extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new NoOpFixture();
    }
  }

  @Disabled("as somebody would who has no time for it")
  static class SwitchedOff extends NoOp {}

  static class Assuming extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      throw new TestAbortedException("assumes that there is a broker");
    }
  }

  /** Lacks transfers, and does something or other when asked for them. */
  abstract static class Lacking extends ConformanceSuite {
    abstract void start(Setup setup) throws Exception;

    @Override
    protected EngineFixture engine(Path directory) {
      return new NoOpFixture() {
        @Override
        public Set<Capability> lacks() {
          return EnumSet.of(Capability.SEVERAL_KEYS);
        }

        @Override
        public void start(Setup setup) throws Exception {
          Lacking.this.start(setup);
        }
      };
    }
  }

  static class Refusing extends Lacking {
    @Override
    void start(Setup setup) {
      throw new IllegalArgumentException(
          "the fold changes several keys at once, which this engine cannot do; PostgreSQL can");
    }
  }

  static class StartingAnyway extends Lacking {
    @Override
    void start(Setup setup) {}
  }

  static class RefusingWithoutAWord extends Lacking {
    @Override
    void start(Setup setup) {
      throw new UnsupportedOperationException();
    }
  }

  static class RefusingByAccident extends Lacking {
    @Override
    void start(Setup setup) {
      throw new NullPointerException("PostgreSQL");
    }
  }

  private static void allFail(Events tests, long count) {
    assertThat(SuiteRun.failed(tests)).isNotEmpty();
    tests.assertStatistics(
        seen -> seen.started(count).failed(count).succeeded(0).skipped(0).aborted(0));
  }

  @Test
  void anEngineThatDoesNothingFailsEveryTest() {
    assertThat(SuiteRun.count()).isGreaterThan(50);
    allFail(SuiteRun.all(NoOp.class), SuiteRun.count());
  }

  @Test
  void aSuiteThatIsSwitchedOffRunsAllTheSame() {
    allFail(SuiteRun.all(SwitchedOff.class), SuiteRun.count());
  }

  @Test
  void anAssumptionThatDoesNotHoldIsAFailure() {
    allFail(SuiteRun.all(Assuming.class), SuiteRun.count());
  }

  @Test
  void whatAnEngineLacksItMustRefuseNamingWhoCan() {
    Events refusing = SuiteRun.group(Refusing.class, ConformanceSuite.SeveralKeys.class);
    refusing.assertStatistics(seen -> seen.succeeded(5).failed(0).skipped(0).aborted(0));
    allFail(SuiteRun.group(StartingAnyway.class, ConformanceSuite.SeveralKeys.class), 5);
    allFail(SuiteRun.group(RefusingWithoutAWord.class, ConformanceSuite.SeveralKeys.class), 5);
    allFail(SuiteRun.group(RefusingByAccident.class, ConformanceSuite.SeveralKeys.class), 5);
    // Nobody passes the rest by refusing it.
    allFail(SuiteRun.group(Refusing.class, ConformanceSuite.Ids.class), 12);
  }
}
