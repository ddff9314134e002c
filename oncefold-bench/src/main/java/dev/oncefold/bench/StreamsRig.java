package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A broker, and a topic of payments for applications of Kafka Streams. */
final class StreamsRig implements AutoCloseable {
  static final String TOPIC = "payments";
  static final int PARTITIONS = 4;

  /** How long without progress until an application counts as stuck. */
  private static final long STUCK = TimeUnit.MINUTES.toNanos(2);

  /** Between two looks: each costs some of the time that is measured. */
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

  private final Path directory;
  private final KafkaBroker broker;
  private final Admin admin;

  private StreamsRig(Path directory, KafkaBroker broker) {
    this.directory = directory;
    this.broker = broker;
    admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
  }

  static StreamsRig start(Settings settings) throws IOException, InterruptedException {
    Path directory = settings.directory();
    return new StreamsRig(
        directory,
        KafkaBroker.in(directory.resolve("kafka")).javaOptions(List.of("-Xmx1g")).start());
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  Path directory() {
    return directory;
  }

  void create(String topic) throws InterruptedException, ExecutionException {
    admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all().get();
  }

  /** Drops the topic of an application's outputs: the disk is not to fill over the rounds. */
  void drop(String topic) throws InterruptedException, ExecutionException {
    admin.deleteTopics(List.of(topic)).all().get();
  }

  /** Fills the topic of payments; partitions are chosen by the key, as Kafka does. */
  void fill(Iterable<Event<Workload.Payment>> events)
      throws InterruptedException, ExecutionException {
    create(TOPIC);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap(), "linger.ms", 20, "acks", "all"),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (Event<Workload.Payment> event : events) {
        var unused = producer.send(Rig.record(TOPIC, event));
      }
    }
  }

  /**
   * Waits until so many events are committed by a peer, and tells how many are. Positions and
   * outputs are in one transaction, so a reader of committed messages is given as many outputs.
   */
  long await(StreamsPeer peer, long events) throws Exception {
    return await(peer.application(), events, peer::check);
  }

  /** The same, by an application that runs in another process. */
  long await(String application, long events, Runnable check) throws Exception {
    return await(application, () -> committed(application), events, check);
  }

  /** How many events an application is through with. */
  @FunctionalInterface
  interface Progress {
    long events() throws Exception;
  }

  private static long await(String application, Progress progress, long events, Runnable check)
      throws Exception {
    long begin = System.nanoTime();
    long seen = 0;
    for (; ; ) {
      long now = progress.events();
      if (now >= events) {
        return now;
      }
      check.run();
      if (now != seen) {
        seen = now;
        begin = System.nanoTime();
      }
      if (System.nanoTime() - begin > STUCK) {
        throw new TimeoutException(application + " gets no further than " + now + " events");
      }
      LockSupport.parkNanos(PAUSE);
    }
  }

  /**
   * Events per second of an application that runs, from the commit that covers a third of the
   * events to the one that covers nine tenths, then waits for the rest. The last commit would come
   * up to an interval after the last event, and some threads are through before others.
   */
  Way.Measured rate(String application, int events, Runnable check) throws Exception {
    Progress progress = () -> committed(application);
    Way.Measured rate = rate(application, progress, events / 3, events - events / 10, check);
    long unused = await(application, progress, events, check);
    return rate;
  }

  /** The same of an application whose positions are not in one transaction with the outputs. */
  Way.Measured rateOf(String application, String outputs, int events, Runnable check)
      throws Exception {
    return rate(application, () -> visible(outputs), events / 3, events, check);
  }

  private Way.Measured rate(String application, Progress progress, int from, int to, Runnable check)
      throws Exception {
    long first = await(application, progress, from, check);
    CpuTime before = CpuTime.now();
    long begin = System.nanoTime();
    long last = await(application, progress, to, check);
    double seconds = (System.nanoTime() - begin) / 1e9;
    if (last <= first) {
      throw new IllegalStateException(
          application + " was through before it was looked at: give it more events");
    }
    return new Way.Measured((last - first) / seconds, CpuTime.now().since(before, last - first));
  }

  /** Checks that there is one output an event, and drops their topic. */
  void checkAndDrop(String outputs, int events) throws InterruptedException, ExecutionException {
    awaitClosed(outputs);
    long messages = messages(outputs);
    if (messages != events) {
      throw new IllegalStateException(
          "%s: %,d outputs of %,d events".formatted(outputs, messages, events));
    }
    drop(outputs);
  }

  private long committed(String application) throws InterruptedException, ExecutionException {
    return admin
        .listConsumerGroupOffsets(application)
        .partitionsToOffsetAndMetadata()
        .get()
        .entrySet()
        .stream()
        .filter(each -> each.getKey().topic().equals(TOPIC) && each.getValue() != null)
        .mapToLong(each -> each.getValue().offset())
        .sum();
  }

  /** Waits until nobody is in an application's group: after a kill that takes its session. */
  void awaitEmpty(String application) throws InterruptedException, ExecutionException {
    while (admin.describeConsumerGroups(List.of(application)).all().get().values().stream()
        .anyMatch(group -> group.groupState() != GroupState.EMPTY)) {
      LockSupport.parkNanos(PAUSE);
    }
  }

  private static Map<TopicPartition, OffsetSpec> partitions(String topic) {
    Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.put(new TopicPartition(topic, i), OffsetSpec.latest());
    }
    return partitions;
  }

  /** How far readers of committed messages come: as many messages, and a mark each commit. */
  private long visible(String topic) throws InterruptedException, ExecutionException {
    return ends(partitions(topic), IsolationLevel.READ_COMMITTED);
  }

  /** Waits until no transaction is open in a topic. */
  void awaitClosed(String topic) throws InterruptedException, ExecutionException {
    Map<TopicPartition, OffsetSpec> partitions = partitions(topic);
    while (ends(partitions, IsolationLevel.READ_COMMITTED)
        < ends(partitions, IsolationLevel.READ_UNCOMMITTED)) {
      LockSupport.parkNanos(PAUSE);
    }
  }

  private long ends(Map<TopicPartition, OffsetSpec> partitions, IsolationLevel isolation)
      throws InterruptedException, ExecutionException {
    return admin
        .listOffsets(partitions, new ListOffsetsOptions(isolation))
        .all()
        .get()
        .values()
        .stream()
        .mapToLong(ListOffsetsResult.ListOffsetsResultInfo::offset)
        .sum();
  }

  /** How many messages a reader of committed ones is given. */
  long messages(String topic) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap(), "isolation.level", "read_committed"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> left =
          new ArrayList<>(
              IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(topic, i)).toList());
      Map<TopicPartition, Long> ends = consumer.endOffsets(left);
      consumer.assign(left);
      consumer.seekToBeginning(left);
      long messages = 0;
      while (!left.isEmpty()) {
        messages += consumer.poll(Duration.ofMillis(100)).count();
        left.removeIf(each -> consumer.position(each) >= ends.getOrDefault(each, 0L));
      }
      return messages;
    }
  }

  @Override
  public void close() throws IOException {
    try (broker) {
      admin.close(Duration.ZERO);
    }
    Settings.delete(directory);
  }
}
