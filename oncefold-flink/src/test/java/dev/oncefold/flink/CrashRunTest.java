package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Result;
import dev.oncefold.verify.Rule;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A job under everything that can happen to it. */
class CrashRunTest {
  @TempDir Path directory;

  @Test
  void nothingIsLostOrDoubled() throws Exception {
    CrashRig.Plan plan = new CrashRig.Plan(1, false, 12_000, 2_000, 1);
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      System.out.println("Flink, " + plan + ": " + result.figures());
      assertThat(result).isInstanceOf(Result.Pass.class);
    }
  }

  /** The rig is believed because it fails this one. */
  @Test
  void outputsAtLeastOnceAreDoubled() throws Exception {
    CrashRig.Plan plan = new CrashRig.Plan(1, true, 3_000, 500, 1);
    try (CrashRig rig = new CrashRig(plan, directory)) {
      assertThat(rig.run())
          .isInstanceOfSatisfying(
              Result.Fail.class,
              fail ->
                  assertThat(fail.violations())
                      .extracting(Result.Violation::rule)
                      .containsOnly(Rule.C6));
    }
  }
}
