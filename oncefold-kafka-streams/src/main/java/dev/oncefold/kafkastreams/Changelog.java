package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Fold;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a changelog from outside of its application, as far as it is committed. Belongs to one
 * thread.
 *
 * @param <S> the type of one key's state
 */
final class Changelog<S> implements AutoCloseable {
  private static final long TAIL = 64;

  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final Map<Integer, Memory<S>> memories = new HashMap<>();
  private final Map<Integer, List<ConsumerRecord<byte[], byte[]>>> unfinished = new HashMap<>();

  /** Told of each flush that was read to its end. */
  @FunctionalInterface
  interface Flushes<S> {
    void flushed(int partition, Memory<S> memory);
  }

  Changelog(Map<String, Object> settings, String topic, Fold<S, ?, ?> fold) {
    this.topic = topic;
    Map<String, Object> all = new HashMap<>(settings);
    all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    all.remove(ConsumerConfig.GROUP_ID_CONFIG);
    this.consumer =
        new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer
        .partitionsFor(topic)
        .forEach(
            found -> {
              partitions.add(new TopicPartition(topic, found.partition()));
              memories.put(found.partition(), new Memory<>(fold, topic));
            });
    if (partitions.isEmpty()) {
      consumer.close();
      throw new StreamsFoldException(
          "there is no topic "
              + topic
              + ": the application has stored nothing yet, or has another id or store name");
    }
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
  }

  /** Reads to the present end. */
  void readOn(Flushes<S> flushes) {
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    while (ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
        Memory<S> memory = memories.get(record.partition());
        if (memory == null) {
          throw new IllegalStateException(topic + " has got a partition more");
        }
        take(record, memory, flushes);
      }
    }
  }

  /** A flush is shown whole: what was read may end in the midst of one. */
  private void take(ConsumerRecord<byte[], byte[]> record, Memory<S> memory, Flushes<S> flushes) {
    List<ConsumerRecord<byte[], byte[]>> begun =
        unfinished.computeIfAbsent(record.partition(), p -> new ArrayList<>());
    begun.add(record);
    if (Memory.endsFlush(record.key())) {
      begun.forEach(each -> memory.restore(each.key(), each.value()));
      begun.clear();
      flushes.flushed(record.partition(), memory);
    }
  }

  /** What is counted at the present end: the last record of a flush tells all of it. */
  Counts counts() {
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    Counts counts = Counts.NONE;
    for (TopicPartition each : partitions) {
      consumer.assign(List.of(each));
      counts =
          counts.plus(
              last(
                      each,
                      Objects.requireNonNull(begins.get(each)),
                      Objects.requireNonNull(ends.get(each)))
                  .counts());
    }
    consumer.assign(partitions);
    return counts;
  }

  private Head last(TopicPartition partition, long begin, long end) {
    Head head = null;
    long from = end;
    for (long back = TAIL; head == null && from > begin; back *= TAIL) {
      from = Math.max(begin, end - back);
      consumer.seek(partition, from);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          if (record.offset() < end && Memory.endsFlush(record.key())) {
            head = Head.read(new Decoder(record.value()));
          }
        }
      }
    }
    return head == null ? Head.NONE : head;
  }

  Map<Integer, Memory<S>> memories() {
    return memories;
  }

  @Override
  public void close() {
    consumer.close();
  }
}
