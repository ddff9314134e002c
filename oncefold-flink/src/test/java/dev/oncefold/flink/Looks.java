package dev.oncefold.flink;

import dev.oncefold.testkit.Patience;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/** The cluster, and how often it was looked at for each group. */
final class Looks extends Through {
  private static final Map<String, AtomicLong> BEGUN = new ConcurrentHashMap<>();

  private final String group;

  private Looks(Properties settings) {
    super(new KafkaCluster(settings));
    group = settings.getProperty("group.id", "");
  }

  static Cluster connect(Properties settings) {
    return new Looks(settings);
  }

  private static AtomicLong of(String group) {
    return BEGUN.computeIfAbsent(group, each -> new AtomicLong());
  }

  /**
   * Waits until all that is read now is known to be read: a second look begins behind the first.
   */
  static void await(String group) throws Exception {
    long before = of(group).get();
    Patience.await(
        Patience.USUAL, () -> of(group).get() >= before + 2 ? null : "a look at the input");
  }

  @Override
  public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) throws Exception {
    of(group).incrementAndGet();
    return super.ends(partitions);
  }
}
