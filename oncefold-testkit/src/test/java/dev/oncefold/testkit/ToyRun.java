package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.DiskObserver;
import dev.oncefold.verify.History;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.SimulatedDisk;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of a {@link ToyStore} under faults of the disk, all of it decided by a seed, and the
 * history of it. Nothing is checked here: that is left to the checker.
 */
final class ToyRun implements History, DiskObserver, ToyStore.Observer {
  /** A store, sound or not. */
  static class Toy {
    ToyLog log(Disk disk) throws IOException {
      return new ToyLog(disk);
    }

    ToyStore store(ToyLog log, Fold<Trace, Move, String> fold, ToyStore.Observer observer) {
      return new ToyStore(log, fold, observer);
    }

    /** Whether it remembers ids. */
    boolean ids() {
      return true;
    }
  }

  private static final int MOST_LIVES = 12;
  private static final int MOST_TURNS = 200;

  private final Toy toy;
  private final Random random;
  private final SimulatedDisk disk;
  private final Fold<Trace, Move, String> fold;
  private final ToyInput input;
  private final List<Observation> seen = new ArrayList<>();
  private final Snapshots<Trace> snapshots = new Snapshots<>(Trace::text, seen::add);
  // Begun, and not known to be committed.
  private Observation.@Nullable Commit pending;

  // Of the present life.
  private @Nullable ToyStore store;
  private @Nullable Runner<Trace, Move, String> runner;

  ToyRun(long seed, int events, Toy toy, Observation.Needs needs) {
    this.toy = toy;
    this.random = new Random(seed * 31 + 7);
    this.disk = new SimulatedDisk(random, false, this);
    this.fold = toy.ids() ? ToyInput.WITH_IDS : ToyInput.WITHOUT_IDS;
    seen.add(
        new Observation.Begin(
            "toy",
            ToyStore.FOLD,
            seed,
            TraceModel.NAME,
            toy.ids() ? Observation.Begin.FOREVER : Observation.Begin.NO_IDS,
            0L,
            needs,
            Map.of()));
    this.input = new ToyInput(random, events, toy.ids());
    input.tell(seen::add);
  }

  @Override
  public void read(Consumer<Observation> each) {
    seen.forEach(each);
  }

  // ---------------------------------------------------------------- what is told

  @Override
  public boolean opensCommit(String name, byte[] bytes) {
    return ToyLog.isCommit(name, bytes);
  }

  @Override
  public void landed(DiskFault fault, DiskFault.Op op, String name, boolean openCommit) {
    seen.add(
        new Observation.Fault(
            fault.number(), fault + " at " + op, true, fault.isCrash(), openCommit));
  }

  @Override
  public void begins(Observation.Commit commit) {
    pending = commit;
  }

  @Override
  public void open() {
    if (random.nextInt(3) == 0) {
      query();
    }
  }

  @Override
  public void committed() {
    if (pending != null) {
      seen.add(pending);
      pending = null;
    }
  }

  @Override
  public void claimed(Observation.Claimed claimed) {
    seen.add(claimed);
  }

  private void query() {
    List<Observation.Slot> shown = new ArrayList<>();
    store()
        .query()
        .forEach(
            (key, slot) ->
                shown.add(new Observation.Slot(key, slot.version(), slot.state().text())));
    seen.add(new Observation.Query("query", true, shown));
  }

  private ToyStore store() {
    if (store == null) {
      throw new IllegalStateException("the store is not open");
    }
    return store;
  }

  private void snapshot(ToyStore of) {
    snapshots.observe(Map.copyOf(of.positions), of.counts.counts(), null, Map.copyOf(of.slots));
  }

  // ---------------------------------------------------------------- lives

  /** Runs it all; with faults or without. */
  ToyRun run(boolean faults) {
    for (int life = 0; faults && life < MOST_LIVES && !consumed(); life++) {
      live();
    }
    finish();
    return this;
  }

  private boolean consumed() {
    ToyStore open = store;
    return open != null && input.isConsumed(open.positions);
  }

  private void live() {
    try {
      arm(6);
      start();
      arm(30);
      int steps = 3 + random.nextInt(20);
      while (steps-- > 0 && !consumed()) {
        act();
      }
      // Like one that is killed between two operations.
      disk.crash(random.nextBoolean() ? DiskFault.KILL : DiskFault.POWER_LOSS);
    } catch (SimulatedDisk.Crash crash) {
      // Restarted below.
    } catch (IOException | UncheckedIOException e) {
      if (!disk.isDead()) {
        disk.end(random.nextBoolean());
      }
    }
    disk.disarm();
    disk.makeRoom();
    disk.restart();
    store = null;
    runner = null;
    damage();
  }

  private void arm(int operations) {
    if (random.nextInt(3) > 0) {
      DiskFault[] faults = DiskFault.values();
      disk.arm(
          faults[random.nextInt(faults.length)],
          (op, name, openCommit) -> true,
          random.nextInt(operations));
    }
  }

  private void start() throws IOException {
    ToyStore opened = toy.store(toy.log(disk), fold, this);
    opened.open();
    Observation.Commit found = pending;
    pending = null;
    if (found != null && opened.positions.getOrDefault(found.partition(), 0L) >= found.to()) {
      seen.add(found);
    }
    snapshot(opened);
    store = opened;
    runner = newRunner();
  }

  private Runner<Trace, Move, String> newRunner() {
    return new Runner<>(
        store(),
        fold,
        List.of(input.source()),
        Clock.systemUTC(), // not read: no id is forgotten
        Fold.WhenFailed.REFUSE,
        (polled, verdicts) ->
            seen.add(new Observation.Answered(polled.partition(), polled.to().offset())));
  }

  private void act() {
    if (random.nextInt(8) == 0) {
      query();
    } else if (random.nextInt(8) > 0) {
      step(runner);
    } else {
      // Somebody takes over, and the one before wakes up.
      Runner<Trace, Move, String> stale = runner;
      runner = newRunner();
      step(runner);
      seen.add(new Observation.Fault("F8", "an old owner goes on", true, false, false));
      step(stale);
    }
  }

  private static void step(@Nullable Runner<Trace, Move, String> running) {
    try {
      if (running != null) {
        running.step(Duration.ZERO);
      }
    } catch (FencedException e) {
      // Whoever is fenced is over.
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** A copy of what is stored is damaged, where it is durable for sure. */
  private void damage() {
    byte[] log = disk.content(ToyLog.NAME);
    int last = new ToyLog(disk.copy()).lastFrame(log);
    if (last == 0 || pending != null || random.nextInt(3) > 0) {
      return;
    }
    SimulatedDisk copy = disk.copy();
    int at = random.nextInt(last);
    log[at] ^= (byte) (1 << random.nextInt(8));
    copy.put(ToyLog.NAME, log);
    seen.add(new Observation.Fault("F5", "a flipped bit at " + at, true, false, false));
    seen.add(new Observation.Damaged("a flipped bit at " + at));
    try {
      ToyStore damaged = toy.store(toy.log(copy), fold, this);
      damaged.open();
      snapshot(damaged);
    } catch (IOException | RuntimeException e) {
      seen.add(new Observation.Refused(String.valueOf(e.getMessage())));
    }
    seen.add(new Observation.Repaired());
  }

  private void finish() {
    seen.add(new Observation.Calm());
    try {
      start();
      for (int turn = 0; turn < MOST_TURNS && !consumed(); turn++) {
        step(runner);
      }
      snapshot(store());
      for (ToyLog.Line line : store().outputs) {
        String[] fields = line.fields();
        seen.add(new Observation.Output("reader", fields[0], fields[1], fields[2], fields[3]));
      }
      for (ToyLog.Line line : store().refusals) {
        String[] fields = line.fields();
        seen.add(new Observation.Refusal("reader", fields[0], fields[1], fields[2].charAt(0)));
      }
      seen.add(new Observation.Complete("reader"));
    } catch (IOException | UncheckedIOException e) {
      seen.add(new Observation.Refused(String.valueOf(e.getMessage())));
    }
    seen.add(new Observation.End(seen.size()));
  }
}
