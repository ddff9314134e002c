package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Result;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application under everything that can happen to it. */
class CrashRunTest {
  @TempDir Path directory;

  @Test
  void nothingIsLostOrDoubled() throws Exception {
    CrashPlan plan =
        new CrashPlan(
            1, CrashPlan.Course.WORKERS, CrashWorker.class, true, 12_000, 2_000, 1, "classic");
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      System.out.println("Kafka Streams, " + plan + ": " + result.figures());
      assertThat(result).isInstanceOf(Result.Pass.class);
    }
  }

  /** The rig is believed because it fails this one. */
  @Test
  void aPlainApplicationFails() throws Exception {
    CrashPlan plan =
        new CrashPlan(
            1, CrashPlan.Course.PLAIN, PlainWorker.class, false, 3_000, 500, 1, "classic");
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Fail.class);
    }
  }
}
