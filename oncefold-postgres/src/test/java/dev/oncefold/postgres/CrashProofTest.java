package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.testkit.FiguresPage;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The long crash runs: write their figures into {@code docs/kafka-postgres.md}. Only with {@code
 * mvn -Pproof verify}.
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
        new FiguresPage(Path.of("..", "docs", "kafka-postgres.md"), "oncefold-postgres", "");
    page.crashRuns("keys are", "protocol");
    run(
        page,
        "owned",
        new CrashRig.Plan(1, false, Map.of("group.protocol", "classic"), EVENTS, KEYS, ROUNDS));
    run(
        page,
        "shared",
        new CrashRig.Plan(2, true, Map.of("group.protocol", "consumer"), EVENTS, KEYS, ROUNDS));
    page.faults(
        "F2 is a SIGKILL, F8 a worker paused until others own its partitions, F9 an answer to"
            + " COMMIT that is lost, F10 a COMMIT that arrives after its sender's death, F12 the"
            + " database or the broker killed, F13 re-sends, F14 workers that join and die every"
            + " second");
    page.publish();
  }

  private void run(FiguresPage page, String keys, CrashRig.Plan plan) throws Exception {
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig = new CrashRig(plan, Files.createDirectory(directory.resolve(keys)))) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    page.passed(
        figures,
        (System.nanoTime() - begin) / 1_000_000_000L,
        keys,
        Objects.requireNonNull(plan.consumer().get("group.protocol")));
  }
}
