package dev.oncefold.bench;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Store;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Events per second with and without a journal, and what the disk itself takes, in turn: A B C D A
 * B C D, so that a machine that changes its speed changes it for all.
 */
final class Throughput {
  private static final int GROUP = 1 << 20;

  private Throughput() {}

  static void run(Settings settings) throws IOException, InterruptedException {
    int count = settings.number("events", 1_000_000);
    int rounds = settings.number("rounds", 5);
    String only = settings.text("only", "");
    List<Received<Workload.Payment>> events =
        Workload.events(count, settings.number("accounts", 100_000), 42);
    Map<String, double[]> rates = new LinkedHashMap<>();
    long[] bytes = new long[2];
    for (int round = -1; round < rounds; round++) {
      for (String variant : List.of("no journal", "history none", "history full", "disk")) {
        if (!variant.contains(only)) {
          continue;
        }
        double seconds =
            switch (variant) {
              case "no journal" -> judge(events, new MemoryStore<>(new Kernel<>(Workload.fold())));
              case "history none" -> journal(settings, events, Options.History.NONE, bytes, 0);
              case "history full" -> journal(settings, events, Options.History.FULL, bytes, 1);
              default -> disk(settings, bytes[1] > 0 ? bytes[1] : 100L << 20);
            };
        System.gc();
        if (round >= 0) { // the first round only warms up
          rates.computeIfAbsent(variant, v -> new double[rounds])[round] = count / seconds;
          System.out.printf(
              "round %d  %-12s  %,10.0f events/s%n", round + 1, variant, count / seconds);
        }
      }
    }
    System.out.printf(
        "%n%-12s  %12s  %12s  %12s  %10s%n",
        "median of " + rounds, "events/s", "least", "most", "bytes/event");
    rates.forEach(
        (variant, rate) ->
            System.out.printf(
                "%-12s  %,12.0f  %,12.0f  %,12.0f  %10s%n",
                variant,
                median(rate),
                Arrays.stream(rate).min().orElse(0),
                Arrays.stream(rate).max().orElse(0),
                switch (variant) {
                  case "history none" -> String.valueOf(bytes[0] / count);
                  case "history full", "disk" -> String.valueOf(bytes[1] / count);
                  default -> "";
                }));
    double[] limit = rates.get("no journal");
    for (String variant : List.of("history none", "history full")) {
      double[] rate = rates.get(variant);
      if (limit != null && rate != null) {
        double[] ratio = new double[rounds];
        for (int i = 0; i < rounds; i++) {
          ratio[i] = rate[i] / limit[i];
        }
        System.out.printf(
            "%s / no journal, round by round: median %.2f (%.2f to %.2f)%n",
            variant,
            median(ratio),
            Arrays.stream(ratio).min().orElse(0),
            Arrays.stream(ratio).max().orElse(0));
      }
    }
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private static double journal(
      Settings settings,
      List<Received<Workload.Payment>> events,
      Options.History history,
      long[] bytes,
      int place)
      throws IOException, InterruptedException {
    Path directory = settings.directory();
    Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold = Workload.fold();
    double seconds;
    try (Journal<Workload.Account, Workload.Payment, Workload.Receipt> journal =
        Journal.open(
            directory, fold, Options.defaults().history(history).retainBytes(Long.MAX_VALUE))) {
      seconds = judge(events, journal);
    }
    bytes[place] = Settings.size(directory);
    Settings.delete(directory);
    return seconds;
  }

  private static double judge(
      List<Received<Workload.Payment>> events,
      Store<Workload.Account, Workload.Payment, Workload.Receipt> store)
      throws InterruptedException {
    Runner<Workload.Account, Workload.Payment, Workload.Receipt> runner =
        new Runner<>(
            store, Workload.fold(), List.of(new Workload.InMemory(events)), Clock.systemUTC());
    long begin = System.nanoTime();
    Counts counts = runner.run(); // returns when everything is durable
    double seconds = (System.nanoTime() - begin) / 1e9;
    if (counts.events() != events.size() || counts.duplicates() == 0 || counts.failed() != 0) {
      throw new IllegalStateException("the run did not do its work: " + counts);
    }
    return seconds;
  }

  /**
   * Writes and syncs as many bytes as the full journal did, in groups, into a preallocated file.
   */
  private static double disk(Settings settings, long bytes) throws IOException {
    Path directory = settings.directory();
    ByteBuffer group = ByteBuffer.allocate(GROUP);
    double seconds;
    try (FileChannel file =
        FileChannel.open(
            directory.resolve("data"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (long at = 0; at < bytes; at += GROUP) {
        file.write(group.clear(), at);
      }
      file.force(false);
      long begin = System.nanoTime();
      for (long at = 0; at < bytes; at += GROUP) {
        file.write(group.clear(), at);
        file.force(false);
      }
      seconds = (System.nanoTime() - begin) / 1e9;
    }
    Settings.delete(directory);
    return seconds;
  }
}
