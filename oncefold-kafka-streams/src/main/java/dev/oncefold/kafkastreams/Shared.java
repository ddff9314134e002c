package dev.oncefold.kafkastreams;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What the tasks of one application in this program know of each other. */
final class Shared {
  private final Set<String> stops = ConcurrentHashMap.newKeySet();
  private final Map<String, Boolean> stopping = new ConcurrentHashMap<>();
  private final Set<String> taken = ConcurrentHashMap.newKeySet();
  private volatile boolean careful;
  private volatile boolean refusalsTaken;

  /** Each state is tried before it is kept. */
  boolean isCareful() {
    return careful;
  }

  void beCareful() {
    careful = true;
  }

  /**
   * Notes that the application stops before an event.
   *
   * @param partition its partition
   * @param position where it stands
   * @return whether it was known before. If not, what was done before the event is not committed: a
   *     new thread does it again and commits after each event, and stops at the event once more
   */
  boolean stopsAt(String partition, String position) {
    stopping.put(partition, true);
    return !stops.add(position);
  }

  /** Whether a stop before an event of this partition is known. */
  boolean stopsIn(String partition) {
    return !stopping.isEmpty() && stopping.containsKey(partition);
  }

  void take(String output) {
    taken.add(output);
  }

  boolean takes(String output) {
    return taken.contains(output);
  }

  void takeRefusals() {
    refusalsTaken = true;
  }

  boolean takesRefusals() {
    return refusalsTaken;
  }
}
