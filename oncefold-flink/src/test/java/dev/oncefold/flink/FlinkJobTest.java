package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.testkit.Patience;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the whole job refuses, when it is built and when it starts. */
class FlinkJobTest {
  @TempDir Path directory;
  private int place;

  @BeforeEach
  void topics() throws Exception {
    place = Servers.get().place();
    Servers.get().topic("input-" + place, 2);
    Servers.get().topic("output-" + place, 1);
  }

  private String name() {
    return "job-" + place;
  }

  private FlinkJob<First.Account, Paid, String> job() throws Exception {
    return FlinkJob.of(Servers.get().bootstrap(), name(), FlinkFold.of(First::fold))
        .from(record -> read(Servers.text(record.value())), "input-" + place)
        .output("outputs", "output-" + place, each -> Servers.bytes(each.value()))
        .with(Map.of("fetch.max.wait.ms", "10"));
  }

  private static Event<Paid> read(String line) {
    return FoldInJobTest.read(line);
  }

  private StreamExecutionEnvironment environment(Map<String, String> changed) {
    StreamExecutionEnvironment environment = MiniFlink.environment(2, 100);
    Map<String, String> settings = new HashMap<>(FlinkFixture.settings(directory));
    settings.putAll(changed);
    environment.configure(Configuration.fromMap(settings));
    return environment;
  }

  private JobID start(@Nullable String from) throws Exception {
    StreamExecutionEnvironment environment = environment(Map.of());
    job().in(environment);
    return MiniFlink.submit(environment, from);
  }

  private List<String> outputs() throws Exception {
    List<String> seen = new ArrayList<>();
    try (Servers.Reader reader = Servers.get().reader(List.of("output-" + place))) {
      reader.readOn(record -> seen.add(id(record)));
    }
    return seen;
  }

  private static String id(ConsumerRecord<byte[], byte[]> message) {
    return Servers.text(message.headers().lastHeader(FlinkJob.ID).value());
  }

  private void awaitOutputs(int count) throws Exception {
    Patience.await(
        Patience.USUAL,
        () -> outputs().size() >= count ? null : (count - outputs().size()) + " outputs");
  }

  private void awaitCommitted(long offset) throws Exception {
    Patience.await(
        Patience.USUAL,
        () -> {
          long committed =
              Servers.get()
                  .admin
                  .listConsumerGroupOffsets(name())
                  .partitionsToOffsetAndMetadata()
                  .get()
                  .values()
                  .stream()
                  .mapToLong(each -> each.offset())
                  .sum();
          return committed >= offset ? null : "offsets of the group at " + offset;
        });
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void messagesAreTheSameWhetherOrNotTheSinkIsATaskOfItsOwn(String chained) throws Exception {
    Servers.get().topic("refused-" + place, 1);
    Servers.get().send("input-" + place, 1, List.of("e1 alice 5 1", "no event"));
    StreamExecutionEnvironment environment =
        environment(Map.of("pipeline.operator-chaining.enabled", chained));
    job().refusals("refused-" + place, each -> new byte[] {'x'}).in(environment);
    JobID job = MiniFlink.submit(environment, null);
    List<String> messages = new ArrayList<>();
    try (Servers.Reader reader =
        Servers.get().reader(List.of("output-" + place, "refused-" + place))) {
      Patience.await(
          Patience.USUAL,
          () -> {
            reader.readOn(
                each ->
                    messages.add(
                        Servers.text(each.key())
                            + ' '
                            + id(each)
                            + ' '
                            + Servers.text(each.value())));
            return messages.size() < 2 ? "an output and a refusal" : null;
          });
    }
    MiniFlink.cancel(job);
    assertThat(messages)
        .containsExactlyInAnyOrder("alice accounts/alice/e1/0 has 5", " input-" + place + "-1@1 x");
  }

  @Test
  void whatIsNoEventIsRefusedInTheOrderOfItsPartition() throws Exception {
    Servers.get().topic("refused-" + place, 1);
    List<String> records = new ArrayList<>();
    List<String> positions = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      records.add("no event");
      positions.add("input-" + place + "-1@" + i);
    }
    Servers.get().send("input-" + place, 1, records);
    StreamExecutionEnvironment environment = environment(Map.of());
    job().refusals("refused-" + place, each -> new byte[0]).in(environment);
    JobID job = MiniFlink.submit(environment, null);
    List<String> refused = new ArrayList<>();
    try (Servers.Reader reader = Servers.get().reader(List.of("refused-" + place))) {
      Patience.await(
          Patience.USUAL,
          () -> {
            reader.readOn(each -> refused.add(id(each)));
            return refused.size() < 200 ? "refusals" : null;
          });
    }
    MiniFlink.cancel(job);
    assertThat(refused).isEqualTo(positions);
  }

  // ---------------------------------------------------------------- refused where it is built

  @ParameterizedTest
  @CsvSource({
    "execution.checkpointing.mode, AT_LEAST_ONCE, a failure would apply events twice",
    "execution.checkpointing.externalized-checkpoint-retention, DELETE_ON_CANCELLATION,"
        + " RETAIN_ON_CANCELLATION",
    "execution.checkpointing.checkpoints-after-tasks-finish, false, would never be committed",
    "execution.checkpointing.timeout, 20 min, Outputs would be lost",
    "execution.checkpointing.tolerable-failed-checkpoints, 1, Outputs would be lost",
    "execution.checkpointing.min-pause, 10 min, Outputs would be lost",
    "execution.checkpointing.interval-during-backlog, 10 min, Outputs would be lost",
  })
  void settingsOfFlinkUnderWhichItWouldLoseAreRefused(String name, String value, String told) {
    assertThatThrownBy(() -> job().in(environment(Map.of(name, value))))
        .isInstanceOf(FlinkFoldException.class)
        .hasMessageContaining(told)
        .hasMessageContaining(name);
  }

  @ParameterizedTest
  @CsvSource({
    "isolation.level, read_uncommitted, read_committed",
    "enable.idempotence, false, doubled",
    "acks, 1, take messages with it",
    "transaction.timeout.ms, 1000, FlinkJob.transactionTimeout",
    "auto.offset.reset, latest, leave it out",
    "group.id, mine, leave it out",
    "commit.offsets.on.checkpoint, false, leave it out",
  })
  void settingsOfKafkaUnderWhichItWouldLoseAreRefused(String name, String value, String told) {
    assertThatThrownBy(() -> job().with(Map.of(name, value)).in(environment(Map.of())))
        .isInstanceOf(FlinkFoldException.class)
        .hasMessageContaining(told)
        .hasMessageContaining(name);
  }

  @Test
  void checkpointsMustBeOnAndOutliveTheJob() throws Exception {
    StreamExecutionEnvironment without = MiniFlink.environment(1, 0);
    assertThatThrownBy(() -> job().in(without))
        .hasMessageContaining("execution.checkpointing.interval");
    StreamExecutionEnvironment inMemory = MiniFlink.environment(1, 1000);
    assertThatThrownBy(() -> job().in(inMemory))
        .hasMessageContaining("execution.checkpointing.dir");
  }

  @Test
  void aTransactionTimeoutThatIsTooShortOrTooLongIsRefusedWithTheNumbers() throws Exception {
    refused(each -> each.transactionTimeout(Duration.ofMinutes(12)), "720100 ms may pass");
    refused(
        each -> each.transactionTimeout(Duration.ofMinutes(16)),
        "transaction.max.timeout.ms is 900000");
    refused(each -> each.restartsWithin(Duration.ofMinutes(6)), "360000 for a restart");
  }

  private void refused(UnaryOperator<FlinkJob<First.Account, Paid, String>> changed, String told)
      throws Exception {
    FlinkJob<First.Account, Paid, String> job = changed.apply(job());
    assertThatThrownBy(() -> job.in(environment(Map.of())))
        .isInstanceOf(FlinkFoldException.class)
        .hasMessageContaining(told);
  }

  // ---------------------------------------------------------------- refused when it starts

  @Test
  void withoutItsStateOrWithAnOlderOneAJobThatHasRunIsRefused() throws Exception {
    Servers.get().send("input-" + place, 0, List.of("e1 alice 5 1"));
    JobID job = start(null);
    awaitOutputs(1);
    awaitCommitted(1);
    String older = MiniFlink.savepoint(job, directory.resolve("older").toUri().toString());
    Servers.get().send("input-" + place, 0, List.of("e2 alice 5 1"));
    awaitOutputs(2);
    awaitCommitted(2);
    MiniFlink.cancel(job);

    assertThat(MiniFlink.told(MiniFlink.failure(start(null)))).contains("has run before");
    assertThat(MiniFlink.told(MiniFlink.failure(start(older))))
        .contains("has gone on up to 2 after that");
    Servers.get().send("input-" + place, 1, List.of("e3 alice 5 1"));
    JobID right = start(Kept.last(directory));
    awaitOutputs(3);
    MiniFlink.cancel(right);
    assertThat(outputs())
        .containsExactly("accounts/alice/e1/0", "accounts/alice/e2/0", "accounts/alice/e3/0");
  }

  /** Flink commits offsets without waiting: here none has come. */
  @Test
  void aJobThatHasSentIsRefusedWithoutItsStateWhereItsOffsetsNeverCame() throws Exception {
    Servers.get().send("input-" + place, 0, List.of("e1 alice 5 1"));
    JobID job = start(null);
    awaitOutputs(1);
    awaitCommitted(1);
    MiniFlink.cancel(job);
    Servers.get().admin.deleteConsumerGroups(List.of(name())).all().get();

    assertThat(MiniFlink.told(MiniFlink.failure(start(null))))
        .contains("has run before, and has sent outputs");
    assertThat(outputs()).containsExactly("accounts/alice/e1/0");
  }

  @Test
  void theLastCheckpointOfAJobIsFoundAmongAllThatAreInADirectory() throws Exception {
    String all = directory.toUri().toString();
    assertThat(FlinkView.last(all, name())).isNull();
    Servers.get().send("input-" + place, 0, List.of("e1 alice 5 1"));
    JobID job = start(null);
    awaitOutputs(1);
    String savepoint = MiniFlink.stop(job, all, SavepointFormatType.CANONICAL);
    FlinkView stopped = Objects.requireNonNull(FlinkView.last(all, name()));
    assertThat(stopped.path()).isEqualTo(savepoint);
    assertThat(stopped.counts(name()).applied()).isEqualTo(1);

    Servers.get().send("input-" + place, 0, List.of("e2 alice 5 1"));
    JobID next = start(savepoint);
    awaitOutputs(2);
    MiniFlink.cancel(next);
    // Many are kept here, and their numbers go on behind the savepoint's.
    FlinkView last = Objects.requireNonNull(FlinkView.last(all, name()));
    assertThat(Path.of(URI.create(last.path()).getPath()))
        .isEqualTo(Path.of(URI.create(Objects.requireNonNull(Kept.last(directory)))));
    assertThat(last.counts(name()).applied()).isEqualTo(2);
    assertThat(FlinkView.last(all, name() + "0")).isNull();

    FlinkFold<First.Account, Paid, String> other = FlinkFold.of(First::second).storedAs(name());
    assertThatThrownBy(() -> last.admit(other)).isInstanceOf(FlinkFoldException.class);
    assertThatThrownBy(() -> last.admit(FlinkFold.of(Then::fold).storedAs(name())))
        .isInstanceOf(FlinkFoldException.OtherRules.class);
    last.admit(FlinkFold.of(Then::fold).storedAs(name()).acceptingChange());
  }

  @Test
  void aPositionThatTheTopicNoLongerHoldsEndsTheJob() throws Exception {
    Servers.get().send("input-" + place, 0, List.of("e1 alice 5 1"));
    JobID job = start(null);
    awaitOutputs(1);
    awaitCommitted(1);
    String savepoint =
        MiniFlink.stop(
            job, directory.resolve("savepoints").toUri().toString(), SavepointFormatType.CANONICAL);
    Servers.get().send("input-" + place, 0, List.of("e2 alice 5 1", "e3 alice 5 1"));
    Servers.get()
        .admin
        .deleteRecords(
            Map.of(new TopicPartition("input-" + place, 0), RecordsToDelete.beforeOffset(2)))
        .all()
        .get();
    assertThat(MiniFlink.told(MiniFlink.failure(start(savepoint))))
        .contains("no longer holds what is to be read next");
    assertThat(outputs()).hasSize(1);
  }
}
