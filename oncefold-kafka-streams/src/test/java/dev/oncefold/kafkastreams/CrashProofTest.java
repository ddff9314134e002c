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

  @TempDir Path directory;

  @Test
  void theFiguresOfTheProof() throws Exception {
    FiguresPage page =
        new FiguresPage(
            Path.of("..", "docs", "kafka-streams.md"),
            "oncefold-kafka-streams",
            "two instances with a standby for each task");
    page.crashRuns("brokers", "protocol");
    run(page, 1, CrashPlan.Course.WORKERS, 6, "classic");
    run(page, 2, CrashPlan.Course.WORKERS, 6, "streams");
    run(page, 3, CrashPlan.Course.BROKERS, 2, "classic");
    run(page, 4, CrashPlan.Course.BROKERS, 1, "streams");
    page.faults(
        "F2 is a SIGKILL of an instance, F8 an instance paused in its commit until others have gone on, F12"
            + " a broker killed, or paused until all have gone on without it, F13 re-sends, F14 instances that join and die every second, F15 a transaction that"
            + " times out while its instance is paused");
    page.publish();
  }

  private void run(
      FiguresPage page, long seed, CrashPlan.Course course, int rounds, String protocol)
      throws Exception {
    CrashPlan plan =
        new CrashPlan(seed, course, CrashWorker.class, true, EVENTS, KEYS, rounds, protocol);
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig =
        new CrashRig(plan, Files.createDirectory(directory.resolve("run-" + seed)))) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    page.passed(
        figures,
        (System.nanoTime() - begin) / 1_000_000_000L,
        String.valueOf(course.brokers()),
        protocol);
  }
}
