package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The broker is killed and comes back: sources and sinks wait for it. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class BrokerAwayTest {
  private static Cluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  @Test
  void goesOnWhenTheBrokerIsBack() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a");
    String group = topic;
    try (Reading alone = new Reading(Reading.of(cluster, topic));
        Reading member = new Reading(Reading.of(cluster, topic).group(group))) {
      alone.untilValues(1);
      member.untilValues(1);
      cluster.broker.kill();
      for (int i = 0; i < 20; i++) {
        assertThat(alone.step()).isFalse();
        assertThat(member.step()).isFalse();
      }
      cluster.broker.restart();
      cluster.produce(topic, 0, "b");
      assertThat(alone.untilValues(2).values).containsExactly("a", "b");
      assertThat(member.untilValues(2).values).containsExactly("a", "b");
    }
  }

  @Test
  void aPartitionSoughtWhileTheBrokerIsAwayIsReadWhenItIsBack() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a");
    try (Reading reading = new Reading(Reading.of(cluster, topic))) {
      reading.source.assigned();
      cluster.broker.kill();
      assertThat(reading.step()).isFalse();
      cluster.broker.restart();
      assertThat(reading.untilValues(1).values).containsExactly("a");
    }
  }

  @Test
  void aBrokerThatIsAwayIsToldAndWrittenToWhenItIsBack() throws Exception {
    String receipts = cluster.topic(2);
    try (KafkaSink sink =
        KafkaSink.of(cluster.bootstrap(), Cluster.name("sink"))
            .output("receipts", receipts)
            .with(
                Map.of(
                    "max.block.ms", "2000",
                    "request.timeout.ms", "1000",
                    "delivery.timeout.ms", "2000",
                    "default.api.timeout.ms", "2000"))) {
      Sink.Lane lane = sink.open("a");
      lane.write(List.of(KafkaSinkTest.receipt("k", 1)), 1);
      // Not sooner: Kafka answers a commit before it has marked it in the topics, and a broker that
      // dies in between may take it for done when it is back, and never mark it.
      sink.open("b").close();
      assertThat(cluster.committed(receipts)).hasSize(1);
      cluster.broker.kill();
      assertThatThrownBy(() -> lane.write(List.of(KafkaSinkTest.receipt("k", 2)), 2))
          .isInstanceOf(SinkException.class);
      lane.close();
      assertThatThrownBy(() -> sink.open("a")).isInstanceOf(SinkException.class);
      cluster.broker.restart();
      Sink.Lane again = null;
      long begin = System.nanoTime();
      while (again == null) {
        try {
          again = sink.open("a");
        } catch (SinkException e) {
          // the coordinator of a broker that has just started is not there at once
          assertThat(System.nanoTime() - begin)
              .as("%s", e)
              .isLessThan(TimeUnit.SECONDS.toNanos(120));
        }
      }
      assertThat(again.position()).isEqualTo(1);
      again.write(List.of(KafkaSinkTest.receipt("k", 2)), 2);
    }
    assertThat(cluster.committed(receipts))
        .extracting(each -> Cluster.text(each.value()))
        .containsExactlyInAnyOrder("1", "2");
  }
}
