package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.errors.TaskMigratedException;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.Test;

/** The topology of a whole application, record by record. */
class WholeApplicationTest {
  private static final Fold<String, String, String> FOLD =
      Fold.of("texts", String.class, String.class, String.class)
          .initially("")
          .whenFailed(Fold.WhenFailed.REFUSE)
          .rememberingNoIds()
          .update(
              (state, event) ->
                  event.value().equals("no")
                      ? Outcome.reject("no means no")
                      : Outcome.<String, String>accept(state + event.value())
                          .emit("texts", event.value())
                          .emit("lengths", String.valueOf(state.length())));

  /** A cluster whose topics are as they were. */
  private static class Still implements Cluster {
    @Override
    public Topic topic(String name) throws ExecutionException {
      return new Topic("id", 1);
    }

    @Override
    public Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions) {
      return Map.of();
    }

    @Override
    public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) {
      return Map.of();
    }

    @Override
    public Map<TopicPartition, Long> committed(String application) {
      return Map.of();
    }

    @Override
    public void close() {}
  }

  private static byte[] bytes(String text) {
    if (text.equals("bad")) {
      throw new IllegalArgumentException("cannot be sent");
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static StreamsFold<String, String, String> fold() {
    return StreamsFold.of(FOLD).asking(settings -> new Still());
  }

  private static StreamsApplication<String, String, String> application(
      StreamsFold<String, String, String> fold) {
    return StreamsApplication.of("nowhere:1", "app", fold)
        .from(
            record ->
                new Event<>(
                    null,
                    new String(record.key(), StandardCharsets.UTF_8),
                    null,
                    new String(record.value(), StandardCharsets.UTF_8)),
            "in")
        .output("texts", "texts", emitted -> bytes(emitted.value()))
        .output("lengths", "numbers", emitted -> bytes("length " + emitted.value()));
  }

  private static TopologyTestDriver driver(
      StreamsApplication<String, String, String> application, Map<String, ?> more) {
    Topology topology = application.topology(fold().readingFrom("in").backlog());
    Properties settings = new Properties();
    settings.put("application.id", "app");
    settings.put("bootstrap.servers", "nowhere:1");
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.putAll(more);
    return new TopologyTestDriver(topology, settings);
  }

  private static void pipe(TopologyTestDriver driver, String key, String value) {
    driver
        .createInputTopic("in", new StringSerializer(), new StringSerializer())
        .pipeInput(key, value);
  }

  /** What a topic holds: key, value and id of each message. */
  private static List<String> messages(TopologyTestDriver driver, String topic) {
    return driver
        .createOutputTopic(topic, new StringDeserializer(), new StringDeserializer())
        .readRecordsToList()
        .stream()
        .map(WholeApplicationTest::told)
        .toList();
  }

  private static String told(TestRecord<String, String> each) {
    return each.key()
        + " "
        + each.value()
        + " "
        + new String(each.headers().lastHeader(StreamsFold.ID).value(), StandardCharsets.UTF_8);
  }

  private static void everyMessageGoesToItsTopic(StreamsFold<String, String, String> fold) {
    StreamsApplication<String, String, String> application =
        application(fold).refusals("refused", entry -> bytes(entry.reason() + ""));
    try (TopologyTestDriver driver = driver(application, Map.of())) {
      pipe(driver, "k", "abc");
      pipe(driver, "k", "no");
      pipe(driver, "l", "d");
      assertThat(messages(driver, "texts"))
          .containsExactly("k abc texts/k/in-0@0/0", "l d texts/l/in-0@2/0");
      assertThat(messages(driver, "numbers"))
          .containsExactly("k length 0 texts/k/in-0@0/1", "l length 0 texts/l/in-0@2/1");
      assertThat(messages(driver, "refused")).containsExactly("k no means no in-0@1");
    }
  }

  @Test
  void everyMessageGoesToItsTopicThroughARepartitionTopic() {
    everyMessageGoesToItsTopic(fold());
  }

  @Test
  void everyMessageGoesToItsTopicWhereTheInputIsPartitionedByKey() {
    everyMessageGoesToItsTopic(fold().partitionedByKey());
  }

  @Test
  void refusalsThatNobodyTakesGoNowhere() {
    try (TopologyTestDriver driver = driver(application(fold().partitionedByKey()), Map.of())) {
      pipe(driver, "k", "no");
      pipe(driver, "k", "yes");
      assertThat(messages(driver, "texts")).containsExactly("k yes texts/k/in-0@1/0");
      assertThat(driver.producedTopicNames())
          .containsExactlyInAnyOrder("texts", "numbers", "app-texts-changelog");
      FoldStore<?> store = (FoldStore<?>) driver.getAllStateStores().get("texts");
      assertThat(Objects.requireNonNull(store).live().counts().rejected()).isEqualTo(1);
    }
  }

  /** Handlers of Kafka Streams can skip what throws, and keep what it did: not here. */
  @Test
  void aFormatThatThrowsLeavesNothingToCommit() {
    Map<String, ?> skipping =
        Map.of(
            "processing.exception.handler",
            LogAndContinueProcessingExceptionHandler.class.getName(),
            "production.exception.handler",
            SkipsAll.class.getName());
    TopologyTestDriver driver = driver(application(fold().partitionedByKey()), skipping);
    pipe(driver, "k", "a");
    assertThatThrownBy(() -> pipe(driver, "k", "bad"))
        .hasStackTraceContaining("an event was begun and not finished");
    assertThat(messages(driver, "texts")).containsExactly("k a texts/k/in-0@0/0");
    assertThatThrownBy(driver::close).hasStackTraceContaining("not finished");
  }

  /** All that a thread has sent is one transaction, so no task of it may be in an event. */
  @Test
  void anEventThatIsNotFinishedFailsTheCommitOfAllTasksOfItsThread() throws Exception {
    Plan<String, String, String> plan =
        new Plan<>(
            FOLD,
            "texts",
            List.of("in"),
            false,
            0,
            false,
            Set.of(),
            Map.of(),
            Clock.systemUTC(),
            fold().readingFrom("in").backlog(),
            new Shared(),
            1);
    FoldStore<String> asked = new FoldStore<>(plan);
    FoldStore<String> begun = new FoldStore<>(plan);
    FoldStore<String> elsewhere = new FoldStore<>(plan);
    asked.begin(() -> 0);
    Thread another =
        new Thread(
            () -> {
              elsewhere.begin(() -> 0);
              elsewhere.beginEvent();
            });
    another.start();
    another.join();
    asked.flushCache();
    begun.begin(() -> 0);
    asked.flushCache();
    begun.beginEvent();
    assertThatThrownBy(asked::flushCache).hasMessageContaining("an event was begun");
    begun.end();
    asked.flushCache();
  }

  /** A broker that stands still is asked, too: no reason for an instance to stop. */
  @Test
  void whereTheClusterDoesNotAnswerInTimeTheTasksBeginAgain() {
    Backlog backlog =
        new Backlog(
            List.of("in"),
            null,
            settings ->
                new Still() {
                  @Override
                  public Topic topic(String name) throws ExecutionException {
                    throw new ExecutionException(new TimeoutException("no node was assigned"));
                  }
                });
    backlog.enter(Map.of("application.id", "app"), false);
    assertThatThrownBy(() -> backlog.topicId("in"))
        .isInstanceOf(TaskMigratedException.class)
        .hasMessageContaining("the topic in cannot be described now");
    backlog.leave();
  }

  /** Goes on whatever cannot be sent. */
  public static final class SkipsAll
      implements org.apache.kafka.streams.errors.ProductionExceptionHandler {
    @Override
    public Response handleError(
        org.apache.kafka.streams.errors.ErrorHandlerContext context,
        org.apache.kafka.clients.producer.ProducerRecord<byte[], byte[]> record,
        Exception exception) {
      return Response.resume();
    }

    @Override
    @SuppressWarnings("rawtypes") // as Kafka has it
    public Response handleSerializationError(
        org.apache.kafka.streams.errors.ErrorHandlerContext context,
        org.apache.kafka.clients.producer.ProducerRecord record,
        Exception exception,
        SerializationExceptionOrigin origin) {
      return Response.resume();
    }

    @Override
    public void configure(Map<String, ?> settings) {}
  }

  /** With several topics a task may have several partitions, and Kafka Streams merges them. */
  @Test
  void aTaskOfOnePartitionWaitsForNoOther() {
    StreamsApplication<String, String, String> one = application(fold());
    assertThat(one.settings()).containsEntry("max.task.idle.ms", -1L);
    assertThat(one.with(Map.of("max.task.idle.ms", 5)).settings())
        .containsEntry("max.task.idle.ms", 5);
    assertThat(one.from(record -> null, "in", "another").settings())
        .doesNotContainKey("max.task.idle.ms");
  }

  @Test
  void aMessageIsWrittenAsItIs() {
    try (var serde = Message.serde()) {
      byte[] value = {1, 2, 3};
      assertThat(serde.serializer().serialize("any", new Message("to", value))).isSameAs(value);
      assertThat(serde.serializer().serialize("any", new Message("to", null))).isNull();
    }
  }
}
