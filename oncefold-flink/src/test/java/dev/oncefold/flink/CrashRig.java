package dev.oncefold.flink;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.testkit.EngineHost;
import dev.oncefold.testkit.EngineHosts;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.testkit.Patience;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.TraceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The whole job in processes of their own, one after another, each from the last complete
 * checkpoint of the one before; a real broker; and everything done to them that can happen. What
 * came of it goes into a history, which the checker judges.
 */
final class CrashRig implements AutoCloseable {
  static final int PARTITIONS = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int PARALLELISM = 2;

  /**
   * What a run is made of.
   *
   * @param seed of the input and of the moments of faults
   * @param plain whether the outputs go to Flink's own sink, at least once
   * @param events how many records are fed
   * @param keys how many keys they change
   * @param rounds how often each fault is tried
   */
  record Plan(long seed, boolean plain, int events, int keys, int rounds) {}

  private record Worker(EngineHost host, Beacon beacon) {}

  private interface Act {
    void run() throws Exception;
  }

  private final Plan plan;
  private final Path directory;
  private final Random random;
  private final KafkaBroker broker;
  private final Visible visible;
  private final EngineHosts hosts;
  private final HistoryWriter history;
  private final MoveFeed feed;
  private final Onlooker onlooker;
  private @Nullable Worker worker;
  private int lives;

  CrashRig(Plan plan, Path directory) throws Exception {
    this.plan = plan;
    this.directory = directory;
    this.random = new Random(plan.seed());
    this.broker = KafkaBroker.in(directory.resolve("broker")).start();
    this.hosts =
        new EngineHosts(
            CrashWorker.class,
            Files.createDirectory(directory.resolve("hosts")),
            Workers.options(broker.bootstrap()));
    this.visible = new Visible(broker.bootstrap());
    Workers.makeTopics(broker.bootstrap(), CrashWorker.NAME, PARTITIONS);
    this.history = new HistoryWriter(directory.resolve("history.ndjson"));
    this.feed =
        new MoveFeed(
            new MoveFeed.Plan(
                plan.seed(), CrashWorker.INPUT, PARTITIONS, plan.events(), plan.keys(), true),
            new InputTopic(broker.bootstrap(), CrashWorker.INPUT));
    this.onlooker = new Onlooker(feed, history);
  }

  /** Runs it all, and judges the history. */
  Result run() throws Exception {
    int kills = (plan.plain() ? 2 : 7) * plan.rounds();
    history.accept(
        new Observation.Begin(
            plan.plain() ? "the fold on Flink, outputs at least once" : "the fold on Flink",
            "moves",
            plan.seed(),
            TraceModel.NAME,
            Observation.Begin.FOREVER,
            null,
            new Observation.Needs(
                plan.events(),
                kills,
                plan.plain() ? 0 : kills / 2,
                plan.rounds(),
                plan.plain()
                    ? List.of("F2")
                    : List.of("F1", "F2", "F3", "F8", "F12", "F14", "F17")),
            Map.of("parallelism", String.valueOf(PARALLELISM))));
    List<Act> acts = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      if (plan.plain()) {
        acts.addAll(Collections.nCopies(2, this::killAnywhere));
        continue;
      }
      acts.addAll(
          List.of(
              this::killAnywhere,
              this::killBeforeTheCommitAndInRecovery,
              this::killBetweenTwoCommits,
              this::killBehindTheCommit,
              this::zombie,
              this::taskFailure,
              this::rescale,
              this::backpressure,
              this::brokerKilled));
    }
    Thread feeding = new Thread(() -> feed.run(plan.events() / (5 * acts.size())), "feed");
    feeding.setDaemon(true);
    feeding.start();
    start(PARALLELISM, false);
    for (Act act : acts) {
      act.run();
    }
    feed.enough();
    feeding.join();
    calm();
    history.close();
    return Checker.check(new HistoryFile(directory.resolve("history.ndjson")));
  }

  // ---------------------------------------------------------------- processes

  /** Starts a process from the last checkpoint that is complete. */
  private void start(int parallelism, boolean unaligned) throws Exception {
    begin(parallelism, unaligned, Beacon.HOLD_NOWHERE);
    onlooker.compare();
  }

  private void begin(int parallelism, boolean unaligned, long hold) throws IOException {
    Path own = Files.createDirectory(directory.resolve("life-" + ++lives));
    CrashWorker.Life life =
        new CrashWorker.Life(
            broker.bootstrap(),
            CrashWorker.NAME,
            own,
            onlooker.last(),
            parallelism,
            unaligned,
            plan.plain());
    Beacon beacon = Beacon.at(life.beacon());
    beacon.set(Field.HOLD, hold);
    worker = new Worker(hosts.start(life.args()), beacon);
    onlooker.follow(life);
  }

  private Worker worker() {
    Worker now = worker;
    if (now == null) {
      throw new IllegalStateException("nothing runs");
    }
    return now;
  }

  private void fault(String number, String what, boolean landed, boolean killed, boolean open) {
    history.accept(new Observation.Fault(number, what, landed, killed, open));
  }

  private void kill(String number, String what) throws Exception {
    boolean open = worker().beacon().get(Field.COMMIT) != Beacon.CLOSED;
    boolean killed = worker().host().process().kill();
    fault(number, "SIGKILL " + what, killed, killed, open);
    onlooker.look();
  }

  /** Waits until a committer stands before its commit. */
  private void held(long which) throws Exception {
    worker().beacon().set(Field.HOLD, which);
    await(
        () ->
            worker().beacon().get(Field.COMMIT) == Beacon.CLOSED ? "a commit that is held" : null);
  }

  private void release() {
    worker().beacon().set(Field.HOLD, Beacon.HOLD_NOWHERE);
  }

  // ---------------------------------------------------------------- faults

  private void killAnywhere() throws Exception {
    progress(100);
    LockSupport.parkNanos(random.nextInt(150_000_000));
    kill("F2", "at any moment");
    start(PARALLELISM, false);
    progress(1);
  }

  private void killBeforeTheCommitAndInRecovery() throws Exception {
    progress(100);
    held(Watched.ALL);
    kill("F2", "between the checkpoint and its commits");
    begin(PARALLELISM, false, Watched.TAKEN_OVER);
    onlooker.compare();
    held(Watched.TAKEN_OVER);
    kill("F3", "in recovery, before what was left is committed");
    start(PARALLELISM, false);
    progress(1);
  }

  private void killBetweenTwoCommits() throws Exception {
    progress(100);
    await(
        () ->
            visible.ahead(PARALLELISM) <= 1
                ? null
                : "commits of both subtasks: " + visible.committed());
    held(Watched.ONE);
    await(
        () ->
            visible.ahead(PARALLELISM) > 0
                ? null
                : "a commit of one subtask: " + visible.committed());
    kill("F2", "when one subtask has committed and the other has not");
    start(PARALLELISM, false);
    progress(1);
  }

  private void killBehindTheCommit() throws Exception {
    progress(100);
    held(Watched.ALL);
    Map<String, Long> before = visible.committed();
    release();
    await(
        () -> {
          Map<String, Long> now = visible.committed();
          return before.entrySet().stream()
                  .allMatch(e -> now.getOrDefault(e.getKey(), -1L) > e.getValue())
              ? null
              : "commits of all subtasks: " + now + " behind " + before;
        });
    kill("F2", "when all is committed, which the last checkpoint does not know");
    start(PARALLELISM, false);
    progress(1);
  }

  /** Paused before its commit; another goes on from that checkpoint; then it goes on, too. */
  private void zombie() throws Exception {
    progress(100);
    held(Watched.ALL);
    Worker zombie = worker();
    zombie.host().process().pause();
    onlooker.look();
    start(PARALLELISM, false);
    progress(100);
    zombie.beacon().set(Field.HOLD, Beacon.HOLD_NOWHERE);
    zombie.host().process().resume();
    await(() -> zombie.host().process().isAlive() ? "the end of a job taken over from" : null);
    fault(
        "F8",
        "SIGSTOP before the commit until another had gone on, then SIGCONT",
        zombie.host().told().contains("has taken over"),
        false,
        true);
    progress(100);
  }

  private void taskFailure() throws Exception {
    progress(100);
    worker().beacon().set(Field.HOLD, Watched.THROW);
    await(() -> worker().beacon().get(Field.HOLD) == Watched.THROW ? "a failed task" : null);
    fault("F1", "a task throws, and the job restarts by itself", true, false, false);
    progress(100);
  }

  /** From savepoint to savepoint, with another parallelism and back. */
  private void rescale() throws Exception {
    for (int parallelism : new int[] {1, PARALLELISM}) {
      progress(100);
      worker().host().end(PATIENCE);
      onlooker.look();
      fault("F14", "stopped with a savepoint, " + parallelism + " tasks next", true, false, false);
      start(parallelism, false);
    }
    progress(100);
  }

  /** Slower than its input, so that checkpoints overtake records, and killed from one of those. */
  private void backpressure() throws Exception {
    progress(100);
    kill("F2", "at any moment");
    start(PARALLELISM, true);
    progress(100);
    worker().beacon().set(Field.ALLOWED, 20_000_000);
    await(() -> onlooker.look() >= 0 && onlooker.inFlight() < 100 ? "events in flight" : null);
    held(Watched.ALL);
    kill("F2", "between an unaligned checkpoint and its commits");
    fault(
        "F17",
        "an update slower than its input; unaligned checkpoints",
        onlooker.inFlight() > 0,
        false,
        true);
    // What is in flight goes to other tasks.
    start(1, true);
    progress(100);
  }

  /**
   * Kafka may lose the mark of a transaction when its only broker is killed between answering a
   * commit and marking it, and then nobody reads on. So it is killed when all commits are held.
   */
  private void brokerKilled() throws Exception {
    progress(100);
    held(Watched.ALL);
    broker.kill();
    fault("F12", "the broker killed between a checkpoint and its commits", true, false, true);
    broker.restart();
    release();
    progress(100);
  }

  // ---------------------------------------------------------------- what is seen

  /** Waits until so many events more are in a checkpoint: there are more until all is over. */
  private void progress(long events) throws Exception {
    long before = onlooker.look();
    await(
        () -> {
          long now = onlooker.look();
          return now >= before + events ? null : (before + events - now) + " events more";
        });
  }

  private void await(Callable<@Nullable String> missing) throws Exception {
    Patience.await(
        PATIENCE,
        () -> {
          String still = missing.call();
          if (still != null) {
            worker().host().works();
          }
          return still;
        });
  }

  /** No more faults: everything is applied, and the job ends with all that it has sent. */
  private void calm() throws Exception {
    history.accept(new Observation.Calm());
    await(
        () -> {
          long applied = onlooker.look();
          return applied >= feed.sent() ? null : (feed.sent() - applied) + " events";
        });
    worker().host().end(PATIENCE);
    onlooker.look();
    onlooker.compare();
    fault("F13", "re-sends in the input", true, false, false);
    visible.read(history);
    history.accept(new Observation.Complete("reader"));
    history.accept(new Observation.End(0));
  }

  @Override
  public void close() throws IOException {
    hosts.close();
    visible.close();
    history.close();
    broker.close();
  }
}
