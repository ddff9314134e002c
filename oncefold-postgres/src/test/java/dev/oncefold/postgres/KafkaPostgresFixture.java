package dev.oncefold.postgres;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.Capability;
import dev.oncefold.testkit.EngineFixture;
import dev.oncefold.testkit.EngineHost;
import dev.oncefold.testkit.EngineHosts;
import dev.oncefold.testkit.Fields;
import dev.oncefold.testkit.Patience;
import dev.oncefold.testkit.Receipt;
import dev.oncefold.testkit.Setup;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
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
import org.jspecify.annotations.Nullable;

/**
 * The engine between Kafka and PostgreSQL, as a process that is killed by SIGKILL: it reads all
 * partitions of a topic, and its outputs and refusals are read from topics.
 */
final class KafkaPostgresFixture implements EngineFixture {
  private static final Pattern POSITION = Pattern.compile("input-\\d+-(\\d+)@");

  private final Servers servers;
  private final Servers.Place place;
  private final EngineHosts hosts;
  private final List<EngineHost> engines = new ArrayList<>();
  private final List<Refusal> refusals = new ArrayList<>();
  private final Map<String, List<Emitted>> outputs = new HashMap<>();
  private final Map<Integer, Long> fed = new HashMap<>();
  private @Nullable KafkaConsumer<byte[], byte[]> reader;
  private List<String> partitions = List.of();
  private @Nullable Setup setup;
  private @Nullable EngineHost engine;

  KafkaPostgresFixture(Servers servers, EngineHosts hosts) {
    this.servers = servers;
    this.place = servers.place();
    this.hosts = hosts;
  }

  @Override
  public Set<Capability> lacks() {
    return Set.of(Capability.HISTORY);
  }

  @Override
  public Duration patience() {
    return Duration.ofSeconds(60);
  }

  @Override
  public void start(Setup what) throws Exception {
    if (what.history()) {
      throw new UnsupportedOperationException(
          "PostgreSQL keeps no history of events; the embedded journal does");
    }
    partitions = what.partitions();
    servers.topics(place, Math.max(1, partitions.size()), what.outputs());
    reader = servers.reader(place.topics(what.outputs()));
    restart(what);
  }

  @Override
  public void restart(Setup what) throws Exception {
    EngineHost started = host(what);
    // Other rules may be refused. The same rules are not: so the next crash may come before it is
    // ready.
    if (!what.equals(setup)) {
      started.awaitReady(patience());
    }
    setup = what;
  }

  private EngineHost host(Setup what) throws IOException {
    EngineHost started =
        hosts.start(
            servers.bootstrap(), servers.url(), String.valueOf(place.number()), what.text());
    engines.add(started);
    engine = started;
    return started;
  }

  private EngineHost running() {
    EngineHost running = engine;
    if (running == null) {
      throw new IllegalStateException("the engine is down");
    }
    return running;
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
          servers
              .producer()
              .send(
                  new ProducerRecord<>(
                      place.input(), number, null, record.getBytes(StandardCharsets.UTF_8))));
    }
    for (Future<?> each : sent) {
      each.get();
    }
    fed.merge(number, (long) records.size(), Long::sum);
  }

  @Override
  public void settle() throws Exception {
    Patience.await(patience(), () -> running().works() ? missing() : relayed());
    Committed.awaitMarks(servers.bootstrap());
  }

  private @Nullable String missing() throws Exception {
    // Asked often: the whole view is read once all is there.
    Map<String, Long> positions = servers.positions(place);
    for (Map.Entry<Integer, Long> each : fed.entrySet()) {
      long at = positions.getOrDefault(place.input() + "-" + each.getKey(), 0L);
      if (at < each.getValue()) {
        return partitions.get(each.getKey()) + " from " + at + " to " + each.getValue();
      }
    }
    return relayed();
  }

  private @Nullable String relayed() throws Exception {
    long waiting = servers.waiting(place);
    return waiting == 0 ? null : waiting + " batches of outputs in Kafka";
  }

  private PostgresView<Trace> view() {
    return PostgresView.read(
        KafkaPostgresEngine.options(servers.url(), place), Setup.of(text()).fold(), null);
  }

  private String text() {
    Setup now = setup;
    if (now == null) {
      throw new IllegalStateException("the engine was never started");
    }
    return now.text();
  }

  @Override
  public @Nullable String stopped() {
    String message = running().stopped();
    return message == null ? null : named(message);
  }

  @Override
  public void crash() throws Exception {
    EngineHost victim = engine;
    if (victim != null) {
      victim.process().kill();
    }
    engine = null;
  }

  /** The second one claims all partitions; the first does not know it before its next commit. */
  @Override
  public @Nullable String second() throws Exception {
    Setup same = Setup.of(text());
    long claims = servers.claims(place);
    EngineHost rival = host(same);
    Patience.await(
        patience(),
        () ->
            rival.works() && servers.claims(place) >= claims + partitions.size()
                ? null
                : "claims of the second owner");
    return null;
  }

  @Override
  public @Nullable Slot<Trace> state(String key) {
    return view().slots().get(key);
  }

  @Override
  public Counts counts() {
    return view().counts();
  }

  @Override
  public List<Emitted> outputs(String name) {
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
    String id = named(text(record.headers().lastHeader("oncefold-id").value()));
    List<String> fields = Fields.split(text(record.value()));
    if (record.topic().equals(place.refusals())) {
      refusals.add(
          new Refusal(Verdict.Kind.valueOf(fields.get(0)), fields.get(1), id, fields.get(2)));
    } else {
      outputs
          .computeIfAbsent(record.topic(), topic -> new ArrayList<>())
          .add(
              new Emitted(
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

  @Override
  public List<Judged> history(String key) {
    throw new UnsupportedOperationException("there is no history");
  }

  @Override
  public void close() throws IOException {
    for (EngineHost each : engines) {
      each.end(patience());
    }
    if (reader != null) {
      reader.close();
    }
  }
}
