package dev.oncefold.flink;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Entry;
import dev.oncefold.testkit.Capability;
import dev.oncefold.testkit.EngineFixture;
import dev.oncefold.testkit.EngineHost;
import dev.oncefold.testkit.EngineHosts;
import dev.oncefold.testkit.Fields;
import dev.oncefold.testkit.Move;
import dev.oncefold.testkit.Patience;
import dev.oncefold.testkit.Receipt;
import dev.oncefold.testkit.Setup;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The whole job in this process, on a real broker; a crash cancels it, and another job goes on from
 * its last checkpoint. A second owner runs in a process of its own: Flink's connector lets a
 * process have one. State and counts are read from that, outputs and refusals from their topics.
 */
final class FlinkFixture implements EngineFixture {
  private static final Pattern POSITION = Pattern.compile("input-\\d+-(\\d+)@");

  private final Servers servers;
  private final EngineHosts hosts;
  private final Path directory;
  private final int place;
  private final List<JobID> jobs = new ArrayList<>();
  private final List<String> started = new ArrayList<>();
  private final List<Refusal> refusals = new ArrayList<>();
  private final Map<String, List<EngineFixture.Emitted>> outputs = new HashMap<>();
  private Servers.@Nullable Reader reader;
  private List<String> partitions = List.of();
  private @Nullable Setup setup;
  private @Nullable String stopped;
  private @Nullable String viewed;
  private Map<String, Slot<Trace>> view = Map.of();
  private @Nullable EngineHost second;
  private long fed;

  /** Makes events of the suite's records, in the tasks. */
  private record Decoding(String text) implements Reading<ConsumerRecord<byte[], byte[]>, Move> {
    private static final long serialVersionUID = 1;

    @Override
    public Event<Move> read(ConsumerRecord<byte[], byte[]> record) {
      return Setup.of(text).decode(Servers.text(record.value()));
    }
  }

  FlinkFixture(Servers servers, EngineHosts hosts, Path directory) {
    this.hosts = hosts;
    this.servers = servers;
    this.directory = directory.resolve("checkpoints");
    this.place = servers.place();
  }

  private String input() {
    return "input-" + place;
  }

  private String output(String name) {
    return "output-" + place + "-" + name;
  }

  private String refused() {
    return "refusals-" + place;
  }

  private String name() {
    return "bank-" + place;
  }

  @Override
  public Set<Capability> lacks() {
    return Set.of(Capability.HISTORY, Capability.SEVERAL_KEYS, Capability.BOUND);
  }

  @Override
  public Duration patience() {
    return Duration.ofSeconds(60);
  }

  @Override
  public void start(Setup what) throws Exception {
    if (what.history()) {
      throw new UnsupportedOperationException(
          "Flink keeps no history of events; the embedded journal does");
    }
    FlinkFold.of(what::fold);
    partitions = what.partitions();
    servers.topic(input(), Math.max(1, partitions.size()));
    List<String> topics = new ArrayList<>(what.outputs().stream().map(this::output).toList());
    topics.add(refused());
    for (String topic : topics) {
      servers.topic(topic, 1);
    }
    reader = servers.reader(topics);
    restart(what);
  }

  @Override
  public void restart(Setup what) throws Exception {
    stopped = null;
    JobID started = submit(what);
    jobs.add(started);
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

  private void awaitRunning(JobID job) throws Exception {
    try {
      MiniFlink.awaitRunning(job);
    } catch (IllegalStateException e) {
      Throwable failure = MiniFlink.failure(job);
      if (stop(failure) == null) {
        throw new IllegalStateException(MiniFlink.told(failure), failure);
      }
    }
  }

  private static @Nullable FoldStoppedException stop(@Nullable Throwable failure) {
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof FoldStoppedException stop) {
        return stop;
      }
    }
    return null;
  }

  private JobID submit(Setup what) throws Exception {
    String run = String.valueOf(started.size());
    String from = last();
    started.add(run);
    StreamExecutionEnvironment environment =
        environment(servers.bootstrap(), place, what.text(), directory.resolve(run));
    return MiniFlink.submit(environment, from);
  }

  /** The job of a scenario, ready to be submitted. */
  static StreamExecutionEnvironment environment(
      String bootstrap, int place, String text, Path checkpoints) {
    Setup what = Setup.of(text);
    FlinkFold<Trace, Move, Receipt> fold = FlinkFold.of(() -> Setup.of(text).fold());
    if (what.acceptChange()) {
      fold = fold.acceptingChange();
    }
    StreamExecutionEnvironment environment = MiniFlink.environment(1, 20);
    environment.configure(Configuration.fromMap(settings(checkpoints)));
    FlinkJob<Trace, Move, Receipt> job =
        FlinkJob.of(bootstrap, "bank-" + place, fold)
            .from(new Decoding(text), "input-" + place)
            .refusals("refusals-" + place, FlinkFixture::bytes)
            .with(Map.of("linger.ms", "0", "fetch.max.wait.ms", "10"))
            .asking(Looks::connect, 20);
    for (String each : what.outputs()) {
      job = job.output(each, "output-" + place + "-" + each, FlinkFixture::bytes);
    }
    job.in(environment);
    return environment;
  }

  static Map<String, String> settings(Path checkpoints) {
    return Map.of(
        "execution.checkpointing.dir", checkpoints.toUri().toString(),
        "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.min-pause", "0");
  }

  private boolean works() throws Exception {
    if (jobs.isEmpty()) {
      throw new IllegalStateException("the engine is down");
    }
    EngineHost rival = second;
    if (rival != null) {
      return rival.works();
    }
    JobID last = jobs.get(jobs.size() - 1);
    if (!MiniFlink.status(last).isGloballyTerminalState()) {
      return true;
    }
    Throwable failure = MiniFlink.failure(last);
    FoldStoppedException stop = stop(failure);
    if (stop == null) {
      throw new IllegalStateException("the engine died: " + MiniFlink.told(failure), failure);
    }
    stopped = named(String.valueOf(stop.getMessage()));
    return false;
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
    servers.send(input(), partitions.indexOf(partition), records);
    fed += records.size();
  }

  @Override
  public void settle() throws Exception {
    Patience.await(
        patience(),
        () -> {
          Counts counts = counts();
          readOn();
          long told = refusals.size() + outputs.values().stream().mapToLong(List::size).sum();
          long expected =
              counts.outputs()
                  + counts.rejected()
                  + counts.conflicts()
                  + counts.expired()
                  + counts.failed();
          if (told < expected) {
            return (expected - told) + " of " + expected + " messages";
          }
          if (counts.events() >= fed || !works()) {
            return null;
          }
          return (fed - counts.events()) + " of " + fed + " events";
        });
    Setup now = setup;
    if (now != null && now.fold().ids().kind() == Fold.Ids.Kind.SPAN && second == null && works()) {
      Looks.await(name());
    }
  }

  @Override
  public @Nullable String stopped() {
    return stopped;
  }

  @Override
  public void crash() throws Exception {
    if (second != null) {
      second.process().kill();
      second = null;
    }
    for (JobID each : jobs) {
      MiniFlink.cancel(each);
    }
    jobs.clear();
  }

  @Override
  public @Nullable String second() throws Exception {
    Setup same = setup;
    if (same == null) {
      throw new IllegalStateException("the engine was never started");
    }
    awaitRunning(jobs.get(0));
    // The first goes on, and removes its old checkpoints.
    String from =
        MiniFlink.savepoint(jobs.get(0), directory.resolveSibling("now").toUri().toString());
    String run = String.valueOf(started.size());
    started.add(run);
    EngineHost rival =
        hosts.start(
            servers.bootstrap(),
            String.valueOf(place),
            same.text(),
            directory.resolve(run).toString(),
            from);
    second = rival;
    rival.awaitReady(patience());
    return null;
  }

  /** Of the last job that has one: another's may be as far by its number, and is out of date. */
  private @Nullable String last() throws IOException {
    for (int i = started.size() - 1; i >= 0; i--) {
      String path = Kept.last(directory.resolve(started.get(i)));
      if (path != null) {
        return path;
      }
    }
    return null;
  }

  private @Nullable Saved saved() throws IOException {
    IOException last = null;
    // The one that was the last may be removed meanwhile.
    for (int i = 0; i < 10; i++) {
      String path = last();
      try {
        return path == null ? null : new Saved(path);
      } catch (IOException e) {
        last = e;
      }
    }
    throw new IOException("no checkpoint can be read", last);
  }

  @Override
  public @Nullable Slot<Trace> state(String key) throws Exception {
    Saved saved = saved();
    Setup now = setup;
    if (saved == null || now == null) {
      return null;
    }
    long events = saved.counts(name()).events();
    if (!(name() + events).equals(viewed)) {
      view = saved.keys(name(), now.fold(), new HashMapStateBackend()).slots();
      viewed = name() + events;
    }
    return view.get(key);
  }

  @Override
  public Counts counts() throws IOException {
    Saved saved = saved();
    return saved == null ? Counts.NONE : saved.counts(name());
  }

  @Override
  public List<EngineFixture.Emitted> outputs(String name) {
    readOn();
    return outputs.getOrDefault(output(name), List.of());
  }

  @Override
  public List<Refusal> refusals() {
    readOn();
    return refusals;
  }

  private void readOn() {
    Servers.Reader open = reader;
    if (open == null) {
      throw new IllegalStateException("the engine was never started");
    }
    open.readOn(this::message);
  }

  private void message(ConsumerRecord<byte[], byte[]> record) {
    String key = Servers.text(record.key());
    String id = named(Servers.text(record.headers().lastHeader(FlinkJob.ID).value()));
    List<String> fields = Fields.split(Servers.text(record.value()));
    if (record.topic().equals(refused())) {
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

  private static byte[] bytes(dev.oncefold.journal.Emitted<Receipt> output) {
    Receipt receipt = output.value();
    return Servers.bytes(
        Fields.join(receipt.key(), receipt.count(), receipt.sum(), receipt.memo()));
  }

  private static byte[] bytes(Entry<Trace, Move, Receipt> refusal) {
    String key = refusal.key();
    String reason = refusal.reason();
    return Servers.bytes(
        Fields.join(refusal.verdict(), key == null ? "" : key, reason == null ? "" : reason));
  }

  @Override
  public List<Judged> history(String key) {
    throw new UnsupportedOperationException("there is no history");
  }

  @Override
  public void close() throws IOException {
    try {
      crash();
    } catch (Exception e) {
      throw new IOException(e);
    }
    if (reader != null) {
      reader.close();
    }
  }
}
