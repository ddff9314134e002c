package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Rule;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Engines that are wrong in one step each: a {@link ToyStore}, which is sound as it is, with that
 * step broken. The checker names the rule.
 */
class BrokenToysTest {
  private static final int SEEDS = 2000;
  private static final int EVENTS = 40;

  private static ToyRun run(long seed, ToyRun.Toy toy) {
    return new ToyRun(seed, EVENTS, toy, Observation.Needs.LEAST).run(true);
  }

  private static void caught(String what, ToyRun.Toy toy, Rule rule, String... faults) {
    for (long seed = 0; seed < SEEDS; seed++) {
      if (Checker.check(run(seed, toy)) instanceof Result.Fail fail
          && fail.figures().landed().keySet().containsAll(List.of(faults))
          && fail.violations().stream().anyMatch(violation -> violation.rule() == rule)) {
        System.out.println(
            "Broken engine, " + what + ": " + rule + " after " + (seed + 1) + " seeds");
        return;
      }
    }
    throw new AssertionError(what + " is not caught in " + SEEDS + " seeds by " + rule);
  }

  @Test
  void theSoundOnePasses() {
    int kills = 0;
    int openCommits = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      Result result = Checker.check(run(seed, new ToyRun.Toy()));
      assertThat(result).as("seed " + seed).isInstanceOf(Result.Pass.class);
      kills += result.figures().kills();
      openCommits += result.figures().openCommits();
    }
    System.out.println(
        "Sound toy: "
            + SEEDS
            + " seeds, "
            + kills
            + " kills, "
            + openCommits
            + " with an open commit, no false alarm");
    assertThat(openCommits).isGreaterThan(SEEDS / 10);
  }

  @Test
  void theSoundOneWithoutIdsPasses() {
    for (long seed = 0; seed < SEEDS / 10; seed++) {
      assertThat(
              Checker.check(
                  run(
                      seed,
                      new ToyRun.Toy() {
                        @Override
                        boolean ids() {
                          return false;
                        }
                      })))
          .as("seed " + seed)
          .isInstanceOf(Result.Pass.class);
    }
  }

  /** Commits some parts in a frame of their own, before or behind the others. */
  private static ToyRun.Toy apart(ToyLog.Kind kind, boolean first, boolean ids) {
    return new ToyRun.Toy() {
      @Override
      boolean ids() {
        return ids;
      }

      @Override
      ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
        return new ToyStore(log, fold, observer) {
          @Override
          List<List<ToyLog.Part>> frames(List<ToyLog.Part> parts) {
            List<ToyLog.Part> own = parts.stream().filter(p -> p.kind() == kind).toList();
            List<ToyLog.Part> rest = parts.stream().filter(p -> p.kind() != kind).toList();
            return first ? List.of(own, rest) : List.of(rest, own);
          }
        };
      }
    };
  }

  @Test
  void positionBeforeState() {
    caught("position before state", apart(ToyLog.Kind.POSITION, true, true), Rule.C1);
  }

  @Test
  void positionAndStateInTwoBatches() {
    caught("position and state in two batches", apart(ToyLog.Kind.POSITION, true, true), Rule.C9);
  }

  @Test
  void stateBeforePositionWithoutIds() {
    caught("state before position without ids", apart(ToyLog.Kind.POSITION, false, false), Rule.C2);
  }

  @Test
  void idsInASeparateCommit() {
    caught("ids in a separate commit", apart(ToyLog.Kind.IDS, false, true), Rule.C2);
    caught("ids in a separate commit, before", apart(ToyLog.Kind.IDS, true, true), Rule.C1);
  }

  @Test
  void outputsOutsideTheCommit() {
    caught("outputs behind the commit", apart(ToyLog.Kind.OUTPUTS, false, true), Rule.C5);
    caught("outputs before the commit", apart(ToyLog.Kind.OUTPUTS, true, true), Rule.C6);
  }

  @Test
  void outputOfAnAbortedAttemptKept() {
    caught("output of an aborted attempt kept", apart(ToyLog.Kind.OUTPUTS, true, true), Rule.C3);
  }

  @Test
  void transferAsTwoCommits() {
    caught(
        "transfer as two commits",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              List<List<ToyLog.Part>> frames(List<ToyLog.Part> parts) {
                List<List<ToyLog.Part>> frames = new ArrayList<>();
                List<ToyLog.Part> rest = new ArrayList<>();
                for (ToyLog.Part part : parts) {
                  if (part.kind() == ToyLog.Kind.EFFECTS) {
                    part.lines()
                        .forEach(
                            l -> frames.add(List.of(new ToyLog.Part(part.kind(), List.of(l)))));
                  } else {
                    rest.add(part);
                  }
                }
                frames.add(rest);
                return frames;
              }
            };
          }
        },
        Rule.C7);
  }

  @Test
  void noFence() {
    caught(
        "no fence",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              boolean holds(Claim claim, Position from) {
                return true;
              }
            };
          }
        },
        Rule.C10);
  }

  @Test
  void blindRetryAfterAnAmbiguousCommit() {
    caught(
        "blind retry after an ambiguous commit",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              void write(List<ToyLog.Part> frame) throws IOException {
                try {
                  super.write(frame);
                } catch (IOException e) {
                  super.write(frame);
                }
              }
            };
          }
        },
        Rule.C2,
        "F6");
  }

  @Test
  void fsyncErrorIgnored() {
    caught(
        "fsync error ignored",
        new ToyRun.Toy() {
          @Override
          ToyLog log(Disk disk) {
            return new ToyLog(disk) {
              @Override
              void sync(Disk.Handle log) {
                try {
                  log.sync();
                } catch (IOException e) {
                  // It will have worked.
                }
              }
            };
          }
        },
        Rule.C1,
        "F4",
        "F6");
  }

  @Test
  void checksumIgnored() {
    caught(
        "checksum ignored",
        new ToyRun.Toy() {
          @Override
          ToyLog log(Disk disk) {
            return new ToyLog(disk) {
              @Override
              boolean intact(int stored, int computed) {
                return true;
              }
            };
          }
        },
        Rule.C11);
  }

  @Test
  void tornTailKept() {
    caught(
        "recovery that keeps the torn tail",
        new ToyRun.Toy() {
          @Override
          ToyLog log(Disk disk) {
            return new ToyLog(disk) {
              @Override
              List<Part> ofTail(byte[] tail) {
                try {
                  return partsOfTail(tail);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              }
            };
          }
        },
        Rule.C5);
  }

  @Test
  void queriesReadWhatIsNotCommitted() {
    caught(
        "queries read what is not committed",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              Map<String, Slot<Trace>> query() {
                Map<String, Slot<Trace>> shown = new TreeMap<>(slots);
                shown.putAll(judged);
                return shown;
              }
            };
          }
        },
        Rule.C8);
  }

  @Test
  void reorderedWithinAKey() {
    caught(
        "asynchronous reorder per key",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              List<Effect> order(List<Effect> effects) {
                List<Effect> late = new ArrayList<>(effects);
                Collections.reverse(late);
                return late;
              }
            };
          }
        },
        Rule.C4);
  }

  @Test
  void failedEventLoggedAndSkipped() {
    caught(
        "failed event logged and skipped",
        new ToyRun.Toy() {
          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            return new ToyStore(log, fold, observer) {
              @Override
              boolean counts(Verdict<Trace, String> verdict) {
                return !(verdict instanceof Verdict.Failed);
              }
            };
          }
        },
        Rule.C13);
  }

  @Test
  void stallsForever() {
    caught(
        "stalls forever",
        new ToyRun.Toy() {
          private int lives;

          @Override
          ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
            // Waits for the one before to give its lock back, who was killed.
            boolean waits = lives++ > 0;
            return new ToyStore(log, fold, observer) {
              @Override
              boolean goesOn() {
                return !waits;
              }
            };
          }
        },
        Rule.C12);
  }

  // ---------------------------------------------------------------- what proves nothing

  private static void isInvalid(Result result, String because) {
    assertThat(result).isInstanceOf(Result.Invalid.class);
    assertThat(((Result.Invalid) result).reasons()).anyMatch(reason -> reason.contains(because));
  }

  @Test
  void faultsThatDoNothingProveNothing() {
    Observation.Needs needs = new Observation.Needs(1, 1, 0, 1, List.of("F4"));
    ToyRun calm = new ToyRun(3, EVENTS, new ToyRun.Toy(), needs).run(false);
    isInvalid(Checker.check(calm), "F4");
    isInvalid(Checker.check(calm), "it needs 1 kills");
  }

  @Test
  void anEmptyInputProvesNothing() {
    isInvalid(
        Checker.check(new ToyRun(3, 0, new ToyRun.Toy(), Observation.Needs.LEAST).run(true)),
        "committed events");
  }

  @Test
  void aSeamThatIsNeverReachedProvesNothing() {
    Observation.Needs needs = new Observation.Needs(1, 0, 1000, 1, List.of());
    isInvalid(
        Checker.check(new ToyRun(3, EVENTS, new ToyRun.Toy(), needs).run(true)),
        "kills inside an open commit");
  }

  @Test
  void halfAHistoryProvesNothing() {
    List<Observation> all = new ArrayList<>();
    run(3, new ToyRun.Toy()).read(all::add);
    isInvalid(Checker.check(each -> all.subList(0, all.size() / 2).forEach(each)), "incomplete");
  }
}
