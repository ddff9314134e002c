package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Result;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From Kafka into PostgreSQL under everything that can happen, once by each protocol. */
class CrashRunTest {
  @TempDir Path directory;

  @Test
  void keysOwnedByPartitions() throws Exception {
    run(new CrashRig.Plan(1, false, Map.of("group.protocol", "classic"), 20_000, 4_000, 1));
  }

  @Test
  void keysSharedByPartitions() throws Exception {
    run(new CrashRig.Plan(2, true, Map.of("group.protocol", "consumer"), 20_000, 4_000, 1));
  }

  private void run(CrashRig.Plan plan) throws Exception {
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      System.out.println("Kafka into PostgreSQL, " + plan + ": " + result.figures());
      assertThat(result).isInstanceOf(Result.Pass.class);
    }
  }
}
