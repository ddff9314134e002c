package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Child;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kafka to journal to Kafka, killed by SIGKILL again and again. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class PipeKillTest {
  private static final int KEYS = 7;
  private static final int KILLS = 6;

  @TempDir Path directory;

  @Test
  void everyOutputIsThereOnceHoweverOftenItIsKilled() throws Exception {
    Cluster cluster = Cluster.get();
    String in = cluster.topic(3);
    String out = cluster.topic(2);
    String refused = cluster.topic(1);
    Random random = new Random(1);
    Map<String, Long> sums = new HashMap<>();
    Map<String, List<String>> expected = new HashMap<>();
    List<String> refusals = new ArrayList<>();
    int sent = 0;
    try (KafkaProducer<String, String> producer = cluster.producer()) {
      for (int round = 0; round <= KILLS; round++) {
        try (Child child =
            Child.start(
                Pipe.class,
                Child.shortLived(),
                directory.resolve("log"),
                cluster.bootstrap(),
                in,
                out,
                refused,
                directory.resolve("journal").toString())) {
          long before = end(cluster, out, 2);
          long killAt = before + 50 + random.nextInt(200);
          long begin = System.nanoTime();
          while (round < KILLS
              ? end(cluster, out, 2) < killAt
              : !complete(cluster, out, expected)) {
            assertThat(child.isAlive()).as(child::lastWords).isTrue();
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(60));
            if (round < KILLS) {
              for (int i = 0; i < 20; i++, sent++) {
                String key = "k" + random.nextInt(KEYS);
                long value = random.nextInt(10) - 1L;
                String event = "e" + sent + " " + value;
                producer.send(new ProducerRecord<>(in, key, event)).get();
                if (random.nextInt(10) == 0) {
                  producer.send(new ProducerRecord<>(in, key, event)).get(); // a re-send
                }
                if (value <= 0) {
                  refusals.add("e" + sent + " not positive");
                } else {
                  long sum = sums.merge(key, value, Long::sum);
                  expected.computeIfAbsent(key, k -> new ArrayList<>()).add(Long.toString(sum));
                }
              }
            }
          }
          assertThat(child.kill()).isTrue();
        }
      }
    }
    Map<String, List<String>> written = new HashMap<>();
    List<ConsumerRecord<byte[], byte[]>> all = cluster.committed(out);
    for (ConsumerRecord<byte[], byte[]> each : all) {
      written
          .computeIfAbsent(Cluster.text(each.key()), key -> new ArrayList<>())
          .add(Cluster.text(each.value()));
    }
    assertThat(written).isEqualTo(expected);
    assertThat(all)
        .extracting(each -> Cluster.text(each.headers().lastHeader(KafkaSink.ID).value()))
        .doesNotHaveDuplicates();
    assertThat(cluster.committed(refused))
        .extracting(each -> Cluster.text(each.value()))
        .containsExactlyInAnyOrderElementsOf(refusals);
  }

  private static boolean complete(
      Cluster cluster, String topic, Map<String, List<String>> expected) {
    int count = expected.values().stream().mapToInt(List::size).sum();
    return cluster.committed(topic).size() >= count;
  }

  /** How much there is of a topic, marks of transactions and all. */
  private static long end(Cluster cluster, String topic, int partitions) throws Exception {
    long end = 0;
    for (int partition = 0; partition < partitions; partition++) {
      TopicPartition each = new TopicPartition(topic, partition);
      end +=
          Objects.requireNonNull(
                  cluster
                      .admin
                      .listOffsets(Map.of(each, OffsetSpec.latest()))
                      .all()
                      .get()
                      .get(each))
              .offset();
    }
    return end;
  }
}
