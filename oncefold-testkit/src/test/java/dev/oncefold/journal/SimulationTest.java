package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Checker;
import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * The journal, its runner and its sinks on a simulated disk, by seed: see {@link Simulation}. The
 * history of each run is given to the checker, which has to say PASS: a false alarm fails here too.
 *
 * <p>{@code -Doncefold.simulation.seeds=N} runs more or fewer seeds, {@code
 * -Doncefold.simulation.seed=S} runs one of them again.
 */
class SimulationTest {
  @Test
  void afterEveryCrashTheStateIsTheFoldOfTheInputUpToThePosition() throws Exception {
    String one = System.getProperty("oncefold.simulation.seed");
    long seeds = Long.getLong("oncefold.simulation.seeds", 5_000);
    long first = one == null ? 0 : Long.parseLong(one);
    long end = one == null ? seeds : first + 1;
    SimTally tally = runAll(first, end);
    System.out.println("Simulation: " + tally);
    if (one == null && seeds >= 1000) {
      assertThatFaultsLanded(tally, seeds);
    }
  }

  @Test
  void aRunWithoutFaultsProvesNothing() {
    SimBreakage disarmed =
        new SimBreakage() {
          @Override
          boolean faults() {
            return false;
          }
        };
    for (long seed = 0; seed < 20; seed++) {
      Observation.Needs needs = new Observation.Needs(1, 1, 0, 1, List.of("F4"));
      Simulation calm = new Simulation(Simulation.Case.of(seed), disarmed, new SimTally(), needs);
      calm.run();
      Result result = Checker.check(calm.history(), SimModel::new);
      assertThat(result).as("seed " + seed).isInstanceOf(Result.Invalid.class);
      assertThat(((Result.Invalid) result).reasons())
          .contains("it needs 1 kills, and had 0", "the fault F4 did not land: it was never tried");
    }
  }

  @Test
  void aRunWithoutEventsProvesNothing() {
    Simulation empty =
        new Simulation(
            new Simulation.Case(7, 0, Integer.MAX_VALUE, -1), new SimBreakage(), new SimTally());
    empty.run();
    assertThat(Checker.check(empty.history(), SimModel::new)).isInstanceOf(Result.Invalid.class);
  }

  @Test
  void halfTheHistoryOfARunProvesNothing() {
    Simulation whole = new Simulation(Simulation.Case.of(7), new SimBreakage(), new SimTally());
    whole.run();
    List<Observation> all = whole.history().observations();
    List<Observation> half = all.subList(0, all.size() / 2);
    assertThat(Checker.check(half::forEach, SimModel::new)).isInstanceOf(Result.Invalid.class);
  }

  /** Each seed is a world of its own, so that processors can share them. */
  private static SimTally runAll(long first, long end) throws Exception {
    AtomicLong next = new AtomicLong(first);
    Callable<SimTally> some =
        () -> {
          SimTally tally = new SimTally();
          try {
            for (long seed = next.getAndIncrement(); seed < end; seed = next.getAndIncrement()) {
              run(seed, tally);
            }
          } finally {
            next.accumulateAndGet(end, Math::max); // one that failed is enough
          }
          return tally;
        };
    ExecutorService threads =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try {
      List<Callable<SimTally>> all =
          Collections.nCopies(Runtime.getRuntime().availableProcessors(), some);
      SimTally sum = new SimTally();
      for (Future<SimTally> each : threads.invokeAll(all)) {
        sum.add(each.get());
      }
      return sum;
    } finally {
      threads.shutdownNow();
    }
  }

  private static void run(long seed, SimTally tally) {
    SimBreakage sound = new SimBreakage();
    Simulation simulation = new Simulation(Simulation.Case.of(seed), sound, tally);
    try {
      simulation.run();
      Result result = Checker.check(simulation.history(), SimModel::new);
      assertThat(result).as("the checker, of seed " + seed).isInstanceOf(Result.Pass.class);
      tally.checked(result.figures());
    } catch (SimViolation violation) {
      SimShrinker.Shrunk small = SimShrinker.shrink(seed, violation, sound);
      throw new AssertionError(
          "seed "
              + seed
              + " failed: "
              + violation.getMessage()
              + "\nSmaller, "
              + small.smallest()
              + ": "
              + small.violation().getMessage()
              + "\nRun it again: mvn -pl oncefold-testkit -am test -Dtest=SimulationTest"
              + " -Dsurefire.failIfNoSpecifiedTests=false"
              + " -Doncefold.simulation.seed="
              + seed,
          small.violation());
    }
  }

  /** A nemesis that does nothing proves nothing. */
  private static void assertThatFaultsLanded(SimTally tally, long seeds) {
    for (DiskFault fault : DiskFault.values()) {
      assertThat(tally.faults.getOrDefault(fault, 0L))
          .as("faults: " + fault)
          .isGreaterThan(seeds / 200);
    }
    for (SimTally.Place place : SimTally.Place.values()) {
      assertThat(tally.places.getOrDefault(place, 0L))
          .as("crashes: " + place)
          .isGreaterThan(seeds / 200);
    }
    assertThat(tally.landed.keySet())
        .as("faults that the checker was told of")
        .contains("F2", "F3", "F4", "F5", "F6", "F7", "F8", "F13", "F16");
    assertThat(tally.openCommits).as("crashes in an open commit").isGreaterThan(seeds / 10);
    assertThat(tally.recoveryStorms).as("three crashes during recovery").isGreaterThan(seeds / 200);
    assertThat(tally.survivedUnanswered).as("survived unanswered").isGreaterThan(seeds / 200);
    assertThat(tally.resends * 20).as("5 % re-sends").isGreaterThan(tally.events);
    assertThat(tally.expired).as("expired").isGreaterThan(seeds / 10);
    assertThat(tally.conflicts).as("conflicts").isGreaterThan(seeds / 10);
    assertThat(tally.fenced).as("stale claims refused").isGreaterThan(seeds / 10);
    assertThat(tally.dropped).as("segments dropped").isGreaterThan(seeds / 10);
    assertThat(tally.damageDetected).as("damage told").isGreaterThan(seeds / 20);
  }
}
