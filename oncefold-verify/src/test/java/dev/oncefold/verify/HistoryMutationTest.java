package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What a right engine says passes; changed in one place, it does not, unless the change is one that
 * a right engine could have said as well.
 */
class HistoryMutationTest {
  private static final int SEEDS = Integer.getInteger("oncefold.seeds", 2000);
  private static final int MUTATIONS = 12;

  @Test
  void whatARightEngineSaysPasses() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Result result = Checker.check(new SoundHistory(seed));
      assertThat(result).as("seed %d", seed).isInstanceOf(Result.Pass.class);
    }
  }

  @Test
  void changedInOnePlaceItDoesNot() {
    // One seed of three: each is changed so often.
    Map<String, Map<String, Integer>> said = new TreeMap<>();
    List<String> passed = new ArrayList<>();
    for (long seed = 0; seed < SEEDS; seed += 3) {
      SoundHistory sound = new SoundHistory(seed);
      for (int number = 0; number < MUTATIONS; number++) {
        Mutation mutation = new Mutation(sound, new Random(seed * 1000 + number));
        if (mutation.kind == null || mutation.neutral) {
          continue;
        }
        Result result = Checker.check(mutation);
        String rules =
            result instanceof Result.Fail fail
                ? fail.violations().stream().map(v -> v.rule().name()).sorted().toList().toString()
                : result.getClass().getSimpleName();
        said.computeIfAbsent(mutation.kind, k -> new TreeMap<>()).merge(rules, 1, Integer::sum);
        if (result instanceof Result.Pass) {
          passed.add("seed " + seed + "." + number + " " + mutation.kind + ": " + mutation.told);
        }
      }
    }
    if (Boolean.getBoolean("oncefold.told")) {
      said.forEach((kind, rules) -> passed.add("~ " + kind + " " + rules));
    }
    assertThat(passed).isEmpty();
    assertThat(said).hasSizeGreaterThan(40);
  }
}
