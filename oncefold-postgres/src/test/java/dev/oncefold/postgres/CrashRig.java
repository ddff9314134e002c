package dev.oncefold.postgres;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.PostgresServer;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.TcpProxy;
import dev.oncefold.verify.TraceModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Real workers, a real broker and a real database, and everything done to them that can happen.
 * What came of it goes into a history, which the checker judges.
 */
final class CrashRig implements AutoCloseable {
  private static final long PATIENCE = Duration.ofSeconds(90).toNanos();
  private static final int PARTITIONS = 4;
  private static final int WORKERS = 2;
  private static final int SESSION_MILLIS = 2000;

  /**
   * What a run is made of.
   *
   * @param seed of the input and of the moments of faults
   * @param shared whether keys are shared between partitions, and events change several of them
   * @param consumer the properties of the consumers: which protocol they speak
   * @param events how many records are fed
   * @param keys how many keys they change
   * @param rounds how often each fault is tried
   */
  record Plan(
      long seed, boolean shared, Map<String, String> consumer, int events, int keys, int rounds) {}

  private record Worker(Child child, Beacon beacon) {}

  private interface Act {
    void run() throws Exception;
  }

  private final Plan plan;
  private final Path directory;
  private final Random random;
  private final KafkaBroker broker;
  private final PostgresServer database;
  private final String url;
  private final List<String> options;
  private final TcpProxy proxy;
  private final HistoryWriter history;
  private final Onlooker onlooker;
  private final Feed feed;
  private final List<Worker> workers = new ArrayList<>();
  private int started;

  CrashRig(Plan plan, Path directory) throws Exception {
    this.plan = plan;
    this.directory = directory;
    this.random = new Random(plan.seed());
    this.broker =
        KafkaBroker.in(directory.resolve("broker"))
            .with("group.min.session.timeout.ms", "500")
            .with("group.consumer.min.session.timeout.ms", "500")
            .with("group.consumer.min.heartbeat.interval.ms", "100")
            .with("group.consumer.session.timeout.ms", String.valueOf(SESSION_MILLIS))
            .with("group.consumer.heartbeat.interval.ms", "300")
            .start();
    this.database = PostgresServer.start(directory.resolve("database"));
    database.createDatabase("crash");
    this.url = database.jdbcUrl("crash");
    this.options = Workers.options(broker.bootstrap(), url);
    this.proxy = TcpProxy.to(database.address());
    this.history = new HistoryWriter(directory.resolve("history.ndjson"));
    topics();
    this.feed =
        new Feed(
            broker.bootstrap(),
            CrashWorker.INPUT,
            PARTITIONS,
            plan.keys(),
            plan.events(),
            plan.shared(),
            plan.seed());
    this.onlooker =
        new Onlooker(
            url, CrashWorker.TABLE, history, (partition, to) -> feed.tell(partition, to, history));
  }

  private void topics() throws InterruptedException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(CrashWorker.INPUT, PARTITIONS, (short) 1),
                  new NewTopic(CrashWorker.OUTPUTS, 2, (short) 1),
                  new NewTopic(CrashWorker.REFUSALS, 1, (short) 1)))
          .all()
          .get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the topics cannot be made", e.getCause());
    }
  }

  /** Runs it all, and judges the history. */
  Result run() throws Exception {
    int kills = 4 * plan.rounds();
    history.accept(
        new Observation.Begin(
            "Kafka into PostgreSQL",
            Moves.NAME,
            plan.seed(),
            TraceModel.NAME,
            Observation.Begin.FOREVER,
            null,
            new Observation.Needs(
                plan.events(),
                kills,
                kills / 2,
                plan.rounds(),
                List.of("F2", "F8", "F9", "F12", "F14")),
            Map.of(
                "keys",
                plan.shared() ? "shared" : "owned",
                "consumer",
                plan.consumer().toString())));
    PostgresStore.open(CrashWorker.options(url, plan.shared()), CrashWorker.fold(plan.shared()))
        .close();
    onlooker.begin();
    List<Act> acts = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      acts.addAll(
          List.of(
              this::killAnywhere,
              this::killBeforeCommit,
              this::killInCommit,
              () -> zombie(Watched.BEFORE_COMMIT, "before COMMIT is sent"),
              () -> zombie(Watched.BEFORE_POSITION, "before the position is moved"),
              this::replyLost,
              this::commitDelayed,
              this::databaseKilled,
              this::brokerKilled,
              this::storm));
    }
    Thread feeding = new Thread(() -> feed.run(plan.events() / (3 * acts.size())), "feed");
    feeding.setDaemon(true);
    feeding.start();
    for (int i = 0; i < WORKERS; i++) {
      workers.add(start());
    }
    for (Act act : acts) {
      act.run();
      look();
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
    List<String> args = new ArrayList<>();
    args.add(broker.bootstrap());
    args.add(database.jdbcUrl("crash", proxy.address()));
    args.add(file.toString());
    args.add(String.valueOf(plan.shared()));
    plan.consumer()
        .forEach(
            (name, value) -> {
              args.add(name);
              args.add(value);
            });
    if (!"consumer".equals(plan.consumer().get("group.protocol"))) {
      args.addAll(
          List.of(
              "session.timeout.ms",
              String.valueOf(SESSION_MILLIS),
              "heartbeat.interval.ms",
              "300"));
    }
    Child child =
        Child.start(
            CrashWorker.class,
            options,
            directory.resolve("worker-" + started + ".log"),
            args.toArray(String[]::new));
    return new Worker(child, beacon);
  }

  private Worker any() {
    return workers.get(random.nextInt(workers.size()));
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
  }

  private void fault(String number, String what, boolean landed, boolean killed, boolean open) {
    history.accept(new Observation.Fault(number, what, landed, killed, open));
  }

  private void killAnywhere() throws IOException, InterruptedException {
    progress(100);
    kill(any(), "at any moment");
  }

  private void killBeforeCommit() throws IOException, InterruptedException {
    kill(held(Watched.BEFORE_COMMIT), "before COMMIT is sent");
  }

  private void killInCommit() throws IOException, InterruptedException {
    progress(50);
    long begin = System.nanoTime();
    while (true) {
      // Not one that was chosen before: it may have no partitions.
      for (Worker worker : workers) {
        if (worker.beacon().get(Field.COMMIT) == Beacon.WRITTEN) {
          kill(worker, "when COMMIT is sent");
          return;
        }
      }
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("no worker commits: " + words());
      }
      Thread.onSpinWait();
    }
  }

  /** Paused right before its commit until others own what it owned; then it goes on. */
  private void zombie(long place, String where) throws Exception {
    Worker zombie = held(place);
    int before = claims();
    zombie.child().pause();
    boolean taken = false;
    try {
      await("takes over", () -> claimsQuietly() > before);
      taken = true;
    } finally {
      String what = "SIGSTOP " + where + " until others had claimed, then SIGCONT";
      fault("F8", what, taken, false, true);
      zombie.beacon().set(Field.HOLD, 0);
      zombie.child().resume();
    }
    progress(100);
  }

  /** The commit arrives and its reply does not. */
  private void replyLost() throws IOException, InterruptedException {
    Worker worker = held(Watched.BEFORE_COMMIT);
    TcpProxy.Fault cut = proxy.cut(TcpProxy.Direction.REPLIES, 0);
    worker.beacon().set(Field.HOLD, 0);
    boolean landed = cut.awaitLanded(Duration.ofSeconds(30));
    cut.end();
    fault("F9", "COMMIT arrives, and its reply does not", landed, false, false);
    progress(50);
  }

  /** The worker dies with its commit on the way; it arrives when others have begun to take over. */
  private void commitDelayed() throws IOException, InterruptedException {
    Worker worker = held(Watched.BEFORE_COMMIT);
    TcpProxy.Fault hold = proxy.hold(TcpProxy.Direction.REQUESTS);
    worker.beacon().set(Field.HOLD, 0);
    boolean landed = hold.awaitLanded(Duration.ofSeconds(30));
    kill(worker, "with COMMIT on its way");
    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(SESSION_MILLIS * 2)).toNanos());
    hold.end();
    fault("F10", "COMMIT arrives after the death of its sender", landed, false, false);
    progress(50);
  }

  private void databaseKilled() throws IOException, InterruptedException {
    progress(50);
    boolean open = workers.stream().anyMatch(w -> w.beacon().get(Field.COMMIT) != Beacon.CLOSED);
    database.kill();
    fault("F12", "the database killed and restarted", true, false, open);
    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(500)).toNanos());
    database.restart();
    progress(50);
  }

  private void brokerKilled() throws IOException, InterruptedException {
    progress(50);
    broker.kill();
    fault("F12", "the broker killed and restarted", true, false, false);
    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(500)).toNanos());
    broker.restart();
    progress(50);
  }

  /** Members come and go, one after the other. */
  private void storm() throws Exception {
    int before = claims();
    for (int i = 0; i < 4; i++) {
      workers.add(start());
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      Worker leaves = workers.remove(0);
      leaves.child().kill();
    }
    await("takes over", () -> claimsQuietly() > before);
    fault("F14", "workers join and die every second", true, false, false);
    progress(50);
  }

  // ---------------------------------------------------------------- what is seen

  private Map<String, Long> look() throws InterruptedException, SQLException {
    return onlooker.look();
  }

  private int claims() throws SQLException, InterruptedException {
    look();
    return onlooker.claims();
  }

  private int claimsQuietly() {
    try {
      return claims();
    } catch (SQLException e) {
      return away(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static int away(SQLException e) {
    if (Session.trouble(e) != Session.Trouble.LOST) {
      throw new IllegalStateException(e);
    }
    return 0;
  }

  private long applied() {
    try {
      return look().values().stream().mapToLong(position -> position).sum();
    } catch (SQLException e) {
      return away(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until so many events more are applied: there are more until all acts are over. */
  private void progress(long events) throws InterruptedException {
    long before = applied();
    await("gets on", () -> applied() >= before + events);
  }

  private void await(String what, BooleanSupplier done) throws InterruptedException {
    long begin = System.nanoTime();
    while (!done.getAsBoolean()) {
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("nobody " + what + ": " + words());
      }
      for (Worker worker : List.copyOf(workers)) {
        if (!worker.child().isAlive()) {
          startAgain(worker);
        }
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  /** Only a worker that begins while the database is away may end by itself. */
  private void startAgain(Worker worker) {
    String words = worker.child().lastWords();
    if (!words.contains("Session.open")) {
      throw new IllegalStateException(
          "a worker ended with " + worker.child().exitCode() + ": " + words);
    }
    workers.remove(worker);
    try {
      workers.add(start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String words() {
    StringBuilder words = new StringBuilder();
    workers.forEach(worker -> words.append(worker.child().lastWords()).append('\n'));
    return words.toString();
  }

  /** No more faults: everything is applied, and everything emitted is in Kafka. */
  private void calm() throws Exception {
    history.accept(new Observation.Calm());
    await("applies the rest", () -> applied() >= feed.sent());
    await("relays the rest", () -> onlooker.waiting() == 0);
    look();
    history.accept(new Observation.Fault("F13", "re-sends in the input", true, false, false));
    Committed.read(
        broker.bootstrap(), List.of(CrashWorker.OUTPUTS, CrashWorker.REFUSALS), this::message);
    history.accept(new Observation.Complete("reader"));
    history.accept(new Observation.End(0));
  }

  private void message(ConsumerRecord<byte[], byte[]> record) {
    String key = text(record.key());
    String id = text(record.headers().lastHeader("oncefold-id").value());
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
    proxy.close();
    history.close();
    database.close();
    broker.close();
  }
}
