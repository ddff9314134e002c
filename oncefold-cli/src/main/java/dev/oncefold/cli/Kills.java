package dev.oncefold.cli;

import dev.oncefold.cli.Beacon.Field;
import dev.oncefold.cli.Report.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Starts the worker again and again, kills it each time but the last, and counts where. */
final class Kills {
  /** How much of the input is left for the last run, which nobody kills. */
  private static final double LAST_SHARE = 0.2;

  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
  private static final long GUESSED_RECOVERY = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long MOMENT = TimeUnit.MILLISECONDS.toNanos(3);

  /** How a process that an interrupt from the keyboard ended is reported. */
  private static final int INTERRUPTED = 128 + 2;

  private final Class<?> worker;
  private final Workplace at;
  private final Plan plan;
  private final Random random;
  private final long begin = System.nanoTime();
  private final Progress progress;
  private final Witness witness;
  private final Beacon beacon;
  private final long bytes;
  private final Tally tally = new Tally();
  private boolean syncTooShort;
  // How far the last life that came so far had handed out events, and answered them.
  private long handed;
  private long answered;
  private volatile @Nullable Victim victim;

  /** What was done to the worker. */
  static final class Tally {
    int kills;
    int insideCommit;
    int halfWritten;
    int recovering;
    int restarts;
    final List<Long> recoveryNanos = new ArrayList<>();
    long lastRunEvents;
    long lastRunNanos;
  }

  /** Looks at what each kill left. */
  interface Witness {
    /** The worker is dead, and nobody has touched what it left. */
    void dead(int kill);

    /** What was answered before a kill has to be there after it, and nothing that was not read. */
    void resumed(int kill, long from, long answered, long handed);
  }

  /** The worker went its own way; the message says how. */
  static final class WorkerException extends RuntimeException {
    private static final long serialVersionUID = 1;

    WorkerException(String message) {
      super(message);
    }
  }

  /**
   * Prepares to kill.
   *
   * @param worker the main class of the process
   * @param at where it works
   * @param plan how often to kill it, and the seed of the moments
   * @param progress told how far it is
   * @param witness looks at what each kill left
   */
  Kills(Class<?> worker, Workplace at, Plan plan, Progress progress, Witness witness)
      throws IOException {
    this.worker = worker;
    this.at = at;
    this.plan = plan;
    this.random = new Random(plan.seed());
    this.progress = progress;
    this.witness = witness;
    this.beacon = Beacon.at(at.beacon());
    this.bytes = Files.size(at.payments());
  }

  /** Kills so often, then lets the worker run to the end. */
  Tally run() throws IOException, InterruptedException {
    int kills = plan.kills();
    List<Aim> aims = Aim.plan(kills, random);
    double slice = bytes * (1 - LAST_SHARE) / kills;
    for (int i = 0; i < kills; i++) {
      long target = (long) (slice * (i + 0.1 + 0.6 * random.nextDouble()));
      start((long) (slice * (i + 1)));
      await(aims.get(i), target, (long) (slice / 8));
      kill(aims.get(i));
    }
    start(Long.MAX_VALUE);
    finish();
    return tally;
  }

  /** Kills the worker of the moment, if there is one; for when the demo is interrupted. */
  void abandon() {
    Victim last = victim;
    if (last != null) {
      last.abandon();
    }
  }

  private void start(long allowed) throws IOException {
    tally.restarts += victim == null ? 0 : 1;
    beacon.clear();
    beacon.set(Field.ALLOWED, allowed);
    victim = Victim.start(at, worker);
  }

  /** Waits for the moment at which to kill. */
  private void await(Aim aim, long target, long more) {
    if (aim == Aim.RECOVERING) {
      await("open the journal", () -> beacon.get(Field.OPENING) != 0);
      pause((long) (random.nextDouble() * usualRecovery()));
      return;
    }
    await("get on", () -> beacon.get(Field.RECOVERY) != 0 && beacon.get(Field.COMMITTED) >= target);
    switch (aim) {
      case RUNNING, RECOVERING -> pause((long) (random.nextDouble() * MOMENT));
      case HALF_WRITTEN -> {
        beacon.set(Field.HOLD, 1 + random.nextInt((int) Beacon.HOLD_BEFORE_SYNC - 1));
        await("begin a commit", () -> goesOn(more) && beacon.get(Field.COMMIT) == Beacon.BEGUN);
      }
      case IN_SYNC -> {
        if (syncTooShort) {
          beacon.set(Field.HOLD, Beacon.HOLD_BEFORE_SYNC);
        }
        spin("write a commit", () -> goesOn(more) && beacon.get(Field.COMMIT) == Beacon.WRITTEN);
      }
    }
  }

  /** A worker that has done all it may do opens no commit: allow it some more. */
  private boolean goesOn(long more) {
    if (beacon.get(Field.HANDED) >= beacon.get(Field.ALLOWED)) {
      beacon.set(Field.ALLOWED, beacon.get(Field.ALLOWED) + more);
    }
    return true;
  }

  private void kill(Aim aim) throws InterruptedException {
    if (!running().kill()) {
      throw unexpected("ended by itself before kill " + (tally.kills + 1));
    }
    lifeIsOver();
    tally.kills++;
    long commit = beacon.get(Field.COMMIT);
    if (commit != Beacon.CLOSED) {
      tally.insideCommit++;
      tally.halfWritten += commit == Beacon.BEGUN ? 1 : 0;
    }
    syncTooShort |= aim == Aim.IN_SYNC && commit == Beacon.CLOSED;
    if (beacon.get(Field.RECOVERY) == 0) {
      tally.recovering++;
    }
    if (answered > 0) {
      witness.dead(tally.kills);
    }
    progress.at(this::told);
  }

  private void finish() throws InterruptedException {
    while (!running().awaitEnd(50)) {
      progress.at(this::told);
    }
    if (running().exitValue() != 0) {
      throw unexpected("failed");
    }
    lifeIsOver();
    tally.lastRunEvents = beacon.get(Field.EVENTS) - beacon.get(Field.FOUND);
    tally.lastRunNanos = beacon.get(Field.RUNNING);
    progress.at(this::told);
  }

  private void lifeIsOver() {
    long from = beacon.get(Field.RESUMED);
    if (from != Beacon.NOT_YET) {
      witness.resumed(tally.kills, from, answered, handed);
      answered = beacon.get(Field.COMMITTED);
      handed = beacon.get(Field.HANDED);
    }
    long recovery = beacon.get(Field.RECOVERY);
    if (tally.restarts > 0 && recovery != 0) {
      tally.recoveryNanos.add(recovery);
    }
  }

  private long usualRecovery() {
    List<Long> known = tally.recoveryNanos;
    return known.isEmpty() ? GUESSED_RECOVERY : known.get(known.size() - 1);
  }

  // ---------------------------------------------------------------- waiting

  private String told() {
    return String.format(
        Locale.ROOT,
        "  %,9d of %,d events, %d of %d kills (%d in an open commit), %d s",
        beacon.get(Field.EVENTS),
        plan.events(),
        tally.kills,
        plan.kills(),
        tally.insideCommit,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin));
  }

  private static void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  private void await(String what, BooleanSupplier done) {
    long begin = System.nanoTime();
    while (!done.getAsBoolean()) {
      check(what, begin);
      progress.at(this::told);
      LockSupport.parkNanos(200_000);
    }
  }

  /** Like await, but misses nothing that lasts only for microseconds. */
  private void spin(String what, BooleanSupplier done) {
    long begin = System.nanoTime();
    for (int i = 1; !done.getAsBoolean(); i++) {
      if (i % 10_000 == 0) {
        check(what, begin);
      }
      Thread.onSpinWait();
    }
  }

  private void check(String what, long begin) {
    if (!running().isAlive()) {
      throw unexpected("ended by itself with exit code " + running().exitValue());
    }
    if (System.nanoTime() - begin > PATIENCE) {
      throw unexpected("did not " + what + " within a minute");
    }
  }

  private Victim running() {
    Victim now = victim;
    if (now == null) {
      throw new IllegalStateException("no worker was started");
    }
    return now;
  }

  private WorkerException unexpected(String what) {
    if (!running().isAlive() && running().exitValue() == INTERRUPTED) {
      // The same interrupt is ending this program, too: let it.
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
    }
    return new WorkerException(
        "the worker process " + what + ". What it said last: " + running().lastWords());
  }
}
