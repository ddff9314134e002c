package dev.oncefold.bench;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.Model;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * How long the checker takes for the history of a crash run: deposits over many keys, one in twelve
 * sent again, an output for each, and a snapshot after every kill.
 */
final class CheckerTime {
  private static final int BATCH = 500;
  private static final int KILLS = 60;
  private static final String PARTITION = "p0";

  private CheckerTime() {}

  static void run(Settings settings) throws IOException {
    int events = settings.number("events", 1_000_000);
    int keys = settings.number("keys", 100_000);
    Path directory = settings.directory();
    Files.createDirectories(directory);
    Path file = directory.resolve("history.ndjson");
    write(file, events, keys);
    System.out.printf(
        "a history of %,d events over %,d keys, %,d kills: %,d MiB%n",
        events, keys, KILLS, Files.size(file) >> 20);
    double[] seconds = new double[settings.number("runs", 5)];
    for (int i = 0; i < seconds.length; i++) {
      long begin = System.nanoTime();
      Result result = Checker.check(new HistoryFile(file));
      seconds[i] = (System.nanoTime() - begin) / 1e9;
      if (!(result instanceof Result.Pass) || result.figures().counts().events() != events) {
        throw new IllegalStateException("a sound history is " + result);
      }
      System.out.printf("checked from the file in %.2f s%n", seconds[i]);
    }
    System.out.printf(
        "median %.2f s, %,.0f events/s%n",
        Throughput.median(seconds), events / Throughput.median(seconds));
    Settings.delete(directory);
  }

  private static void write(Path file, int events, int keys) {
    try (HistoryWriter history = new HistoryWriter(file)) {
      new Made(history, keys).write(events);
    }
  }

  /** An engine that makes no mistake, and what is seen of it. */
  private static final class Made {
    private final HistoryWriter history;
    private final int keys;
    private final SplittableRandom random = new SplittableRandom(1);
    private final TraceModel model = new TraceModel();
    private final Map<String, Slot<String>> slots = new HashMap<>();
    private final List<Observation.Input> inputs = new ArrayList<>();
    private final Set<String> known = new HashSet<>();
    private final Counts.Tally tally = new Counts.Tally();
    private final Snapshots<String> snapshots;

    Made(HistoryWriter history, int keys) {
      this.history = history;
      this.keys = keys;
      this.snapshots = new Snapshots<>(state -> state, history);
    }

    void write(int events) {
      history.accept(
          new Observation.Begin(
              "none",
              "moves",
              1,
              TraceModel.NAME,
              Observation.Begin.FOREVER,
              null,
              new Observation.Needs(events, KILLS, KILLS / 2, KILLS, List.of("F2")),
              Map.of()));
      int batches = (events + BATCH - 1) / BATCH;
      for (int batch = 0; batch < batches; batch++) {
        commit(batch * BATCH, Math.min(events, (batch + 1) * BATCH));
        if ((batch + 1) * KILLS / batches > batch * KILLS / batches) {
          history.accept(new Observation.Fault("F2", "SIGKILL", true, true, batch % 3 != 0));
          snapshots.observe(Map.of(PARTITION, (long) inputs.size()), tally.counts(), null, slots);
        }
      }
      history.accept(new Observation.Complete("file"));
      history.accept(new Observation.End(0));
    }

    private void commit(int from, int to) {
      StringBuilder verdicts = new StringBuilder();
      List<Observation> outputs = new ArrayList<>();
      for (int i = from; i < to; i++) {
        Observation.Input input = input(i);
        inputs.add(input);
        history.accept(input);
        Verdict.Kind verdict =
            known.add(String.valueOf(input.id())) ? apply(input, outputs) : Verdict.Kind.DUPLICATE;
        tally.add(verdict, verdict == Verdict.Kind.APPLIED ? 1 : 0);
        verdicts.append(Letters.of(verdict));
      }
      history.accept(
          new Observation.Commit(PARTITION, from, to, 1, null, null, 1, verdicts.toString()));
      outputs.forEach(history);
    }

    private Observation.Input input(int at) {
      if (at > 0 && random.nextInt(12) == 0) {
        Observation.Input again = inputs.get(random.nextInt(at));
        return new Observation.Input(
            PARTITION, at, at + 1, again.key(), again.id(), again.time(), again.payload());
      }
      String key = "account-" + random.nextInt(keys);
      Move move = new Move(at, List.of(key), List.of((long) random.nextInt(1000)));
      return new Observation.Input(
          PARTITION, at, at + 1, key, "payment-" + at, 1_700_000_000_000L + at, move.text());
    }

    private Verdict.Kind apply(Observation.Input input, List<Observation> outputs) {
      Model.Effect effect =
          model.judge(input, 1, key -> slots.containsKey(key) ? slots.get(key).state() : null);
      for (Model.Change change : effect.changes()) {
        Slot<String> before = slots.get(change.key());
        slots.put(
            change.key(),
            new Slot<>(String.valueOf(change.state()), before == null ? 1 : before.version() + 1));
      }
      for (Model.Emitted output : effect.outputs()) {
        String key = String.valueOf(input.key());
        outputs.add(
            new Observation.Output(
                "file",
                output.name(),
                key,
                "moves/" + key + '/' + input.id() + "/0",
                output.value()));
      }
      return effect.verdict();
    }
  }
}
