package dev.oncefold.postgres;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows that stay in memory between batches, apart for each partition: where a key turns up in
 * two partitions of one worker, the one's row is not the other's either. The least recently used
 * go.
 *
 * @param <S> the type of one key's state
 */
final class Cache<S> {
  private final int most;
  private final Map<String, LinkedHashMap<String, Cell<S>>> partitions = new HashMap<>();

  Cache(int most) {
    this.most = most;
  }

  void claimed(String partition) {
    partitions.put(partition, new LinkedHashMap<>(16, 0.75f, true));
    // Each has less room from here on.
    partitions.values().forEach(this::trim);
  }

  void released(String partition) {
    partitions.remove(partition);
  }

  /** Drops everything: what it holds may not be what is stored. */
  void clear() {
    partitions.values().forEach(Map::clear);
  }

  @Nullable Cell<S> get(String partition, String key) {
    LinkedHashMap<String, Cell<S>> cells = partitions.get(partition);
    return cells == null ? null : cells.get(key);
  }

  /** Takes in what a committed batch knows. */
  void put(String partition, Iterable<Cell<S>> known) {
    LinkedHashMap<String, Cell<S>> cells = partitions.get(partition);
    if (cells == null || most == 0) {
      return;
    }
    for (Cell<S> cell : known) {
      if (cell.isStored()) {
        cells.put(cell.key, cell);
      } else {
        cells.remove(cell.key);
      }
    }
    trim(cells);
  }

  private void trim(Map<String, Cell<S>> cells) {
    int room = most / partitions.size();
    Iterator<Cell<S>> oldest = cells.values().iterator();
    for (int over = cells.size() - room; over > 0; over--) {
      oldest.next();
      oldest.remove();
    }
  }

  int size() {
    return partitions.values().stream().mapToInt(Map::size).sum();
  }
}
