package dev.oncefold.journal;

import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Rule;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Journals that forget too much on purpose. */
class BrokenMemoriesTest {
  /** Wrong inside, and looked at from outside only. */
  private abstract static class FromOutside extends SimBreakage {
    @Override
    boolean looksInside() {
      return false;
    }
  }

  @Test
  void idsLostOnRestore() {
    BrokenJournalsTest.caught(
        "ids lost on restore",
        Rule.C2,
        new FromOutside() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
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
        });
  }

  @Test
  void idsForgottenEarly() {
    BrokenJournalsTest.caught(
        "ids forgotten early",
        Rule.C2,
        new FromOutside() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
            return new Memory<>(ids, k0, k1) {
              @Override
              void raiseFloor(long to) {
                super.raiseFloor(to);
                this.ids.forget(to + idChoice.span().toMillis() / 2);
              }
            };
          }
        });
  }

  @Test
  void idsForgottenByWallClock() {
    BrokenJournalsTest.caught(
        "ids forgotten by wall clock",
        Rule.C2,
        "F16",
        new FromOutside() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
            return new Memory<>(ids, k0, k1) {
              @Override
              long nextFloor(Partition own) {
                if (idChoice.kind() == Fold.Ids.Kind.SPAN) {
                  this.ids.forget(clock.millis() - idChoice.span().toMillis());
                }
                return super.nextFloor(own);
              }
            };
          }
        });
  }

  /** Raises the floor by what one partition has seen, whatever the others have still to read. */
  private static final class OwnFloor<S> extends Memory<S> {
    OwnFloor(Fold.Ids ids, long k0, long k1) {
      super(ids, k0, k1);
    }

    long floorOf(Partition own) {
      return idChoice.kind() == Fold.Ids.Kind.SPAN && own.watermark != Long.MIN_VALUE
          ? own.watermark - idChoice.span().toMillis()
          : Long.MIN_VALUE;
    }

    @Override
    long nextFloor(Partition own) {
      return Math.max(floor, floorOf(own));
    }
  }

  @Test
  void floorRaisedByOnePartitionAlone() {
    BrokenJournalsTest.found(
        "floor raised by one partition alone",
        SimViolation.Rule.FLOOR, // it expires what others deliver for the first time
        new SimBreakage() {
          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
            return new OwnFloor<>(ids, k0, k1);
          }
        });
  }

  @Test
  void floorKeptPerPartition() {
    BrokenJournalsTest.caught(
        "floor kept per partition",
        Rule.C2,
        new FromOutside() {
          private @Nullable OwnFloor<?> memory;

          @Override
          <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
            OwnFloor<S> made = new OwnFloor<>(ids, k0, k1);
            memory = made;
            return made;
          }

          private long floorOf(String partition) {
            OwnFloor<?> own = memory;
            return own == null ? Long.MIN_VALUE : own.floorOf(own.partition(partition));
          }

          @Override
          Store<SimFold.Trace, SimFold.Op, String> store(
              Store<SimFold.Trace, SimFold.Op, String> store) {
            return new Judging(store, this::floorOf);
          }
        });
  }

  /** Judges the batches of each partition under a floor of its own. */
  private record Judging(
      Store<SimFold.Trace, SimFold.Op, String> store, ToLongFunction<String> floors)
      implements Store<SimFold.Trace, SimFold.Op, String> {
    @Override
    public Claim claim(String partition) {
      return store.claim(partition);
    }

    @Override
    public void caughtUp(Claim claim) {
      store.caughtUp(claim);
    }

    @Override
    public Batch<SimFold.Trace, SimFold.Op, String> begin(Claim claim, Position from) {
      long floor = floors.applyAsLong(claim.partition());
      Batch<SimFold.Trace, SimFold.Op, String> batch = store.begin(claim, from);
      return new Batch<>() {
        @Override
        public long floor() {
          return floor;
        }

        @Override
        public void load(List<Received<SimFold.Op>> events) {
          batch.load(events);
        }

        @Override
        public void add(Received<SimFold.Op> received, Verdict<SimFold.Trace, String> verdict) {
          batch.add(received, verdict);
        }

        @Override
        public boolean isFull() {
          return batch.isFull();
        }

        @Override
        public CompletableFuture<Position> commit(Position to, boolean unread) {
          return batch.commit(to, unread);
        }

        @Override
        public void close() {
          batch.close();
        }

        @Override
        public @Nullable Slot<SimFold.Trace> slot(String key) {
          return batch.slot(key);
        }

        @Override
        public @Nullable Remembered remembered(String key, String id) {
          return batch.remembered(key, id);
        }
      };
    }
  }
}
