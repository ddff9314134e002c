package dev.oncefold.cli;

import dev.oncefold.sandbox.KafkaBroker;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads all that is committed in a topic, with a plain consumer. */
final class TopicContent {
  private static final Duration WAIT = Duration.ofMillis(200);

  private TopicContent() {}

  /** Takes a record. */
  interface Taking {
    /** A record, in the order of its partition. */
    void take(String partition, long offset, String key, String value);
  }

  /** Reads to the end that the topic has now, and waits for transactions that stand before it. */
  static void read(String bootstrap, String topic, Taking taking) {
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                bootstrap,
                "isolation.level",
                "read_committed",
                "enable.auto.commit",
                "false",
                "client.id",
                UUID.randomUUID().toString()),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = KafkaBroker.ends(bootstrap, partitions);
      while (partitions.stream()
          .anyMatch(each -> consumer.position(each) < Objects.requireNonNull(ends.get(each)))) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(WAIT)) {
          taking.take(
              topic + "-" + record.partition(),
              record.offset(),
              record.key(),
              new String(record.value(), StandardCharsets.UTF_8));
        }
      }
    }
  }
}
