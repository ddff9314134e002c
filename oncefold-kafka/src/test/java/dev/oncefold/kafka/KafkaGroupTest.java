package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Members of a group come and go, by every protocol, and share one store. */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class KafkaGroupTest {
  private static final int PARTITIONS = 4;

  private static Cluster cluster;
  @TempDir Path directory;

  /** How Kafka shares out. */
  enum Protocol {
    EAGER("partition.assignment.strategy", RangeAssignor.class.getName()),
    COOPERATIVE("partition.assignment.strategy", CooperativeStickyAssignor.class.getName()),
    USUAL("group.protocol", "classic"),
    CONSUMER("group.protocol", "consumer");

    private final String property;
    private final String value;

    Protocol(String property, String value) {
      this.property = property;
      this.value = value;
    }

    /** By the older protocols the members say how soon they learn of a rebalance. */
    Map<String, String> settings() {
      return this == CONSUMER
          ? Map.of(property, value)
          : Map.of(property, value, "heartbeat.interval.ms", "100");
    }
  }

  /**
   * Takes the numbers of a key one after another: one that is twice, missing or late is refused.
   */
  private static final Fold<Long, Long, Long> IN_ORDER =
      Fold.of("in order", Long.class, Long.class, Long.class)
          .initially(0L)
          .rememberingNoIds()
          .update(
              (last, event) ->
                  event.value() == last + 1
                      ? Outcome.accept(event.value())
                      : Outcome.reject(event.value() + " after " + last));

  @BeforeAll
  static void start() throws Exception {
    cluster = Cluster.get();
  }

  private static KafkaSource<Long> numbers(String topic, Protocol protocol) {
    return KafkaSource.of(
            cluster.bootstrap(),
            topic,
            record ->
                new Event<>(
                    null,
                    Cluster.text(record.key()),
                    null,
                    Long.parseLong(Cluster.text(record.value()))))
        .group(topic)
        .with(protocol.settings())
        .with("max.poll.records", "50");
  }

  /** One worker with a runner of its own. */
  private static final class Member {
    final Runner<Long, Long, Long> runner;
    final CompletableFuture<Counts> end = new CompletableFuture<>();
    final Thread thread;

    Member(Journal<Long, Long, Long> journal, Source<Long> source) {
      runner = new Runner<>(journal, IN_ORDER, List.of(source), Clock.systemUTC());
      thread =
          new Thread(
              () -> {
                try (source) {
                  end.complete(runner.run());
                } catch (Throwable e) {
                  end.completeExceptionally(e);
                }
              });
      thread.start();
    }

    void leave() throws Exception {
      runner.stop();
      end.get(60, TimeUnit.SECONDS);
      thread.join();
    }
  }

  /** Appends the next numbers of all partitions, until told to stop. */
  private static final class Numbers {
    final AtomicLong sent = new AtomicLong();
    private final Thread thread;
    private volatile boolean stopping;

    Numbers(String topic) {
      thread =
          new Thread(
              () -> {
                try (KafkaProducer<String, String> producer = cluster.producer()) {
                  while (!stopping) {
                    String number = Long.toString(sent.get() + 1);
                    for (int partition = 0; partition < PARTITIONS; partition++) {
                      var unused =
                          producer.send(
                              new ProducerRecord<>(topic, partition, "k" + partition, number));
                    }
                    producer.flush();
                    sent.incrementAndGet();
                  }
                }
              });
      thread.start();
    }

    /** Ends; answers the last number of each partition. */
    long finish() throws InterruptedException {
      stopping = true;
      thread.join();
      return sent.get();
    }
  }

  private static void awaitApplied(Journal<Long, Long, Long> journal, long count, Member... members)
      throws Exception {
    long begin = System.nanoTime();
    while (journal.counts().applied() < count) {
      for (Member member : members) {
        if (member.end.isCompletedExceptionally()) {
          member.end.get();
        }
      }
      assertThat(System.nanoTime() - begin)
          .as("%s of %s applied", journal.counts(), count)
          .isLessThan(TimeUnit.SECONDS.toNanos(60));
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyRecordIsAppliedOnceAndInOrderWhoeverComesAndGoes(Protocol protocol) throws Exception {
    String topic = cluster.topic(PARTITIONS);
    Random random = new Random(protocol.name().hashCode());
    try (Journal<Long, Long, Long> journal =
        Journal.open(directory, IN_ORDER, Options.defaults())) {
      Numbers numbers = new Numbers(topic);
      List<Member> members = new ArrayList<>();
      long sent;
      try {
        for (int round = 0; round < 10; round++) {
          if (members.size() == 3 || (!members.isEmpty() && random.nextBoolean())) {
            members.remove(random.nextInt(members.size())).leave();
          } else {
            members.add(new Member(journal, numbers(topic, protocol)));
          }
          long before = journal.counts().applied();
          if (!members.isEmpty()) {
            awaitApplied(journal, before + random.nextInt(500), members.toArray(Member[]::new));
          }
        }
      } finally {
        sent = numbers.finish();
      }
      if (members.isEmpty()) {
        members.add(new Member(journal, numbers(topic, protocol)));
      }
      awaitApplied(journal, sent * PARTITIONS, members.toArray(Member[]::new));
      for (Member member : members) {
        member.leave();
      }
      assertThat(journal.counts().rejected()).isZero();
      assertThat(journal.counts().applied()).isEqualTo(sent * PARTITIONS);
      for (int partition = 0; partition < PARTITIONS; partition++) {
        assertThat(journal.state("k" + partition)).isEqualTo(sent);
        assertThat(journal.positions().get(topic + "-" + partition))
            .extracting(Position::offset)
            .isEqualTo(sent);
      }
    }
  }

  /** Counts what the runner told a source. */
  private static final class Watched implements Source<Long> {
    final KafkaSource<Long> source;
    final AtomicInteger givenUp = new AtomicInteger();

    Watched(KafkaSource<Long> source) {
      this.source = source;
    }

    @Override
    public List<String> partitions() {
      return source.partitions();
    }

    @Override
    public List<String> assigned() {
      return source.assigned();
    }

    @Override
    public void seek(String partition, Position position) {
      source.seek(partition, position);
    }

    @Override
    public @Nullable Polled<Long> poll(int max, Duration wait) throws InterruptedException {
      return source.poll(max, wait);
    }

    @Override
    public boolean mayHaveMore(String partition, boolean idle) {
      return source.mayHaveMore(partition, idle);
    }

    @Override
    public boolean giveUp(String partition) {
      givenUp.incrementAndGet();
      return source.giveUp(partition);
    }

    @Override
    public boolean ended() {
      return source.ended();
    }

    @Override
    public void acknowledge(String partition, Position position) {
      source.acknowledge(partition, position);
    }

    @Override
    public void close() {
      source.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMemberWhosePartitionWasTakenOverJoinsAgainAndGoesOn(Protocol protocol) throws Exception {
    String topic = cluster.topic(PARTITIONS);
    Watched source = new Watched(numbers(topic, protocol));
    try (Journal<Long, Long, Long> journal =
        Journal.open(directory, IN_ORDER, Options.defaults())) {
      Numbers numbers = new Numbers(topic);
      Member member = new Member(journal, source);
      long sent;
      try {
        for (int round = 1; round <= 3; round++) {
          String partition = topic + "-" + round;
          long before = offset(journal, partition);
          await(member, () -> offset(journal, partition) > before);
          // What was seen committed may be from before the member was fenced last: until it is.
          int fenced = source.givenUp.get();
          await(
              member,
              () -> {
                journal.claim(partition);
                return source.givenUp.get() > fenced;
              });
        }
      } finally {
        sent = numbers.finish();
      }
      awaitApplied(journal, sent * PARTITIONS, member);
      member.leave();
      assertThat(journal.counts().rejected()).isZero();
      assertThat(source.givenUp).hasValueGreaterThanOrEqualTo(3);
    }
  }

  /** As a leaving of the group takes it that ends later than the joining behind it. */
  @ParameterizedTest
  @EnumSource
  void aSubscriptionThatIsGoneIsMadeAgain(Protocol protocol) throws Exception {
    String topic = cluster.topic(1);
    KafkaSource.Plan<Long> plan =
        new KafkaSource.Plan<>(
            cluster.bootstrap(),
            topic,
            record -> new Event<>(null, topic, null, record.offset()),
            topic,
            topic,
            KafkaSource.Start.BEGINNING,
            protocol.settings());
    Settings settings = SourceClients.settings(plan);
    Topic opened = new Topic(Clients.admin(settings), topic);
    opened.open();
    Consumer<byte[], byte[]> consumer = SourceClients.consumer(settings);
    TopicReader<Long> reader = new TopicReader<>(plan, settings, opened, consumer);
    try {
      awaitAssigned(reader);
      consumer.unsubscribe();
      assertThat(reader.assigned()).isEmpty();
      awaitAssigned(reader);
      assertThat(reader.assigned()).containsExactly(topic + "-0");
    } finally {
      reader.close();
    }
  }

  private static void awaitAssigned(TopicReader<Long> reader) throws Exception {
    long begin = System.nanoTime();
    while (reader.assigned().isEmpty()) {
      reader.poll(1, Duration.ofMillis(50));
      assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(60));
    }
  }

  private static void await(Member member, BooleanSupplier condition) throws Exception {
    long begin = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertThat(member.end).isNotDone();
      assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(60));
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  private static long offset(Journal<Long, Long, Long> journal, String partition) {
    Position position = journal.positions().get(partition);
    return position == null ? 0 : position.offset();
  }

  @ParameterizedTest
  @EnumSource
  void whatStaysIsKeptAndWhatGoesIsDropped(Protocol protocol) throws Exception {
    String topic = cluster.topic(PARTITIONS);
    for (int partition = 0; partition < PARTITIONS; partition++) {
      cluster.produce(topic, partition, "1", "2", "3");
    }
    Map<String, Position> positions = new HashMap<>();
    KafkaSource<String> source = Reading.of(cluster, topic).group(topic).with(protocol.settings());
    try (Reading first = new Reading(source, positions)) {
      first.untilValues(3 * PARTITIONS);
      assertThat(first.assigned()).hasSize(PARTITIONS);
      int sought = first.sought;
      try (Reading second = new Reading(source.startingAt(KafkaSource.Start.END), positions)) {
        first.until(
            () -> {
              try {
                second.step();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              return first.assigned().size() == 2 && second.assigned().size() == 2;
            });
        assertThat(first.assigned()).doesNotContainAnyElementsOf(second.assigned());
        assertThat(first.source.mayHaveMore(second.assigned().get(0), true))
            .as("of another's partition nothing is known")
            .isTrue();
        // Eager takes everything away and gives back what stays: it is claimed anew.
        assertThat(first.sought - sought).isEqualTo(protocol == Protocol.EAGER ? 2 : 0);
        for (int partition = 0; partition < PARTITIONS; partition++) {
          cluster.produce(topic, partition, "4");
        }
        first.untilValues(3 * PARTITIONS + 2);
        second.untilValues(2);
      }
      for (int partition = 0; partition < PARTITIONS; partition++) {
        cluster.produce(topic, partition, "5");
      }
      first.untilValues(3 * PARTITIONS + 2 + PARTITIONS);
      assertThat(first.assigned()).hasSize(PARTITIONS);
    }
    assertThat(positions.values()).extracting(Position::offset).containsOnly(5L).hasSize(4);
  }
}
