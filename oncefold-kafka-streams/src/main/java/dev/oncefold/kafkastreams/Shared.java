package dev.oncefold.kafkastreams;

/** What the tasks of one application in this program know of each other. */
final class Shared {
  private volatile boolean careful;

  /** Each state is tried before it is kept. */
  boolean isCareful() {
    return careful;
  }

  void beCareful() {
    careful = true;
  }
}
