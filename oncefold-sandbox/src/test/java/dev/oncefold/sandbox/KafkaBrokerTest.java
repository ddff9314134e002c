package dev.oncefold.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.verify.TcpProxy;
import dev.oncefold.verify.TcpProxy.Direction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class KafkaBrokerTest {
  @TempDir Path directory;

  static KafkaProducer<String, String> producer(String bootstrap, String transactions) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            transactions,
            // A broker that is paused is given up after this time.
            ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
            3000,
            ProducerConfig.LINGER_MS_CONFIG,
            0),
        new StringSerializer(),
        new StringSerializer());
  }

  static void produce(KafkaProducer<String, String> producer, String value)
      throws ExecutionException, InterruptedException {
    producer.beginTransaction();
    Future<RecordMetadata> sent = producer.send(new ProducerRecord<>("t", value));
    producer.commitTransaction();
    sent.get();
  }

  static List<String> consume(String bootstrap, String protocol, int count) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.GROUP_ID_CONFIG,
                "of-" + protocol + count,
                ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                protocol,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed"),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.subscribe(List.of("t"));
      while (values.size() < count) {
        for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(100))) {
          values.add(each.value());
        }
      }
    }
    return values;
  }

  @Test
  void whatIsProducedOutlivesAKillAndAPauseOnTheSamePorts() throws Exception {
    KafkaBroker broker = KafkaBroker.in(directory).with("num.partitions", "1");
    try (TcpProxy proxy = TcpProxy.to(broker.second());
        broker) {
      broker.behind(proxy.address()).start();
      String bootstrap = broker.bootstrap();
      assertThat(broker.proxied()).endsWith(":" + proxy.address().getPort());
      try (KafkaProducer<String, String> producer = producer(broker.proxied(), "p")) {
        producer.initTransactions();
        produce(producer, "before");
        broker.kill();
        assertThat(broker.isAlive()).isFalse();
        broker.restart();
        assertThat(broker.bootstrap()).isEqualTo(bootstrap);
        produce(producer, "after");

        TcpProxy.Fault hold = proxy.hold(Direction.REQUESTS);
        producer.beginTransaction();
        Future<RecordMetadata> held = producer.send(new ProducerRecord<>("t", "held"));
        assertThat(hold.awaitLanded(Duration.ofSeconds(30)))
            .as("the second listener leads through the proxy, and its metadata, too")
            .isTrue();
        hold.end();
        assertThat(held).succeedsWithin(Duration.ofSeconds(30));
        producer.commitTransaction();
      }
      assertThat(consume(bootstrap, "consumer", 3)).containsExactly("before", "after", "held");
      assertThat(consume(bootstrap, "classic", 3)).containsExactly("before", "after", "held");

      try (KafkaProducer<String, String> producer = producer(bootstrap, "q")) {
        producer.initTransactions();
        produce(producer, "first");
        producer.beginTransaction();
        broker.pause();
        Future<RecordMetadata> sent = producer.send(new ProducerRecord<>("t", "second"));
        assertThatThrownBy(() -> sent.get(300, TimeUnit.MILLISECONDS))
            .isInstanceOf(TimeoutException.class);
        broker.resume();
        assertThat(sent).succeedsWithin(Duration.ofSeconds(30));
        producer.commitTransaction();
      }
      assertThat(consume(bootstrap, "classic", 5))
          .containsExactly("before", "after", "held", "first", "second");
      broker.pause();
    }
    assertThat(broker.isAlive()).isFalse();
    assertThat(ProcessHandle.of(broker.pid()).map(ProcessHandle::isAlive))
        .isNotEqualTo(Optional.of(true));
  }

  @Test
  void oneThatDoesNotComeUpSaysWhy() throws IOException {
    KafkaBroker broker = KafkaBroker.in(directory).with("log.retention.ms", "a week");
    assertThatThrownBy(broker::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the Kafka broker ended with exit code 1 at its start")
        .hasMessageContaining(broker.log().toString())
        .hasMessageContaining("a week")
        .hasMessageContaining("log.retention.ms");
    assertThat(broker.isAlive()).isFalse();
  }

  @Test
  void whatIsCommittedIsReadBehindItsMarkAndOpenTransactionsAreNotWaitedFor() throws Exception {
    try (KafkaBroker broker = KafkaBroker.in(directory).with("num.partitions", "1").start();
        KafkaProducer<String, String> open = producer(broker.bootstrap(), "open");
        KafkaProducer<String, String> producer = producer(broker.bootstrap(), "p");
        KafkaConsumer<String, String> reader =
            new KafkaConsumer<>(
                Map.of(
                    ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                    broker.bootstrap(),
                    ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                    "read_committed"),
                new StringDeserializer(),
                new StringDeserializer())) {
      List<TopicPartition> partition = List.of(new TopicPartition("t", 0));
      producer.initTransactions();
      open.initTransactions();
      open.beginTransaction();
      open.send(new ProducerRecord<>("other", "open")).get();
      for (int i = 0; i < 50; i++) {
        produce(producer, "v" + i);
        Committed.awaitMarks(broker.bootstrap());
        assertThat(reader.endOffsets(partition))
            .isEqualTo(Committed.ends(broker.bootstrap(), partition));
      }
      List<String> values = new ArrayList<>();
      Committed.read(
          broker.bootstrap(),
          List.of("t"),
          each -> values.add(new String(each.value(), StandardCharsets.UTF_8)));
      assertThat(values).hasSize(50);
    }
  }
}
