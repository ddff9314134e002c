package dev.oncefold.kafkastreams;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.StreamsConfig;

/** The cluster, asked by Kafka's own client with the application's settings. */
final class AdminCluster implements Cluster {
  private final Admin admin;

  AdminCluster(Map<String, Object> application) {
    this.admin =
        Admin.create(
            new StreamsConfig(application)
                .getAdminConfigs(application.get(StreamsConfig.APPLICATION_ID_CONFIG) + "-fold"));
  }

  @Override
  public Topic topic(String name) throws ExecutionException, InterruptedException {
    TopicDescription topic =
        admin.describeTopics(List.of(name)).allTopicNames().get().values().iterator().next();
    return new Topic(topic.topicId().toString(), topic.partitions().size());
  }

  @Override
  public Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    return offsets(partitions, OffsetSpec.earliest());
  }

  @Override
  public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    return offsets(partitions, OffsetSpec.latest());
  }

  private Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, OffsetSpec which)
      throws ExecutionException, InterruptedException {
    if (partitions.isEmpty()) {
      return Map.of();
    }
    Map<TopicPartition, OffsetSpec> asked =
        partitions.stream().collect(Collectors.toMap(each -> each, each -> which));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    admin
        .listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
        .all()
        .get()
        .forEach((partition, found) -> offsets.put(partition, found.offset()));
    return offsets;
  }

  @Override
  public Map<TopicPartition, Long> committed(String application)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    admin
        .listConsumerGroupOffsets(application)
        .partitionsToOffsetAndMetadata()
        .get()
        .forEach(
            (partition, found) -> {
              if (found != null) {
                offsets.put(partition, found.offset());
              }
            });
    return offsets;
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
