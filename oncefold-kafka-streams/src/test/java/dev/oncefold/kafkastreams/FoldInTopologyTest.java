package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Event;
import dev.oncefold.FailedEventException;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.junit.jupiter.api.Test;

/** A fold in a user's topology, record by record. */
class FoldInTopologyTest {
  private static Fold.Builder<String, String, String> builder() {
    return Fold.of("texts", String.class, String.class, String.class)
        .initially("")
        .whenFailed(Fold.WhenFailed.REFUSE);
  }

  /** Appends; throws at "break"; rejects "no"; emits what it appends. */
  private static Outcome<String, String> update(String state, Event<String> event) {
    if (event.value().equals("break")) {
      throw new IllegalStateException("the update broke");
    }
    return event.value().equals("no")
        ? Outcome.reject("no means no")
        : Outcome.accept(state + event.value(), event.value());
  }

  private static Fold<String, String, String> fold() {
    return builder().rememberingForever().update(FoldInTopologyTest::update);
  }

  /** Values are {@code id:text}. */
  private static Event<String> read(String key, String value) {
    String[] parts = value.split(":", 2);
    if (parts.length < 2) {
      throw new IllegalArgumentException("no event");
    }
    return new Event<>(parts[0].isEmpty() ? null : parts[0], key, null, parts[1]);
  }

  private static KStream<String, String> input(StreamsBuilder builder) {
    return builder.stream("in", Consumed.with(Serdes.String(), Serdes.String()));
  }

  private static Topology topology(StreamsFold<String, String, String> fold) {
    StreamsBuilder builder = new StreamsBuilder();
    FoldStreams<String, String, String> folded =
        fold.in(builder, input(builder), record -> read(record.key(), record.value()));
    Produced<String, String> texts = Produced.with(Serdes.String(), Serdes.String());
    folded.outputs("outputs").to("out", texts);
    folded
        .refusals()
        .mapValues(entry -> entry.verdict() + " " + entry.id() + " " + entry.reason())
        .to("refused", texts);
    return builder.build();
  }

  private static Properties settings() {
    Properties settings = new Properties();
    settings.put("application.id", "app");
    settings.put("bootstrap.servers", "nowhere:1");
    settings.put("processing.guarantee", "exactly_once_v2");
    return settings;
  }

  /** A topology that is driven, and its topics. */
  private static final class Driven implements AutoCloseable {
    final TopologyTestDriver driver;
    final TestInputTopic<String, String> in;

    Driven(Topology topology, Properties settings) {
      driver = new TopologyTestDriver(topology, settings);
      in =
          driver.createInputTopic("in", Serdes.String().serializer(), Serdes.String().serializer());
    }

    List<String> values(String topic) {
      TestOutputTopic<String, String> out =
          driver.createOutputTopic(
              topic, Serdes.String().deserializer(), Serdes.String().deserializer());
      return out.readValuesToList();
    }

    TestOutputTopic<byte[], byte[]> changelog() {
      return driver.createOutputTopic(
          "app-texts-changelog",
          Serdes.ByteArray().deserializer(),
          Serdes.ByteArray().deserializer());
    }

    @SuppressWarnings("unchecked") // the topology has one store, of this type
    FoldStore<String> store() {
      return Objects.requireNonNull((FoldStore<String>) driver.getAllStateStores().get("texts"));
    }

    String state(String key) {
      Slot<String> slot = store().live().slot(key);
      return slot == null ? "" : slot.state();
    }

    @Override
    public void close() {
      driver.close();
    }
  }

  @Test
  void eventsAreAppliedOnceAndRefusalsAreTold() {
    try (Driven driven = new Driven(topology(StreamsFold.of(fold())), settings())) {
      driven.in.pipeInput("k", "1:a");
      driven.in.pipeInput("k", "2:b");
      driven.in.pipeInput("k", "1:a");
      driven.in.pipeInput("k", "1:c");
      driven.in.pipeInput("k", "3:no");
      driven.in.pipeInput("k", "what");
      driven.in.pipeInput("k", "4:break");
      assertThat(driven.state("k")).isEqualTo("ab");
      assertThat(driven.values("out")).containsExactly("a", "b");
      assertThat(driven.values("refused"))
          .containsExactly(
              "CONFLICT 1 null",
              "REJECTED 3 no means no",
              "FAILED in-0@5 no event",
              "FAILED 4 the update threw java.lang.IllegalStateException: the update broke");
    }
  }

  @Test
  void outputsAndRefusalsHaveTheirIdInAHeader() {
    try (Driven driven = new Driven(topology(StreamsFold.of(fold())), settings())) {
      driven.in.pipeInput("k", "1:a");
      driven.in.pipeInput("k", ":b");
      var out =
          driven.driver.createOutputTopic(
              "out", Serdes.String().deserializer(), Serdes.String().deserializer());
      assertThat(out.readRecordsToList())
          .extracting(
              record ->
                  new String(
                      record.headers().lastHeader(StreamsFold.ID).value(), StandardCharsets.UTF_8))
          .containsExactly("texts/k/1/0", "texts/k/in-0@1/0");
    }
  }

  /** Kafka Streams' own handlers would skip the event, and keep what was done of it. */
  @Test
  void aFailedEventStopsEvenWhereTheApplicationSkipsWhatThrows() {
    Fold<String, String, String> stopping =
        builder()
            .whenFailed(Fold.WhenFailed.STOP)
            .rememberingForever()
            .update(FoldInTopologyTest::update);
    Properties skipping = settings();
    skipping.put(
        "processing.exception.handler", LogAndContinueProcessingExceptionHandler.class.getName());
    try (Driven driven = new Driven(topology(StreamsFold.of(stopping)), skipping)) {
      driven.in.pipeInput("k", "1:a");
      driven.in.pipeInput("k", "2:break");
      assertThat(driven.state("k")).isEqualTo("a");
      assertThatThrownBy(() -> driven.driver.advanceWallClockTime(Duration.ofSeconds(1)))
          .isInstanceOf(FoldStopped.class)
          .hasCauseInstanceOf(FailedEventException.class)
          .hasMessageContaining("in-0@1")
          .hasMessageContaining("the update broke");
      assertThatThrownBy(() -> driven.in.pipeInput("k", "3:c")).isInstanceOf(FoldStopped.class);
      assertThat(driven.state("k")).isEqualTo("a");
    }
  }

  /** Where a record is made into several events, the position names one of them. */
  @Test
  void thePositionThatAStopTellsIsTheOneToRefuse() {
    StreamsFold<String, String, String> stopping =
        StreamsFold.of(
            builder()
                .whenFailed(Fold.WhenFailed.STOP)
                .rememberingForever()
                .update(FoldInTopologyTest::update));
    String position;
    try (Driven driven = new Driven(split(stopping), settings())) {
      Throwable stopped =
          catchThrowable(
              () -> {
                driven.in.pipeInput("k", "1:a;2:break;3:c");
                driven.driver.advanceWallClockTime(Duration.ofSeconds(1));
              });
      assertThat(stopped).isInstanceOf(FoldStopped.class);
      position = ((FailedEventException) Objects.requireNonNull(stopped.getCause())).position();
      assertThat(stopped).hasMessageContaining(position + " ");
    }
    assertThat(position).isEqualTo("in-0@0.1");
    try (Driven driven = new Driven(split(stopping.refusing(List.of(position))), settings())) {
      driven.in.pipeInput("k", "1:a;2:break;3:c");
      assertThat(driven.state("k")).isEqualTo("ac");
    }
  }

  private static Topology split(StreamsFold<String, String, String> fold) {
    StreamsBuilder builder = new StreamsBuilder();
    FoldStreams<String, String, String> folded =
        fold.in(
            builder,
            input(builder).flatMapValues(value -> List.of(value.split(";", -1))),
            record -> read(record.key(), record.value()));
    Produced<String, String> texts = Produced.with(Serdes.String(), Serdes.String());
    folded.outputs("outputs").to("out", texts);
    folded.refusals().mapValues(entry -> String.valueOf(entry.reason())).to("refused", texts);
    return builder.build();
  }

  @Test
  void whatFailsBehindTheFoldLeavesNothingToCommit() {
    StreamsBuilder builder = new StreamsBuilder();
    FoldStreams<String, String, String> folded =
        StreamsFold.of(fold())
            .in(builder, input(builder), record -> read(record.key(), record.value()));
    folded
        .outputs("outputs")
        .mapValues(
            text -> {
              if (text.equals("bad")) {
                throw new IllegalArgumentException("cannot be sent");
              }
              return text;
            })
        .to("out", Produced.with(Serdes.String(), Serdes.String()));
    folded.withoutRefusals();
    try (Driven driven = new Driven(builder.build(), settings())) {
      driven.in.pipeInput("k", "1:a");
      assertThatThrownBy(() -> driven.in.pipeInput("k", "2:bad"))
          .hasStackTraceContaining("cannot be sent");
      assertThatThrownBy(driven.store()::flushCache)
          .isInstanceOf(StreamsFoldException.class)
          .hasMessageContaining("not finished");
    }
  }

  @Test
  void anOutputThatNobodyTakesStops() {
    Fold<String, String, String> fold =
        builder()
            .rememberingForever()
            .update((state, event) -> Outcome.<String, String>accept(state).emit("other", "x"));
    try (Driven driven = new Driven(topology(StreamsFold.of(fold)), settings())) {
      assertThatThrownBy(() -> driven.in.pipeInput("k", "1:a"))
          .isInstanceOf(FoldStopped.class)
          .hasMessageContaining("other");
    }
  }

  @Test
  void refusalsThatNobodyTakesAreAnErrorWhenTheTaskBegins() {
    StreamsBuilder builder = new StreamsBuilder();
    StreamsFold.of(fold()).in(builder, input(builder), record -> null);
    Topology topology = builder.build();
    assertThatThrownBy(() -> new TopologyTestDriver(topology, settings()))
        .hasStackTraceContaining("withoutRefusals");
  }

  @Test
  void anotherProcessingGuaranteeIsRefusedWhenTheTaskBegins() {
    Properties atLeastOnce = settings();
    atLeastOnce.put("processing.guarantee", "at_least_once");
    Topology topology = topology(StreamsFold.of(fold()));
    assertThatThrownBy(() -> new TopologyTestDriver(topology, atLeastOnce))
        .hasStackTraceContaining("processing.guarantee")
        .hasStackTraceContaining("exactly_once_v2")
        .hasStackTraceContaining("applies events twice");
  }

  @Test
  void anotherProcessingGuaranteeIsRefusedWhenAnApplicationIsMade() {
    StreamsApplication<String, String, String> application =
        StreamsApplication.of("nowhere:1", "app", StreamsFold.of(fold()))
            .from(record -> null, "in")
            .with(Map.of("processing.guarantee", "at_least_once"));
    assertThatThrownBy(application::start)
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining("exactly_once_v2");
  }

  @Test
  void aFoldOverSeveralKeysIsRefusedAndToldWhoCan() {
    Fold<String, String, String> several =
        builder()
            .rememberingForever()
            .update(event -> List.of("a", "b"), (states, event) -> Outcome.accept(states));
    assertThatThrownBy(() -> StreamsFold.of(several))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("journal")
        .hasMessageContaining("PostgreSQL");
  }

  @Test
  void aSpanNeedsToKnowTheTopics() {
    Fold<String, String, String> fold =
        builder().remembering(Duration.ofDays(1)).update(FoldInTopologyTest::update);
    StreamsBuilder builder = new StreamsBuilder();
    assertThatThrownBy(() -> StreamsFold.of(fold).in(builder, input(builder), record -> null))
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining("readingFrom");
  }

  /** States are written when they are flushed; which event made a bad one is found out then. */
  @Test
  void aStateThatCannotBeWrittenIsAFailedEventWhenItComesAgain() {
    Codec<String> upToThree =
        Codec.of(
            "up to three letters",
            text -> {
              if (text.length() > 3) {
                throw new CodecException("too long");
              }
              return text.getBytes(StandardCharsets.UTF_8);
            },
            bytes -> new String(bytes, StandardCharsets.UTF_8));
    Fold<String, String, String> fold =
        builder().stateCodec(upToThree).rememberingForever().update(FoldInTopologyTest::update);
    StreamsFold<String, String, String> streams = StreamsFold.of(fold);
    Topology topology = topology(streams);
    Driven first = new Driven(topology, settings());
    first.in.pipeInput("k", "1:abc");
    assertThatThrownBy(() -> first.in.pipeInput("k", "2:d"))
        .hasStackTraceContaining("\"k\" cannot be written: too long");
    assertThatThrownBy(first::close).hasStackTraceContaining("too long");
    try (Driven driven = new Driven(topology, settings())) {
      driven.in.pipeInput("k", "1:abc");
      driven.in.pipeInput("k", "2:d");
      driven.in.pipeInput("k", "3:no");
      assertThat(driven.state("k")).isEqualTo("abc");
      assertThat(driven.values("refused"))
          .hasSize(2)
          .first()
          .asString()
          .startsWith(Verdict.Kind.FAILED + " 2 ")
          .contains("too long");
    }
  }

  /**
   * A processor of the user's that stands before the fold can have Kafka Streams commit what the
   * fold has sent without its flush. No state is among that.
   */
  @Test
  void noStateIsWrittenBeforeTheCommitIsPrepared() {
    assertThat(statesWritten(Integer.MAX_VALUE)).isEqualTo(4);
    assertThat(statesWritten(1)).as("states where they may be written early").isEqualTo(5);
  }

  /** How many states one commit writes in which four keys change, the first of them twice. */
  private static int statesWritten(int waiting) {
    StreamsBuilder builder = new StreamsBuilder();
    StreamsFold<String, String, String> fold = StreamsFold.of(fold()).partitionedByKey();
    KStream<String, String> split =
        input(builder)
            .flatMap(
                (key, value) ->
                    Stream.of(value.split(";", -1))
                        .map(each -> KeyValue.pair(each.substring(0, 1), each.substring(1)))
                        .toList());
    Reading<String, String, String> reading = record -> read(record.key(), record.value());
    if (waiting == Integer.MAX_VALUE) {
      FoldStreams<String, String, String> folded =
          fold.keepingWaiting(1).in(builder, split, reading);
      folded.withoutRefusals();
      assertThat(folded.outputs("outputs")).isNotNull();
    } else {
      Sent.Asked<String, String, String> asked = new Sent.Asked<>();
      asked.take("outputs");
      asked.dropRefusals();
      assertThat(fold.in(builder, split, reading, asked, fold.backlog(), waiting)).isNotNull();
    }
    try (Driven driven = new Driven(builder.build(), settings())) {
      driven.in.pipeInput("k", "z1:a");
      driven.in.pipeInput("k", "a2:a;b3:b;c4:c;d5:d;a6:e");
      TestOutputTopic<byte[], byte[]> changelog = driven.changelog();
      Memory<String> restored = new Memory<>(fold(), "log");
      int states = 0;
      for (var each : changelog.readKeyValuesToList()) {
        restored.restore(each.key, each.value);
        states += each.key[0] == 'S' && each.key[1] != 'z' ? 1 : 0;
      }
      assertThat(restored.committed())
          .containsEntry("a", new Slot<>("ae", 2))
          .containsEntry("d", new Slot<>("d", 1))
          .hasSize(5);
      return states;
    }
  }

  /** What asks for the flush is no public API: a store that is never asked writes each event. */
  @Test
  void aStoreThatIsNotAskedToFlushWritesEachEvent() {
    StreamsBuilder builder = new StreamsBuilder();
    Plan<String, String, String> plan =
        new Plan<>(
            fold(),
            "texts",
            List.of(),
            false,
            0,
            false,
            Set.of(),
            Map.of(),
            Clock.systemUTC(),
            new Backlog(
                List.of(),
                null,
                settings -> {
                  throw new IllegalStateException("there is no cluster to be asked");
                }),
            new Shared(),
            Integer.MAX_VALUE);
    Sent.Asked<String, String, String> asked = new Sent.Asked<>();
    asked.take("outputs");
    asked.takeRefusals();
    builder.addStateStore(
        new FoldStore.Builder<>(plan) {
          @Override
          public FoldStore<String> build() {
            return new FoldStore<>(plan) {
              @Override
              public void flushCache() {
                // Kafka Streams is said not to ask.
              }
            };
          }
        });
    input(builder)
        .process(
            () ->
                new Straight<>(
                    new Arrivals<String, String, String>(
                        plan, record -> read(record.key(), record.value())),
                    new Judging<>(plan, asked)),
            "texts");
    try (Driven driven = new Driven(builder.build(), settings())) {
      driven.in.pipeInput("k", "1:a");
      driven.in.pipeInput("k", "2:b");
      TestOutputTopic<byte[], byte[]> changelog = driven.changelog();
      Memory<String> restored = new Memory<>(fold(), "log");
      changelog.readKeyValuesToList().forEach(each -> restored.restore(each.key, each.value));
      assertThat(restored.committed()).containsEntry("k", new Slot<>("ab", 2));
    }
  }
}
