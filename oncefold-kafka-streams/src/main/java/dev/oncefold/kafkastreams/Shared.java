package dev.oncefold.kafkastreams;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What the tasks of one application in this program know of each other. */
final class Shared {
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
