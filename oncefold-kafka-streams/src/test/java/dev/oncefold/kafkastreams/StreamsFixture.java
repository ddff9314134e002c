package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Entry;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.Capability;
import dev.oncefold.testkit.EngineFixture;
import dev.oncefold.testkit.Fields;
import dev.oncefold.testkit.Move;
import dev.oncefold.testkit.Patience;
import dev.oncefold.testkit.Receipt;
import dev.oncefold.testkit.Setup;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.jspecify.annotations.Nullable;

/**
 * The whole application in this process, on a broker of its own; a crash cuts it off from the
 * cluster. State and counts are read from the changelog, outputs and refusals from their topics.
 */
final class StreamsFixture implements EngineFixture {
  private static final Pattern POSITION = Pattern.compile("input-\\d+-(\\d+)@");

  private final Servers servers;
  private final Servers.Place place;
  private final List<Instance> instances = new ArrayList<>();
  private final List<Refusal> refusals = new ArrayList<>();
  private final Map<String, List<EngineFixture.Emitted>> outputs = new HashMap<>();
  private @Nullable KafkaConsumer<byte[], byte[]> reader;
  private @Nullable Changelog<Trace> changelog;
  private List<String> partitions = List.of();
  private @Nullable Setup setup;
  private @Nullable String stopped;
  private long fed;

  private record Instance(StreamsRun<Trace> run, Mortal clients) {}

  StreamsFixture(Servers servers) {
    this.servers = servers;
    this.place = servers.place();
  }

  @Override
  public Set<Capability> lacks() {
    return Set.of(Capability.HISTORY, Capability.SEVERAL_KEYS);
  }

  @Override
  public Duration patience() {
    return Duration.ofSeconds(60);
  }

  @Override
  public void start(Setup what) throws Exception {
    if (what.history()) {
      throw new UnsupportedOperationException(
          "Kafka Streams keeps no history of events; the embedded journal does");
    }
    StreamsFold.of(what.fold());
    partitions = what.partitions();
    servers.topic(place.input(), Math.max(1, partitions.size()));
    for (String topic : place.topics(what.outputs())) {
      servers.topic(topic, 1);
    }
    reader = servers.reader(place.topics(what.outputs()));
    restart(what);
  }

  @Override
  public void restart(Setup what) throws Exception {
    stopped = null;
    Instance started = begin(what);
    instances.add(started);
    // Other rules may be refused. The same rules are not: so the next crash may come before it is
    // ready.
    if (setup != null && !what.equals(setup)) {
      try {
        awaitRunning(started);
      } catch (IllegalStateException e) {
        crash();
        throw e;
      }
    }
    setup = what;
  }

  private void awaitRunning(Instance started) throws Exception {
    Patience.await(
        patience(),
        () -> {
          Throwable failure = started.run().failure();
          if (failure != null && !(failure instanceof FailedEventException)) {
            throw new IllegalStateException(reasons(failure), failure);
          }
          return failure != null || started.run().streams().state() == KafkaStreams.State.RUNNING
              ? null
              : "a running instance";
        });
  }

  private static String reasons(Throwable failure) {
    StringBuilder reasons = new StringBuilder();
    for (Throwable each = failure; each != null; each = each.getCause()) {
      reasons.append(each.getMessage()).append('\n');
    }
    return reasons.toString();
  }

  private Instance begin(Setup what) {
    StreamsFold<Trace, Move, Receipt> fold = StreamsFold.of(what.fold()).repartitionedInto(1);
    if (what.acceptChange()) {
      fold = fold.acceptingChange();
    }
    StreamsApplication<Trace, Move, Receipt> application =
        StreamsApplication.of(servers.bootstrap(), place.application(), fold)
            .from(record -> what.decode(text(record.value())), place.input())
            .refusals(place.refusals(), StreamsFixture::bytes)
            .with(servers.hurried());
    for (String output : what.outputs()) {
      application = application.output(output, place.output(output), StreamsFixture::bytes);
    }
    Mortal clients = new Mortal();
    return new Instance(application.start(clients), clients);
  }

  private boolean works() {
    if (instances.isEmpty()) {
      throw new IllegalStateException("the engine is down");
    }
    for (Instance each : instances) {
      Throwable failure = each.run().failure();
      if (failure instanceof FailedEventException failed) {
        stopped = named(String.valueOf(failed.getMessage()));
        return false;
      }
      if (failure != null) {
        throw new IllegalStateException("the engine died: " + reasons(failure), failure);
      }
    }
    return true;
  }

  /** With the suite's names of partitions in it. */
  private String named(String text) {
    return POSITION
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(partitions.get(Integer.parseInt(found.group(1))) + '@'));
  }

  @Override
  public void feed(String partition, List<String> records) throws Exception {
    int number = partitions.indexOf(partition);
    List<Future<?>> sent = new ArrayList<>();
    for (String record : records) {
      sent.add(
          servers.producer.send(
              new ProducerRecord<>(
                  place.input(), number, null, record.getBytes(StandardCharsets.UTF_8))));
    }
    for (Future<?> each : sent) {
      each.get();
    }
    fed += records.size();
  }

  @Override
  public void settle() throws Exception {
    Patience.await(
        patience(),
        () -> {
          if (!works()) {
            return null;
          }
          long counted = counts().events();
          return counted >= fed ? null : (fed - counted) + " of " + fed + " events";
        });
    Committed.awaitMarks(servers.bootstrap());
    if (stopped == null) {
      for (Instance each : instances) {
        each.run().backlog().look();
      }
    }
  }

  @Override
  public @Nullable String stopped() {
    return stopped;
  }

  @Override
  public void crash() throws Exception {
    for (Instance each : instances) {
      each.clients().kill();
    }
    for (Instance each : instances) {
      each.clients().fence(servers.admin);
    }
    Mortal.evict(servers.admin, place.application());
    for (Instance each : instances) {
      each.run().close();
    }
    instances.clear();
  }

  /** The first one stands still until the second has everything, and goes on. */
  @Override
  public @Nullable String second() throws Exception {
    Instance first = instances.get(0);
    awaitRunning(first);
    first.clients().pause();
    Mortal.evict(servers.admin, place.application());
    Setup same = setup;
    if (same == null) {
      throw new IllegalStateException("the engine was never started");
    }
    Instance second = begin(same);
    instances.add(second);
    awaitRunning(second);
    first.clients().resume();
    return null;
  }

  private @Nullable Changelog<Trace> changelog() {
    if (changelog == null && setup != null) {
      String topic = place.application() + "-bank-changelog";
      try {
        changelog =
            new Changelog<>(
                Map.of("bootstrap.servers", servers.bootstrap(), "fetch.max.wait.ms", "20"),
                topic,
                setup.fold());
      } catch (StreamsFoldException e) {
        return null; // nothing is stored yet
      }
    }
    Changelog<Trace> open = changelog;
    if (open != null) {
      open.readOn((partition, memory) -> {});
    }
    return open;
  }

  @Override
  public @Nullable Slot<Trace> state(String key) {
    Changelog<Trace> stored = changelog();
    if (stored != null) {
      for (Memory<Trace> each : stored.memories().values()) {
        Slot<Trace> slot = each.committed(key);
        if (slot != null) {
          return slot;
        }
      }
    }
    return null;
  }

  @Override
  public Counts counts() {
    Counts counts = Counts.NONE;
    Changelog<Trace> stored = changelog();
    if (stored != null) {
      for (Memory<Trace> each : stored.memories().values()) {
        counts = counts.plus(each.committedHead().counts());
      }
    }
    return counts;
  }

  @Override
  public List<EngineFixture.Emitted> outputs(String name) {
    readOn();
    return outputs.getOrDefault(place.output(name), List.of());
  }

  @Override
  public List<Refusal> refusals() {
    readOn();
    return refusals;
  }

  private void readOn() {
    KafkaConsumer<byte[], byte[]> open = reader;
    if (open == null) {
      throw new IllegalStateException("the engine was never started");
    }
    Map<TopicPartition, Long> ends = open.endOffsets(open.assignment());
    while (ends.entrySet().stream().anyMatch(end -> open.position(end.getKey()) < end.getValue())) {
      open.poll(Duration.ofMillis(100)).forEach(this::message);
    }
  }

  private void message(ConsumerRecord<byte[], byte[]> record) {
    String key = text(record.key());
    String id = named(text(record.headers().lastHeader(StreamsFold.ID).value()));
    List<String> fields = Fields.split(text(record.value()));
    if (record.topic().equals(place.refusals())) {
      refusals.add(
          new Refusal(Verdict.Kind.valueOf(fields.get(0)), fields.get(1), id, fields.get(2)));
    } else {
      outputs
          .computeIfAbsent(record.topic(), topic -> new ArrayList<>())
          .add(
              new EngineFixture.Emitted(
                  id,
                  key,
                  new Receipt(
                      fields.get(0),
                      Long.parseLong(fields.get(1)),
                      Long.parseLong(fields.get(2)),
                      fields.get(3))));
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(dev.oncefold.journal.Emitted<Receipt> output) {
    Receipt receipt = output.value();
    return Fields.join(receipt.key(), receipt.count(), receipt.sum(), receipt.memo())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] bytes(Entry<Trace, Move, Receipt> refusal) {
    String key = refusal.key();
    String reason = refusal.reason();
    return Fields.join(refusal.verdict(), key == null ? "" : key, reason == null ? "" : reason)
        .getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public List<Judged> history(String key) {
    throw new UnsupportedOperationException("there is no history");
  }

  @Override
  public void close() throws java.io.IOException {
    try {
      crash();
    } catch (Exception e) {
      throw new java.io.IOException(e);
    }
    if (reader != null) {
      reader.close();
    }
    if (changelog != null) {
      changelog.close();
    }
  }
}
