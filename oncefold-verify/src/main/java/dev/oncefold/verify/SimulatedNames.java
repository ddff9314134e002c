package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The names of the files of a simulated disk: in the cache, and on the disk. */
final class SimulatedNames {
  /** A change of the directory: a creation, a renaming or a deletion. */
  record Change(@Nullable String from, @Nullable String to, @Nullable SimulatedFile file) {}

  // Whether unsynced changes survive in any combination instead of in order.
  private final boolean unordered;
  private Map<String, SimulatedFile> cache = new LinkedHashMap<>();
  private final Map<String, SimulatedFile> durable = new LinkedHashMap<>();
  private final List<Change> pending = new ArrayList<>();

  SimulatedNames(boolean unordered) {
    this.unordered = unordered;
  }

  boolean unordered() {
    return unordered;
  }

  Set<String> names() {
    return cache.keySet();
  }

  Collection<SimulatedFile> files() {
    return cache.values();
  }

  @Nullable SimulatedFile get(String name) {
    return cache.get(name);
  }

  void change(Change change) {
    apply(change, cache);
    pending.add(change);
  }

  /** Puts a file there, durably. */
  void put(String name, SimulatedFile file) {
    cache.put(name, file);
    durable.put(name, file);
  }

  /** What a sync would make durable last, or null where there is nothing. */
  @Nullable Change last() {
    return pending.isEmpty() ? null : pending.get(pending.size() - 1);
  }

  void sync() {
    pending.forEach(change -> apply(change, durable));
    pending.clear();
  }

  /** Keeps any part of what is pending, and of each file any part of what is pending there. */
  void losePower(Random random) {
    Set<@Nullable String> lost = new HashSet<>();
    int prefix = random.nextInt(pending.size() + 1);
    for (int i = 0; i < pending.size(); i++) {
      Change change = pending.get(i);
      // Changes of the same names keep their order in any case.
      boolean kept =
          unordered
              ? !lost.contains(change.from) && !lost.contains(change.to) && random.nextBoolean()
              : i < prefix;
      if (kept) {
        apply(change, durable);
      } else {
        lost.add(change.from == null ? change.to : change.from);
        lost.add(change.to == null ? change.from : change.to);
      }
    }
    pending.clear();
    cache = new LinkedHashMap<>(durable);
    cache.forEach(
        (name, file) -> {
          file.name = name;
          file.losePower(random);
        });
  }

  private static void apply(Change change, Map<String, SimulatedFile> to) {
    if (change.from != null) {
      to.remove(change.from);
    }
    if (change.to != null && change.file != null) {
      to.put(change.to, change.file);
      change.file.name = change.to;
    }
  }
}
