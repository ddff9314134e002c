package dev.oncefold.kafkastreams;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.TopicPartition;

/** What is asked of the cluster beside the streams. */
interface Cluster extends AutoCloseable {
  /**
   * A topic's id and the number of its partitions.
   *
   * @param id the id
   * @param partitions how many partitions it has
   */
  record Topic(String id, int partitions) {}

  Topic topic(String name) throws ExecutionException, InterruptedException;

  /** Where partitions begin. */
  Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException;

  /** Where partitions end, as far as they are committed. */
  Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException;

  /** How far the application has committed its input. */
  Map<TopicPartition, Long> committed(String application)
      throws ExecutionException, InterruptedException;

  @Override
  void close();
}
