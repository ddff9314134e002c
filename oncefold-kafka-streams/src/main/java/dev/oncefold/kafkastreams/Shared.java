package dev.oncefold.kafkastreams;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the tasks of one application in this program know of each other. */
final class Shared {
  // With the threads that work at them.
  private final Map<FoldStore<?>, Thread> begun = new ConcurrentHashMap<>();
  private volatile boolean careful;

  /** Each state is tried before it is kept. */
  boolean isCareful() {
    return careful;
  }

  void beCareful() {
    careful = true;
  }

  /** The thread that calls works at the store's task, until {@link #ends}. */
  void begins(FoldStore<?> store) {
    begun.put(store, Thread.currentThread());
  }

  void ends(FoldStore<?> store) {
    begun.remove(store);
  }

  /** Has all stores written that the thread works at that calls: no other thread may touch them. */
  void writeAll() {
    Thread here = Thread.currentThread();
    begun.forEach(
        (store, thread) -> {
          if (thread == here) {
            store.write();
          }
        });
  }
}
