package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** How long a journal takes to open after its process was killed with SIGKILL. */
final class RecoveryTime {
  private RecoveryTime() {}

  static void run(Settings settings) throws IOException, InterruptedException {
    int keys = settings.number("keys", 1_000_000);
    for (String history : List.of("NONE", "FULL")) {
      Path directory = settings.directory();
      Process child =
          new ProcessBuilder(
                  ProcessHandle.current().info().command().orElse("java"),
                  "-Xmx8g",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Main.class.getName(),
                  "recovery-fill",
                  "keys=" + keys,
                  "history=" + history,
                  "journal=" + directory)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
        if (!"filled".equals(out.readLine())) {
          throw new IllegalStateException("the child did not fill the journal");
        }
        child.destroyForcibly().waitFor();
      }
      long snapshot = 0;
      try (var files = Files.list(directory)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".snapshot")).toList()) {
          snapshot += Files.size(file);
        }
      }
      double[] seconds = new double[5];
      for (int i = 0; i < seconds.length; i++) {
        // Closing marks the log, so only the first opening is after a kill; the rest read the same.
        long begin = System.nanoTime();
        try (var journal = Journal.open(directory, Workload.fold(), options(history))) {
          seconds[i] = (System.nanoTime() - begin) / 1e9;
          if (journal.view().slots().size() != keys) {
            throw new IllegalStateException("keys are missing");
          }
        }
        System.gc();
      }
      System.out.printf(
          "history %s: %,d keys, as many ids; log %,d MiB, snapshots %,d MiB: opened after kill -9 in"
              + " %.2f s; four times more: median %.2f s%n",
          history,
          keys,
          (Settings.size(directory) - snapshot) >> 20,
          snapshot >> 20,
          seconds[0],
          Throughput.median(Arrays.copyOfRange(seconds, 1, 5)));
      Settings.delete(directory);
    }
  }

  private static Options options(String history) {
    return Options.defaults().history(Options.History.valueOf(history));
  }

  /** The child: one event for each key, then waits to be killed. */
  static void fill(Settings settings) throws InterruptedException, IOException {
    int keys = settings.number("keys", 1_000_000);
    Path directory = Path.of(settings.text("journal", ""));
    Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold = Workload.fold();
    SplittableRandom random = new SplittableRandom(1);
    List<Received<Workload.Payment>> events = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      Event<Workload.Payment> event =
          new Event<>(
              "payment-" + i,
              "account-" + i,
              Workload.BEGIN.plusMillis(i),
              new Workload.Payment("account-" + i, "deposit", random.nextInt(1000)));
      events.add(Received.of(i, new Position(i + 1, 0), event));
    }
    Journal<Workload.Account, Workload.Payment, Workload.Receipt> journal =
        Journal.open(directory, fold, options(settings.text("history", "FULL")));
    new Runner<>(journal, fold, List.of(new Workload.InMemory(events)), Clock.systemUTC()).run();
    System.out.println("filled");
    System.out.flush();
    System.in.read();
  }
}
