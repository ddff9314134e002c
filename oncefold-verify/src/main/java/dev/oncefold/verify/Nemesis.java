package dev.oncefold.verify;

import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Schedule.Kind;
import dev.oncefold.verify.Schedule.Planned;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Carries out a {@link Schedule}: starts a process again and again, does to it what is planned, and
 * tells what came of each fault. At last it lets the process run to its end.
 *
 * <p>The process shows on the {@link Beacon} where it is, reads no more than allowed there, and
 * waits in a commit when asked to. For one thread; only {@link #close} may come from another.
 */
public final class Nemesis implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
  private static final long GUESSED_RECOVERY = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long MOMENT = TimeUnit.MILLISECONDS.toNanos(3);
  private static final Duration GLANCE = Duration.ofMillis(50);

  /** How a process that an interrupt from the keyboard ended is reported. */
  private static final int INTERRUPTED = 128 + 2;

  private final Schedule schedule;
  private final Beacon beacon;
  private final long input;
  private final Victim victim;
  private final Witness witness;
  private final Random random;
  private boolean syncTooShort;
  private long recovery = GUESSED_RECOVERY;
  private int lives;
  private volatile @Nullable Child child;

  /** What is started again and again. */
  @FunctionalInterface
  public interface Victim {
    /**
     * Starts a process that goes on where the last one was killed.
     *
     * @return the process
     * @throws IOException if it cannot be started
     */
    Child start() throws IOException;
  }

  /** Is told what happens, and looks at what it left. */
  public interface Witness {
    /**
     * A fault was carried out, or could not be: then it has not landed, and says why.
     *
     * @param fault what came of it
     */
    void fault(Observation.Fault fault);

    /**
     * A process is dead, and nobody has touched what it left. Told after the fault that killed it.
     *
     * @param life what it did
     */
    void ended(Life life);

    /** The process is paused; it goes on when this returns. */
    default void paused() {}

    /** There are no more faults: the process runs to its end. */
    default void calm() {}

    /** Time goes by; called now and then. */
    default void waiting() {}
  }

  /**
   * What a process did between its start and its end.
   *
   * @param number from 1
   * @param killed whether a fault ended it
   * @param commit where its commit was at the end: {@link Beacon#CLOSED}, {@link Beacon#BEGUN} or
   *     {@link Beacon#WRITTEN}
   * @param resumed at which position it went on; {@link Beacon#NOT_YET} if it did not come so far
   * @param committed up to which position it committed and answered; of an earlier one if it did
   *     not come so far
   * @param handed up to which position it read; 0 if it did not come so far
   * @param recoveryNanos how long it took from opening to the first event judged; 0 if it did not
   *     come so far
   * @param events how many events it committed
   * @param runningNanos how long it took from the first event read to the end; 0 if it did not come
   *     so far
   */
  public record Life(
      int number,
      boolean killed,
      long commit,
      long resumed,
      long committed,
      long handed,
      long recoveryNanos,
      long events,
      long runningNanos) {}

  /**
   * Prepares; nothing is started yet.
   *
   * @param schedule what to do
   * @param beacon the one of the process
   * @param input how long its input is, in the positions that it shows there
   * @param victim starts it
   * @param witness told what happens
   */
  public Nemesis(Schedule schedule, Beacon beacon, long input, Victim victim, Witness witness) {
    this.schedule = schedule;
    this.beacon = beacon;
    this.input = input;
    this.victim = victim;
    this.witness = witness;
    this.random = new Random(schedule.seed());
  }

  /**
   * Carries out every fault, and then waits until the process ends by itself. Where it is at the
   * end of its input before, the faults that are left have not landed.
   *
   * @throws ChildException if it ends with an exit code, or does not get on
   * @throws IOException if it cannot be started
   * @throws InterruptedException if interrupted
   */
  public void run() throws IOException, InterruptedException {
    List<Planned> left = new ArrayList<>(schedule.faults());
    try {
      while (!left.isEmpty()) {
        carryOut(left.get(0));
        left.remove(0);
      }
      witness.calm();
      allow(Long.MAX_VALUE);
      finish();
    } catch (AtEnd e) {
      for (Planned missed : left) {
        Kind kind = missed.kind();
        witness.fault(
            new Observation.Fault(
                kind.code(), kind.what() + ": the input was at its end", false, false, false));
      }
      witness.calm();
      over(false);
    }
  }

  /** The process has applied all of its input, sooner than was thought. */
  private static final class AtEnd extends RuntimeException {
    private static final long serialVersionUID = 1;

    AtEnd() {
      super(null, null, false, false);
    }
  }

  /** Ends the process of the moment, if there is one. */
  @Override
  public void close() {
    Child last = child;
    if (last != null) {
      last.close();
    }
  }

  // ---------------------------------------------------------------- faults

  private void carryOut(Planned planned) throws IOException, InterruptedException {
    Kind kind = planned.kind();
    long limit = (long) (input * planned.until());
    long target = (long) (input * planned.at());
    long more = (limit - target) / 8 + 1;
    allow(limit);
    await("get on", () -> recovered(more) && beacon.get(Field.COMMITTED) >= target);
    switch (kind) {
      case KILL -> {
        pass((long) (random.nextDouble() * MOMENT));
        kill(kind.code(), kind.what(), true);
      }
      case KILL_HALF_WRITTEN -> {
        awaitHalfWritten(more);
        kill(kind.code(), kind.what(), true);
      }
      case KILL_IN_SYNC -> {
        if (syncTooShort) {
          beacon.set(Field.HOLD, Beacon.HOLD_BEFORE_SYNC);
        }
        spin(
            "write a commit",
            () -> {
              if (beacon.get(Field.HANDED) >= limit) {
                // Missed all the while: on a busy machine a sync is over before it is looked at.
                beacon.set(Field.HOLD, Beacon.HOLD_BEFORE_SYNC);
              }
              return goesOn(more) && beacon.get(Field.COMMIT) == Beacon.WRITTEN;
            });
        kill(kind.code(), kind.what(), true);
        syncTooShort |= beacon.get(Field.COMMIT) == Beacon.CLOSED;
      }
      case KILL_RECOVERING -> {
        pass((long) (random.nextDouble() * MOMENT));
        kill(Kind.KILL.code(), Kind.KILL.what(), true);
        for (int i = 1; i <= Schedule.IN_RECOVERY; i++) {
          allow(0);
          await("open its store", () -> beacon.get(Field.OPENING) != 0);
          pass((long) (random.nextDouble() * recovery));
          // Allowed no event, it cannot have judged one: whatever it does, it is recovering.
          kill(kind.code(), "SIGKILL in recovery, " + i + " of " + Schedule.IN_RECOVERY, false);
        }
      }
      case PAUSE -> {
        pass((long) (random.nextDouble() * MOMENT));
        pause(kind);
      }
      case PAUSE_IN_COMMIT -> {
        awaitHalfWritten(more);
        pause(kind);
      }
    }
  }

  private void awaitHalfWritten(long more) {
    beacon.set(Field.HOLD, 1 + random.nextInt((int) Beacon.HOLD_BEFORE_SYNC - 1));
    await("begin a commit", () -> goesOn(more) && beacon.get(Field.COMMIT) == Beacon.BEGUN);
  }

  /**
   * Whether it has judged an event. Where an earlier fault let it read further than the limit of
   * this one, it needs to be allowed some more for that.
   */
  private boolean recovered(long more) {
    if (beacon.get(Field.RECOVERY) != 0) {
      return true;
    }
    return beacon.get(Field.RESUMED) != Beacon.NOT_YET
        && goesOn(more)
        && beacon.get(Field.RECOVERY) != 0;
  }

  /** A process that has done all it may do opens no commit: allow it some more. */
  private boolean goesOn(long more) {
    if (beacon.get(Field.HANDED) >= beacon.get(Field.ALLOWED)) {
      beacon.set(Field.ALLOWED, beacon.get(Field.ALLOWED) + more);
    }
    return true;
  }

  /** Kills the process; the fault has landed if it died as far in its life as it should have. */
  private void kill(String fault, String what, boolean recovered) throws InterruptedException {
    if (!running().kill()) {
      throw endedByItself();
    }
    boolean landed = (beacon.get(Field.RECOVERY) != 0) == recovered;
    witness.fault(new Observation.Fault(fault, what, landed, true, isCommitOpen()));
    over(true);
  }

  private void pause(Kind kind) throws IOException {
    try {
      running().pause();
    } catch (NotRunException e) {
      beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
      String what = kind.what() + ": not run: " + e.getMessage();
      witness.fault(new Observation.Fault(kind.code(), what, false, false, false));
      return;
    } catch (IllegalStateException e) {
      if (!running().isAlive()) {
        throw endedByItself();
      }
      throw e;
    }
    witness.fault(new Observation.Fault(kind.code(), kind.what(), true, false, isCommitOpen()));
    witness.paused();
    beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
    running().resume();
  }

  private boolean isCommitOpen() {
    return beacon.get(Field.COMMIT) != Beacon.CLOSED;
  }

  // ---------------------------------------------------------------- lives

  /** Lets the process read on, and starts it if it is dead. */
  private void allow(long limit) throws IOException {
    if (child == null) {
      beacon.clear();
      beacon.set(Field.ALLOWED, limit);
      lives++;
      child = victim.start();
    } else {
      beacon.set(Field.ALLOWED, limit);
    }
  }

  private void finish() throws InterruptedException {
    while (!running().awaitEnd(GLANCE)) {
      witness.waiting();
    }
    if (running().exitCode() != 0) {
      throw unexpected("failed with exit code " + running().exitCode());
    }
    over(false);
  }

  private void over(boolean killed) {
    long took = beacon.get(Field.RECOVERY);
    recovery = took == 0 ? recovery : took;
    long resumed = beacon.get(Field.RESUMED);
    child = null;
    witness.ended(
        new Life(
            lives,
            killed,
            beacon.get(Field.COMMIT),
            resumed,
            beacon.get(Field.COMMITTED),
            beacon.get(Field.HANDED),
            took,
            resumed == Beacon.NOT_YET ? 0 : beacon.get(Field.EVENTS) - beacon.get(Field.FOUND),
            beacon.get(Field.RUNNING)));
    witness.waiting();
  }

  // ---------------------------------------------------------------- waiting

  private static void pass(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  private void await(String what, BooleanSupplier done) {
    long begin = System.nanoTime();
    while (!done.getAsBoolean()) {
      check(what, begin);
      witness.waiting();
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
      throw endedByItself();
    }
    if (System.nanoTime() - begin > PATIENCE) {
      throw unexpected("did not " + what + " within a minute");
    }
  }

  private Child running() {
    Child now = child;
    if (now == null) {
      throw new IllegalStateException("no process was started");
    }
    return now;
  }

  private RuntimeException endedByItself() {
    int code = running().exitCode();
    return code == 0 ? new AtEnd() : unexpected("ended by itself with exit code " + code);
  }

  private ChildException unexpected(String what) {
    if (!running().isAlive() && running().exitCode() == INTERRUPTED) {
      // The same interrupt is ending this program, too: let it.
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
    }
    return new ChildException(
        "the worker process " + what + ". What it said last: " + running().lastWords());
  }
}
