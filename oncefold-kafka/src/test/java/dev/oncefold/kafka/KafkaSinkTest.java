package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is written into topics, and that it stands there once. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class KafkaSinkTest {
  private static Cluster cluster;
  private String name;
  private String receipts;
  private String refusals;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.get();
  }

  @BeforeEach
  void topics() throws Exception {
    name = Cluster.name("sink");
    receipts = cluster.topic(2);
    refusals = cluster.topic(1);
  }

  private KafkaSink sink() {
    return KafkaSink.of(cluster.bootstrap(), name).output("receipts", receipts).refusals(refusals);
  }

  static Sink.Message receipt(String key, int number) {
    return message("receipts", key, number);
  }

  private static Sink.Message message(@Nullable String output, String key, int number) {
    return new Sink.Message(
        output, key, "id" + number, Integer.toString(number).getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> values(String topic) {
    return cluster.committed(topic).stream().map(each -> Cluster.text(each.value())).toList();
  }

  @Test
  void writesOutputsAndRefusalsWithKeyIdAndOrder() throws Exception {
    try (KafkaSink sink = sink();
        Sink.Lane lane = sink.open("t-0")) {
      assertThat(lane.position()).isEqualTo(Sink.START);
      List<Sink.Message> messages = new ArrayList<>();
      for (int i = 1; i <= 200; i++) {
        messages.add(receipt("k" + i % 5, i));
      }
      messages.add(message(null, "k7", 999));
      lane.write(messages, 10);
      assertThat(lane.position()).isEqualTo(10);
      lane.write(List.of(receipt("k1", 201)), 11);
      lane.write(List.of(), 12);
    }
    List<ConsumerRecord<byte[], byte[]>> written = cluster.committed(receipts);
    assertThat(written).hasSize(201);
    for (int key = 0; key < 5; key++) {
      String of = "k" + key;
      assertThat(
              written.stream()
                  .filter(each -> Cluster.text(each.key()).equals(of))
                  .map(each -> Integer.parseInt(Cluster.text(each.value()))))
          .isSorted()
          .hasSize(key == 1 ? 41 : 40);
    }
    assertThat(written.get(0).headers().lastHeader(KafkaSink.ID).value())
        .asString()
        .isEqualTo("id" + Cluster.text(written.get(0).value()));
    ConsumerRecord<byte[], byte[]> refusal = cluster.committed(refusals).get(0);
    assertThat(Cluster.text(refusal.key())).isEqualTo("k7");
    assertThat(Cluster.text(refusal.value())).isEqualTo("999");
    assertThat(Cluster.text(refusal.headers().lastHeader(KafkaSink.ID).value())).isEqualTo("id999");
  }

  @Test
  void afterACrashThePositionTellsWhatIsWritten() throws Exception {
    // Lanes are left open, as a crash leaves them.
    Sink.Lane first = sink().open("a");
    first.write(List.of(receipt("k", 1), receipt("k", 2)), 2);
    Sink.Lane other = sink().open("b");
    other.write(List.of(receipt("k", 100)), 77);

    // A crash between the messages and the commit: all of them are sent, none is committed.
    try (KafkaProducer<String, String> unfinished =
        cluster.transactional("oncefold-" + name + "/a")) {
      unfinished.beginTransaction();
      unfinished.send(new ProducerRecord<>(receipts, "k", "3")).get();
      unfinished.send(new ProducerRecord<>(name + "-positions", "a", "3")).get();

      try (KafkaSink sink = sink();
          Sink.Lane again = sink.open("a")) {
        assertThat(again.position()).isEqualTo(2);
        again.write(List.of(receipt("k", 3), receipt("k", 4)), 4);
      }
    }
    try (KafkaSink sink = sink();
        Sink.Lane again = sink.open("a");
        Sink.Lane otherAgain = sink.open("b")) {
      assertThat(again.position()).isEqualTo(4);
      assertThat(otherAgain.position()).isEqualTo(77);
    }
    assertThat(values(receipts)).containsExactlyInAnyOrder("1", "2", "3", "4", "100");
    assertThat(values(receipts)).containsSubsequence("1", "2", "3", "4");
    first.close();
    other.close();
  }

  @Test
  void aZombieIsFencedAndLeavesNothing() throws Exception {
    try (KafkaSink sink = sink();
        Sink.Lane zombie = sink.open("a")) {
      zombie.write(List.of(receipt("k", 1)), 1);
      try (Sink.Lane heir = sink().open("a")) {
        assertThat(heir.position()).isEqualTo(1);
        assertThatThrownBy(() -> zombie.write(List.of(receipt("k", 2)), 2))
            .isInstanceOf(FencedException.class)
            .hasMessageContaining("the lane \"a\"")
            .hasMessageContaining(name);
        heir.write(List.of(receipt("k", 2)), 2);
        assertThatThrownBy(() -> zombie.write(List.of(receipt("k", 3)), 3))
            .isInstanceOf(SinkException.class)
            .hasMessageContaining("open it again");
      }
    }
    assertThat(values(receipts)).containsExactly("1", "2");
  }

  @Test
  void aPositionBehindAnotherLanesOpenTransactionIsFound() throws Exception {
    try (KafkaSink sink = sink()) {
      Sink.Lane lane = sink.open("a");
      try (KafkaProducer<String, String> other = cluster.transactional(name + "other")) {
        other.beginTransaction();
        other.send(new ProducerRecord<>(name + "-positions", "b", "1")).get();
        lane.write(List.of(receipt("k", 1)), 5);
        lane.close();
        Thread finishing = new Thread(other::commitTransaction);
        Thread reading =
            new Thread(
                () -> {
                  try (Sink.Lane again = sink.open("a")) {
                    again.write(List.of(), again.position() + 1);
                  }
                });
        reading.start();
        reading.join(2_000);
        assertThat(reading.isAlive()).as("it waits for the other lane").isTrue();
        finishing.start();
        finishing.join();
        reading.join();
      }
      try (Sink.Lane again = sink.open("a")) {
        assertThat(again.position()).isEqualTo(6);
      }
    }
  }

  @Test
  void aPositionFarFromTheEndIsFound() throws Exception {
    try (KafkaSink sink = sink()) {
      try (Sink.Lane lane = sink.open("old")) {
        lane.write(List.of(), 3);
      }
      try (KafkaProducer<String, String> producer = cluster.producer()) {
        for (int i = 0; i < 25_000; i++) {
          var unused =
              producer.send(
                  new ProducerRecord<>(name + "-positions", name + "/busy", Integer.toString(i)));
        }
      }
      try (Sink.Lane old = sink.open("old");
          Sink.Lane busy = sink.open("busy");
          Sink.Lane none = sink.open("none")) {
        assertThat(old.position()).isEqualTo(3);
        assertThat(busy.position()).isEqualTo(24_999);
        assertThat(none.position()).isEqualTo(Sink.START);
      }
    }
  }

  @Test
  void thePositionsTopicIsCompacted() throws Exception {
    try (KafkaSink sink = sink();
        Sink.Lane lane = sink.open("a")) {
      lane.write(List.of(), 1);
    }
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name + "-positions");
    Config config =
        Objects.requireNonNull(
            cluster.admin.describeConfigs(List.of(topic)).all().get().get(topic));
    assertThat(config.get("cleanup.policy").value()).isEqualTo("compact");

    cluster.make(name + "-forgets", 1);
    assertThatThrownBy(() -> sink().positions(name + "-forgets").open("a"))
        .isInstanceOf(SinkException.class)
        .hasMessageContaining("cleanup.policy=delete");
    cluster
        .admin
        .createTopics(
            List.of(
                new NewTopic(name + "-wide", 2, (short) 1)
                    .configs(Map.of("cleanup.policy", "compact"))))
        .all()
        .get();
    assertThatThrownBy(() -> sink().positions(name + "-wide").open("a"))
        .isInstanceOf(SinkException.class)
        .hasMessageContaining("has 2 partitions, and must have 1");
  }

  @Test
  void aMissingTopicAndAnOutputWithoutOneAreNamed() throws Exception {
    try (KafkaSink sink = sink().output("more", "no-such-topic")) {
      assertThatThrownBy(() -> sink.open("a"))
          .isInstanceOf(SinkException.class)
          .hasMessageContaining("its topic \"no-such-topic\": ")
          .hasMessageContaining("Make the topic");
    }
    try (KafkaSink sink = sink();
        Sink.Lane lane = sink.open("a")) {
      assertThat(sink.takes("receipts")).isTrue();
      assertThat(sink.takes(null)).isTrue();
      assertThat(sink.takes("more")).isFalse();
      assertThatThrownBy(() -> lane.write(List.of(receipt("k", 1), message("more", "k", 2)), 1))
          .isInstanceOf(SinkException.class)
          .hasMessageContaining("no topic for the output \"more\"");
    }
    try (KafkaSink sink = sink();
        Sink.Lane lane = sink.open("a")) {
      assertThat(lane.position()).isEqualTo(Sink.START);
      assertThatThrownBy(() -> lane.write(List.of(), -1))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(values(receipts)).isEmpty();
  }

  /** The limit is as large as can be told before, and what it lets through is taken. */
  @Test
  void aMessageOfTheLargestSizeIsTakenAndTheLimitIsTheTopicsOrTheProducers() throws Exception {
    String small = name + "-small";
    cluster
        .admin
        .createTopics(
            List.of(new NewTopic(small, 1, (short) 1).configs(Map.of("max.message.bytes", "5000"))))
        .all()
        .get();
    try (KafkaSink sink = sink().output("small", small).with(Map.of("max.request.size", "20000"));
        KafkaSink careless = sink().output("small", small)) {
      Sink.Limit ofTopic = sink.limit("small");
      Sink.Limit ofProducer = sink.limit("receipts");
      assertThat(ofTopic.setting()).isEqualTo("max.message.bytes of the topic \"" + small + "\"");
      assertThat(ofProducer.setting()).startsWith("max.request.size of the sink");
      assertThat(sink.limit("nowhere")).isEqualTo(Sink.Limit.NONE);
      try (Sink.Lane lane = sink.open("a")) {
        lane.write(List.of(ofSize("small", ofTopic.bytes())), 1);
        lane.write(List.of(ofSize("receipts", ofProducer.bytes())), 2);
      }
      assertThat(ofTopic.exceededBy(ofSize("small", ofTopic.bytes()))).isNull();
      assertThat(ofTopic.exceededBy(ofSize("small", ofTopic.bytes() + 1)))
          .contains("the output \"small\" would take 4,862 bytes")
          .contains("max.message.bytes")
          .contains("4,861 at most");
      // Why there is a limit at all.
      try (Sink.Lane lane = careless.open("b")) {
        assertThatThrownBy(() -> lane.write(List.of(ofSize("small", 5000)), 1))
            .isInstanceOf(SinkException.class)
            .hasMessageContaining("larger");
      }
    }
  }

  private static Sink.Message ofSize(String output, long bytes) {
    return new Sink.Message(output, "kéy", "id1", new byte[(int) bytes - 7]);
  }

  @Test
  void whatExactlyOnceRestsOnCannotBeSet() {
    for (Map.Entry<String, String> each :
        Map.of("acks", "1", "enable.idempotence", "false", "transactional.id", "x").entrySet()) {
      try (KafkaSink sink = sink().with(Map.ofEntries(each))) {
        assertThatThrownBy(() -> sink.open("a"))
            .isInstanceOf(SinkException.class)
            .hasMessageContaining(
                "the setting " + each.getKey() + " cannot be " + each.getValue() + ": ");
      }
    }
  }
}
