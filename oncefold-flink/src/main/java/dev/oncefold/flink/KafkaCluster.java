package dev.oncefold.flink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** The cluster, asked by Kafka's own clients. Used by one thread. */
final class KafkaCluster implements Cluster {
  private static final String LONGEST = "transaction.max.timeout.ms";

  private final Properties settings;
  private final Admin admin;
  private @Nullable KafkaConsumer<byte[], byte[]> reader;

  KafkaCluster(Properties settings) {
    this.settings = settings;
    this.admin = Admin.create(settings);
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
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    partitions.forEach(each -> asked.put(each, which));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    if (!asked.isEmpty()) {
      admin
          .listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
          .all()
          .get()
          .forEach((partition, found) -> offsets.put(partition, found.offset()));
    }
    return offsets;
  }

  @Override
  public Map<TopicPartition, Long> committed(String group)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    admin
        .listConsumerGroupOffsets(group)
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
  public @Nullable String note(String group, TopicPartition partition)
      throws ExecutionException, InterruptedException {
    OffsetAndMetadata found =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition);
    return found == null ? null : found.metadata();
  }

  @Override
  public void note(String group, TopicPartition partition, String text)
      throws ExecutionException, InterruptedException {
    admin
        .alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(0, text)))
        .all()
        .get();
  }

  @Override
  public boolean isBare(TopicPartition partition, long from, long to) {
    KafkaConsumer<byte[], byte[]> open = reader;
    if (open == null) {
      Properties mine = new Properties();
      mine.putAll(settings);
      mine.setProperty("isolation.level", "read_committed");
      mine.setProperty("auto.offset.reset", "none");
      mine.setProperty("max.poll.records", "1");
      mine.setProperty("max.partition.fetch.bytes", "1024");
      mine.remove("group.id");
      open = new KafkaConsumer<>(mine, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      reader = open;
    }
    open.assign(List.of(partition));
    open.seek(partition, from);
    return open.poll(Duration.ofMillis(500)).isEmpty() && open.position(partition) >= to;
  }

  @Override
  public boolean isCommitted(String name, long producer, short epoch)
      throws ExecutionException, InterruptedException {
    TransactionDescription found;
    try {
      found = admin.describeTransactions(List.of(name)).description(name).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TransactionalIdNotFoundException) {
        return false;
      }
      throw e;
    }
    boolean committed =
        found.state() == TransactionState.PREPARE_COMMIT
            || found.state() == TransactionState.COMPLETE_COMMIT;
    // Since transactions of version 2 a commit raises the epoch by one. Whoever begins the name
    // anew raises it by more.
    int since = found.producerEpoch() - epoch;
    return committed && found.producerId() == producer && (since == 0 || since == 1);
  }

  @Override
  public long longestTransaction() throws ExecutionException, InterruptedException {
    List<ConfigResource> brokers = new ArrayList<>();
    for (Node node : admin.describeCluster().nodes().get()) {
      brokers.add(new ConfigResource(ConfigResource.Type.BROKER, node.idString()));
    }
    long longest = Long.MAX_VALUE;
    for (Config each : admin.describeConfigs(brokers).all().get().values()) {
      longest = Math.min(longest, Long.parseLong(each.get(LONGEST).value()));
    }
    return longest;
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
    if (reader != null) {
      reader.close();
    }
  }
}
