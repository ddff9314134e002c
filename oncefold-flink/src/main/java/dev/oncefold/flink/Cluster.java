package dev.oncefold.flink;

import java.io.Serializable;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What is asked of the cluster beside reading and writing. Tests answer by hand. */
interface Cluster extends AutoCloseable {
  /** Makes a connection in a task. */
  interface Connecting extends Serializable {
    /**
     * Connects.
     *
     * @param settings of Kafka's clients
     */
    Cluster connect(Properties settings);
  }

  /** Where partitions begin. */
  Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions) throws Exception;

  /** Where partitions end, for who reads committed records. */
  Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) throws Exception;

  /** How far a group has come. */
  Map<TopicPartition, Long> committed(String group) throws Exception;

  /** The remark beside a group's offset; null where there is none. */
  @Nullable String note(String group, TopicPartition partition) throws Exception;

  /** Writes a remark beside a group's offset. */
  void note(String group, TopicPartition partition, String text) throws Exception;

  /** Whether nothing but marks of transactions stands between two offsets of a partition. */
  boolean isBare(TopicPartition partition, long from, long to) throws Exception;

  /**
   * Whether a transaction is committed, or will be for certain.
   *
   * @param name its name
   * @param producer the number of the producer that sent what is in it
   * @param epoch the epoch of that
   */
  boolean isCommitted(String name, long producer, short epoch) throws Exception;

  /** The longest transaction that all brokers allow, in milliseconds. */
  long longestTransaction() throws Exception;

  @Override
  void close();
}
