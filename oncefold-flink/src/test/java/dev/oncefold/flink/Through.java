package dev.oncefold.flink;

import java.util.Collection;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The cluster, for a test that watches some of what it is asked. */
abstract class Through implements Cluster {
  private final Cluster cluster;

  Through(Cluster cluster) {
    this.cluster = cluster;
  }

  @Override
  public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) throws Exception {
    return cluster.ends(partitions);
  }

  @Override
  public Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions) throws Exception {
    return cluster.begins(partitions);
  }

  @Override
  public Map<TopicPartition, Long> committed(String group) throws Exception {
    return cluster.committed(group);
  }

  @Override
  public @Nullable String note(String group, TopicPartition partition) throws Exception {
    return cluster.note(group, partition);
  }

  @Override
  public void note(String group, TopicPartition partition, String text) throws Exception {
    cluster.note(group, partition, text);
  }

  @Override
  public boolean isBare(TopicPartition partition, long from, long to) throws Exception {
    return cluster.isBare(partition, from, to);
  }

  @Override
  public boolean isCommitted(String name, long producer, short epoch) throws Exception {
    return cluster.isCommitted(name, producer, epoch);
  }

  @Override
  public long longestTransaction() throws Exception {
    return cluster.longestTransaction();
  }

  @Override
  public void close() {
    cluster.close();
  }
}
