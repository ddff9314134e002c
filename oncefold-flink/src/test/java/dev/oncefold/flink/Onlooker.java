package dev.oncefold.flink;

import dev.oncefold.Slot;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.jspecify.annotations.Nullable;

/**
 * Writes down what a job went through, by its checkpoints and savepoints as far as they are
 * complete, and not by what it says of itself.
 */
final class Onlooker {
  private final MoveFeed feed;
  private final Consumer<Observation> history;
  private final Snapshots<Trace> snapshots;
  private final Map<String, Long> positions = new TreeMap<>();
  private CrashWorker.@Nullable Life life;
  private @Nullable Saved last;
  private boolean overtaken;

  Onlooker(MoveFeed feed, Consumer<Observation> history) {
    this.feed = feed;
    this.history = history;
    this.snapshots = new Snapshots<>(Trace::text, history);
    for (int i = 0; i < CrashRig.PARTITIONS; i++) {
      positions.put(CrashWorker.INPUT + "-" + i, 0L);
    }
  }

  /** From now on a job is what this process makes of it. */
  void follow(CrashWorker.Life next) {
    life = next;
  }

  /** Tells everything since the last look; answers how many events are read. */
  long look() throws IOException, InterruptedException {
    CrashWorker.Life now = life;
    if (now != null) {
      for (Path each : complete(now.checkpoints(), 2)) {
        committed(each, now.unaligned());
      }
      // By a savepoint a job ends.
      for (Path each : complete(now.savepoints(), 1)) {
        committed(each, false);
      }
    }
    return positions.values().stream().mapToLong(each -> each).sum();
  }

  /** Those that are behind the last, in their order. */
  private List<Path> complete(Path directory, int depth) throws IOException {
    if (!Files.exists(directory)) {
      return List.of();
    }
    TreeMap<Long, Path> found = new TreeMap<>();
    List<Path> all = new ArrayList<>(List.of(directory));
    for (int i = 0; i < depth; i++) {
      List<Path> below = new ArrayList<>();
      for (Path each : all) {
        try (Stream<Path> entries = Files.list(each)) {
          entries.filter(Files::isDirectory).forEach(below::add);
        }
      }
      all = below;
    }
    for (Path each : all) {
      if (Files.exists(each.resolve("_metadata"))) {
        long number = number(each);
        if (last == null || number > last.number()) {
          found.put(number, each);
        }
      }
    }
    return List.copyOf(found.values());
  }

  private static long number(Path path) throws IOException {
    String name = path.getFileName().toString();
    return name.startsWith("chk-")
        ? Long.parseLong(name.substring("chk-".length()))
        : new Saved(path.toUri().toString()).number();
  }

  private void committed(Path path, boolean unaligned) throws IOException, InterruptedException {
    Saved saved = new Saved(path.toUri().toString());
    Map<String, Long> now = saved.positions(CrashWorker.NAME);
    for (int i = 0; i < CrashRig.PARTITIONS; i++) {
      String name = CrashWorker.INPUT + "-" + i;
      long from = positions.getOrDefault(name, 0L);
      long to = now.getOrDefault(name, 0L);
      if (to != from) {
        feed.tell(i, to, history);
        history.accept(new Observation.Commit(name, from, to, 1, null, null, 1, ""));
        positions.put(name, to);
      }
    }
    last = saved;
    overtaken = unaligned;
  }

  /** Where the job goes on from; null where it has not come so far. */
  @Nullable String last() {
    return last == null ? null : last.path();
  }

  /** How many events are read and not judged yet, in the last one. */
  long inFlight() throws IOException {
    Saved now = last;
    return now == null
        ? 0
        : positions.values().stream().mapToLong(each -> each).sum()
            - now.counts(CrashWorker.NAME).events();
  }

  /**
   * Compares all that is stored. An unaligned checkpoint may hold events that are read and not
   * judged yet: of such a one nothing is compared, and all of it by the next that has none.
   */
  void compare() throws Exception {
    Saved now = last;
    if (now == null || (overtaken && inFlight() > 0)) {
      return;
    }
    Map<String, Slot<Trace>> slots =
        now.keys(CrashWorker.NAME, Moves.fold(null), new HashMapStateBackend()).slots();
    snapshots.observe(new TreeMap<>(positions), now.counts(CrashWorker.NAME), null, slots);
  }
}
