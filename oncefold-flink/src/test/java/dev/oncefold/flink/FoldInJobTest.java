package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Codec;
import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.States;
import dev.oncefold.testkit.Patience;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fold behind a stream: what its state outlives, and what is refused. */
class FoldInJobTest {
  private static final AtomicInteger RUNS = new AtomicInteger();
  private static final Map<String, ConcurrentLinkedQueue<String>> OUT = new ConcurrentHashMap<>();

  @TempDir Path directory;
  private final String name = "run-" + RUNS.incrementAndGet();

  enum Backend {
    HEAP("hashmap"),
    ROCKSDB("rocksdb"),
    FORST("forst");

    final String setting;

    Backend(String setting) {
      this.setting = setting;
    }

    /** What reads its states outside of a job; null where Flink has nothing for it. */
    @Nullable StateBackend reading() {
      return switch (this) {
        case HEAP -> new HashMapStateBackend();
        case ROCKSDB -> new EmbeddedRocksDBStateBackend();
        case FORST -> null;
      };
    }
  }

  static Fold<Integer, Paid, String> unwritable() {
    return Fold.of("unwritable", Integer.class, Paid.class, String.class)
        .initially(0)
        .rememberingForever()
        .whenFailed(Fold.WhenFailed.REFUSE)
        .stateCodec(
            Codec.of(
                "small numbers",
                n -> {
                  if (n > 100) {
                    throw new IllegalArgumentException("too large");
                  }
                  return new byte[] {n.byteValue()};
                },
                bytes -> (int) bytes[0]))
        .update((n, event) -> Outcome.accept(n + (int) event.value().cents()));
  }

  static Fold<Integer, Paid, String> several() {
    return Fold.of("several", Integer.class, Paid.class, String.class)
        .initially(0)
        .rememberingForever()
        .update(
            event -> List.of(event.key()),
            (States<Integer> states, Event<Paid> event) -> Outcome.accept(states));
  }

  static Fold<Integer, Paid, String> bounded() {
    return Fold.of("bounded", Integer.class, Paid.class, String.class)
        .initially(0)
        .remembering(Duration.ofDays(1))
        .atMost(10)
        .update((n, event) -> Outcome.accept(n));
  }

  /** {@code id key cents day} */
  static Event<Paid> read(String line) {
    String[] words = line.split(" ", -1);
    Instant time = Instant.EPOCH.plus(Duration.ofDays(Long.parseLong(words[3])));
    return new Event<>(
        words[0].equals("-") ? null : words[0], words[1], time, new Paid(Long.parseLong(words[2])));
  }

  @SuppressWarnings("deprecation") // see Lines
  private <S> JobID start(
      Folding<S, Paid, String> folding,
      Backend backend,
      int parallelism,
      @Nullable String from,
      UnaryOperator<FlinkFold<S, Paid, String>> changed)
      throws Exception {
    StreamExecutionEnvironment environment = MiniFlink.environment(parallelism, 1_000_000);
    environment.configure(
        Configuration.fromMap(
            Map.of(
                "state.backend.type",
                backend.setting,
                "execution.checkpointing.dir",
                directory.resolve("checkpoints").toUri().toString())));
    DataStream<String> lines = environment.addSource(new Lines(name)).uid("lines");
    FoldStreams<S, Paid, String> folded =
        changed.apply(FlinkFold.of(folding)).in(lines, FoldInJobTest::read);
    String run = name;
    OUT.computeIfAbsent(run, each -> new ConcurrentLinkedQueue<>());
    folded
        .outputs(Output.DEFAULT)
        .map(each -> keep(run, each.id() + " " + each.value()))
        .uid("outputs")
        .sinkTo(new DiscardingSink<>());
    folded
        .refusals()
        .map(each -> keep(run, each.id() + " " + each.verdict() + " " + each.reason()))
        .uid("refusals")
        .sinkTo(new DiscardingSink<>());
    JobID job = MiniFlink.submit(environment, from);
    return job;
  }

  private static int keep(String run, String text) {
    ConcurrentLinkedQueue<String> kept = OUT.get(run);
    if (kept != null) {
      kept.add(text);
    }
    return 0;
  }

  private List<String> out() {
    return List.copyOf(OUT.getOrDefault(name, new ConcurrentLinkedQueue<>()));
  }

  /** Waits until so many outputs and refusals are out. */
  private void awaitOut(JobID job, int count) throws Exception {
    Patience.await(
        Patience.USUAL,
        () -> {
          JobStatus status = MiniFlink.status(job);
          if (status.isGloballyTerminalState()) {
            throw new IllegalStateException("the job is " + status, MiniFlink.failure(job));
          }
          return out().size() >= count ? null : (count - out().size()) + " of " + out();
        });
  }

  private String savepoint(JobID job) throws Exception {
    return savepoint(job, Backend.HEAP);
  }

  private String savepoint(JobID job, Backend backend) throws Exception {
    return MiniFlink.stop(
        job,
        directory.resolve("savepoints").toUri().toString(),
        // The other format is not there yet.
        backend == Backend.FORST ? SavepointFormatType.NATIVE : SavepointFormatType.CANONICAL);
  }

  private static <S> Map<String, S> states(Map<String, Slot<S>> slots) {
    return new TreeMap<>(
        slots.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue().state())));
  }

  // ---------------------------------------------------------------- state

  @ParameterizedTest
  @EnumSource
  void stateIdsAndCountsOutliveSavepointsAndRescaling(Backend backend) throws Exception {
    for (int i = 0; i < 20; i++) {
      Lines.add(name, "e" + i + " k" + i + " 5 1");
    }
    Lines.add(name, "e1 k1 5 1", "e99 k1 -50 1");
    JobID job = start(First::fold, backend, 2, null, fold -> fold);
    awaitOut(job, 21);
    String savepoint = savepoint(job, backend);
    assertThat(new Saved(savepoint).counts("accounts"))
        .isEqualTo(new Counts(20, 1, 1, 0, 0, 0, 20));

    Lines.add(name, "e2 k2 5 1", "e3 k3 6 1", "e99 k1 -50 1", "f1 k1 1 1");
    job = start(First::fold, backend, 3, savepoint, fold -> fold);
    awaitOut(job, 23);
    savepoint = savepoint(job, backend);
    Lines.add(name, "e4 k4 5 1", "f1 k1 1 1", "f2 k1 2 1");
    job = start(First::fold, backend, 1, savepoint, fold -> fold);
    awaitOut(job, 24);
    savepoint = savepoint(job, backend);

    Saved saved = new Saved(savepoint);
    assertThat(saved.counts("accounts")).isEqualTo(new Counts(22, 1, 5, 1, 0, 0, 22));
    assertThat(out()).contains("accounts/k1/f2/0 has 8").doesNotHaveDuplicates();
    StateBackend reading = backend.reading();
    if (reading != null) {
      Map<String, Slot<First.Account>> slots =
          saved.keys("accounts", First.fold(), reading).slots();
      assertThat(slots).hasSize(20);
      assertThat(slots.get("k1")).isEqualTo(new Slot<>(new First.Account(8), 3));
      assertThat(slots.get("k19")).isEqualTo(new Slot<>(new First.Account(5), 1));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStateIsReadWithAFieldThatWasAddedSince(Backend backend) throws Exception {
    Lines.add(name, "e1 alice 5 1", "e2 bob 7 1");
    JobID job = start(First::fold, backend, 2, null, fold -> fold);
    awaitOut(job, 2);
    String savepoint = savepoint(job, backend);
    Lines.add(name, "e1 alice 5 1", "f1 alice 1 1", "f2 carol 1 1", "f3 alice 1 1");
    job = start(Then::fold, backend, 1, savepoint, FlinkFold::acceptingChange);
    awaitCounts(job, 6);
    savepoint = savepoint(job, backend);
    Saved saved = new Saved(savepoint);
    assertThat(saved.counts("accounts")).isEqualTo(new Counts(5, 0, 1, 0, 0, 0, 5));
    assertThat(out())
        .containsSubsequence(
            "accounts/alice/f1/0 Account[cents=6, payments=1001]",
            "accounts/alice/f3/0 Account[cents=7, payments=1002]");
    StateBackend reading = backend.reading();
    if (reading != null) {
      assertThat(states(saved.keys("accounts", Then.fold(), reading).slots()))
          .isEqualTo(
              Map.of(
                  "alice", new Then.Account(7, 1002),
                  "bob", new Then.Account(7, 1000),
                  "carol", new Then.Account(1, 1001)));
    }
  }

  /** Waits until a checkpoint holds so many events. */
  private String awaitCounts(JobID job, long events) throws Exception {
    String[] path = new String[1];
    MiniFlink.awaitRunning(job);
    Patience.await(
        Patience.USUAL,
        () -> {
          path[0] = MiniFlink.checkpoint(job);
          long counted = new Saved(path[0]).counts("accounts").events();
          return counted >= events ? null : (events - counted) + " events";
        });
    return path[0];
  }

  @ParameterizedTest
  @EnumSource(names = {"HEAP", "ROCKSDB"})
  void idsThatTheFloorHasPassedAreRemoved(Backend backend) throws Exception {
    StateBackend reading = Objects.requireNonNull(backend.reading());
    long day = Duration.ofDays(1).toMillis();
    Lines.add(name, "e1 alice 5 1", "e2 bob 5 1", "e3 bob 5 6", "@" + 6 * day);
    JobID job = start(First::fold, backend, 1, null, fold -> fold);
    awaitOut(job, 3);
    Saved saved = new Saved(awaitCounts(job, 3));
    assertThat(saved.keys("accounts", First.fold(), reading).ids())
        .isEqualTo(Map.of("alice", 1, "bob", 2));
    Lines.add(name, "@" + 12 * day, "e1 alice 5 1", "e3 bob 5 6", "e4 bob 5 12");
    awaitOut(job, 5);
    saved = new Saved(awaitCounts(job, 6));
    assertThat(saved.keys("accounts", First.fold(), reading).ids()).isEqualTo(Map.of("bob", 2));
    assertThat(saved.counts("accounts")).isEqualTo(new Counts(4, 0, 1, 0, 1, 0, 4));
    assertThat(out()).contains("e1 EXPIRED ids up to 1970-01-05T00:00:00Z may have been forgotten");
    MiniFlink.cancel(job);
  }

  // ---------------------------------------------------------------- failures

  @Test
  void anUpdateThatThrowsAndAStateThatCannotBeWrittenLeaveNothing() throws Exception {
    Lines.add(name, "e1 alice 60 1", "e2 alice 60 1", "e2 alice 30 1");
    JobID job = start(FoldInJobTest::unwritable, Backend.HEAP, 1, null, fold -> fold);
    awaitOut(job, 1);
    Saved saved = new Saved(savepoint(job));
    assertThat(saved.counts("unwritable")).isEqualTo(new Counts(2, 0, 0, 0, 0, 1, 0));
    assertThat(states(saved.keys("unwritable", unwritable(), new HashMapStateBackend()).slots()))
        .isEqualTo(Map.of("alice", 90));
    assertThat(out()).singleElement().asString().contains("e2 FAILED").contains("too large");
  }

  @Test
  void outputsOfEventsWithoutAnIdHaveAnIdThatIsUniqueAcrossRestarts() throws Exception {
    Lines.add(name, "- alice 5 1", "- alice 6 1");
    JobID job = start(First::fold, Backend.HEAP, 1, null, fold -> fold);
    awaitOut(job, 2);
    String savepoint = savepoint(job);
    Lines.add(name, "- alice 7 1");
    job = start(First::fold, Backend.HEAP, 2, savepoint, fold -> fold);
    awaitOut(job, 3);
    savepoint(job);
    assertThat(out().stream().map(each -> each.split(" ", -1)[0]))
        .doesNotHaveDuplicates()
        .hasSize(3);
  }

  // ---------------------------------------------------------------- refused

  @Test
  void anotherVersionIsRefusedWithoutARestart() throws Exception {
    Lines.add(name, "e1 alice 5 1");
    JobID job = start(First::fold, Backend.HEAP, 1, null, fold -> fold);
    awaitOut(job, 1);
    String savepoint = savepoint(job);
    JobID refused = start(First::second, Backend.HEAP, 1, savepoint, fold -> fold);
    assertThat(MiniFlink.told(MiniFlink.failure(refused)))
        .contains("written by version 1")
        .contains("this is version 2")
        .contains("acceptingChange");
  }

  @Test
  void aFoldOverSeveralKeysAndABoundOnIdsAreRefusedNamingEnginesThatCan() {
    assertThatThrownBy(() -> FlinkFold.of(FoldInJobTest::several))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("journal and PostgreSQL");
    assertThatThrownBy(() -> FlinkFold.of(FoldInJobTest::bounded))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("Kafka Streams");
  }

  @Test
  @SuppressWarnings("deprecation") // see Lines
  void withoutCheckpointsOrWithThoseOfAtLeastOnceItIsRefused() {
    StreamExecutionEnvironment without = MiniFlink.environment(1, 0);
    DataStream<String> lines = without.addSource(new Lines(name));
    assertThatThrownBy(() -> FlinkFold.of(First::fold).in(lines, FoldInJobTest::read))
        .hasMessageContaining("execution.checkpointing.interval");
    StreamExecutionEnvironment loose = MiniFlink.environment(1, 1000);
    loose.getCheckpointConfig().setCheckpointingConsistencyMode(CheckpointingMode.AT_LEAST_ONCE);
    DataStream<String> looseLines = loose.addSource(new Lines(name));
    assertThatThrownBy(() -> FlinkFold.of(First::fold).in(looseLines, FoldInJobTest::read))
        .hasMessageContaining("execution.checkpointing.mode");
  }

  @Test
  @SuppressWarnings("deprecation") // see Lines
  void outputsThatNobodyTakesEndTheJob() throws Exception {
    Lines.add(name, "e1 alice 5 1");
    StreamExecutionEnvironment environment = MiniFlink.environment(1, 1_000_000);
    FoldStreams<First.Account, Paid, String> folded =
        FlinkFold.of(First::fold).in(environment.addSource(new Lines(name)), FoldInJobTest::read);
    folded.refusals().sinkTo(new DiscardingSink<>());
    JobID job = MiniFlink.submit(environment, null);
    assertThat(MiniFlink.told(MiniFlink.failure(job)))
        .contains("emits to \"outputs\", which nobody takes");
  }
}
