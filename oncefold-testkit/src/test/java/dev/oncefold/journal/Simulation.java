package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Runner;
import dev.oncefold.Store;
import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.SimulatedDisk;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One run of a journal with its runner and sinks on a {@link SimulatedDisk}, all of it decided by a
 * seed: the input, the order of the steps, the faults. After each crash, and at the end, everything
 * is held against a {@link SimReference}. One thread, no sleeps, no real clock.
 */
final class Simulation {
  static final long K0 = 42;
  static final long K1 = 43;
  private static final String FIRST_SEGMENT = Log.name(0, Log.SUFFIX);
  private static final int MOST_TURNS = 100_000;

  /**
   * Which run.
   *
   * @param seed decides everything
   * @param events at most how many events; fewer than the seed has make a smaller case
   * @param steps at most how many steps before the faults stop
   * @param faults which of the first 64 faults strike, one bit each
   */
  record Case(long seed, int events, int steps, long faults) {
    static Case of(long seed) {
      return new Case(seed, Integer.MAX_VALUE, Integer.MAX_VALUE, -1);
    }
  }

  private final class Parts extends Journal.Parts {
    @Override
    Log log(Disk disk, int segmentBytes) throws IOException {
      return breakage.log(disk, segmentBytes);
    }

    @Override
    @SuppressWarnings("unchecked") // there is one type of state
    <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
      Memory<S> made = breakage.memory(ids, k0, k1, settings.clock);
      memory = (Memory<SimFold.Trace>) made;
      return made;
    }

    @Override
    long[] key() {
      return new long[] {K0, K1};
    }

    @Override
    boolean threads() {
      return false;
    }

    @Override
    Executor snapshots() {
      return task -> {
        // While the journal is closed nobody is left to write them later.
        if (settings.lateSnapshots && nemesis.phase() != SimTally.Place.CLOSE) {
          snapshots.add(task);
        } else {
          task.run();
        }
      };
    }
  }

  /** What one runner reads; of no interest any more once another has taken over. */
  private final class Watch implements SimSource.Observer {
    private @Nullable Polled<SimFold.Op> polled;
    private boolean claimed;

    @Override
    public void polled(Polled<SimFold.Op> read) {
      polled = read;
    }

    @Override
    public void nothing(SimSource source) {
      if (this == watch) {
        source.partitions().forEach(ledger::caughtUp);
      }
    }

    @Override
    public void seek(String partition, Position position) {
      claimed = true;
      ledger.claimed(partition, memory().partition(partition).epoch, position);
    }
  }

  private final Case which;
  private final SimBreakage breakage;
  private final SimTally tally;
  private final SimSettings settings;
  private final SimHistory history;
  private final SimWorkload workload;
  private final Random random;
  private final SimNemesis nemesis;
  private final SimulatedDisk disk;
  private final SimLedger ledger;
  private final SimSubmitter submitter;
  // How much of each partition can be read by now.
  private final int[] readable;
  private int steps;
  private boolean finishing;

  // Of the present life.
  private @Nullable Memory<SimFold.Trace> memory;
  private @Nullable Journal<SimFold.Trace, SimFold.Op, String> journal;
  private @Nullable Runner<SimFold.Trace, SimFold.Op, String> runner;
  private @Nullable Watch watch;
  private @Nullable SimSinks sinks;
  private final Deque<Runnable> snapshots = new ArrayDeque<>();

  Simulation(Case which, SimBreakage breakage, SimTally tally) {
    this(which, breakage, tally, Observation.Needs.LEAST);
  }

  Simulation(Case which, SimBreakage breakage, SimTally tally, Observation.Needs needs) {
    this.which = which;
    this.breakage = breakage;
    this.tally = tally;
    this.settings = new SimSettings(which.seed(), which.events());
    this.workload = settings.workload;
    this.history = new SimHistory(settings, needs);
    this.random = settings.random(2);
    this.nemesis =
        new SimNemesis(
            settings.random(3),
            which.faults(),
            settings.stormAt,
            tally,
            history,
            breakage.killsOnly());
    this.disk = new SimulatedDisk(settings.random(4), settings.unorderedNames, nemesis);
    this.ledger = new SimLedger(settings.fold.ids(), tally, history, breakage.looksInside());
    this.submitter = new SimSubmitter(workload.submissions, ledger);
    this.readable = new int[workload.partitions.size()];
    tally.seeds++;
    tally.events += workload.events;
    tally.resends += workload.resends;
  }

  // ---------------------------------------------------------------- lives

  /**
   * Runs it all.
   *
   * @throws SimViolation if the journal broke its promise
   */
  void run() {
    try {
      while (steps < limit() && !consumed()) {
        live();
      }
      finish();
      history.end();
    } catch (SimViolation violation) {
      if (violation.rule == SimViolation.Rule.STUCK) {
        history.end(); // it had all the time there is
      } else if (violation.rule == SimViolation.Rule.REFUSED) {
        neverGoesOn();
      }
      throw violation;
    } catch (JournalException e) {
      history.refused(String.valueOf(e.getMessage()));
      neverGoesOn();
      throw new SimViolation(SimViolation.Rule.REFUSED, String.valueOf(e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      throw new SimViolation(SimViolation.Rule.UNEXPECTED, "it threw " + e, e);
    }
  }

  /** What is refused without a fault is refused again: more time changes nothing. */
  private void neverGoesOn() {
    history.calm();
    history.end();
  }

  /** What was seen up to now. */
  SimHistory history() {
    return history;
  }

  private int limit() {
    return Math.min(which.steps(), 40 + 3 * workload.events);
  }

  private boolean consumed() {
    for (int i = 0; i < readable.length; i++) {
      long applied = ledger.committed().position(SimSource.name(i)).offset();
      if (applied < workload.partitions.get(i).size()) {
        return false;
      }
    }
    return !submitter.hasMore() && submitter.isAnswered();
  }

  /** From opening to a crash, a failure or a close. */
  private void live() {
    tally.lives++;
    steps++;
    nemesis.newLife();
    armOpening();
    try {
      open();
      if (breakage.faults()) {
        nemesis.armRunning(disk);
      }
      while (steps < limit() && !consumed() && journal != null) {
        steps++;
        act();
        check();
      }
    } catch (SimulatedDisk.Crash crash) {
      crashed();
    } catch (JournalException e) {
      if (disk.isDead()) {
        // The journal took the crash for an error of its own.
        crashed();
      } else {
        failed(e);
      }
    }
  }

  private void armOpening() {
    if (breakage.faults()) {
      nemesis.armOpening(disk);
    }
  }

  private void open() {
    nemesis.phase(
        disk.has(FIRST_SEGMENT) || ledger.committed().sequence > 0
            ? SimTally.Place.RECOVERY
            : SimTally.Place.FIRST_OPEN);
    Journal<SimFold.Trace, SimFold.Op, String> opened =
        Journal.open(breakage.disk(disk), settings.fold, settings.options, new Parts());
    journal = opened;
    ledger.recovered(opened, memory().floor, inside());
    nemesis.phase(SimTally.Place.SINK);
    openSinks();
    takeOver();
    nemesis.phase(SimTally.Place.COMMIT);
  }

  private void openSinks() {
    sinks = new SimSinks(disk, ledger);
    sinks.open(journal(), breakage.disk(disk));
  }

  private void crashed() {
    over();
    disk.restart();
    damage();
  }

  /** The life is over, and whatever was in memory with it. */
  private void over() {
    submitter.over(random);
    ledger.newLife();
    journal = null;
    runner = null;
    watch = null;
    sinks = null;
    memory = null;
    snapshots.clear();
    disk.disarm();
  }

  /** The disk gave an error, and the journal or a sink stopped. */
  private void failed(JournalException e) {
    if (!disk.injected() || e instanceof JournalException.Corrupt) {
      history.refused(String.valueOf(e.getMessage()));
      throw new SimViolation(SimViolation.Rule.REFUSED, "without cause: " + e.getMessage(), e);
    }
    int how = random.nextInt(4);
    if (journal == null) {
      noFileIsOpen("it could not be opened");
    } else if (how == 0) {
      end(random.nextBoolean());
    } else {
      closeFailed();
    }
    boolean died = disk.isDead();
    over();
    // The same process may open it again, or another one, or the machine may have failed as well.
    if (!died && how == 1) {
      end(true);
    }
    if (died || how < 3) {
      disk.restart();
    }
    if (random.nextInt(4) > 0) {
      disk.makeRoom();
    }
  }

  private void end(boolean powerOff) {
    disk.end(powerOff && !breakage.killsOnly());
  }

  private void closeFailed() {
    try {
      writeSnapshots();
      nemesis.phase(SimTally.Place.CLOSE);
      if (sinks != null) {
        sinks.closeFailed();
      }
      journal().close();
    } catch (JournalException e) {
      // Told once more, or failed only now; what is answered is safe in any case.
    } catch (SimulatedDisk.Crash crash) {
      // Dead before it was closed.
    }
  }

  private void noFileIsOpen(String when) {
    SimChecks.require(
        disk.openFiles().isEmpty(),
        SimViolation.Rule.UNEXPECTED,
        () -> when + ", but " + disk.openFiles() + " are still open");
  }

  /** Now and then a copy of what is on the disk is damaged, to see that it is told. */
  private void damage() {
    if (random.nextInt(25) > 0 || !disk.has(FIRST_SEGMENT)) {
      return;
    }
    Boolean told =
        new SimDamage(settings.fold, settings.options, new Parts(), breakage::disk)
            .check(disk, random, ledger.committed().offsets(), history);
    if (told != null) {
      tally.damaged++;
      tally.damageDetected += told ? 1 : 0;
    }
  }

  private Journal<SimFold.Trace, SimFold.Op, String> journal() {
    if (journal == null) {
      throw new IllegalStateException("no journal is open");
    }
    return journal;
  }

  private Memory<SimFold.Trace> memory() {
    if (memory == null) {
      throw new IllegalStateException("no journal is open");
    }
    return memory;
  }

  private @Nullable Memory<SimFold.Trace> inside() {
    return breakage.looksInside() ? memory : null;
  }

  // ---------------------------------------------------------------- steps

  private void act() {
    int dice = random.nextInt(100);
    if (dice < 30) {
      stepRunner();
    } else if (dice < 48) {
      int partition = random.nextInt(readable.length);
      int all = workload.partitions.get(partition).size();
      readable[partition] = Math.min(all, readable[partition] + 1 + random.nextInt(12));
    } else if (dice < 68) {
      var unused = journal().write();
    } else if (dice < 78) {
      submit();
    } else if (dice < 90) {
      if (!settings.lazySinks || random.nextInt(6) == 0) {
        stepSinks();
      }
    } else if (dice < 92) {
      takeOver();
    } else if (dice < 93) {
      writeSnapshots();
    } else if (dice < 94) {
      query();
    } else if (dice < 95) {
      readBeside();
    } else if (dice < 96) {
      past();
    } else if (dice < 97) {
      int millis = random.nextInt(2_000_000) - 1_000_000;
      settings.clock.now += millis;
      history.fault("F16", "the clock jumps by " + millis + " ms");
    } else if (dice < 98) {
      refuseSecond();
    } else if (dice < 99) {
      if (random.nextInt(2) == 0) {
        close();
      }
    } else if (random.nextInt(3) == 0 && breakage.faults()) {
      disk.crash(
          random.nextBoolean() || breakage.killsOnly() ? DiskFault.KILL : DiskFault.POWER_LOSS);
      throw new SimulatedDisk.Crash();
    }
  }

  /** Holds what is committed by now against what was answered. */
  private void check() {
    if (disk.isDead()) {
      throw new SimulatedDisk.Crash();
    }
    ledger.check(journal);
  }

  private void writeSnapshots() {
    while (!snapshots.isEmpty()) {
      snapshots.remove().run();
    }
  }

  private boolean stepRunner() {
    Runner<SimFold.Trace, SimFold.Op, String> running = runner;
    Watch watching = watch;
    if (running == null || watching == null) {
      throw new IllegalStateException("no runner");
    }
    watching.polled = null;
    boolean stepped = step(running);
    Polled<SimFold.Op> polled = watching.polled;
    if (polled != null) {
      ledger.handed(
          polled.partition(),
          polled.from(),
          polled.events(),
          polled.unread(),
          settings.clock.now,
          memory());
    }
    return stepped;
  }

  private static boolean step(Runner<SimFold.Trace, SimFold.Op, String> running) {
    try {
      return running.step(Duration.ZERO);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } catch (FencedException e) {
      throw new SimViolation(SimViolation.Rule.FENCE, "fenced without cause", e);
    }
  }

  private void submit() {
    submitter.submit(journal(), random.nextInt(4));
    judgeSubmitted();
  }

  private void judgeSubmitted() {
    if (step(journal().submissions().runner())) {
      submitter.judged(settings.clock.now, memory());
    } else {
      ledger.caughtUp(Submissions.PARTITION);
    }
  }

  private boolean stepSinks() {
    SimSinks writing = sinks;
    if (writing == null) {
      return false;
    }
    try {
      return writing.step(this::check);
    } catch (JournalException e) {
      if (!disk.injected() || journal().groups().failure() != null) {
        throw e;
      }
      // Of the sink only: it is opened again on the same journal.
      disk.makeRoom();
      writing.closeFailed();
      check();
      openSinks();
      return true;
    }
  }

  /** Another runner claims the partitions; the old one must be refused. */
  private void takeOver() {
    Runner<SimFold.Trace, SimFold.Op, String> stale = runner;
    boolean wasClaimed = watch != null && watch.claimed;
    Watch next = new Watch();
    watch = next;
    List<SimSource> reading = new ArrayList<>();
    for (List<Integer> partitions : settings.sources) {
      reading.add(
          new SimSource(workload, partitions, readable, random, settings.largestPoll, next));
    }
    runner =
        new Runner<>(
            breakage.store(journal()),
            settings.fold,
            reading,
            settings.clock,
            Fold.WhenFailed.REFUSE,
            (polled, verdicts) -> ledger.answered(polled.events(), verdicts));
    if (stale == null || !wasClaimed) {
      return;
    }
    stepRunner();
    history.fault("F8", "an owner that was taken over goes on");
    try {
      if (stale.step(Duration.ZERO)) {
        throw new SimViolation(SimViolation.Rule.FENCE, "a stale runner went on");
      }
    } catch (FencedException e) {
      tally.fenced++;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    fenceByHand();
  }

  private void fenceByHand() {
    Store.Claim stale = journal().claim("extra");
    Store.Claim claim = journal().claim("extra");
    journal().caughtUp(claim);
    refuseBatch(stale, claim.position());
    refuseBatch(claim, new Position(1, 1));
  }

  private void refuseBatch(Store.Claim claim, Position from) {
    try {
      journal().begin(claim, from).close();
      throw new SimViolation(SimViolation.Rule.FENCE, claim + " may begin at " + from);
    } catch (FencedException e) {
      tally.fenced++;
    }
  }

  private void refuseSecond() {
    try {
      Journal.open(breakage.disk(disk), settings.fold, settings.options).close();
    } catch (JournalException e) {
      if (disk.injected() || String.valueOf(e.getMessage()).contains("open elsewhere")) {
        return;
      }
      throw e;
    }
    throw new SimViolation(SimViolation.Rule.FENCE, "it could be opened twice");
  }

  private void query() {
    View<SimFold.Trace> view = breakage.query(journal(), memory());
    history.query("query", view);
    SimChecks.view(view, ledger.committed(), "in a query");
  }

  /** As another process would: what is marked as durable, and at most what is committed. */
  private void readBeside() {
    View<SimFold.Trace> view = History.view(breakage.disk(disk), settings.fold);
    history.query("beside " + history.life(), view);
    SimReference then = SimChecks.at(ledger.batches(), settings.fold.ids(), view.sequence());
    SimChecks.view(view, then, "read beside");
    tally.readBeside++;
  }

  private boolean hasPast() {
    return settings.options.history() == Options.History.FULL && disk.has(FIRST_SEGMENT);
  }

  private void past() {
    if (hasPast()) {
      long asOf = random.nextInt((int) ledger.committed().sequence + 1);
      SimChecks.past(journal(), ledger, settings.fold.ids(), asOf);
    } else {
      SimChecks.noPast(journal());
    }
  }

  private void close() {
    judgeSubmitted();
    writeSnapshots();
    nemesis.phase(SimTally.Place.CLOSE);
    if (sinks != null) {
      sinks.close();
    }
    journal().close();
    noFileIsOpen("closed");
    ledger.closed();
    over();
    damage();
    rebuild();
    switch (random.nextInt(3)) {
      case 0 -> end(true);
      case 1 -> end(false);
      default -> {
        // The same process goes on.
        return;
      }
    }
    disk.restart();
  }

  /** Under the same rules everything comes out the same, and a crash changes nothing. */
  private void rebuild() {
    if (!hasPast() || random.nextInt(finishing ? 10 : 2) > 0) {
      return;
    }
    if (!finishing) {
      armOpening();
    }
    nemesis.phase(SimTally.Place.REBUILD);
    try (Rebuild<SimFold.Trace, SimFold.Op, String> rebuild =
        Rebuild.of(breakage.disk(disk), settings.fold, settings.options)) {
      SimChecks.require(
          rebuild.before().equals(rebuild.after()) && rebuild.differences(each -> {}) == 0,
          SimViolation.Rule.STATE,
          () -> "rebuilt: " + rebuild.before() + " became " + rebuild.after());
      rebuild.switchOver();
      tally.rebuilt++;
    }
    noFileIsOpen("rebuilt");
    disk.disarm();
  }

  // ---------------------------------------------------------------- the end

  /** Faults stop; it must catch up, and hold all of the input and nothing else. */
  private void finish() {
    finishing = true;
    history.calm();
    disk.disarm();
    disk.makeRoom();
    for (int i = 0; i < readable.length; i++) {
      readable[i] = workload.partitions.get(i).size();
    }
    if (journal != null && journal.groups().failure() != null) {
      disk.end(false);
      crashed();
    }
    if (journal == null) {
      open();
    }
    int turns = 0;
    boolean more = true;
    while (more) {
      more = stepRunner();
      more |= submitter.hasMore();
      submit();
      more |= journal().write();
      check();
      more |= stepSinks();
      SimChecks.require(
          turns++ < MOST_TURNS, SimViolation.Rule.STUCK, () -> "it does not catch up");
    }
    check();
    everything("at the end");
    close();
    open();
    everything("after the last opening");
    past();
    close();
  }

  private void everything(String when) {
    SimChecks.require(
        consumed() && ledger.committed().sequence == ledger.ahead().sequence,
        SimViolation.Rule.STUCK,
        () -> when + ": not all of the input is committed");
    View<SimFold.Trace> view = journal().view();
    history.stored(view, memory().floor);
    ledger.holds(view, inside(), when);
    if (sinks != null) {
      sinks.tell(history, when);
      sinks.hold(true, when);
    }
  }
}
