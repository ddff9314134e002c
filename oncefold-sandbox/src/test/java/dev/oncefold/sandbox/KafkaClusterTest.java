package dev.oncefold.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 180, unit = TimeUnit.SECONDS)
class KafkaClusterTest {
  @TempDir Path directory;

  @Test
  void eachOfThreeCanBeMissedAndComesBack() throws Exception {
    List<String> produced = new ArrayList<>();
    KafkaCluster cluster = KafkaCluster.in(directory, 3).with("request.timeout.ms", "3000");
    try (cluster;
        KafkaProducer<String, String> producer =
            KafkaBrokerTest.producer(cluster.bootstrap(), "p")) {
      cluster.start();
      topicIsMade(cluster);
      producer.initTransactions();
      for (KafkaBroker broker : cluster.brokers().subList(0, 2)) {
        cluster.awaitInSync();
        broker.kill();
        assertThat(broker.isAlive()).isFalse();
        assertThatThrownBy(cluster::awaitInSync)
            .isInstanceOf(IllegalStateException.class)
            .hasMessage(
                "the Kafka broker %d is down, and must be started first"
                    .formatted(cluster.brokers().indexOf(broker) + 1));
        String value = "without " + broker.bootstrap();
        KafkaBrokerTest.produce(producer, value);
        produced.add(value);
        broker.restart();
      }
      cluster.awaitInSync();
      cluster.broker(3).pause();
      KafkaBrokerTest.produce(producer, "beside one that is paused");
      produced.add("beside one that is paused");
      cluster.broker(3).resume();
      assertThat(KafkaBrokerTest.consume(cluster.bootstrap(), "classic", 3)).isEqualTo(produced);
      cluster.awaitInSync();
      cluster.broker(3).pause();
    }
    assertThat(cluster.brokers()).noneMatch(KafkaBroker::isAlive);
  }

  /** As topics are that nobody gave a number of replicas, and Kafka's own. */
  private static void topicIsMade(KafkaCluster cluster) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
      admin.createTopics(List.of(new NewTopic("t", Optional.of(1), Optional.empty()))).all().get();
      ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "t");
      assertThat(admin.describeConfigs(List.of(topic)).all().get().values())
          .allSatisfy(found -> assertThat(found.get("min.insync.replicas").value()).isEqualTo("2"));
      try (KafkaProducer<String, String> first =
          KafkaBrokerTest.producer(cluster.bootstrap(), "first")) {
        first.initTransactions();
      }
      assertThat(
              admin
                  .describeTopics(Set.of("t", "__transaction_state"))
                  .allTopicNames()
                  .get()
                  .values())
          .allSatisfy(
              found -> assertThat(found.partitions()).allMatch(p -> p.replicas().size() == 3));
    }
  }

  @Test
  void ifOneDoesNotComeUpAllAreEnded() throws IOException {
    KafkaCluster cluster = KafkaCluster.in(directory, 3);
    cluster.broker(2).with("log.retention.ms", "a week");
    assertThatThrownBy(cluster::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the Kafka broker 2 ended with exit code 1 at its start")
        .hasMessageContaining("a week");
    assertThat(cluster.brokers()).noneMatch(KafkaBroker::isAlive);
  }

  @Test
  void aClusterHasABroker() {
    assertThatThrownBy(() -> KafkaCluster.in(directory, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a cluster has at least one broker, not 0");
  }
}
