package dev.oncefold.verify;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ids that an engine must know: those above the floor. What lies below is swept out once it may
 * be half of all, so that each id is looked at a constant number of times.
 */
final class RememberedIds {
  private static final int LEAST = 1024;

  private final Map<String, Known> known = new HashMap<>();
  private int sweepAt = LEAST;

  /**
   * What is known of an id.
   *
   * @param payload a hash of the payload it came with
   * @param time its event time
   */
  record Known(long payload, long time) {}

  @Nullable Known find(String key, String id, long floor) {
    Known found = known.get(name(key, id));
    return found == null || found.time() <= floor ? null : found;
  }

  void remember(String key, String id, long payload, @Nullable Long time, long floor) {
    if (known.size() >= sweepAt) {
      known.values().removeIf(old -> old.time() <= floor);
      sweepAt = Math.max(LEAST, 2 * known.size());
    }
    known.put(name(key, id), new Known(payload, time == null ? Long.MAX_VALUE : time));
  }

  private static String name(String key, String id) {
    return key.length() + " " + key + id;
  }
}
