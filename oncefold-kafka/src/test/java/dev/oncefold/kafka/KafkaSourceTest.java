package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.SourceException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is read of one topic by one source, from a real broker. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class KafkaSourceTest {
  private static Cluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.get();
  }

  private static Position at(Reading reading, String partition) {
    return Objects.requireNonNull(reading.positions.get(partition));
  }

  @Test
  void readsAllPartitionsAndGoesOnWhereItWas() throws Exception {
    String topic = cluster.topic(2);
    cluster.produce(topic, 0, "a", "b", "c");
    cluster.produce(topic, 1, "x", "y");
    Map<String, Position> positions = new HashMap<>();
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      assertThat(reading.source.partitions()).containsExactly(topic + "-0", topic + "-1");
      assertThat(reading.source.assigned()).containsExactly(topic + "-0", topic + "-1");
      reading.untilValues(5);
      assertThat(reading.values).containsSubsequence("a", "b", "c").containsSubsequence("x", "y");
      reading.untilRead();
      assertThat(at(reading, topic + "-0").offset()).isEqualTo(3);
      assertThat(at(reading, topic + "-0").check()).isNotZero();
      assertThat(reading.polls.get(reading.polls.size() - 1).unread()).isFalse();
    }
    cluster.produce(topic, 0, "d");
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      assertThat(reading.untilValues(1).values).containsExactly("d");
    }
  }

  @Test
  void aBatchIsNoLargerThanAskedAndEachEventHasItsPosition() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c", "d", "e");
    try (KafkaSource<String> source = Reading.of(cluster, topic).named("orders")) {
      assertThat(source.assigned()).containsExactly("orders-0");
      source.seek("orders-0", Position.START);
      long next = 0;
      while (next < 5) {
        assertThat(source.mayHaveMore("orders-0", false)).isTrue();
        Polled<String> polled = source.poll(2, Duration.ofMillis(20));
        if (polled != null) {
          assertThat(polled.events()).hasSizeBetween(1, 2);
          for (Received<String> received : polled.events()) {
            assertThat(received.offset()).isEqualTo(next++);
            assertThat(received.next().offset()).isEqualTo(next);
          }
          assertThat(polled.to().offset()).isEqualTo(next);
          assertThat(polled.unread()).isEqualTo(next < 5);
        }
      }
      assertThat(source.mayHaveMore("orders-0", false)).isFalse();
    }
  }

  @Test
  void tellsHowMuchItIsBehindByWhatTheFetchesSay() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c", "d", "e");
    try (KafkaSource<String> source = Reading.of(cluster, topic)) {
      assertThat(source.behind()).isEmpty();
      source.seek(source.assigned().get(0), Position.START);
      for (int answered = 0; answered < 5; ) {
        if (source.poll(1, Duration.ofMillis(20)) != null) {
          answered++;
          assertThat(source.behind()).hasValue(5 - answered);
        }
      }
    }
  }

  @Test
  void abortedTransactionsAreNotSeenAndPositionsPassThem() throws Exception {
    String topic = cluster.topic(1);
    try (KafkaProducer<String, String> producer = cluster.transactional(topic)) {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, "k", "kept")).get();
      producer.commitTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, "k", "dropped")).get();
      producer.abortTransaction();
    }
    try (Reading reading = new Reading(Reading.of(cluster, topic))) {
      // kept, its mark, dropped, its mark
      reading.until(
          () ->
              reading.positions.containsKey(topic + "-0")
                  && at(reading, topic + "-0").offset() == 4);
      assertThat(reading.values).containsExactly("kept");
      reading.untilRead();

      // Only marks from here on: the position follows, by a batch without events.
      try (KafkaProducer<String, String> producer = cluster.transactional(topic)) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "k", "dropped too")).get();
        producer.abortTransaction();
      }
      reading.until(() -> at(reading, topic + "-0").offset() == 6);
      Polled<String> last = reading.polls.get(reading.polls.size() - 1);
      assertThat(last.events()).isEmpty();
      assertThat(last.from().offset()).isEqualTo(4);
      assertThat(reading.values).containsExactly("kept");
    }
  }

  @Test
  void anOpenTransactionIsWaitedFor() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a");
    try (KafkaProducer<String, String> producer = cluster.transactional(topic);
        Reading reading = new Reading(Reading.of(cluster, topic))) {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(topic, "k", "b")).get();
      cluster.produce(topic, 0, "c");
      reading.untilRead();
      assertThat(reading.values).containsExactly("a");
      producer.commitTransaction();
      assertThat(reading.untilValues(3).values).containsExactly("a", "b", "c");
    }
  }

  @Test
  void aTopicDeletedAndMadeAnewIsRefusedWhereItIsSought() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b");
    Map<String, Position> positions = new HashMap<>();
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      reading.untilValues(2);
    }
    cluster.delete(topic);
    remake(topic);
    cluster.produce(topic, 0, "c", "d", "e");
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      assertThatThrownBy(() -> reading.untilValues(1))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining(topic + "-0")
          .hasMessageContaining("deleted and made anew")
          .hasMessageContaining("KafkaSource.named");
    }
  }

  @Test
  void aTopicDeletedAndMadeAnewWhileItIsReadIsRefused() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b");
    try (Reading reading = new Reading(Reading.of(cluster, topic))) {
      reading.untilRead();
      cluster.delete(topic);
      remake(topic);
      cluster.produce(topic, 0, "c", "d", "e");
      assertThatThrownBy(() -> reading.untilValues(3))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("deleted and made anew while it was read");
      assertThat(reading.values).containsExactly("a", "b");
    }
  }

  /** Deletion goes on after it was answered: until it is done there is no new one. */
  private static void remake(String topic) throws Exception {
    while (true) {
      try {
        cluster.make(topic, 1);
        return;
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof org.apache.kafka.common.errors.TopicExistsException)) {
          throw e;
        }
      }
    }
  }

  @Test
  void aTopicThatIsDeletedForGoodStopsTheRun() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a");
    try (Reading reading = new Reading(Reading.of(cluster, topic))) {
      reading.untilRead();
      cluster.delete(topic);
      assertThatThrownBy(() -> reading.untilValues(2))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("\"" + topic + "\" was deleted while it was read");
    }
  }

  @Test
  void whatRetentionHasDeletedBeforeItWasAppliedIsRefused() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c", "d", "e");
    Map<String, Position> positions = new HashMap<>();
    try (KafkaSource<String> source = Reading.of(cluster, topic)) {
      source.seek(source.assigned().get(0), Position.START);
      Polled<String> first = null;
      while (first == null) {
        first = source.poll(2, Duration.ofMillis(20));
      }
      positions.put(topic + "-0", first.to());
    }
    cluster.deleteRecords(topic, 0, 2);
    try (Reading reading = new Reading(Reading.of(cluster, topic), new HashMap<>(positions))) {
      assertThat(reading.untilValues(3).values).containsExactly("c", "d", "e");
    }
    cluster.deleteRecords(topic, 0, 4);
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      assertThatThrownBy(() -> reading.untilValues(1))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("applied up to offset 2, but begins at 4")
          .hasMessageContaining("2 events that were never applied")
          .hasMessageContaining("retention.ms");
      assertThat(reading.values).isEmpty();
    }
  }

  @Test
  void aTopicThatEndsBeforeWhatWasAppliedIsRefused() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a");
    Map<String, Position> positions = new HashMap<>();
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      reading.untilValues(1);
    }
    positions.computeIfPresent(topic + "-0", (name, is) -> new Position(9, is.check()));
    try (Reading reading = new Reading(Reading.of(cluster, topic), positions)) {
      assertThatThrownBy(() -> reading.untilValues(1))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("applied up to offset 9, but ends at 1");
    }
  }

  @Test
  void startsAtTheOldestRecordThereIs() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c");
    cluster.deleteRecords(topic, 0, 1);
    try (Reading reading = new Reading(Reading.of(cluster, topic))) {
      assertThat(reading.untilValues(2).values).containsExactly("b", "c");
      assertThat(reading.polls.get(0).from()).isEqualTo(Position.START);
    }
  }

  @Test
  void nothingIsFetchedBeforeTheStoreHasSaidFromWhere() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c");
    cluster.deleteRecords(topic, 0, 2);
    for (String protocol : List.of("classic", "consumer")) {
      KafkaSource<String> source =
          Reading.of(cluster, topic).group(topic + protocol).with("group.protocol", protocol);
      try (Reading reading = new Reading(source)) {
        // Whatever is fetched from the offset 0 would be out of range.
        int pollsWithPartitions = 0;
        while (pollsWithPartitions < 50) {
          assertThat(source.poll(100, Duration.ofMillis(20))).isNull();
          pollsWithPartitions += source.assigned().size();
        }
        assertThat(reading.untilValues(1).values).containsExactly("c");
      }
    }
  }

  @Test
  void aStartAtTheEndIsCommittedBeforeAnythingComes() throws Exception {
    String topic = cluster.topic(2);
    cluster.produce(topic, 0, "old");
    KafkaSource<String> source = Reading.of(cluster, topic).startingAt(KafkaSource.Start.END);
    Map<String, Position> positions = new HashMap<>();
    try (Reading reading = new Reading(source, positions)) {
      reading.untilRead();
      assertThat(reading.values).isEmpty();
      assertThat(at(reading, topic + "-0").offset()).isEqualTo(1);
      assertThat(at(reading, topic + "-1")).isNotEqualTo(Position.START);
    }
    cluster.produce(topic, 0, "new");
    cluster.produce(topic, 1, "newer");
    try (Reading reading = new Reading(source, positions)) {
      assertThat(reading.untilValues(2).values).containsExactlyInAnyOrder("new", "newer");
    }
  }

  /** However much comes meanwhile in other partitions: a restart in between skips nothing. */
  @Test
  void aStartAtTheEndIsCommittedBeforeOtherPartitionsAreRead() throws Exception {
    String topic = cluster.topic(3);
    KafkaSource<String> source = Reading.of(cluster, topic).startingAt(KafkaSource.Start.END);
    try (Reading reading = new Reading(source)) {
      for (int i = 0; i < 3; i++) {
        while (!reading.step()) {
          // It has not begun yet.
        }
        if (i == 0) {
          cluster.produce(topic, 0, "a", "b", "c");
        }
      }
      assertThat(reading.values).isEmpty();
      assertThat(reading.polls).extracting(Polled::partition).doesNotHaveDuplicates();
      reading.untilValues(3);
    }
  }

  @Test
  void aRecordWhoseDecodingNeedsWhatIsAwayIsTriedAgain() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c");
    AtomicInteger away = new AtomicInteger(3);
    KafkaSource<String> source =
        KafkaSource.of(
            cluster.bootstrap(),
            topic,
            record -> {
              String value = Cluster.text(record.value());
              if (value.equals("b") && away.getAndDecrement() > 0) {
                throw new IllegalStateException(
                    "no schema", new org.apache.kafka.common.errors.TimeoutException("away"));
              }
              return new Event<>(null, "k", null, value);
            });
    try (Reading reading = new Reading(source)) {
      assertThat(reading.untilValues(3).values).containsExactly("a", "b", "c");
    }
    assertThat(away.get()).isNegative();
  }

  @Test
  void whatCannotBeDecodedIsAnEventOfItsOwn() throws Exception {
    String topic = cluster.topic(1);
    try (KafkaProducer<String, String> producer = cluster.producer()) {
      for (String value : new String[] {"1", "one", null, "skip", "2"}) {
        producer.send(new ProducerRecord<>(topic, "k", value)).get();
      }
    }
    KafkaSource<Long> source =
        KafkaSource.of(
            cluster.bootstrap(),
            topic,
            record -> {
              String text = Cluster.text(record.value());
              return text.equals("skip")
                  ? null
                  : new Event<>(null, Cluster.text(record.key()), null, Long.parseLong(text));
            });
    try (source) {
      source.seek(source.assigned().get(0), Position.START);
      Polled<Long> polled = null;
      while (polled == null) {
        polled = source.poll(100, Duration.ofMillis(20));
      }
      List<Received<Long>> events = polled.events();
      assertThat(events).extracting(Received::offset).containsExactly(0L, 1L, 2L, 4L);
      assertThat(events.get(1).event()).isNull();
      assertThat(events.get(1).undecodable()).contains("For input string: \"one\"");
      assertThat(events.get(1).raw()).asString().isEqualTo("one");
      assertThat(events.get(2).undecodable()).contains("tombstone");
      assertThat(events.get(2).raw()).isEmpty();
      assertThat(events.get(3).positionId(topic + "-0")).isEqualTo(topic + "-0@4");
    }
  }

  @Test
  void aTombstoneMayBeAnEvent() throws Exception {
    String topic = cluster.topic(1);
    try (KafkaProducer<String, String> producer = cluster.producer()) {
      producer.send(new ProducerRecord<>(topic, "k", null)).get();
    }
    KafkaSource<String> source =
        KafkaSource.of(
            cluster.bootstrap(),
            topic,
            record ->
                new Event<>(
                    null,
                    Cluster.text(record.key()),
                    null,
                    record.value() == null ? "gone" : "there"));
    try (Reading reading = new Reading(source)) {
      assertThat(reading.untilValues(1).values).containsExactly("gone");
    }
  }

  @Test
  void partitionsThatAreAddedAreRead() throws Exception {
    String topic = cluster.topic(1);
    try (Reading reading = new Reading(Reading.of(cluster, topic));
        Reading member =
            new Reading(
                Reading.of(cluster, topic).group(topic).with("metadata.max.age.ms", "1000"))) {
      reading.until(() -> !reading.assigned().isEmpty());
      member.until(() -> !member.assigned().isEmpty());
      cluster.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
      cluster.produce(topic, 2, "late");
      assertThat(reading.untilValues(1).values).containsExactly("late");
      assertThat(member.untilValues(1).values).containsExactly("late");
      assertThat(reading.source.partitions()).hasSize(3);
      assertThat(member.source.partitions()).hasSize(3);
    }
  }

  @Test
  void whatIsAppliedStandsInTheGroupForMonitorsAlone() throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b");
    TopicPartition partition = new TopicPartition(topic, 0);
    try (Reading reading = new Reading(Reading.of(cluster, topic).group(topic))) {
      reading.untilValues(2);
    }
    OffsetAndMetadata published =
        cluster
            .admin
            .listConsumerGroupOffsets(topic)
            .partitionsToOffsetAndMetadata()
            .get()
            .get(partition);
    assertThat(published).extracting(OffsetAndMetadata::offset).isEqualTo(2L);
    // Another store: what the group says is not gone by.
    try (Reading reading = new Reading(Reading.of(cluster, topic).group(topic))) {
      assertThat(reading.untilValues(2).values).containsExactly("a", "b");
    }
  }

  @Test
  void aMissingTopicIsRefusedAndNotMade() throws Exception {
    try (KafkaSource<String> source = Reading.of(cluster, "no-such-topic")) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("no-such-topic")
          .hasMessageContaining("Make the topic, or correct its name");
    }
    assertThat(cluster.admin.listTopics().names().get()).doesNotContain("no-such-topic");
  }

  @Test
  void aClusterThatDoesNotAnswerIsNamed() {
    try (KafkaSource<String> source =
        KafkaSource.<String>of("127.0.0.1:1", "t", record -> null)
            .with(Map.of("default.api.timeout.ms", "500", "request.timeout.ms", "400"))) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("127.0.0.1:1")
          .hasMessageContaining("is a broker running there?");
    }
  }
}
