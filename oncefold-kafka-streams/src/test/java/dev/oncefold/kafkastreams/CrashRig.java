package dev.oncefold.kafkastreams;

import dev.oncefold.kafkastreams.Workers.Worker;
import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.TraceModel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Real instances with a standby each, real brokers, and everything done to them that can happen.
 * What came of it goes into a history, which the checker judges.
 */
final class CrashRig implements AutoCloseable {
  static final int PARTITIONS = 4;
  static final int SESSION_MILLIS = 2000;

  /** How long a broker may take for an answer until it is asked again, or another one is. */
  static final int REQUEST_MILLIS = 3000;

  private static final int WORKERS = 2;

  private interface Act {
    void run() throws Exception;
  }

  private final CrashPlan plan;
  private final Path directory;
  private final Random random;
  private final Brokers brokers;
  private final HistoryWriter history;
  private final MoveFeed feed;
  private final Workers workers;
  private final Onlooker onlooker;

  CrashRig(CrashPlan plan, Path directory) throws Exception {
    this.plan = plan;
    this.directory = directory;
    this.random = new Random(plan.seed());
    this.brokers = new Brokers(directory.resolve("brokers"), plan.course().brokers());
    this.workers = new Workers(plan, directory, brokers.bootstrap());
    this.history = new HistoryWriter(directory.resolve("history.ndjson"));
    this.feed =
        new MoveFeed(
            new MoveFeed.Plan(
                plan.seed(),
                CrashWorker.INPUT,
                PARTITIONS,
                plan.events(),
                plan.keys(),
                plan.resends()),
            new InputTopic(brokers.bootstrap()));
    this.onlooker =
        new Onlooker(
            new Changelog<>(
                Map.of(
                    "bootstrap.servers",
                    brokers.bootstrap(),
                    "fetch.max.wait.ms",
                    "20",
                    "request.timeout.ms",
                    REQUEST_MILLIS),
                Brokers.CHANGELOG,
                Onlooker.fold(plan.resends())),
            feed,
            history);
  }

  /** Runs it all, and judges the history. */
  Result run() throws Exception {
    CrashPlan.Course course = plan.course();
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
                course.kills() * plan.rounds(),
                course.inCommits() * plan.rounds(),
                plan.rounds(),
                course.faults()),
            Map.of(
                "brokers",
                String.valueOf(course.brokers()),
                "standbys",
                "1",
                "protocol",
                plan.protocol())));
    List<Act> acts = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      acts.addAll(round());
    }
    Thread feeding = new Thread(() -> feed.run(plan.events() / (5 * acts.size())), "feed");
    feeding.setDaemon(true);
    feeding.start();
    for (int i = 0; i < WORKERS; i++) {
      workers.start();
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

  private List<Act> round() {
    return switch (plan.course()) {
      case WORKERS ->
          List.of(
              this::killAnywhere,
              () ->
                  kill(workers.held(WatchedClients.BEFORE_OFFSETS), "before the offsets are sent"),
              () -> kill(workers.held(WatchedClients.BEFORE_COMMIT), "before the transaction ends"),
              this::killInCommit,
              () -> zombie(WatchedClients.BEFORE_OFFSETS, "before the offsets are sent"),
              () -> zombie(WatchedClients.BEFORE_COMMIT, "before the transaction ends"),
              this::storm);
      case PLAIN -> Collections.nCopies(4, this::killAnywhere);
      case BROKERS ->
          List.of(
              this::coordinatorKilledUnread,
              this::killAnywhere,
              this::leaderKilledUnmarked,
              () -> kill(workers.held(WatchedClients.BEFORE_COMMIT), "before the transaction ends"),
              this::coordinatorPaused,
              this::coordinatorKilledInCommit,
              this::killInCommit,
              this::leaderPaused,
              () -> brokerKilled(brokers.controller(), "the active controller"),
              this::bothKilled);
    };
  }

  // ---------------------------------------------------------------- workers

  private void kill(Worker worker, String what) throws IOException, InterruptedException {
    boolean open = worker.inCommit();
    boolean killed = workers.kill(worker);
    fault("F2", "SIGKILL " + what, killed, killed, open);
    workers.start();
    progress(100);
  }

  private void fault(String number, String what, boolean landed, boolean killed, boolean open) {
    history.accept(new Observation.Fault(number, what, landed, killed, open));
  }

  private void killAnywhere() throws IOException, InterruptedException {
    progress(100);
    kill(workers.any(random), "at any moment");
  }

  private void killInCommit() throws IOException, InterruptedException {
    kill(workers.ending(), "when the end of the transaction is sent");
  }

  /**
   * Paused in its commit, longer than its session and its transaction may last, until others have
   * gone on with all it owned; then it goes on, too.
   */
  private void zombie(long place, String where) throws Exception {
    Worker zombie = workers.held(place);
    onlooker.look();
    Map<String, Long> before = onlooker.positions();
    zombie.child().pause();
    boolean taken = false;
    try {
      workers.await("takes over", () -> ahead(before));
      taken = true;
    } finally {
      fault(
          "F8", "SIGSTOP " + where + " until others had gone on, then SIGCONT", taken, false, true);
      fault("F15", "the pause outlasts the transaction's timeout", taken, false, true);
      zombie.release();
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
      workers.start();
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      workers.kill(workers.oldest());
    }
    fault("F14", "workers join and die every second", true, false, false);
    progress(100);
  }

  // ---------------------------------------------------------------- brokers

  /** Dies, and comes back when all have gone on without it. */
  private void brokerKilled(KafkaBroker broker, String what) throws Exception {
    broker.kill();
    boolean open = workers.inCommit();
    fault("F12", "SIGKILL of " + what, true, true, open);
    allGoOn();
    broker.restart();
    brokers.awaitInSync();
  }

  /** The end of the transaction is sent to a coordinator that dies before it reads it. */
  private void coordinatorKilledUnread() throws Exception {
    Worker worker = workers.held(WatchedClients.BEFORE_COMMIT);
    KafkaBroker coordinator = brokers.coordinator(worker.transactionId());
    coordinator.pause();
    worker.release();
    workers.await("commits", worker::endsTransaction);
    brokerKilled(coordinator, "the coordinator, before it reads the end of the transaction");
  }

  /** The end of the transaction, its answer and its marks are on their way. */
  private void coordinatorKilledInCommit() throws Exception {
    Worker worker = workers.held(WatchedClients.BEFORE_COMMIT);
    KafkaBroker coordinator = brokers.coordinator(worker.transactionId());
    worker.release();
    brokerKilled(coordinator, "the coordinator, when the end of the transaction is sent");
  }

  /** The transaction is being committed, and a leader to which it has written is never marked. */
  private void leaderKilledUnmarked() throws Exception {
    Worker worker = workers.held(WatchedClients.BEFORE_COMMIT);
    KafkaBroker leader = brokers.leader(worker.transactionId());
    leader.pause();
    worker.release();
    workers.await("commits", () -> worker.endsTransaction() || !worker.inCommit());
    brokerKilled(leader, "a leader, before it is marked");
  }

  /** A worker dies beside a broker that nobody has missed yet. */
  private void bothKilled() throws Exception {
    KafkaBroker broker = brokers.any(random);
    broker.kill();
    boolean open = workers.inCommit();
    fault("F12", "SIGKILL of any broker", true, true, open);
    kill(workers.any(random), "beside the broker");
    allGoOn();
    broker.restart();
    brokers.awaitInSync();
  }

  private void coordinatorPaused() throws Exception {
    Worker worker = workers.held(WatchedClients.BEFORE_COMMIT);
    KafkaBroker coordinator = brokers.coordinator(worker.transactionId());
    brokerPaused(coordinator, worker, "the coordinator");
  }

  private void leaderPaused() throws Exception {
    Worker worker = workers.held(WatchedClients.BEFORE_COMMIT);
    KafkaBroker leader = brokers.leader(worker.transactionId());
    brokerPaused(leader, worker, "a leader that is to be marked");
  }

  /** Paused with a commit on its way, until others lead and all have gone on; then it wakes. */
  private void brokerPaused(KafkaBroker broker, Worker worker, String what) throws Exception {
    broker.pause();
    boolean passed = false;
    try {
      worker.release();
      allGoOn();
      passed = true;
    } finally {
      fault(
          "F12",
          "SIGSTOP of " + what + " until all had gone on, then SIGCONT",
          passed,
          false,
          true);
      broker.resume();
    }
    brokers.awaitInSync();
  }

  // ---------------------------------------------------------------- what is seen

  /** Waits until every partition is further than it is now. */
  private void allGoOn() throws InterruptedException {
    onlooker.look();
    Map<String, Long> before = onlooker.positions();
    workers.await("goes on in each partition", () -> ahead(before));
  }

  /** Waits until so many events more are applied: there are more until all acts are over. */
  private void progress(long events) throws InterruptedException {
    long before = onlooker.look();
    workers.await("gets on", () -> onlooker.look() >= before + events);
  }

  /** No more faults: everything is applied. */
  private void calm() throws Exception {
    history.accept(new Observation.Calm());
    workers.await("applies the rest", () -> onlooker.look() >= feed.sent());
    if (plan.resends()) {
      fault("F13", "re-sends in the input", true, false, false);
    }
    onlooker.readAll(brokers.bootstrap());
    history.accept(new Observation.End(0));
  }

  @Override
  public void close() throws IOException {
    workers.close();
    onlooker.close();
    history.close();
    brokers.close();
  }
}
