package dev.oncefold.journal;

import dev.oncefold.Counts;
import dev.oncefold.Disk;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The embedded store: state in memory, made durable by one append-only log in a directory.
 *
 * <p>Events come in by {@link #submit}, or from sources by a {@link dev.oncefold.Runner}. Batches
 * are judged one at a time; while one group of batches is written and synced, the next is judged.
 * What is answered, queried or tailed is committed: judging may run ahead of the disk, they may
 * not.
 *
 * <p>Safe for use by several threads. Any failure to write or sync is final: the journal stops, and
 * what was answered is safe. Opened again, it goes on from what is on the disk.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Journal<S, E, O> implements Store<S, E, O>, AutoCloseable {
  private static final String LOCK = "lock";
  private static final int CHANGES_SHOWN = 10;
  private static final String REBUILD_OR_ACCEPT =
      "Rebuild it to judge its history again under these rules, or accept the change to keep what"
          + " was judged and go on under them";

  private final Disk disk;
  private final Fold<S, E, O> fold;
  private final Options options;
  private final Closeable processLock;
  private final Log log;
  private final Memory<S> memory;
  private final GroupCommit<S> groups;
  private final JournalBatch<S, E, O> batch;
  private final Submissions<S, E, O> submissions;
  private final @Nullable Thread judge;
  // The file that each writes to, by the sink's name. Guarded by itself.
  private final Map<String, String> openSinks = new HashMap<>();
  private final List<Consumer<Emitted<O>>> outputChecks = new CopyOnWriteArrayList<>();
  private boolean closed;

  /** What a test replaces to break the journal, or to drive it by hand. */
  static class Parts {
    Log log(Disk disk, int segmentBytes) throws IOException {
      return new Log(disk, segmentBytes);
    }

    <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
      return new Memory<>(ids, k0, k1);
    }

    /** The secret key of a new journal. */
    long[] key() {
      SecureRandom random = new SecureRandom();
      return new long[] {random.nextLong(), random.nextLong()};
    }

    /** Whether the journal has threads of its own; without, {@link Journal#write} is called. */
    boolean threads() {
      return true;
    }

    /** Without threads: writes the snapshots, at once or when it pleases the test. */
    Executor snapshots() {
      return Runnable::run;
    }
  }

  private Journal(
      Disk disk, Fold<S, E, O> fold, Options options, Parts parts, Closeable lock, Log log)
      throws IOException {
    this.disk = disk;
    this.fold = fold;
    this.options = options;
    this.processLock = lock;
    this.log = log;
    for (String leftover : log.leftovers()) {
      disk.delete(leftover);
    }
    boolean full = options.history() == Options.History.FULL;
    Recovery.Base lastSnapshot = null;
    if (!History.isThere(disk, log)) {
      long[] key = parts.key();
      log.startSegment(
          Definition.of(fold, key[0], key[1], full, null), 0, options.clock().millis());
      memory = parts.memory(fold.ids(), key[0], key[1]);
    } else {
      Definition last = log.newestDefinition();
      checkFold(disk, last, fold, options.acceptChange());
      memory =
          new Recovery<S>(
                  disk,
                  log,
                  fold.ids(),
                  written -> new Definition.Codecs<>(written, fold).state(),
                  parts::memory)
              .recover();
      Definition wanted = Definition.of(fold, last.k0(), last.k1(), full, null);
      if (fold.rules().isEmpty() && last.version() == fold.version()) {
        // A fold that does not tell its rules is no reason to forget the text of that version.
        wanted = wanted.with(null, last.rules());
      }
      if (!last.sameAs(wanted)) {
        log.startSegment(wanted, memory.sequence, options.clock().millis());
      }
      for (Recovery.Base base : Recovery.bases(disk, log)) {
        lastSnapshot = base;
      }
    }
    boolean threads = parts.threads();
    groups =
        new GroupCommit<>(
            disk,
            log,
            memory,
            options,
            fold.stateCodec(),
            lastSnapshot,
            threads ? null : parts.snapshots());
    batch = new JournalBatch<>(fold, memory, groups, full, outputChecks);
    submissions = new Submissions<>(this, fold, options.queue(), options.clock());
    groups.onFailure(submissions::fail);
    judge = threads ? GroupCommit.daemon("oncefold-judge", this::judgeSubmissions) : null;
    if (judge != null) {
      judge.start();
    }
  }

  // ---------------------------------------------------------------- opening and closing

  /**
   * Opens the journal in a directory, made if absent, with {@link Options#defaults}.
   *
   * @param directory the directory
   * @param fold the fold
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the journal
   * @throws JournalException if it is in use, damaged, or belongs to another fold
   */
  public static <S, E, O> Journal<S, E, O> open(Path directory, Fold<S, E, O> fold) {
    return open(directory, fold, Options.defaults());
  }

  /**
   * Opens the journal in a directory, made if absent.
   *
   * @param directory the directory
   * @param fold the fold
   * @param options how it is kept
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the journal
   * @throws JournalException if it is in use, damaged, or belongs to another fold
   */
  public static <S, E, O> Journal<S, E, O> open(
      Path directory, Fold<S, E, O> fold, Options options) {
    return open(disk(directory), fold, options);
  }

  /**
   * Opens the journal on a disk.
   *
   * @param disk the disk
   * @param fold the fold
   * @param options how it is kept
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the journal
   * @throws JournalException if it is in use, damaged, or belongs to another fold
   */
  public static <S, E, O> Journal<S, E, O> open(Disk disk, Fold<S, E, O> fold, Options options) {
    return open(disk, fold, options, new Parts());
  }

  static <S, E, O> Journal<S, E, O> open(
      Disk disk, Fold<S, E, O> fold, Options options, Parts parts) {
    Closeable lock = lock(disk);
    Log log = null;
    boolean opened = false;
    try {
      log = parts.log(disk, options.segmentBytes());
      Journal<S, E, O> journal = new Journal<>(disk, fold, options, parts, lock, log);
      opened = true;
      return journal;
    } catch (IOException e) {
      throw new JournalException(
          "the journal "
              + disk.path("")
              + " cannot be opened: "
              + Kernel.told(e)
              + GroupCommit.advice(e),
          e);
    } finally {
      if (!opened) {
        if (log != null) {
          log.abandon();
        }
        release(lock);
      }
    }
  }

  static Disk disk(Path directory) {
    try {
      return Disk.at(directory);
    } catch (IOException e) {
      throw new JournalException(
          "the directory " + directory + " cannot hold a journal: " + Kernel.told(e), e);
    }
  }

  /** The disk of a journal that is read or rebuilt: nothing is made where there is none. */
  private static Disk existing(Path directory) {
    Disk disk = existingOrNull(directory);
    if (disk == null) {
      throw new JournalException("there is no journal in " + directory);
    }
    return disk;
  }

  private static @Nullable Disk existingOrNull(Path directory) {
    try {
      return Disk.existing(directory);
    } catch (IOException e) {
      throw new JournalException(
          "the directory " + directory + " cannot hold a journal: " + Kernel.told(e), e);
    }
  }

  static Closeable lock(Disk disk) {
    try {
      Closeable held = disk.lock(LOCK);
      if (held == null) {
        throw new JournalException(
            "the journal "
                + disk.path("")
                + " is open elsewhere: the process whose number is in "
                + disk.path(LOCK)
                + " holds its lock. Stop that process, or use another directory");
      }
      return held;
    } catch (IOException e) {
      throw new JournalException(
          "the lock " + disk.path(LOCK) + " cannot be taken: " + Kernel.told(e), e);
    }
  }

  static void release(Closeable lock) {
    try {
      lock.close();
    } catch (IOException e) {
      // A channel that cannot be closed is closed with the process; nothing is left to do.
    }
  }

  static void checkName(Disk disk, Definition stored, Fold<?, ?, ?> fold) {
    if (!stored.fold().equals(fold.name())) {
      throw new JournalException.OtherFold(
          "the journal "
              + disk.path("")
              + " belongs to the fold \""
              + stored.fold()
              + "\", not to \""
              + fold.name()
              + "\". Open it with that fold, or use another directory");
    }
  }

  private static void checkFold(Disk disk, Definition stored, Fold<?, ?, ?> fold, boolean accept) {
    checkName(disk, stored, fold);
    if (accept) {
      return;
    }
    if (stored.version() != fold.version()) {
      throw new JournalException.OtherFold(
          "the journal "
              + disk.path("")
              + " was written by version "
              + stored.version()
              + " of the fold \""
              + fold.name()
              + "\"; this is version "
              + fold.version()
              + ". "
              + REBUILD_OR_ACCEPT);
    }
    if (!stored.rules().isEmpty() && !fold.rules().isEmpty()) {
      List<String> changed = Definition.changedLines(stored.rules(), fold.rules());
      if (!changed.isEmpty()) {
        throw new JournalException.OtherFold(
            "the rules of the fold \""
                + fold.name()
                + "\" changed though its version "
                + fold.version()
                + " did not. Gone (-) and new (+) against the journal "
                + disk.path("")
                + ":\n"
                + String.join("\n", changed.subList(0, Math.min(changed.size(), CHANGES_SHOWN)))
                + (changed.size() > CHANGES_SHOWN ? "\n…\n" : "\n")
                + REBUILD_OR_ACCEPT);
      }
    }
    String ids = fold.ids().kind().name();
    if (!stored.ids().equals(ids)) {
      throw new JournalException.OtherFold(
          "the journal "
              + disk.path("")
              + " remembers ids by the choice "
              + stored.ids()
              + ", this fold by "
              + ids
              + ". Ids that were forgotten, or never remembered, stay unknown: a re-send from before"
              + " may be applied again where the old choice was NONE. Accept the change, or rebuild");
    }
  }

  private void judgeSubmissions() {
    try {
      submissions.runner().run();
    } catch (JournalException e) {
      submissions.fail(e);
    } catch (Throwable e) {
      // An Error of the user's code, above all: nothing may go on behind it.
      String message = "the journal " + disk.path("") + " stopped: " + e;
      JournalException told = groups.fail(message, e);
      if (told.getCause() != e) {
        // The batch that it ended was the first to fail; this is why.
        told.addSuppressed(e);
      }
      submissions.fail(new JournalException(message, e));
    }
  }

  /**
   * Answers every submitted event, commits what was judged, marks the log as complete and releases
   * it. Closing twice does nothing.
   *
   * @throws JournalException if the journal had failed, or fails while it is closed; it is closed
   *     all the same
   */
  @Override
  public void close() {
    // An answer that comes before anything depends on it is passed on by the thread that judges.
    if (groups.isAnswering() || Thread.currentThread() == judge) {
      throw new JournalException(
          "the journal "
              + disk.path("")
              + " cannot be closed by an update, or by what depends on an answer: it would wait for"
              + " itself. Close it from another thread");
    }
    synchronized (submissions) {
      if (closed) {
        return;
      }
      closed = true;
    }
    submissions.close();
    boolean interrupted = false;
    while (judge != null && judge.isAlive()) {
      try {
        judge.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    try {
      groups.close();
    } finally {
      JournalException failure = groups.failure();
      if (failure != null) {
        submissions.fail(failure);
      }
      release(processLock);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  // ---------------------------------------------------------------- events in

  /**
   * Judges an event. It may wait while too many others wait already.
   *
   * @param event the event
   * @return completes with the verdict after the commit point; fails with a {@link
   *     JournalException} if the journal failed, and then it is not known whether the event was
   *     applied: send it again after opening the journal again. Do not block in what depends on it:
   *     it runs on the thread that answers all submitted events
   * @throws JournalException if the journal is closed or has failed
   */
  public CompletableFuture<Verdict<S, O>> submit(Event<E> event) {
    return submissions.submit(event);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the name is the one under which the journal counts the
   *     events given to {@link #submit}
   */
  @Override
  public Claim claim(String partition) {
    if (partition.equals(Submissions.PARTITION)) {
      throw new IllegalArgumentException(
          "a source names its partition \""
              + partition
              + "\", which the journal keeps for the events given to Journal.submit: give the"
              + " partition another name, for a file with FileSource.named");
    }
    return take(partition);
  }

  /** Claims any partition, the one for submitted events too. */
  Claim take(String partition) {
    groups.enter();
    try {
      Memory.Partition claimed = memory.partition(partition);
      // The epoch becomes durable with the claim's first commit. Until then only this process can
      // know it, and the lock keeps all others out.
      claimed.epoch++;
      claimed.claimed = true;
      claimed.unread = true;
      return new Claim(partition, claimed.epoch, claimed.position);
    } finally {
      groups.leave();
    }
  }

  @Override
  public void caughtUp(Claim claim) {
    groups.locked(
        () -> {
          Memory.Partition partition = memory.partition(claim.partition());
          requireNewest(claim, partition);
          partition.unread = false;
        });
  }

  @Override
  public Batch<S, E, O> begin(Claim claim, Position from) {
    Group<S> group = groups.enter();
    try {
      Memory.Partition partition = memory.partition(claim.partition());
      requireNewest(claim, partition);
      if (!partition.position.equals(from)) {
        throw new FencedException(
            "the partition \""
                + claim.partition()
                + "\" is applied up to "
                + partition.position
                + ", but the batch starts at "
                + from);
      }
      return batch.begin(claim.partition(), partition, group);
    } catch (RuntimeException | Error e) {
      groups.leave();
      throw e;
    }
  }

  private static void requireNewest(Claim claim, Memory.Partition partition) {
    if (partition.epoch != claim.epoch()) {
      throw new FencedException(
          "the partition \""
              + claim.partition()
              + "\" was claimed again: epoch "
              + partition.epoch
              + " holds it, not "
              + claim.epoch());
    }
  }

  // ---------------------------------------------------------------- reading

  /**
   * The committed state of a key.
   *
   * @param key the key
   * @return its state, or null where it has none
   */
  public @Nullable S state(String key) {
    Slot<S> slot = slot(key);
    return slot == null ? null : slot.state();
  }

  /**
   * What is committed for a key.
   *
   * @param key the key
   * @return its slot, or null where it has none
   */
  public @Nullable Slot<S> slot(String key) {
    Memory.Cell<S> cell = memory.cells.get(key);
    return cell == null ? null : cell.committed;
  }

  /**
   * All that is committed, as of one commit: for going over all keys.
   *
   * @return a view that later commits do not change; it costs a reference for each key
   */
  public View<S> view() {
    return groups.view();
  }

  /**
   * How many events have which verdict, committed, since the journal began.
   *
   * @return the counts
   */
  public Counts counts() {
    return groups.committed().counts();
  }

  /**
   * How many events are committed.
   *
   * @return the sequence of the last event
   */
  public long sequence() {
    return groups.committed().sequence();
  }

  /**
   * How far each input partition is applied, committed.
   *
   * @return the positions by partition name
   */
  public Map<String, Position> positions() {
    return groups.committed().positions();
  }

  /**
   * Every committed event that named or changed a key, in order. Reads the log from its beginning.
   *
   * @param key the key
   * @param each told of each event
   * @throws JournalException if the journal keeps no history, or not from its beginning
   */
  public void history(String key, Consumer<Entry<S, E, O>> each) {
    history(History.ofKey(key, each));
  }

  /**
   * Every committed event, in order.
   *
   * @param each told of each event
   * @throws JournalException if the journal keeps no history, or not from its beginning
   */
  public void history(Consumer<Entry<S, E, O>> each) {
    history(0, each);
  }

  /**
   * Every committed event behind one, in order. Older segments of the log are not read.
   *
   * @param after the sequence of that event; 0 is before the first
   * @param each told of each event
   * @throws JournalException if the journal keeps no history, or not from its beginning
   */
  public void history(long after, Consumer<Entry<S, E, O>> each) {
    History.read(disk, log, fold, after, log.durable(), each);
  }

  /**
   * The content of the journal as of an event.
   *
   * @param sequence the event's sequence; 0 is before the first
   * @return the view
   * @throws JournalException if there was no such event yet, or the journal keeps no history, or
   *     not so far back
   */
  public View<S> asOf(long sequence) {
    return History.asOf(disk, log, fold, log.durable(), sequence);
  }

  /**
   * The committed content of a journal that may be open in another process, up to the newest mark
   * in its log. Nothing is locked or changed.
   *
   * @param directory the journal's directory
   * @param fold the fold, in any version that can read the states
   * @param <S> the type of one key's state
   * @return the view
   * @throws JournalException if there is none, it is damaged, belongs to another fold, or holds
   *     states that this version of the fold cannot read
   */
  public static <S> View<S> view(Path directory, Fold<S, ?, ?> fold) {
    return History.view(existing(directory), fold);
  }

  /**
   * The content as of an event of a journal that may be open in another process. Nothing is locked
   * or changed.
   *
   * @param directory the journal's directory
   * @param fold the fold, in any version that can read the states
   * @param sequence the event's sequence; 0 is before the first
   * @param <S> the type of one key's state
   * @return the view
   * @throws JournalException if there is no journal, it is damaged or belongs to another fold; if
   *     there was no such event up to the newest mark, or the journal keeps no history, or not so
   *     far back
   */
  public static <S> View<S> asOf(Path directory, Fold<S, ?, ?> fold, long sequence) {
    return History.asOf(existing(directory), fold, sequence);
  }

  /**
   * Every event that named or changed a key, in order, of a journal that may be open in another
   * process, up to the newest mark in its log. Nothing is locked or changed.
   *
   * @param directory the journal's directory
   * @param fold the fold, in any version that can read the events, states and outputs
   * @param key the key
   * @param each told of each event
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @throws JournalException if there is no journal, it is damaged or belongs to another fold, or
   *     keeps no history, or not from its beginning
   */
  public static <S, E, O> void history(
      Path directory, Fold<S, E, O> fold, String key, Consumer<Entry<S, E, O>> each) {
    History.read(existing(directory), fold, History.ofKey(key, each));
  }

  /**
   * What the journal in a directory says of itself. It may be open in another process; nothing is
   * locked, made or changed.
   *
   * @param directory the directory
   * @return the description, or null where there is no journal
   * @throws JournalException if it is damaged or cannot be read
   */
  public static @Nullable Description describe(Path directory) {
    Disk disk = existingOrNull(directory);
    return disk == null ? null : History.describe(disk);
  }

  /**
   * Judges the history of a journal again under the rules of a fold, beside the journal, which must
   * not be open.
   *
   * @param directory the journal's directory
   * @param fold the fold with the new rules
   * @param options how the journal will be kept
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return what came of it; nothing is changed before {@link Rebuild#switchOver}
   * @throws JournalException if the journal is in use, damaged, belongs to another fold or has no
   *     full history
   */
  public static <S, E, O> Rebuild<S, E, O> rebuild(
      Path directory, Fold<S, E, O> fold, Options options) {
    return Rebuild.of(existing(directory), fold, options);
  }

  /**
   * Whether the log goes back to the first event, so that a sink which begins now can still write
   * everything.
   *
   * @return false once older segments were dropped
   */
  public boolean goesBackToItsBeginning() {
    return log.start() == 0;
  }

  /**
   * Forgets a sink, so that it keeps no segments any more and can begin anew with an empty file.
   *
   * @param name the sink's name, as messages and {@link #sinks} give it
   */
  public void forgetSink(String name) {
    if (sink(name) == null) {
      throw new JournalException("there is no sink \"" + name + "\"; there are " + sinks());
    }
    synchronized (openSinks) {
      if (openSinks.containsKey(name)) {
        throw new JournalException("the sink \"" + name + "\" is open: close it first");
      }
    }
    awaitRecorded(record(name, Memory.FORGOTTEN));
  }

  /**
   * The sinks that the journal knows.
   *
   * @return their names
   */
  public Set<String> sinks() {
    Set<String> names = new TreeSet<>();
    groups.locked(() -> names.addAll(memory.sinks.keySet()));
    return names;
  }

  // ---------------------------------------------------------------- for sinks and tests

  /** A sink begins to write; two of one name, or to one file, would write over each other. */
  void sinkOpens(String name, String file) {
    synchronized (openSinks) {
      if (openSinks.containsKey(name)) {
        throw new JournalException(
            "the sink \"" + name + "\" is open already: give each sink a name of its own");
      }
      if (openSinks.containsValue(file)) {
        throw new JournalException(
            "another sink writes to the file "
                + file
                + " already: give each sink a file of its own");
      }
      openSinks.put(name, file);
    }
  }

  /**
   * Has every output looked at when its event is judged.
   *
   * @param check throws what makes the event Failed
   */
  void checksOutputs(Consumer<Emitted<O>> check) {
    outputChecks.add(check);
  }

  void checksOutputsNoMore(Consumer<Emitted<O>> check) {
    outputChecks.remove(check);
  }

  void sinkCloses(String name) {
    synchronized (openSinks) {
      openSinks.remove(name);
    }
  }

  /** Waits until what was recorded is durable. */
  void awaitRecorded(CompletableFuture<Memory.SinkPosition> recording) {
    if (judge == null) {
      while (write()) {}
    }
    try {
      recording.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof JournalException cause) {
        throw cause;
      }
      throw e;
    }
  }

  Disk disk() {
    return disk;
  }

  Fold<S, E, O> fold() {
    return fold;
  }

  Log log() {
    return log;
  }

  GroupCommit<S> groups() {
    return groups;
  }

  Submissions<S, E, O> submissions() {
    return submissions;
  }

  Options options() {
    return options;
  }

  /** Without threads: writes one group; false if there was none. */
  boolean write() {
    return groups.write();
  }

  /** How far a sink has got, as recorded; null where it is unknown. */
  Memory.@Nullable SinkPosition sink(String name) {
    Memory.@Nullable SinkPosition[] found = new Memory.@Nullable SinkPosition[1];
    groups.locked(() -> found[0] = memory.sinks.get(name));
    return found[0];
  }

  /** Records how far a sink has got, in the next group. */
  CompletableFuture<Memory.SinkPosition> record(String name, Memory.SinkPosition position) {
    Group<S> group = groups.enter();
    try {
      group.frame.writeByte(Memory.SINK);
      Memory.writeSink(name, position, group.frame);
      memory.setSink(name, position);
      CompletableFuture<Memory.SinkPosition> recorded = new CompletableFuture<>();
      group.answers.add(JournalBatch.answer(recorded, position));
      return recorded;
    } finally {
      groups.leave();
    }
  }
}
