package dev.oncefold.journal;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The committed content of a journal at one point. Immutable.
 *
 * @param sequence how many events were judged
 * @param counts their verdicts
 * @param positions how far each input partition was applied
 * @param slots what is stored for each key
 * @param <S> the type of one key's state
 */
public record View<S>(
    long sequence, Counts counts, Map<String, Position> positions, Map<String, Slot<S>> slots) {
  /**
   * The state of a key.
   *
   * @param key the key
   * @return its state, or null where it has none
   */
  public @Nullable S state(String key) {
    Slot<S> slot = slots.get(key);
    return slot == null ? null : slot.state();
  }
}
