package dev.oncefold.sandbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What readers of committed messages are given, for who judges what came of something. Kafka
 * answers a commit before it has marked it in the topics, and such a reader comes that far only
 * later: one who reads to where a topic ends for him ({@code endOffsets}) may miss what was
 * committed before.
 *
 * <p>Safe for use by several threads.
 */
public final class Committed {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private Committed() {}

  /**
   * Reads topics from their beginnings to where they end now, and waits for the transactions that
   * are open or not marked before that.
   *
   * @param bootstrap the broker, as clients are told
   * @param topics which
   * @param taking takes each record, in the order of its partition
   * @throws IllegalStateException if the broker does not tell, or nothing comes for two minutes
   */
  public static void read(
      String bootstrap,
      Collection<String> topics,
      Consumer<ConsumerRecord<byte[], byte[]>> taking) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : topics) {
        consumer
            .partitionsFor(topic)
            .forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = ends(bootstrap, partitions);
      long last = System.nanoTime();
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        records.forEach(taking);
        if (!records.isEmpty()) {
          last = System.nanoTime();
        } else if (System.nanoTime() - last > PATIENCE.toNanos()) {
          throw new IllegalStateException(
              "readers of committed messages do not come to the ends of " + ends);
        }
      }
    }
  }

  /**
   * Where topics end, transactions included that are not over or not marked yet.
   *
   * @param bootstrap the broker, as clients are told
   * @param partitions the partitions
   * @return the offset behind the last record of each
   * @throws IllegalStateException if the broker does not tell
   */
  public static Map<TopicPartition, Long> ends(
      String bootstrap, Collection<TopicPartition> partitions) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      Map<TopicPartition, Long> ends = new HashMap<>();
      told(admin
              .listOffsets(
                  partitions.stream()
                      .collect(Collectors.toMap(each -> each, each -> OffsetSpec.latest())))
              .all())
          .forEach((partition, end) -> ends.put(partition, end.offset()));
      return ends;
    }
  }

  /**
   * Waits until all transactions are marked whose end the broker has answered by now. Those that
   * are open are not waited for.
   *
   * @param bootstrap the broker, as clients are told
   * @throws IllegalStateException if the broker does not tell, or has not marked one within two
   *     minutes
   */
  public static void awaitMarks(String bootstrap) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      long begin = System.nanoTime();
      Set<String> unmarked = unmarked(admin);
      while (!unmarked.isEmpty()) {
        if (System.nanoTime() - begin > PATIENCE.toNanos()) {
          throw new IllegalStateException("the broker does not mark the end of " + unmarked);
        }
        unmarked.retainAll(unmarked(admin));
      }
    }
  }

  private static Set<String> unmarked(Admin admin) {
    return told(
            admin
                .listTransactions(
                    new ListTransactionsOptions()
                        .filterStates(
                            Set.of(
                                TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)))
                .all())
        .stream()
        .map(TransactionListing::transactionalId)
        .collect(Collectors.toSet());
  }

  private static <T> T told(KafkaFuture<T> answer) {
    try {
      return answer.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the broker does not tell", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
