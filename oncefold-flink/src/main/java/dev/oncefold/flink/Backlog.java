package dev.oncefold.flink;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Whether the partitions of a reader have anything unread: those that have not do not hold the
 * floor. The cluster is asked, now and then, by a thread of its own. An answer that comes late, or
 * never, keeps ids longer; it never makes anybody forget.
 */
final class Backlog implements AutoCloseable {
  private final Inlet<?> inlet;
  private final Collection<Lane> lanes;
  private final Thread thread;
  private volatile @Nullable Map<TopicPartition, Long> drained;
  private volatile CompletableFuture<Void> seen = new CompletableFuture<>();
  private volatile boolean over;
  private boolean ending;

  /**
   * Begins to look.
   *
   * @param lanes the partitions of the reader; may grow meanwhile
   */
  Backlog(Inlet<?> inlet, Collection<Lane> lanes) {
    this.inlet = inlet;
    this.lanes = lanes;
    this.thread = new Thread(this::watch, "oncefold-backlog-" + inlet.group());
    thread.setDaemon(true);
    thread.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    thread.start();
  }

  /** Is complete once there is something to {@link #take}. */
  CompletableFuture<Void> seen() {
    return seen;
  }

  /**
   * Where the partitions stood that had been read to their ends, in the last look; null where there
   * was none since the last time.
   */
  @Nullable Map<TopicPartition, Long> take() {
    Map<TopicPartition, Long> found = drained;
    if (found != null) {
      drained = null;
      seen = new CompletableFuture<>();
    }
    return found;
  }

  private void watch() {
    Cluster cluster = null;
    try {
      while (!over) {
        try {
          if (cluster == null) {
            cluster = inlet.connect();
          }
          drained = look(cluster);
          seen.complete(null);
        } catch (InterruptedException e) {
          return;
        } catch (Exception e) {
          // The cluster is away: ids are kept longer meanwhile.
          drained = null;
        }
        do {
          LockSupport.parkNanos(inlet.pause() * 1_000_000);
        } while (drained != null && !over); // an answer that nobody has taken is not asked again
      }
    } finally {
      synchronized (this) {
        // Kafka's clients do not close in order while they are interrupted.
        ending = true;
        Thread.interrupted();
      }
      if (cluster != null) {
        cluster.close();
      }
    }
  }

  private Map<TopicPartition, Long> look(Cluster cluster) throws Exception {
    Map<TopicPartition, Long> at = new HashMap<>();
    List<TopicPartition> begin = new ArrayList<>();
    for (Lane each : lanes) {
      at.put(each.partition, each.next);
      if (each.next < 0) {
        begin.add(each.partition);
      }
    }
    Map<TopicPartition, Long> begins = cluster.begins(begin);
    Map<TopicPartition, Long> ends = cluster.ends(at.keySet());
    Map<TopicPartition, Long> found = new HashMap<>();
    for (Map.Entry<TopicPartition, Long> each : at.entrySet()) {
      TopicPartition partition = each.getKey();
      long from = begins.getOrDefault(partition, each.getValue());
      Long end = ends.get(partition);
      if (end != null && (from >= end || cluster.isBare(partition, from, end))) {
        found.put(partition, each.getValue());
      }
    }
    return found;
  }

  @Override
  public void close() {
    over = true;
    synchronized (this) {
      if (!ending) {
        thread.interrupt();
      }
    }
  }
}
