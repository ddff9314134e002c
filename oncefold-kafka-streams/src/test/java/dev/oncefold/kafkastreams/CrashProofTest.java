package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.testkit.FiguresPage;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The long crash runs: write their figures into {@code docs/kafka-streams.md}. Only with {@code mvn
 * -Pproof verify}.
 */
@Tag("proof")
class CrashProofTest {
  private static final int EVENTS = 100_000;
  private static final int KEYS = 25_000;
  private static final int ROUNDS = 6;

  @TempDir Path directory;

  @Test
  void theFiguresOfTheProof() throws Exception {
    FiguresPage page =
        new FiguresPage(
            Path.of("..", "docs", "kafka-streams.md"),
            "oncefold-kafka-streams",
            "two instances with a standby for each task");
    page.crashRuns("protocol");
    run(page, new CrashRig.Plan(1, CrashWorker.class, true, EVENTS, KEYS, ROUNDS, "classic"));
    run(page, new CrashRig.Plan(2, CrashWorker.class, true, EVENTS, KEYS, ROUNDS, "streams"));
    page.faults(
        "F2 is a SIGKILL, F8 an instance paused in its commit until others have gone on, F13"
            + " re-sends, F14 instances that join and die every second, F15 a transaction that"
            + " times out while its instance is paused");
    page.publish();
  }

  private void run(FiguresPage page, CrashRig.Plan plan) throws Exception {
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig =
        new CrashRig(plan, Files.createDirectory(directory.resolve(plan.protocol())))) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    page.passed(figures, (System.nanoTime() - begin) / 1_000_000_000L, plan.protocol());
  }
}
