package dev.oncefold.kafkastreams;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.TraceModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Real instances with a standby each, a real broker, and everything done to them that can happen.
 * What came of it goes into a history, which the checker judges.
 */
final class CrashRig implements AutoCloseable {
  static final int PARTITIONS = 4;
  static final int SESSION_MILLIS = 2000;
  private static final long PATIENCE = Duration.ofSeconds(90).toNanos();
  private static final int WORKERS = 2;

  /**
   * What a run is made of.
   *
   * @param seed of the input and of the moments of faults
   * @param worker what is run: the fold, or a plain application
   * @param resends whether some events are sent again
   * @param events how many records are fed
   * @param keys how many keys they change
   * @param rounds how often each fault is tried
   * @param protocol of the group: {@code classic} or {@code streams}
   */
  record Plan(
      long seed,
      Class<?> worker,
      boolean resends,
      int events,
      int keys,
      int rounds,
      String protocol) {}

  private record Worker(Child child, Beacon beacon) {}

  private interface Act {
    void run() throws Exception;
  }

  private final Plan plan;
  private final Path directory;
  private final Random random;
  private final KafkaBroker broker;
  private final HistoryWriter history;
  private final MoveFeed feed;
  private final List<Worker> workers = new ArrayList<>();
  private Onlooker onlooker;
  private int started;

  CrashRig(Plan plan, Path directory) throws Exception {
    this.plan = plan;
    this.directory = directory;
    this.random = new Random(plan.seed());
    this.broker =
        KafkaBroker.in(directory.resolve("broker"))
            .with("group.min.session.timeout.ms", "500")
            .with("group.streams.min.session.timeout.ms", "500")
            .with("group.streams.session.timeout.ms", String.valueOf(SESSION_MILLIS))
            .with("group.streams.min.heartbeat.interval.ms", "100")
            .with("group.streams.heartbeat.interval.ms", "300")
            .with("group.streams.num.standby.replicas", "1")
            .with("group.streams.initial.rebalance.delay.ms", "0")
            .with("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500")
            .start();
    this.history = new HistoryWriter(directory.resolve("history.ndjson"));
    topics();
    this.feed =
        new MoveFeed(
            new MoveFeed.Plan(
                plan.seed(),
                CrashWorker.INPUT,
                PARTITIONS,
                plan.events(),
                plan.keys(),
                plan.resends()),
            new InputTopic(broker.bootstrap()));
    this.onlooker =
        new Onlooker(
            new Changelog<>(
                Map.of("bootstrap.servers", broker.bootstrap(), "fetch.max.wait.ms", "20"),
                CrashWorker.APPLICATION + "-" + Moves.NAME + "-changelog",
                Onlooker.fold(plan.resends())),
            feed,
            history);
  }

  private void topics() throws InterruptedException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(CrashWorker.INPUT, PARTITIONS, (short) 1),
                  new NewTopic(CrashWorker.OUTPUTS, 2, (short) 1),
                  new NewTopic(CrashWorker.REFUSALS, 1, (short) 1),
                  // Made before the application does, so that it can be read from the start.
                  new NewTopic(
                          CrashWorker.APPLICATION + "-" + Moves.NAME + "-changelog",
                          PARTITIONS,
                          (short) 1)
                      .configs(Map.of("cleanup.policy", "compact"))))
          .all()
          .get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the topics cannot be made", e.getCause());
    }
  }

  /** Runs it all, and judges the history. */
  Result run() throws Exception {
    boolean plain = plan.worker() == PlainWorker.class;
    int kills = 4 * plan.rounds();
    history.accept(
        new Observation.Begin(
            plan.worker().getSimpleName() + " on Kafka Streams",
            Moves.NAME,
            plan.seed(),
            TraceModel.NAME,
            plan.resends() ? Observation.Begin.FOREVER : Observation.Begin.NO_IDS,
            null,
            new Observation.Needs(
                plan.events(),
                kills,
                plain ? 0 : kills / 2,
                plan.rounds(),
                plain ? List.of("F2") : List.of("F2", "F8", "F14", "F15")),
            Map.of("standbys", "1", "protocol", plan.protocol())));
    List<Act> acts = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      if (plain) {
        acts.addAll(Collections.nCopies(4, this::killAnywhere));
        continue;
      }
      acts.addAll(
          List.of(
              this::killAnywhere,
              () -> kill(held(WatchedClients.BEFORE_OFFSETS), "before the offsets are sent"),
              () -> kill(held(WatchedClients.BEFORE_COMMIT), "before the transaction ends"),
              this::killInCommit,
              () -> zombie(WatchedClients.BEFORE_OFFSETS, "before the offsets are sent"),
              () -> zombie(WatchedClients.BEFORE_COMMIT, "before the transaction ends"),
              this::storm));
    }
    Thread feeding = new Thread(() -> feed.run(plan.events() / (5 * acts.size())), "feed");
    feeding.setDaemon(true);
    feeding.start();
    for (int i = 0; i < WORKERS; i++) {
      workers.add(start());
    }
    for (Act act : acts) {
      act.run();
      onlooker.look();
    }
    feed.enough();
    feeding.join();
    calm();
    history.close();
    return Checker.check(new HistoryFile(directory.resolve("history.ndjson")));
  }

  // ---------------------------------------------------------------- workers

  private Worker start() throws IOException {
    Path file = directory.resolve("beacon-" + ++started);
    Beacon beacon = Beacon.at(file);
    Child child =
        Child.start(
            plan.worker(),
            Child.shortLived(),
            directory.resolve("worker-" + started + ".log"),
            broker.bootstrap(),
            file.toString(),
            directory.resolve("state-" + started).toString(),
            plan.protocol());
    return new Worker(child, beacon);
  }

  /** Waits until a worker stands in a commit, and answers it. */
  private Worker held(long place) throws InterruptedException {
    for (Worker worker : workers) {
      worker.beacon().set(Field.HOLD, place);
    }
    List<Worker> found = new ArrayList<>();
    await(
        "begins a commit",
        () -> {
          workers.stream()
              .filter(worker -> worker.beacon().get(Field.COMMIT) == Beacon.BEGUN)
              .findFirst()
              .ifPresent(found::add);
          return !found.isEmpty();
        });
    Worker held = found.get(0);
    workers.stream().filter(w -> !w.equals(held)).forEach(w -> w.beacon().set(Field.HOLD, 0));
    return held;
  }

  private void kill(Worker worker, String what) throws IOException, InterruptedException {
    boolean open = worker.beacon().get(Field.COMMIT) != Beacon.CLOSED;
    boolean killed = worker.child().kill();
    fault("F2", "SIGKILL " + what, killed, killed, open);
    workers.remove(worker);
    workers.add(start());
    progress(100);
  }

  private void fault(String number, String what, boolean landed, boolean killed, boolean open) {
    history.accept(new Observation.Fault(number, what, landed, killed, open));
  }

  private void killAnywhere() throws IOException, InterruptedException {
    progress(100);
    kill(workers.get(random.nextInt(workers.size())), "at any moment");
  }

  private void killInCommit() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    while (true) {
      for (Worker worker : workers) {
        if (worker.beacon().get(Field.COMMIT) == Beacon.WRITTEN) {
          kill(worker, "when the end of the transaction is sent");
          return;
        }
      }
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("no worker commits: " + words());
      }
      Thread.onSpinWait();
    }
  }

  /**
   * Paused in its commit, longer than its session and its transaction may last, until others have
   * gone on with all it owned; then it goes on, too.
   */
  private void zombie(long place, String where) throws Exception {
    Worker zombie = held(place);
    onlooker.look();
    Map<String, Long> before = onlooker.positions();
    zombie.child().pause();
    boolean taken = false;
    try {
      await("takes over", () -> ahead(before));
      taken = true;
    } finally {
      fault(
          "F8", "SIGSTOP " + where + " until others had gone on, then SIGCONT", taken, false, true);
      fault("F15", "the pause outlasts the transaction's timeout", taken, false, true);
      zombie.beacon().set(Field.HOLD, 0);
      zombie.child().resume();
    }
    progress(100);
  }

  /** Whether every partition is further than before. */
  private boolean ahead(Map<String, Long> before) throws InterruptedException {
    onlooker.look();
    Map<String, Long> now = onlooker.positions();
    return before.entrySet().stream()
        .allMatch(each -> now.getOrDefault(each.getKey(), 0L) > each.getValue());
  }

  /** Members come and go, one after the other. */
  private void storm() throws Exception {
    for (int i = 0; i < 3; i++) {
      workers.add(start());
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      workers.remove(0).child().kill();
    }
    fault("F14", "workers join and die every second", true, false, false);
    progress(100);
  }

  // ---------------------------------------------------------------- what is seen

  private interface Done {
    boolean done() throws InterruptedException;
  }

  /** Waits until so many events more are applied: there are more until all acts are over. */
  private void progress(long events) throws InterruptedException {
    long before = onlooker.look();
    await("gets on", () -> onlooker.look() >= before + events);
  }

  private void await(String what, Done done) throws InterruptedException {
    long begin = System.nanoTime();
    while (!done.done()) {
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("nobody " + what + ": " + words());
      }
      for (Worker worker : workers) {
        if (!worker.child().isAlive()) {
          throw new IllegalStateException(
              "a worker ended with " + worker.child().exitCode() + ": " + words());
        }
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  private String words() {
    StringBuilder words = new StringBuilder();
    workers.forEach(worker -> words.append(worker.child().lastWords()).append('\n'));
    return words.toString();
  }

  /** No more faults: everything is applied. */
  private void calm() throws Exception {
    history.accept(new Observation.Calm());
    await("applies the rest", () -> onlooker.look() >= feed.sent());
    if (plan.resends()) {
      fault("F13", "re-sends in the input", true, false, false);
    }
    read();
    history.accept(new Observation.Complete("reader"));
    history.accept(new Observation.End(0));
  }

  private void read() {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", broker.bootstrap(),
            "isolation.level", "read_committed",
            "auto.offset.reset", "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all =
          List.of(
              new TopicPartition(CrashWorker.OUTPUTS, 0),
              new TopicPartition(CrashWorker.OUTPUTS, 1),
              new TopicPartition(CrashWorker.REFUSALS, 0));
      consumer.assign(all);
      Map<TopicPartition, Long> ends = KafkaBroker.ends(broker.bootstrap(), all);
      while (all.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        consumer.poll(Duration.ofMillis(200)).forEach(this::message);
      }
    }
  }

  private void message(ConsumerRecord<byte[], byte[]> record) {
    String key = text(record.key());
    String id = text(record.headers().lastHeader(StreamsFold.ID).value());
    history.accept(
        record.topic().equals(CrashWorker.OUTPUTS)
            ? new Observation.Output("reader", TraceModel.OUTPUT, key, id, text(record.value()))
            : new Observation.Refusal("reader", key, id, text(record.value()).charAt(0)));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    workers.forEach(worker -> worker.child().close());
    onlooker.close();
    history.close();
    broker.close();
  }
}
