package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Journals that are wrong on purpose: the simulation that passes the sound one fails each. */
class BrokenJournalsTest {
  private static final int SEEDS = 1000;

  /** Answers the violation of one of the expected rules, and how it came about. */
  private static SimShrinker.Shrunk caught(
      String what, Set<SimViolation.Rule> expected, Simulation.Breakage breakage) {
    for (long seed = 0; seed < SEEDS; seed++) {
      try {
        new Simulation(Simulation.Case.of(seed), breakage, new SimTally()).run();
      } catch (SimViolation violation) {
        if (expected.contains(violation.rule)) {
          System.out.println(
              "Broken journal, "
                  + what
                  + ": "
                  + violation.rule
                  + " after "
                  + (seed + 1)
                  + " seeds");
          return new SimShrinker.Shrunk(Simulation.Case.of(seed), violation);
        }
      }
    }
    throw new AssertionError(what + " is not caught in " + SEEDS + " seeds by one of " + expected);
  }

  private static final class FsyncSkipped extends Simulation.Breakage {
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
    caught("fsync skipped", Set.of(SimViolation.Rule.LOST), new FsyncSkipped());
  }

  @Test
  void whatIsCaughtBecomesSmall() {
    SimShrinker.Shrunk found =
        caught("fsync skipped", Set.of(SimViolation.Rule.LOST), new FsyncSkipped());
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
        // Where a later frame tells that something is missing, it is refused instead.
        Set.of(SimViolation.Rule.LOST, SimViolation.Rule.REFUSED),
        new Simulation.Breakage() {
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
        Set.of(SimViolation.Rule.LOST),
        new Simulation.Breakage() {
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
        Set.of(SimViolation.Rule.REFUSED),
        new Simulation.Breakage() {
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
        Set.of(SimViolation.Rule.LOST, SimViolation.Rule.REFUSED),
        new Simulation.Breakage() {
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
        Set.of(SimViolation.Rule.ABSORBED),
        new Simulation.Breakage() {
          @Override
          Log log(Disk disk, int segmentBytes) throws IOException {
            return new BrokenLogs.ChecksumIgnored(disk, segmentBytes);
          }
        });
  }

  @Test
  void tornTailKept() {
    caught(
        "torn tail kept",
        Set.of(SimViolation.Rule.REFUSED),
        new Simulation.Breakage() {
          @Override
          Log log(Disk disk, int segmentBytes) throws IOException {
            return new BrokenLogs.TornTailKept(disk, segmentBytes);
          }
        });
  }

  @Test
  void positionWrittenBeforeState() {
    caught(
        "position written before state",
        Set.of(SimViolation.Rule.POSITION),
        new Simulation.Breakage() {
          @Override
          Log log(Disk disk, int segmentBytes) throws IOException {
            return new BrokenLogs.PositionFirst(disk, segmentBytes);
          }
        });
  }

  @Test
  void idsLostOnRestore() {
    caught(
        "ids lost on restore",
        Set.of(SimViolation.Rule.VERDICT),
        new Simulation.Breakage() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
            return new Memory<>(ids, k0, k1) {
              @Override
              void restoreId(
                  String key,
                  String id,
                  long print,
                  @Nullable Instant time,
                  @Nullable String rejected) {}
            };
          }

          @Override
          boolean looksInside() {
            return false;
          }
        });
  }

  @Test
  void floorKeptPerPartition() {
    caught(
        "floor kept per partition",
        Set.of(SimViolation.Rule.FLOOR),
        new Simulation.Breakage() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
            return new Memory<>(ids, k0, k1) {
              @Override
              long nextFloor(Partition own) {
                return idChoice.kind() == Fold.Ids.Kind.SPAN && own.watermark != Long.MIN_VALUE
                    ? Math.max(floor, own.watermark - idChoice.span().toMillis())
                    : floor;
              }
            };
          }
        });
  }
}
