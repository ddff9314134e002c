package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.Patience;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.junit.jupiter.api.Test;

/** What whole applications do on a real broker. */
class StreamsApplicationTest extends OnBroker {
  @Test
  void groupsThatReadOutputsAreFoundAndCountsAreReadFromTheEndOfTheChangelog() throws Exception {
    Map<String, Object> cluster = Map.of("bootstrap.servers", servers.bootstrap());
    StreamsApplication<Trace, Move, String> application = application(fold(), Map.of());
    Map<String, Object> shop = new HashMap<>(cluster);
    shop.put("group.id", place.application() + "-shop");
    try (KafkaConsumer<byte[], byte[]> reader =
        new KafkaConsumer<>(shop, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      reader.subscribe(List.of(place.output("traces")));
      Patience.await(
          PATIENCE,
          () -> {
            reader.poll(Duration.ofMillis(50));
            return reader.assignment().isEmpty() ? "a member of the group" : null;
          });
      assertThat(application.warnings(PATIENCE))
          .anyMatch(told -> told.startsWith("the cluster has one broker"))
          .anyMatch(told -> told.startsWith("the group " + place.application() + "-shop reads "));
    }
    assertThatThrownBy(() -> StreamsView.counts(cluster, place.application(), fold()))
        .hasMessageContaining("has stored nothing yet");
    try (StreamsRun<Trace> run = application.start()) {
      for (int i = 1; i <= 3; i++) {
        feed(i * 100, 100);
        await(run, i * 100L);
        assertThat(StreamsView.counts(cluster, place.application(), fold()))
            .isEqualTo(view().counts())
            .isEqualTo(run.counts());
      }
    }
    assertThat(StreamsView.counts(cluster, place.application(), fold()).events()).isEqualTo(300);
  }

  /** Sends one event, and waits until the instance stands before its commit. */
  private void holdCommitOf(int event, Beacon beacon) throws Exception {
    beacon.set(Field.HOLD, WatchedClients.BEFORE_COMMIT);
    feed(event, 1);
    Patience.await(
        PATIENCE, () -> beacon.get(Field.COMMIT) == Beacon.BEGUN ? null : "an open commit");
  }

  @Test
  void readersSeeWhatIsCommittedAndNothingElse() throws Exception {
    Beacon beacon = Beacon.at(directory.resolve("beacon-" + place.number()));
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start(new WatchedClients(beacon))) {
      feed(0, 1);
      await(run, 1);
      holdCommitOf(1, beacon);
      assertThat(version(run.slot("hot"))).isEqualTo(1);
      assertThat(run.counts().events()).isEqualTo(1);
      assertThat(version(view().slots().get("hot"))).isEqualTo(1);
      beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
      await(run, 2);
      assertThat(version(run.slot("hot"))).isEqualTo(2);
      assertThat(version(view().slots().get("hot"))).isEqualTo(2);
      assertThat(run.slot("cold")).isNull();
    }
  }

  @Test
  void anInstanceWhoseTransactionEndedWhileItStoodStillGoesOn() throws Exception {
    Beacon beacon = Beacon.at(directory.resolve("beacon-" + place.number()));
    Map<String, Object> impatient = Map.of("producer.transaction.timeout.ms", "1000");
    try (StreamsRun<Trace> run = application(fold(), impatient).start(new WatchedClients(beacon))) {
      feed(0, 1);
      await(run, 1);
      holdCommitOf(1, beacon);
      Patience.await(PATIENCE, () -> isOpen() ? "the end of the transaction" : null);
      beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
      await(run, 2);
      feed(2, 1);
      await(run, 3);
      assertThat(version(run.slot("hot"))).isEqualTo(3);
      assertThat(outputs()).hasSize(3).doesNotHaveDuplicates();
    }
  }

  private boolean isOpen() throws ExecutionException, InterruptedException {
    return servers.admin.listTransactions().all().get().stream()
        .anyMatch(
            each ->
                each.transactionalId().startsWith(place.application())
                    && each.state() == TransactionState.ONGOING);
  }

  @Test
  void aKeyIsWrittenOncePerCommit() throws Exception {
    try (StreamsRun<Trace> run = application(fold(), Map.of("commit.interval.ms", "500")).start()) {
      feed(0, 1);
      await(run, 1);
      feed(1, 2000);
      await(run, 2001);
    }
    List<Byte> kinds = new ArrayList<>();
    Committed.read(
        servers.bootstrap(),
        List.of(place.application() + "-" + Moves.NAME + "-changelog"),
        each -> kinds.add(each.key()[0]));
    assertThat(kinds.stream().filter(kind -> kind == 'S').count())
        .as("states written for 2001 events")
        .isPositive()
        .isLessThan(200);
    assertThat(version(view().slots().get("hot"))).isEqualTo(2001);
  }

  /**
   * Kafka Streams prepares a commit task by task, and waits for what each has sent. All tasks of
   * the thread write at the first one's turn, so that it waits once.
   */
  @Test
  void whatTheTasksOfAThreadHaveToWriteIsSentBeforeAnyOfItIsWaitedFor() throws Exception {
    place = servers.place();
    servers.topic(place.input(), 3);
    servers.topic(place.output("traces"), 1);
    Commits commits = new Commits();
    try (StreamsRun<Trace> run =
        application(fold(), Map.of("commit.interval.ms", "200")).start(commits)) {
      for (int round = 1; commits.tasks.stream().noneMatch(tasks -> tasks == 3); round++) {
        for (int partition = 0; partition < 3; partition++) {
          var unused = send(partition, "key" + partition, round);
        }
        servers.producer.flush();
        await(run, round * 3L);
      }
    }
    assertThat(commits.late).as("sent after the first wait of a commit").isEmpty();
  }

  /** Clients that note what is sent between the first wait of a commit and its end. */
  private static final class Commits extends DefaultKafkaClientSupplier {
    /** To how many partitions of the changelog each commit has written. */
    final List<Integer> tasks = new CopyOnWriteArrayList<>();

    final List<String> late = new CopyOnWriteArrayList<>();

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
      Producer<byte[], byte[]> real = super.getProducer(config);
      Set<Integer> written = new HashSet<>();
      boolean[] waited = {false};
      return (Producer<byte[], byte[]>)
          Proxy.newProxyInstance(
              Producer.class.getClassLoader(),
              new Class<?>[] {Producer.class},
              (proxy, method, args) -> {
                switch (method.getName()) {
                  case "send" -> {
                    ProducerRecord<?, ?> record = (ProducerRecord<?, ?>) args[0];
                    if (waited[0]) {
                      late.add(record.topic());
                    }
                    if (record.topic().endsWith("-changelog")) {
                      written.add(record.partition());
                    }
                  }
                  case "flush" -> waited[0] = true;
                  case "commitTransaction" -> {
                    tasks.add(written.size());
                    written.clear();
                    waited[0] = false;
                  }
                  default -> {}
                }
                try {
                  return method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }
  }

  /** The position beside the state protects where the group's offsets do not. */
  @Test
  void offsetsThatAreSetBackApplyNothingTwice() throws Exception {
    feed(0, 50);
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      await(run, 50);
    }
    servers
        .admin
        .alterConsumerGroupOffsets(
            place.application(),
            Map.of(new TopicPartition(place.input(), 0), new OffsetAndMetadata(0)))
        .all()
        .get();
    feed(50, 10);
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      await(run, 60);
    }
    assertThat(view().counts()).isEqualTo(new Counts(60, 0, 0, 0, 0, 0, 60));
    assertThat(version(view().slots().get("hot"))).isEqualTo(60);
    assertThat(outputs()).hasSize(60).doesNotHaveDuplicates();
  }

  @Test
  void aTopicThatNoLongerHoldsThePositionStopsTheApplication() throws Exception {
    feed(0, 50);
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      await(run, 50);
    }
    feed(50, 20);
    TopicPartition input = new TopicPartition(place.input(), 0);
    servers.admin.deleteRecords(Map.of(input, RecordsToDelete.beforeOffset(60))).all().get();
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      assertThatThrownBy(run::await)
          .isInstanceOf(StreamsFoldException.class)
          .hasMessageContaining("reset policy");
      // Whoever takes over does not wait for the end of its session.
      assertThat(
              servers
                  .admin
                  .describeConsumerGroups(List.of(place.application()))
                  .all()
                  .get()
                  .values())
          .allSatisfy(group -> assertThat(group.members()).isEmpty())
          .hasSize(1);
    }
    assertThat(view().counts().events()).isEqualTo(50);
  }

  @Test
  void aTopicMadeAnewIsAnotherTopic() throws Exception {
    feed(0, 50);
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      await(run, 50);
    }
    servers.admin.deleteTopics(List.of(place.input())).all().get();
    Patience.await(
        PATIENCE,
        () ->
            servers.admin.listTopics().names().get().contains(place.input())
                ? "the end of the topic"
                : null);
    servers.topic(place.input(), 1);
    feed(50, 7);
    try (StreamsRun<Trace> run = application(fold(), Map.of()).start()) {
      await(run, 57);
    }
    assertThat(version(view().slots().get("hot"))).isEqualTo(57);
  }

  @Test
  void anInputThatDoesNotExistIsToldWithWhatToDo() {
    place = servers.place();
    assertThatThrownBy(() -> application(fold(), Map.of()).start())
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining(place.input())
        .hasMessageEndingWith("Make the topics of the input first");
  }

  @Test
  void theChangelogThatDoesNotExistIsToldByName() {
    assertThatThrownBy(this::view)
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining(place.application() + "-moves-changelog");
  }
}
