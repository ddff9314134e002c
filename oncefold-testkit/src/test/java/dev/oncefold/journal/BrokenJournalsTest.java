package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Disk;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Journals on disks and logs that are wrong on purpose: the checker, which passes the sound one,
 * names the rule that each breaks.
 */
class BrokenJournalsTest {
  private static final int SEEDS = 1000;

  /** Looks for a run of which the checker says that it breaks a rule. */
  static void caught(String what, Rule rule, SimBreakage breakage) {
    caught(what, rule, null, breakage);
  }

  /** The same, of those in which a fault landed before; null for any. */
  static void caught(String what, Rule rule, @Nullable String fault, SimBreakage breakage) {
    for (long seed = 0; seed < SEEDS; seed++) {
      Simulation simulation = new Simulation(Simulation.Case.of(seed), breakage, new SimTally());
      try {
        simulation.run();
      } catch (SimViolation violation) {
        // The simulation knows too; here it is the checker's word that counts.
      }
      if (Checker.check(simulation.history(), SimModel::new) instanceof Result.Fail fail
          && (fault == null || fail.figures().landed().containsKey(fault))
          && fail.violations().stream().anyMatch(violation -> violation.rule() == rule)) {
        System.out.println(
            "Broken engine, " + what + ": " + rule + " after " + (seed + 1) + " seeds");
        return;
      }
    }
    throw new AssertionError(what + " is not caught in " + SEEDS + " seeds by " + rule);
  }

  /** Answers the first violation of a rule of the simulation's own. */
  static SimShrinker.Shrunk found(String what, SimViolation.Rule rule, SimBreakage breakage) {
    for (long seed = 0; seed < SEEDS; seed++) {
      try {
        new Simulation(Simulation.Case.of(seed), breakage, new SimTally()).run();
      } catch (SimViolation violation) {
        if (violation.rule == rule) {
          System.out.println(
              "Broken engine, "
                  + what
                  + ": the simulation says "
                  + rule
                  + " after "
                  + (seed + 1)
                  + " seeds");
          return new SimShrinker.Shrunk(Simulation.Case.of(seed), violation);
        }
      }
    }
    throw new AssertionError(what + " is not found in " + SEEDS + " seeds by " + rule);
  }

  private static class FsyncSkipped extends SimBreakage {
    @Override
    Disk disk(Disk disk) {
      return new BrokenDisk(disk) {
        @Override
        void sync(Handle file, String name) {}
      };
    }
  }

  @Test
  void fsyncSkipped() {
    caught("fsync skipped", Rule.C1, "F4", new FsyncSkipped());
  }

  @Test
  void fsyncSkippedSurvivesKills() {
    SimTally tally = new SimTally();
    SimBreakage killed =
        new FsyncSkipped() {
          @Override
          boolean killsOnly() {
            return true;
          }
        };
    for (long seed = 0; seed < 200; seed++) {
      Simulation simulation = new Simulation(Simulation.Case.of(seed), killed, tally);
      simulation.run();
      assertThat(Checker.check(simulation.history(), SimModel::new))
          .as("seed " + seed)
          .isInstanceOf(Result.Pass.class);
    }
    System.out.println(
        "Broken engine, fsync skipped, survives " + tally.crashes + " kills in 200 seeds");
    assertThat(tally.crashes).isGreaterThan(200);
    assertThat(tally.openCommits).isGreaterThan(50);
  }

  @Test
  void whatIsFoundBecomesSmall() {
    SimShrinker.Shrunk found = found("fsync skipped", SimViolation.Rule.LOST, new FsyncSkipped());
    Simulation.Case small =
        SimShrinker.shrink(found.smallest().seed(), found.violation(), new FsyncSkipped())
            .smallest();
    System.out.println("It becomes " + small);
    assertThat(small.events()).isLessThan(30);
    assertThat(small.steps()).isLessThan(150);
    assertThat(Long.bitCount(small.faults())).isLessThan(6);
  }

  @Test
  void fsyncErrorIgnored() {
    caught(
        "fsync error ignored",
        Rule.C12, // later frames tell that something is missing, so it is refused for ever
        "F6",
        new SimBreakage() {
          @Override
          Disk disk(Disk disk) {
            return new BrokenDisk(disk) {
              @Override
              void sync(Handle file, String name) {
                try {
                  file.sync();
                } catch (IOException e) {
                  // It will have worked.
                }
              }
            };
          }
        });
  }

  @Test
  void fsyncOfTheDirectorySkipped() {
    caught(
        "fsync of the directory skipped",
        Rule.C1,
        new SimBreakage() {
          @Override
          Disk disk(Disk disk) {
            return new BrokenDisk(disk) {
              @Override
              void sync(Disk directory) {}
            };
          }
        });
  }

  @Test
  void snapshotNotSynced() {
    caught(
        "snapshot renamed before it is synced",
        Rule.C12, // it is refused for ever
        new SimBreakage() {
          @Override
          Disk disk(Disk disk) {
            return new BrokenDisk(disk) {
              @Override
              void sync(Handle file, String name) throws IOException {
                if (!name.contains(Snapshot.SUFFIX)) {
                  file.sync();
                }
              }
            };
          }
        });
  }

  @Test
  void pagesOfAFailedSyncNotWrittenAgain() {
    caught(
        "pages of a failed fsync not written again",
        Rule.C12, // as above
        "F6",
        new SimBreakage() {
          @Override
          Disk disk(Disk disk) {
            return new BrokenDisk(disk) {
              @Override
              void write(Handle file, long at, ByteBuffer from) throws IOException {
                // What can be read is taken for written.
                ByteBuffer there = ByteBuffer.allocate(from.remaining());
                while (there.hasRemaining() && file.read(at + there.position(), there) > 0) {}
                if (there.hasRemaining() || !there.flip().equals(from)) {
                  file.write(at, from);
                }
              }
            };
          }
        });
  }

  @Test
  void checksumIgnored() {
    caught(
        "checksum ignored",
        Rule.C11,
        new SimBreakage() {
          @Override
          Log log(Disk disk, int segmentBytes) throws IOException {
            return new BrokenLogs.ChecksumIgnored(disk, segmentBytes);
          }
        });
  }

  @Test
  void tornTailKept() {
    caught(
        "goes on behind a torn tail",
        Rule.C12, // what follows the tail is refused for ever
        new SimBreakage() {
          @Override
          Log log(Disk disk, int segmentBytes) throws IOException {
            return new BrokenLogs.TornTailKept(disk, segmentBytes);
          }
        });
  }

  private static final class PositionFirst extends SimBreakage {
    @Override
    Log log(Disk disk, int segmentBytes) throws IOException {
      return new BrokenLogs.PositionFirst(disk, segmentBytes);
    }
  }

  @Test
  void positionWrittenBeforeState() {
    caught("position before state", Rule.C1, new PositionFirst());
  }

  @Test
  void positionAndStateInTwoBatches() {
    caught("position and state in two batches", Rule.C9, new PositionFirst());
  }
}
