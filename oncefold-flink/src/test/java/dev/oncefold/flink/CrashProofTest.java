package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.testkit.FiguresPage;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The long crash run: writes its figures into {@code docs/flink.md}. Only with {@code mvn -Pproof
 * verify}.
 */
@Tag("proof")
class CrashProofTest {
  private static final int EVENTS = 100_000;
  private static final int KEYS = 25_000;
  private static final int ROUNDS = 4;

  @TempDir Path directory;

  @Test
  void theFiguresOfTheProof() throws Exception {
    CrashRig.Plan plan = new CrashRig.Plan(1, false, EVENTS, KEYS, ROUNDS);
    FiguresPage page =
        new FiguresPage(
            Path.of("..", "docs", "flink.md"),
            "oncefold-flink",
            "seed "
                + plan.seed()
                + ", a job of two subtasks with a checkpoint every "
                + CrashWorker.INTERVAL_MILLIS
                + " ms");
    page.crashRuns();
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
    assertThat(figures.keys()).isGreaterThanOrEqualTo(20_000);
    assertThat(figures.kills() * 300.0 / seconds).as("kills in 5 minutes").isGreaterThan(10);
    page.passed(figures, seconds);
    page.faults(
        "F1 is a task that throws, F2 a SIGKILL, F3 one in recovery, F8 a job paused before its"
            + " commit until another had gone on, F12 the broker killed, F13 re-sends, F14 another"
            + " parallelism, F17 an update slower than its input");
    page.publish();
  }
}
