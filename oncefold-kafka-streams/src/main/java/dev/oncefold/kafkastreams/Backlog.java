package dev.oncefold.kafkastreams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.StreamsConfig;
import org.jspecify.annotations.Nullable;

/**
 * What of the input is unread: the floor of a task waits for partitions that may still bring it
 * first deliveries. Kafka Streams does not tell a task how far others have come, so the cluster is
 * asked, now and then and by a thread of its own. An answer that comes late, or never, keeps ids
 * longer; it never makes a task forget.
 *
 * <p>It also knows the ids of the topics: one that was made anew under its old name is noticed.
 */
final class Backlog {
  private static final long PAUSE = Duration.ofSeconds(1).toMillis();

  private final List<String> topics;
  private final @Nullable String repartition;
  private final Function<Map<String, Object>, Cluster> connecting;
  private final Map<String, Cluster.Topic> known = new HashMap<>();
  private @Nullable Cluster cluster;
  private @Nullable String application;
  private @Nullable Thread thread;
  private int users;
  private volatile @Nullable Look last;
  private volatile @Nullable String replaced;

  /**
   * What was seen in one look.
   *
   * @param input all partitions of the input
   * @param drained those whose events are all committed: applied, or in the repartition topic
   * @param ends where the partitions of the repartition topic ended, after that
   * @param applied those of them that were committed up to there
   */
  record Look(
      Set<TopicPartition> input,
      Set<TopicPartition> drained,
      Map<Integer, Long> ends,
      Set<Integer> applied) {
    /**
     * Whether everything of an input partition, as of the look, was judged by a task.
     *
     * @param partition the input partition
     * @param task the number of the task's own partition
     * @param next where the task reads on in the repartition topic
     */
    boolean isDrained(TopicPartition partition, int task, long next) {
      return drained.contains(partition)
          && (ends.isEmpty()
              || applied.contains(task)
              || next >= ends.getOrDefault(task, Long.MAX_VALUE));
    }
  }

  /**
   * The backlog of an application.
   *
   * @param topics the topics of the input
   * @param repartition how the repartition topic's name goes on behind the application's id; null
   *     where there is none
   * @param connecting makes a connection of the application's settings
   */
  Backlog(
      List<String> topics,
      @Nullable String repartition,
      Function<Map<String, Object>, Cluster> connecting) {
    this.topics = topics;
    this.repartition = repartition;
    this.connecting = connecting;
  }

  /** A task begins; with the last one that ends the connection is closed. */
  synchronized void enter(Map<String, Object> settings, boolean looking) {
    if (users++ == 0 && !topics.isEmpty()) {
      cluster = connecting.apply(settings);
      application = String.valueOf(settings.get(StreamsConfig.APPLICATION_ID_CONFIG));
    }
    if (looking && thread == null && cluster != null) {
      Thread started = new Thread(this::watch, "oncefold-backlog-" + application);
      started.setDaemon(true);
      started.start();
      thread = started;
    }
  }

  synchronized void leave() {
    if (--users == 0) {
      if (thread != null) {
        thread.interrupt();
        thread = null;
      }
      if (cluster != null) {
        cluster.close();
        cluster = null;
      }
      last = null;
    }
  }

  /**
   * The id of a topic, which it keeps as long as it is not made anew. Where the cluster does not
   * answer in time, the thread's tasks begin again.
   */
  synchronized String topicId(String topic) {
    Cluster.Topic found = known.get(topic);
    if (found == null) {
      Cluster asked = cluster;
      if (asked == null) {
        throw new IllegalStateException("no task has begun");
      }
      try {
        found = asked.topic(topic);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof TimeoutException) {
          // A broker that stands still is asked, too, until it is known to be away.
          throw Routing.again("the topic " + topic + " cannot be described now", e.getCause());
        }
        throw new StreamsFoldException(
            "the topic " + topic + " cannot be described: " + e.getCause(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StreamsFoldException("interrupted while the topic " + topic + " was asked for");
      }
      known.put(topic, found);
    }
    return found.id();
  }

  private void watch() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        look();
      } catch (ExecutionException | RuntimeException e) {
        // The cluster is away: ids are kept longer meanwhile.
        last = null;
      } catch (InterruptedException e) {
        return;
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Looks now. */
  void look() throws ExecutionException, InterruptedException {
    Cluster asked;
    String group;
    synchronized (this) {
      asked = cluster;
      group = application;
    }
    if (asked == null || group == null) {
      return;
    }
    Set<TopicPartition> input = new HashSet<>();
    for (String topic : topics) {
      Cluster.Topic found = asked.topic(topic);
      compare(topic, found);
      for (int i = 0; i < found.partitions(); i++) {
        input.add(new TopicPartition(topic, i));
      }
    }
    Map<TopicPartition, Long> ends = asked.ends(input);
    Map<TopicPartition, Long> committed = asked.committed(group);
    List<TopicPartition> untouched = new ArrayList<>(input);
    untouched.removeAll(committed.keySet());
    Map<TopicPartition, Long> begins = asked.begins(untouched);
    Set<TopicPartition> drained = new HashSet<>();
    for (TopicPartition each : input) {
      long at = committed.getOrDefault(each, begins.getOrDefault(each, -1L));
      if (at >= ends.getOrDefault(each, Long.MAX_VALUE)) {
        drained.add(each);
      }
    }
    last =
        repartition == null
            ? new Look(input, drained, Map.of(), Set.of())
            : behind(asked, group, group + "-" + repartition, input, drained);
  }

  /** What was forwarded by then, and what of it is applied. */
  private static Look behind(
      Cluster cluster,
      String group,
      String topic,
      Set<TopicPartition> input,
      Set<TopicPartition> drained)
      throws ExecutionException, InterruptedException {
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < cluster.topic(topic).partitions(); i++) {
      all.add(new TopicPartition(topic, i));
    }
    Map<Integer, Long> ends = new HashMap<>();
    cluster.ends(all).forEach((partition, end) -> ends.put(partition.partition(), end));
    Map<TopicPartition, Long> committed = cluster.committed(group);
    Set<Integer> applied = new HashSet<>();
    for (TopicPartition each : all) {
      if (committed.getOrDefault(each, 0L) >= ends.getOrDefault(each.partition(), Long.MAX_VALUE)) {
        applied.add(each.partition());
      }
    }
    return new Look(input, drained, ends, applied);
  }

  private synchronized void compare(String topic, Cluster.Topic found) {
    Cluster.Topic before = known.putIfAbsent(topic, found);
    if (before != null && !before.id().equals(found.id())) {
      replaced = topic;
    }
  }

  /** The last look; null where there is none yet, or the cluster is away. */
  @Nullable Look last() {
    return last;
  }

  /** A topic that was deleted and made anew while the application ran; null where none was. */
  @Nullable String replaced() {
    return replaced;
  }
}
