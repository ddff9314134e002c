package dev.oncefold.kafka;

import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** The topic in which a {@link KafkaSink} keeps how far each of its lanes is written. */
final class Positions {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(45);
  private static final long FIRST_WINDOW = 1_000;
  private static final long WIDER = 10;

  private final KafkaSink.Plan plan;
  private final String topic;

  Positions(KafkaSink.Plan plan) {
    this.plan = plan;
    this.topic = plan.positions();
  }

  /** Makes the topic if it is absent, and sees that it forgets no position. */
  void prepare(Admin admin) throws ExecutionException, InterruptedException {
    NewTopic absent =
        new NewTopic(topic, Optional.of(1), Optional.empty())
            .configs(
                Map.of(
                    TopicConfig.CLEANUP_POLICY_CONFIG,
                    TopicConfig.CLEANUP_POLICY_COMPACT,
                    // Small ones, so that old positions go soon.
                    TopicConfig.SEGMENT_BYTES_CONFIG,
                    Integer.toString(16 << 20)));
    try {
      admin.createTopics(List.of(absent)).all().get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw e;
      }
    }
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    String cleanup =
        answer(Clients.known(() -> admin.describeConfigs(List.of(resource)).all()).get(resource))
            .get(TopicConfig.CLEANUP_POLICY_CONFIG)
            .value();
    if (!cleanup.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      throw new SinkException(
          "the topic \""
              + topic
              + "\" for the positions of "
              + plan
              + " has cleanup.policy="
              + cleanup
              + ": it would forget positions, and messages would be written again. Set"
              + " cleanup.policy=compact, or name another topic by KafkaSink.positions");
    }
    int partitions =
        answer(Clients.known(() -> admin.describeTopics(List.of(topic)).allTopicNames()).get(topic))
            .partitions()
            .size();
    if (partitions != 1) {
      throw new SinkException(
          "the topic \""
              + topic
              + "\" for the positions of "
              + plan
              + " has "
              + partitions
              + " partitions, and must have 1. Name another topic by KafkaSink.positions");
    }
  }

  /**
   * The position of a lane. Called when the lane's transactions before are fenced and finished, so
   * that whatever they have written stands before the present end. Up to that end everything is
   * read: as long as an open transaction of another lane hides it, this waits.
   */
  long read(Settings settings, String lane) {
    TopicPartition partition = new TopicPartition(topic, 0);
    byte[] key = lane.getBytes(StandardCharsets.UTF_8);
    long begin = System.nanoTime();
    long to;
    try (Consumer<byte[], byte[]> all = consumer(settings, "read_uncommitted")) {
      to = answer(all.endOffsets(List.of(partition)).get(partition));
    }
    try (Consumer<byte[], byte[]> committed = consumer(settings, "read_committed")) {
      committed.assign(List.of(partition));
      long first = answer(committed.beginningOffsets(List.of(partition)).get(partition));
      // From the end on backwards: a lane's newest position is near to it.
      long window = FIRST_WINDOW;
      while (to > first) {
        long from = Math.max(first, to - window);
        long found = Sink.START;
        boolean any = false;
        committed.seek(partition, from);
        while (committed.position(partition) < to) {
          if (System.nanoTime() - begin > PATIENCE) {
            throw new TimeoutException(
                "the topic \""
                    + topic
                    + "\" cannot be read up to offset "
                    + to
                    + ": a transaction of another lane is open, or the cluster does not answer");
          }
          for (ConsumerRecord<byte[], byte[]> each : committed.poll(POLL)) {
            if (each.offset() < to && Arrays.equals(each.key(), key)) {
              found = Long.parseLong(new String(each.value(), StandardCharsets.UTF_8));
              any = true;
            }
          }
        }
        if (any) {
          return found;
        }
        to = from;
        window *= WIDER;
      }
    }
    return Sink.START;
  }

  private static <T> T answer(@Nullable T of) {
    return Objects.requireNonNull(of, "Kafka answers what it is asked for");
  }

  private static Consumer<byte[], byte[]> consumer(Settings settings, String isolation) {
    Map<String, Object> shared = new HashMap<>(settings.map());
    shared
        .keySet()
        .removeIf(
            name ->
                ProducerConfig.configNames().contains(name)
                    && !ConsumerConfig.configNames().contains(name));
    shared.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG); // of producers
    shared.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation);
    shared.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    return new KafkaConsumer<>(shared, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
