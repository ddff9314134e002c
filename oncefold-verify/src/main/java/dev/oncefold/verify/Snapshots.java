package dev.oncefold.verify;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Tells snapshots to a history by what changed since the one before.
 *
 * @param <S> the type of one key's state
 */
public final class Snapshots<S> {
  private final Function<S, String> text;
  private final Consumer<Observation> history;
  private Map<String, Slot<S>> last = Map.of();

  /**
   * Snapshots of one history.
   *
   * @param text a state in the form of the history's model
   * @param history told of the snapshots
   */
  public Snapshots(Function<S, String> text, Consumer<Observation> history) {
    this.text = text;
    this.history = history;
  }

  /**
   * Tells a snapshot.
   *
   * @param positions the position of each partition
   * @param counts the counts
   * @param floor the floor, or null where the engine does not tell
   * @param slots all slots; kept until the next snapshot, so they must not change
   */
  public void observe(
      Map<String, Long> positions,
      Counts counts,
      @Nullable Long floor,
      Map<String, Slot<S>> slots) {
    Map<String, Observation.Slot> changed = new LinkedHashMap<>();
    slots.forEach(
        (key, slot) -> {
          if (!slot.equals(last.get(key))) {
            changed.put(key, new Observation.Slot(key, slot.version(), text.apply(slot.state())));
          }
        });
    for (String key : last.keySet()) {
      if (!slots.containsKey(key)) {
        changed.put(key, new Observation.Slot(key, 0, null));
      }
    }
    last = new HashMap<>(slots);
    history.accept(new Observation.Snapshot(positions, counts, floor, changed.size()));
    changed.values().forEach(history);
  }
}
