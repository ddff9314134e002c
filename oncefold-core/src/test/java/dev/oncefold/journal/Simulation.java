package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One run of a journal with its runner and sinks on a {@link SimDisk}, all of it decided by a seed:
 * the input, the order of the steps, the faults. After each crash, and at the end, everything is
 * held against a {@link SimReference}. One thread, no sleeps, no real clock.
 */
final class Simulation {
  private static final String OUTPUTS = "outputs.txt";
  private static final String REFUSALS = "refusals.txt";
  static final long K0 = 42;
  static final long K1 = 43;
  private static final int MOST_STEPS = 100_000;

  /**
   * Which run.
   *
   * @param seed decides everything
   * @param events at most how many events; fewer than the seed has make a smaller case
   * @param steps at most how many steps before the faults stop
   * @param faults which of the faults strike, by their number
   */
  record Case(long seed, int events, int steps, long faults) {
    static Case of(long seed) {
      return new Case(seed, Integer.MAX_VALUE, Integer.MAX_VALUE, -1);
    }
  }

  /** What a test breaks to see it caught. */
  static class Breakage {
    Disk disk(Disk disk) {
      return disk;
    }

    Log log(Disk disk, int segmentBytes) throws IOException {
      return new Log(disk, segmentBytes);
    }

    <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
      return new Memory<>(ids, k0, k1);
    }

    /** Whether memory is checked too, or only what can be seen from outside. */
    boolean looksInside() {
      return true;
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
      Memory<S> made = breakage.memory(ids, k0, k1);
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
        if (snapshotsLater && phase != SimTally.Place.CLOSE) {
          snapshots.add(task);
        } else {
          task.run();
        }
      };
    }
  }

  private final class SimClock extends Clock {
    @Override
    public Instant instant() {
      return Instant.ofEpochMilli(now);
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }
  }

  /** A submitted event, until it is answered. */
  private static final class Submitted {
    final Event<SimFold.Op> event;
    final CompletableFuture<Verdict<SimFold.Trace, String>> answer;
    @Nullable SimBatch batch;

    Submitted(Event<SimFold.Op> event, CompletableFuture<Verdict<SimFold.Trace, String>> answer) {
      this.event = event;
      this.answer = answer;
    }
  }

  /** What one runner reads; of no interest any more once another has taken over. */
  private final class Watch implements SimSource.Observer {
    private @Nullable Polled<SimFold.Op> polled;

    @Override
    public void polled(Polled<SimFold.Op> read) {
      polled = read;
    }

    @Override
    public void nothing(SimSource source) {
      if (this == watch) {
        source.partitions().forEach(partition -> unread.put(partition, false));
      }
    }

    @Override
    public void seek(String partition, Position position) {
      claimed = true;
      unread.put(partition, true);
      SimChecks.require(
          position.equals(ahead.position(partition)),
          SimViolation.Rule.POSITION,
          () -> partition + " goes on from " + position + ", not " + ahead.position(partition));
    }
  }

  private final Case which;
  private final Breakage breakage;
  private final SimTally tally;
  private final Random random;
  private final Random faults;
  private final SimDisk disk;
  private final SimWorkload workload;
  private final Fold<SimFold.Trace, SimFold.Op, String> fold;
  private final Options options;
  private final boolean withRefusals;
  private final boolean snapshotsLater;
  private final boolean lazySinks;
  private final int largestPoll;
  private final List<List<Integer>> sources = new ArrayList<>();
  private final int[] readable;
  private final Deque<Event<SimFold.Op>> toSubmit;
  private final List<Submitted> submitted = new ArrayList<>();

  // What was handed to the journal and not lost since, in order.
  private final List<SimBatch> handed = new ArrayList<>();
  private int committedBatches;
  private int answeredBatches;
  private SimReference committed;
  private SimReference ahead;

  private int steps;
  private boolean finishing;
  private int faultNumber;
  private final int stormAt;
  private int lives;
  private int storm;
  private SimTally.Place phase = SimTally.Place.FIRST_OPEN;
  private long now;

  // Of the present life.
  private final Map<String, Boolean> unread = new HashMap<>();
  private @Nullable Memory<SimFold.Trace> memory;
  private @Nullable Journal<SimFold.Trace, SimFold.Op, String> journal;
  private @Nullable Runner<SimFold.Trace, SimFold.Op, String> runner;
  private @Nullable Watch watch;
  private boolean claimed;
  private @Nullable FileSink<SimFold.Trace, SimFold.Op, String> outputs;
  private @Nullable FileSink<SimFold.Trace, SimFold.Op, String> refusals;
  private @Nullable SimViolation inCallback;
  private final Deque<Runnable> snapshots = new ArrayDeque<>();

  Simulation(Case which, Breakage breakage, SimTally tally) {
    this.which = which;
    this.breakage = breakage;
    this.tally = tally;
    // Apart from each other, so that leaving out a fault or an event changes nothing else.
    Random input = new Random(which.seed() * 31 + 1);
    this.random = new Random(which.seed() * 31 + 2);
    this.faults = new Random(which.seed() * 31 + 3);
    this.disk = new SimDisk(new Random(which.seed() * 31 + 4), input.nextBoolean(), this::landed);
    int partitions = 1 + input.nextInt(4);
    int events = Math.min(which.events(), 5 + input.nextInt(90));
    this.fold = fold(input);
    this.options = options(input);
    this.withRefusals = input.nextBoolean();
    this.snapshotsLater = input.nextBoolean();
    this.lazySinks = input.nextInt(3) == 0;
    this.largestPoll = List.of(1, 4, 30).get(input.nextInt(3));
    boolean apart = input.nextBoolean();
    for (int i = 0; i < partitions; i++) {
      if (i == 0 || apart) {
        sources.add(new ArrayList<>());
      }
      sources.get(sources.size() - 1).add(i);
    }
    this.stormAt = input.nextInt(4) == 0 ? 1 + input.nextInt(4) : 0;
    this.workload = new SimWorkload(input, partitions, events);
    this.readable = new int[partitions];
    this.toSubmit = new ArrayDeque<>(workload.submissions);
    this.committed = new SimReference(fold.ids());
    this.ahead = new SimReference(fold.ids());
    this.now = workload.end;
    tally.seeds++;
    tally.events += events;
    tally.resends += workload.resends;
  }

  private static Fold<SimFold.Trace, SimFold.Op, String> fold(Random input) {
    return SimFold.of(
        switch (input.nextInt(10)) {
          case 0 -> Fold.Builder::rememberingForever;
          case 1 -> Fold.Builder::rememberingNoIds;
          case 2, 3 -> fold -> fold.remembering(SimWorkload.SPAN).atMost(3 + input.nextInt(20));
          default -> fold -> fold.remembering(SimWorkload.SPAN);
        });
  }

  private Options options(Random input) {
    Options made =
        Options.defaults()
            .clock(new SimClock())
            .segmentBytes(1 << 16)
            .snapshotBytes(List.of(300, 2000, 10_000, 60_000).get(input.nextInt(4)))
            .groupBytes(List.of(1, 300, 2000, 30_000).get(input.nextInt(4)))
            .queue(1000);
    return switch (input.nextInt(6)) {
      case 0, 1, 2 -> made.history(Options.History.FULL);
      case 3 -> made.history(Options.History.FULL).retainBytes(70_000);
      case 4 -> made.history(Options.History.NONE).retainBytes(50_000);
      default -> made.history(Options.History.NONE);
    };
  }

  private void landed(SimDisk.Fault fault, SimDisk.Op op, String name, boolean openCommit) {
    tally.landed(fault, place(op, name), openCommit);
  }

  private SimTally.Place place(SimDisk.Op op, String name) {
    if (phase == SimTally.Place.FIRST_OPEN
        || phase == SimTally.Place.RECOVERY
        || phase == SimTally.Place.CLOSE
        || phase == SimTally.Place.REBUILD) {
      return phase;
    }
    if (name.isEmpty() && op != SimDisk.Op.SYNC_DIRECTORY) {
      return SimTally.Place.BETWEEN;
    }
    if (name.contains(Snapshot.SUFFIX) && op != SimDisk.Op.DELETE) {
      return SimTally.Place.SNAPSHOT;
    }
    if (op == SimDisk.Op.DELETE) {
      return SimTally.Place.RETENTION;
    }
    if (name.endsWith(".txt")) {
      return SimTally.Place.SINK;
    }
    return name.endsWith(Log.TEMPORARY)
            || op == SimDisk.Op.TRUNCATE
            || op == SimDisk.Op.SYNC_DIRECTORY
        ? SimTally.Place.ROLL
        : SimTally.Place.COMMIT;
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
      tally.segments += disk.segments;
      tally.snapshots += disk.snapshots;
      tally.dropped += disk.dropped;
    } catch (SimViolation violation) {
      throw violation;
    } catch (JournalException e) {
      throw new SimViolation(SimViolation.Rule.REFUSED, String.valueOf(e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      throw new SimViolation(SimViolation.Rule.UNEXPECTED, "it threw " + e, e);
    }
  }

  private int limit() {
    return Math.min(which.steps(), 40 + 3 * workload.events);
  }

  private boolean consumed() {
    for (int i = 0; i < readable.length; i++) {
      if (committed.position(SimSource.name(i)).offset() < workload.partitions.get(i).size()) {
        return false;
      }
    }
    return toSubmit.isEmpty() && submitted.isEmpty();
  }

  /** From opening to a crash, a failure or a close. */
  private void live() {
    tally.lives++;
    if (lives++ == stormAt && stormAt > 0) {
      storm = 3;
    }
    steps++;
    armFault(true);
    try {
      open();
      armFault(false);
      while (steps < limit() && !consumed() && journal != null) {
        steps++;
        act();
        check();
      }
    } catch (SimDisk.Crash crash) {
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

  /** Arms the next fault: before the journal is opened, or once it runs. */
  private void armFault(boolean opening) {
    int number = faultNumber++;
    SimDisk.Fault[] kinds = SimDisk.Fault.values();
    // Half of them are power losses.
    SimDisk.Fault fault = kinds[Math.max(0, faults.nextInt(2 * kinds.length) - kinds.length)];
    SimDisk.Aim[] aims = SimDisk.Aim.values();
    SimDisk.Aim aim = aims[Math.min(faults.nextInt(aims.length + 3), aims.length - 1)];
    boolean none = faults.nextInt(opening ? 3 : 10) == 0;
    int spared = faults.nextInt(12);
    if (opening) {
      aim = SimDisk.Aim.ANYTHING;
      spared = faults.nextInt(40);
      if (storm > 0) {
        // Crash upon crash during recovery.
        storm--;
        tally.recoveryStorms += storm == 0 ? 1 : 0;
        none = false;
        spared = faults.nextInt(10);
        fault = kinds[faults.nextInt(2)];
      }
    } else if (aim == SimDisk.Aim.SINK) {
      aim = faults.nextInt(3) > 0 ? SimDisk.Aim.COMMIT : aim;
    }
    if (!none && (number >= 64 || (which.faults() >>> number & 1) == 1)) {
      disk.arm(fault, aim, spared);
    }
  }

  private void crashed() {
    over();
    disk.restart();
    damage();
  }

  /** Now and then a copy of what is on the disk is damaged, to see that it is told. */
  private void damage() {
    if (random.nextInt(25) > 0 || disk.content(Log.name(0, Log.SUFFIX)) == null) {
      return;
    }
    Boolean told = new SimDamage(fold, options, new Parts(), breakage::disk).check(disk, random);
    if (told != null) {
      tally.damaged++;
      tally.damageDetected += told ? 1 : 0;
    }
  }

  /** The life is over, whatever was in memory with it. */
  private void over() {
    for (Submitted one : submitted) {
      // Not answered, so its sender cannot know: it sends it again, or gives up.
      if (random.nextInt(5) > 0) {
        toSubmit.addFirst(one.event);
      }
    }
    submitted.clear();
    journal = null;
    runner = null;
    watch = null;
    claimed = false;
    outputs = null;
    refusals = null;
    memory = null;
    snapshots.clear();
    unread.clear();
    disk.disarm();
  }

  /** The disk gave an error, and the journal or a sink stopped. */
  private void failed(JournalException e) {
    if (!disk.injected() || e instanceof JournalException.Corrupt) {
      throw new SimViolation(SimViolation.Rule.REFUSED, "without cause: " + e.getMessage(), e);
    }
    Journal<SimFold.Trace, SimFold.Op, String> failed = journal;
    SimChecks.require(
        failed != null || disk.openFiles().isEmpty(),
        SimViolation.Rule.UNEXPECTED,
        () -> "it could not be opened, but left files open: " + disk.openFiles());
    int how = random.nextInt(4);
    if (failed != null && how > 0) {
      try {
        writeSnapshots();
        phase = SimTally.Place.CLOSE;
        closeOne(outputs);
        closeOne(refusals);
        closeOne(failed);
      } catch (SimDisk.Crash crash) {
        how = 0;
      }
      how = disk.isDead() ? 0 : how;
    } else if (failed != null) {
      disk.end(random.nextBoolean());
    }
    over();
    // The same process may open it again, or another one, or the machine may have failed as well.
    if (how == 1) {
      disk.end(true);
    }
    if (how < 3) {
      disk.restart();
    }
    if (random.nextInt(4) > 0) {
      disk.makeRoom();
    }
  }

  private void open() {
    phase =
        disk.content(Log.name(0, Log.SUFFIX)) == null && committed.sequence == 0
            ? SimTally.Place.FIRST_OPEN
            : SimTally.Place.RECOVERY;
    Journal<SimFold.Trace, SimFold.Op, String> opened =
        Journal.open(breakage.disk(disk), fold, options, new Parts());
    journal = opened;
    recovered(opened);
    phase = SimTally.Place.SINK;
    outputs = openOutputs(opened);
    if (withRefusals) {
      refusals = openRefusals(opened);
    }
    takeOver();
    phase = SimTally.Place.COMMIT;
  }

  /** C5: after a recovery everything is as of one prefix of what was handed over. */
  private void recovered(Journal<SimFold.Trace, SimFold.Op, String> opened) {
    long sequence = opened.sequence();
    while (committedBatches < handed.size()
        && committed.sequence + handed.get(committedBatches).events.size() <= sequence) {
      commit();
    }
    String when = "after recovery";
    SimChecks.require(
        sequence >= committed.sequence && committedBatches >= answeredBatches,
        SimViolation.Rule.LOST,
        () ->
            sequence
                + " events are there, but "
                + committed.sequence
                + " were committed, and "
                + answeredBatches
                + " batches answered of "
                + committedBatches);
    tally.survivedUnanswered += committedBatches - answeredBatches;
    handed.subList(committedBatches, handed.size()).clear();
    answeredBatches = committedBatches;
    ahead = committed.copy();
    SimChecks.view(opened.view(), committed, when);
    if (breakage.looksInside()) {
      SimChecks.memory(memory(), committed, when);
    }
  }

  private void commit() {
    SimBatch batch = handed.get(committedBatches++);
    committed.apply(batch);
    tally.commits++;
    for (SimReference.Judgement judged : batch.expected) {
      tally.expired += judged.kind() == Verdict.Kind.EXPIRED ? 1 : 0;
      tally.conflicts += judged.kind() == Verdict.Kind.CONFLICT ? 1 : 0;
    }
  }

  private FileSink<SimFold.Trace, SimFold.Op, String> openOutputs(
      Journal<SimFold.Trace, SimFold.Op, String> on) {
    FileSink<SimFold.Trace, SimFold.Op, String> opened =
        FileSink.open(
            on,
            breakage.disk(disk),
            OUTPUTS,
            FileSink.outputs(on, Output.DEFAULT, SimReference::line),
            false);
    SimChecks.file(disk.content(OUTPUTS), committed.outputs, false, "after opening the sink");
    return opened;
  }

  private FileSink<SimFold.Trace, SimFold.Op, String> openRefusals(
      Journal<SimFold.Trace, SimFold.Op, String> on) {
    FileSink<SimFold.Trace, SimFold.Op, String> opened =
        FileSink.open(
            on,
            breakage.disk(disk),
            REFUSALS,
            FileSink.refusals(
                on, entry -> SimReference.refusal(entry.sequence(), entry.verdict(), entry.key())),
            false);
    SimChecks.file(disk.content(REFUSALS), committed.refusals, false, "after opening the sink");
    return opened;
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

  // ---------------------------------------------------------------- steps

  private void act() {
    int dice = random.nextInt(100);
    if (dice < 30) {
      stepRunner();
    } else if (dice < 48) {
      int partition = random.nextInt(readable.length);
      readable[partition] =
          Math.min(
              readable[partition] + 1 + random.nextInt(12),
              workload.partitions.get(partition).size());
    } else if (dice < 68) {
      var unused = journal().write();
    } else if (dice < 78) {
      submit();
    } else if (dice < 90) {
      if (!lazySinks || random.nextInt(6) == 0) {
        stepSinks();
      }
    } else if (dice < 92) {
      takeOver();
    } else if (dice < 93) {
      writeSnapshots();
    } else if (dice < 94) {
      SimChecks.view(journal().view(), committed, "in a query");
    } else if (dice < 95) {
      readBeside();
    } else if (dice < 96) {
      past();
    } else if (dice < 97) {
      now += random.nextInt(2_000_000) - 1_000_000;
    } else if (dice < 98) {
      refuseSecond();
    } else if (dice < 99) {
      if (random.nextInt(2) == 0) {
        close();
      }
    } else if (random.nextInt(3) == 0) {
      disk.crash(random.nextBoolean() ? SimDisk.Fault.KILL : SimDisk.Fault.POWER_LOSS);
      throw new SimDisk.Crash();
    }
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
      handed(polled.partition(), polled.from(), polled.events(), polled.unread());
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

  private SimBatch handed(
      String partition, Position from, List<Received<SimFold.Op>> events, boolean more) {
    long epoch = memory().partition(partition).epoch;
    long latest =
        fold.ids().kind() == Fold.Ids.Kind.SPAN ? now + fold.ids().aheadMillis() : Kernel.NO_LIMIT;
    SimBatch batch = new SimBatch(partition, epoch, from, events, more, latest);
    long before = ahead.floor;
    batch.floorAfter = memory().floor;
    batch.expected.addAll(ahead.apply(batch));
    unread.put(partition, more);
    SimChecks.floor(ahead, batch, before, unread, fold.ids());
    handed.add(batch);
    return batch;
  }

  /** The runner's batch is committed: told in the order of the hand-overs. */
  private void answered(Polled<SimFold.Op> polled, List<Verdict<SimFold.Trace, String>> verdicts) {
    try {
      SimBatch batch = handed.get(answeredBatches);
      SimChecks.require(
          batch.events == polled.events(), SimViolation.Rule.VERDICT, () -> "answered out of turn");
      batch.answered.addAll(verdicts);
      answeredBatches++;
      SimChecks.verdicts(batch);
    } catch (SimViolation violation) {
      // The runner keeps what callbacks throw in a future.
      inCallback = violation;
    }
  }

  private void submit() {
    for (int i = random.nextInt(4); i > 0 && !toSubmit.isEmpty(); i--) {
      Event<SimFold.Op> event = toSubmit.removeFirst();
      Submitted one = new Submitted(event, journal().submit(event));
      submitted.add(one);
      var unused =
          one.answer.whenComplete(
              (verdict, failure) -> {
                if (verdict != null) {
                  answered(one, verdict);
                }
              });
    }
    judgeSubmitted();
  }

  private void judgeSubmitted() {
    unread.putIfAbsent(Submissions.PARTITION, true);
    boolean stepped = step(journal().submissions().runner());
    unread.put(Submissions.PARTITION, false);
    if (!stepped) {
      return;
    }
    List<Received<SimFold.Op>> events = new ArrayList<>();
    List<Submitted> waiting = new ArrayList<>();
    Position from = ahead.position(Submissions.PARTITION);
    long offset = from.offset();
    for (Submitted one : submitted) {
      if (one.batch == null) {
        events.add(Received.of(offset, new Position(offset + 1, 0), one.event));
        waiting.add(one);
        offset++;
      }
    }
    SimBatch batch = handed(Submissions.PARTITION, from, events, false);
    waiting.forEach(one -> one.batch = batch);
  }

  private void answered(Submitted one, Verdict<SimFold.Trace, String> verdict) {
    SimBatch batch = one.batch;
    if (batch == null || batch != handed.get(answeredBatches)) {
      inCallback = new SimViolation(SimViolation.Rule.VERDICT, one.event + " out of turn");
      return;
    }
    submitted.remove(one);
    batch.answered.add(verdict);
    if (batch.answered.size() == batch.events.size()) {
      answeredBatches++;
      try {
        SimChecks.verdicts(batch);
      } catch (SimViolation violation) {
        inCallback = violation;
      }
    }
  }

  /** Holds what is committed by now against what was answered. */
  private void check() {
    if (disk.isDead()) {
      throw new SimDisk.Crash();
    }
    if (inCallback != null) {
      throw inCallback;
    }
    Journal<SimFold.Trace, SimFold.Op, String> open = journal;
    if (open == null) {
      return;
    }
    while (committedBatches < answeredBatches) {
      commit();
    }
    SimChecks.require(
        open.sequence() == committed.sequence,
        SimViolation.Rule.VERDICT,
        () -> open.sequence() + " events are committed, " + committed.sequence + " answered");
  }

  private boolean stepSinks() {
    boolean stepped = false;
    try {
      FileSink<SimFold.Trace, SimFold.Op, String> first = outputs;
      if (first != null) {
        stepped = first.step();
        check(); // a group may have been written to make room for the sink's record
        SimChecks.file(disk.content(OUTPUTS), committed.outputs, false, "after a sink's step");
      }
      FileSink<SimFold.Trace, SimFold.Op, String> second = refusals;
      if (second != null) {
        stepped |= second.step();
        check();
        SimChecks.file(disk.content(REFUSALS), committed.refusals, false, "after a sink's step");
      }
    } catch (JournalException e) {
      if (!disk.injected() || journal().groups().failure() != null) {
        throw e;
      }
      // Of the sink only: it is opened again on the same journal.
      disk.makeRoom();
      closeOne(outputs);
      closeOne(refusals);
      check();
      outputs = openOutputs(journal());
      if (withRefusals) {
        refusals = openRefusals(journal());
      }
    }
    return stepped;
  }

  private static void closeOne(@Nullable AutoCloseable one) {
    try {
      if (one != null) {
        one.close();
      }
    } catch (JournalException e) {
      // Told once more, or failed only now; what is answered is safe in any case.
    } catch (Exception e) {
      throw new SimViolation(SimViolation.Rule.UNEXPECTED, "closing threw " + e, e);
    }
  }

  private void closeSinks() {
    if (outputs != null) {
      outputs.close();
      outputs = null;
    }
    if (refusals != null) {
      refusals.close();
      refusals = null;
    }
  }

  /** Another runner claims the partitions; the old one must be refused. */
  private void takeOver() {
    Runner<SimFold.Trace, SimFold.Op, String> stale = runner;
    Watch next = new Watch();
    watch = next;
    boolean wasClaimed = claimed;
    claimed = false;
    List<SimSource> reading = new ArrayList<>();
    for (List<Integer> partitions : sources) {
      reading.add(new SimSource(workload, partitions, readable, random, largestPoll, next));
    }
    runner =
        new Runner<>(
            journal(), fold, reading, new SimClock(), Fold.WhenFailed.REFUSE, this::answered);
    if (!wasClaimed || stale == null) {
      return;
    }
    stepRunner();
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
      Journal.open(breakage.disk(disk), fold, options, new Journal.Parts()).close();
    } catch (JournalException e) {
      if (disk.injected() || String.valueOf(e.getMessage()).contains("open elsewhere")) {
        return;
      }
      throw e;
    }
    throw new SimViolation(SimViolation.Rule.FENCE, "it could be opened twice");
  }

  /** As another process would: what is marked as durable, and at most what is committed. */
  private void readBeside() {
    View<SimFold.Trace> view = History.view(breakage.disk(disk), fold);
    List<SimBatch> batches = handed.subList(0, committedBatches);
    SimChecks.view(view, SimChecks.at(batches, fold.ids(), view.sequence()), "read beside");
    tally.readBeside++;
  }

  /** Under the same rules everything comes out the same, and a crash changes nothing. */
  private void rebuild() {
    phase = SimTally.Place.REBUILD;
    try (Rebuild<SimFold.Trace, SimFold.Op, String> rebuild =
        Rebuild.of(breakage.disk(disk), fold, options)) {
      SimChecks.require(
          rebuild.before().equals(rebuild.after()) && rebuild.differences(each -> {}) == 0,
          SimViolation.Rule.STATE,
          () -> "rebuilt: " + rebuild.before() + " became " + rebuild.after());
      rebuild.switchOver();
      tally.rebuilt++;
    }
    SimChecks.require(
        disk.openFiles().isEmpty(),
        SimViolation.Rule.UNEXPECTED,
        () -> "rebuilt, but left files open: " + disk.openFiles());
  }

  private boolean hasPast() {
    return options.history() == Options.History.FULL
        && disk.content(Log.name(0, Log.SUFFIX)) != null;
  }

  private void past() {
    if (hasPast()) {
      SimChecks.past(
          journal(),
          handed.subList(0, committedBatches),
          fold.ids(),
          committed.sequence == 0 ? 0 : random.nextInt((int) committed.sequence + 1));
    } else {
      SimChecks.noPast(journal());
    }
  }

  private void close() {
    judgeSubmitted();
    writeSnapshots();
    phase = SimTally.Place.CLOSE;
    Journal<SimFold.Trace, SimFold.Op, String> closing = journal();
    closeSinks();
    closing.close();
    SimChecks.require(
        disk.openFiles().isEmpty(),
        SimViolation.Rule.UNEXPECTED,
        () -> "closed, but left files open: " + disk.openFiles());
    if (inCallback != null) {
      throw inCallback;
    }
    SimChecks.require(
        answeredBatches == handed.size() && submitted.isEmpty(),
        SimViolation.Rule.LOST,
        () -> "closed with " + (handed.size() - answeredBatches) + " batches unanswered");
    over();
    damage();
    if (hasPast() && random.nextInt(2) == 0) {
      if (!finishing) {
        armFault(true);
      }
      rebuild();
      disk.disarm();
    }
    switch (random.nextInt(3)) {
      case 0 -> disk.end(true);
      case 1 -> disk.end(false);
      default -> {
        // The same process goes on.
        return;
      }
    }
    disk.restart();
  }

  // ---------------------------------------------------------------- the end

  /** Faults stop; it must catch up, and hold all of the input and nothing else. */
  private void finish() {
    finishing = true;
    disk.disarm();
    disk.makeRoom();
    for (int i = 0; i < readable.length; i++) {
      readable[i] = workload.partitions.get(i).size();
    }
    if (journal == null) {
      open();
    }
    if (journal().groups().failure() != null) {
      crashed();
      open();
    }
    int turns = 0;
    boolean more = true;
    while (more) {
      more = stepRunner();
      more |= submitRest();
      more |= journal().write();
      check();
      more |= stepSinks();
      SimChecks.require(
          turns++ < MOST_STEPS, SimViolation.Rule.STUCK, () -> "it does not catch up");
    }
    check();
    everything("at the end");
    close();
    open();
    everything("after the last opening");
    past();
    close();
  }

  private boolean submitRest() {
    boolean more = !toSubmit.isEmpty();
    if (more) {
      submit();
    }
    return more;
  }

  private void everything(String when) {
    SimChecks.require(
        consumed() && committed.sequence == ahead.sequence,
        SimViolation.Rule.STUCK,
        () -> when + ": not all of the input is committed");
    SimChecks.view(journal().view(), committed, when);
    if (breakage.looksInside()) {
      SimChecks.memory(memory(), committed, when);
    }
    SimChecks.file(disk.content(OUTPUTS), committed.outputs, true, when);
    if (withRefusals) {
      SimChecks.file(disk.content(REFUSALS), committed.refusals, true, when);
    }
    past();
  }
}
