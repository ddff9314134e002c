package dev.oncefold.journal;

import dev.oncefold.Fold;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** All that a seed decides before a run begins. */
final class SimSettings {
  final long seed;
  final boolean unorderedNames;
  final Fold<SimFold.Trace, SimFold.Op, String> fold;
  final Options options;
  final SimClock clock = new SimClock();
  final boolean lateSnapshots;
  final boolean lazySinks;
  final int largestPoll;
  // The partitions of each source.
  final List<List<Integer>> sources = new ArrayList<>();
  // In which life three crashes in a row begin; 0 for none.
  final int stormAt;
  final SimWorkload workload;

  SimSettings(long seed, int mostEvents) {
    this.seed = seed;
    Random input = random(1);
    this.unorderedNames = input.nextBoolean();
    int partitions = 1 + input.nextInt(4);
    int events = Math.min(mostEvents, 5 + input.nextInt(70));
    this.fold = fold(input);
    this.options = options(input);
    this.lateSnapshots = input.nextBoolean();
    this.lazySinks = input.nextInt(3) == 0;
    this.largestPoll = List.of(1, 4, 30).get(input.nextInt(3));
    boolean apart = input.nextBoolean();
    for (int i = 0; i < partitions; i++) {
      if (i == 0 || apart) {
        sources.add(new ArrayList<>());
      }
      sources.get(sources.size() - 1).add(i);
    }
    this.stormAt = input.nextInt(4) == 0 ? 1 + input.nextInt(4) : 0;
    this.workload = new SimWorkload(input, partitions, events);
    this.clock.now = workload.end;
  }

  /** Streams apart from each other, so that leaving out a fault or an event changes no other. */
  Random random(int stream) {
    return new Random(new SplittableRandom(seed * 8 + stream).nextLong());
  }

  private static Fold<SimFold.Trace, SimFold.Op, String> fold(Random input) {
    return SimFold.of(
        switch (input.nextInt(10)) {
          case 0 -> Fold.Builder::rememberingForever;
          case 1 -> Fold.Builder::rememberingNoIds;
          case 2, 3 -> fold -> fold.remembering(SimWorkload.SPAN).atMost(3 + input.nextInt(20));
          default -> fold -> fold.remembering(SimWorkload.SPAN);
        });
  }

  private Options options(Random input) {
    Options made =
        Options.defaults()
            .clock(clock)
            .segmentBytes(1 << 16)
            .snapshotBytes(List.of(300, 2000, 10_000, 60_000).get(input.nextInt(4)))
            .groupBytes(List.of(1, 300, 2000, 30_000).get(input.nextInt(4)))
            .queue(1000);
    return switch (input.nextInt(6)) {
      case 0, 1, 2 -> made.history(Options.History.FULL);
      case 3 -> made.history(Options.History.FULL).retainBytes(70_000);
      case 4 -> made.history(Options.History.NONE).retainBytes(50_000);
      default -> made.history(Options.History.NONE);
    };
  }
}
