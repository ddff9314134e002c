package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.Counts;
import dev.oncefold.Disk;
import dev.oncefold.Encoder;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes groups of batches durable: while one group is written and synced, the next is filled.
 *
 * <p>Three threads: the writer; one that gives the answers, so that a slow user does not hold up
 * the disk; one that writes snapshots. Without threads the owner calls {@link #write} and
 * everything happens there, in the same order every time.
 *
 * @param <S> the type of one key's state
 */
final class GroupCommit<S> {
  private final Disk disk;
  private final Log log;
  private final Memory<S> memory;
  private final Options options;
  private final Codec<S> stateCodec;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  // Guarded by the lock.
  private Group<S> open = new Group<>();
  private @Nullable Group<S> spare = new Group<>();
  private boolean writing;
  private boolean snapshotting;
  private boolean closing;
  private long snapshotAt;
  private long snapshotSize;

  private final Object publishing = new Object();
  private volatile Committed committed;
  private volatile @Nullable JournalException failure;
  private volatile Consumer<JournalException> onFailure = failed -> {};
  private final @Nullable Thread writer;
  private volatile @Nullable Thread answerer;
  private final @Nullable ExecutorService answering;
  private final @Nullable ExecutorService snapshots;
  // Writes the snapshots where there are no threads.
  private final @Nullable Executor byHand;

  /**
   * What is committed as a whole, beside the slots.
   *
   * @param sequence how many events
   * @param counts their verdicts
   * @param positions how far each partition is applied
   */
  record Committed(long sequence, Counts counts, Map<String, Position> positions) {}

  GroupCommit(
      Disk disk,
      Log log,
      Memory<S> memory,
      Options options,
      Codec<S> stateCodec,
      Recovery.@Nullable Base lastSnapshot,
      @Nullable Executor byHand)
      throws IOException {
    this.disk = disk;
    this.log = log;
    this.memory = memory;
    this.options = options;
    this.stateCodec = stateCodec;
    this.snapshotAt = lastSnapshot == null ? log.start() : lastSnapshot.offset();
    this.snapshotSize = lastSnapshot == null ? 0 : size(disk, lastSnapshot.name());
    open.start(memory.sequence);
    committed = judged();
    this.byHand = byHand;
    if (byHand == null) {
      answering =
          Executors.newSingleThreadExecutor(task -> answerer = daemon("oncefold-answers", task));
      snapshots = Executors.newSingleThreadExecutor(task -> daemon("oncefold-snapshots", task));
      writer = daemon("oncefold-writer", this::writeUntilClosed);
      writer.start();
    } else {
      answering = null;
      snapshots = null;
      writer = null;
    }
  }

  private static long size(Disk disk, String name) throws IOException {
    try (Disk.Handle file = disk.open(name, false)) {
      return file.size();
    }
  }

  static Thread daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  // ---------------------------------------------------------------- filling a group

  /** Takes the lock, and waits until the open group has room. */
  Group<S> enter() {
    lock.lock();
    try {
      while (!open.isEmpty()
          && open.frame.length() >= options.groupBytes()
          && failure == null
          && !closing) {
        if (writer == null) {
          write();
        } else {
          changed.awaitUninterruptibly();
        }
      }
      check();
      return open;
    } catch (RuntimeException | Error e) {
      lock.unlock();
      throw e;
    }
  }

  /** Releases the lock; what the group holds will be written. */
  void leave() {
    changed.signalAll();
    lock.unlock();
  }

  /** Whether this thread is between {@link #enter} and {@link #leave}. */
  boolean isEntered() {
    return lock.isHeldByCurrentThread();
  }

  /** Runs something under the lock that writes nothing. */
  void locked(Runnable task) {
    lock.lock();
    try {
      task.run();
    } finally {
      lock.unlock();
    }
  }

  void check() {
    JournalException failed = failure;
    if (failed != null) {
      throw new JournalException(String.valueOf(failed.getMessage()), failed);
    }
    if (closing) {
      throw new JournalException("the journal " + disk.path("") + " is closed");
    }
  }

  private Committed judged() {
    Map<String, Position> positions = new HashMap<>();
    memory.partitions.forEach((name, partition) -> positions.put(name, partition.position));
    return new Committed(
        memory.sequence, memory.tally.counts(), Collections.unmodifiableMap(positions));
  }

  // ---------------------------------------------------------------- writing a group

  private void writeUntilClosed() {
    try {
      while (awaitGroup()) {
        write();
      }
    } catch (RuntimeException | Error e) {
      fail("the journal " + disk.path("") + " stopped: " + e, e);
    }
  }

  private boolean awaitGroup() {
    lock.lock();
    try {
      while (open.isEmpty() && !closing && failure == null) {
        changed.awaitUninterruptibly();
      }
      return failure == null && !open.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Writes one group and makes it durable; false if there was none. */
  boolean write() {
    Group<S> group;
    Committed after;
    Snapshot<S> snapshot = null;
    lock.lock();
    try {
      Group<S> next = spare;
      if (open.isEmpty() || failure != null || next == null) {
        return false;
      }
      group = open;
      after = judged();
      if (snapshotDue(group)) {
        // Before anything is changed: it takes much memory, and there may not be so much.
        snapshot = new Snapshot<>(log.definition(), memory);
        snapshotting = true;
      }
      next.start(memory.sequence);
      open = next;
      spare = null;
      writing = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      log.append(group.frame, Frame.COMMIT, group.events, group.sequence, options.clock().millis());
      log.sync();
    } catch (IOException e) {
      fail(
          "the journal "
              + disk.path("")
              + " could not be written: "
              + Kernel.told(e)
              + advice(e)
              + ". It stopped; everything answered is safe, and what was not is unknown until it"
              + " is opened again",
          e);
      answer(group);
      return false;
    } catch (RuntimeException | Error e) {
      fail("the journal " + disk.path("") + " stopped: " + e, e);
      answer(group);
      throw e;
    }
    publish(group, after);
    long end = log.end();
    answer(group);
    if (snapshot != null) {
      Snapshot<S> due = snapshot;
      run(snapshots == null ? byHand : snapshots, () -> write(due, end));
    }
    finished(group, after);
    return true;
  }

  private void publish(Group<S> group, Committed after) {
    synchronized (publishing) {
      group.publish();
      committed = after;
    }
    if (!group.deleted().isEmpty()) {
      locked(
          () -> {
            for (String key : group.deleted()) {
              Memory.Cell<S> cell = memory.cells.get(key);
              if (cell != null && cell.live == null && cell.committed == null) {
                memory.cells.remove(key);
              }
            }
          });
    }
  }

  private void answer(Group<S> group) {
    List<Group.Answer> answers = new ArrayList<>(group.answers);
    JournalException failed = failure;
    run(
        answering,
        () -> {
          for (Group.Answer answer : answers) {
            if (failed == null) {
              answer.committed();
            } else {
              answer.failed(failed);
            }
          }
        });
  }

  private void run(@Nullable Executor thread, Runnable task) {
    if (thread == null) {
      task.run();
      return;
    }
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      // What fails while the journal is closed, behind the last answer: the thread has ended.
      task.run();
    }
  }

  private void finished(Group<S> group, Committed after) {
    boolean idle;
    lock.lock();
    try {
      spare = group;
      writing = false;
      idle = open.isEmpty() && !closing;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (idle) {
      // Lets readers in other processes see the group; a later sync makes it durable, or none does.
      mark(after.sequence());
    }
  }

  private void mark(long sequence) {
    try {
      log.append(
          Frame.start(new Encoder(Frame.HEADER)),
          Frame.MARK,
          0,
          sequence,
          options.clock().millis());
    } catch (IOException e) {
      fail(
          "the journal " + disk.path("") + " could not be marked: " + Kernel.told(e) + advice(e),
          e);
    }
  }

  // ---------------------------------------------------------------- snapshots

  private boolean snapshotDue(Group<S> group) {
    return !snapshotting
        && log.end() + group.frame.length() - snapshotAt
            >= Math.max(options.snapshotBytes(), snapshotSize);
  }

  private void write(Snapshot<S> snapshot, long end) {
    try {
      long size = snapshot.write(disk, Log.name(end, Snapshot.SUFFIX), end, stateCodec);
      lock.lock();
      try {
        snapshotAt = end;
        snapshotSize = size;
      } finally {
        lock.unlock();
      }
      dropWhatIsCovered(end, snapshot.sinks());
    } catch (IOException | RuntimeException | Error e) {
      fail(
          "a snapshot of the journal "
              + disk.path("")
              + " could not be written: "
              + e
              + advice(e)
              + ". The journal stopped; everything answered is safe",
          e);
      if (snapshots == null && e instanceof Error error) {
        throw error; // without threads the caller is there to be told
      }
    } finally {
      lock.lock();
      try {
        snapshotting = false;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Deletes older snapshots, and the segments that nobody needs any more. A sink needs what follows
   * the position that the snapshot has: later ones may not be durable yet.
   */
  private void dropWhatIsCovered(long snapshot, Map<String, Memory.SinkPosition> sinks)
      throws IOException {
    List<Memory.SinkPosition> needing = new ArrayList<>(sinks.values());
    locked(() -> needing.addAll(memory.sinks.values())); // some may be new
    long needed = snapshot;
    for (Memory.SinkPosition sink : needing) {
      needed = Math.min(needed, sink.offset());
    }
    needed = Math.min(needed, snapshot - Math.min(snapshot, options.retainBytes()));
    for (String name : disk.list()) {
      if (name.endsWith(Snapshot.SUFFIX) && !name.equals(Log.name(snapshot, Snapshot.SUFFIX))) {
        disk.delete(name);
      }
    }
    log.deleteBefore(needed);
    for (String name : disk.list()) {
      if (name.endsWith(Rebuild.SUFFIX) && name.compareTo(Log.name(log.start(), "")) < 0) {
        disk.delete(name);
      }
    }
    disk.sync();
  }

  // ---------------------------------------------------------------- reading, failing, closing

  Committed committed() {
    return committed;
  }

  /** All that is committed, as of one commit. */
  View<S> view() {
    synchronized (publishing) {
      Map<String, Slot<S>> slots = new HashMap<>();
      memory.cells.forEach(
          (key, cell) -> {
            Slot<S> slot = cell.committed;
            if (slot != null) {
              slots.put(key, slot);
            }
          });
      return new View<>(
          committed.sequence(),
          committed.counts(),
          committed.positions(),
          Collections.unmodifiableMap(slots));
    }
  }

  /** Waits until the log is durable beyond an offset; false if time was up or it never will be. */
  boolean awaitDurable(long beyond, long millis) throws InterruptedException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(millis);
      while (log.durable() <= beyond && left > 0 && failure == null && !closing) {
        left = changed.awaitNanos(left);
      }
      return log.durable() > beyond;
    } finally {
      lock.unlock();
    }
  }

  /** Whether this is the thread that gives the answers. */
  boolean isAnswering() {
    return Thread.currentThread() == answerer;
  }

  @Nullable JournalException failure() {
    return failure;
  }

  /** Sets who is told of the failure, after everything committed before it was answered. */
  void onFailure(Consumer<JournalException> told) {
    onFailure = told;
  }

  /** Stops for good; the first failure is the one told. */
  JournalException fail(String message, Throwable cause) {
    lock.lock();
    try {
      JournalException failed = failure;
      if (failed == null) {
        failed = new JournalException(message, cause);
        failure = failed;
        JournalException told = failed;
        for (Group.Answer answer : open.answers) {
          run(answering, () -> answer.failed(told));
        }
        open.answers.clear();
        run(answering, () -> onFailure.accept(told));
        changed.signalAll();
      }
      return failed;
    } finally {
      lock.unlock();
    }
  }

  static String advice(Throwable e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("Disk quota")
        ? " (the disk is full: make room and open the journal again)"
        : "";
  }

  /** Writes what is judged, then refuses everything. Closing twice does nothing. */
  void close() {
    lock.lock();
    try {
      if (closing) {
        return;
      }
      if (writer == null) {
        while (write()) {}
      }
      while (failure == null && (writing || snapshotting || !open.isEmpty())) {
        changed.awaitUninterruptibly();
      }
      closing = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      join();
      if (failure == null) {
        mark(committed.sequence());
      }
      if (failure == null) {
        log.sync();
        log.close();
      }
    } catch (IOException e) {
      throw fail(
          "the end of the journal "
              + disk.path("")
              + " could not be marked: "
              + Kernel.told(e)
              + advice(e)
              + ". Everything answered is safe",
          e);
    } finally {
      log.abandon();
    }
    JournalException failed = failure;
    if (failed != null) {
      // Not the one that was answered: thrown out of a try block by itself, it would meet itself
      // here.
      JournalException told = new JournalException(String.valueOf(failed.getMessage()), failed);
      for (Throwable more : failed.getSuppressed()) {
        told.addSuppressed(more);
      }
      throw told;
    }
  }

  /** Waits for the threads to end, so that nothing is answered and no file touched afterwards. */
  private void join() {
    boolean interrupted = false;
    if (writer != null && answering != null && snapshots != null) {
      while (true) {
        try {
          // The writer first: it may still have answers to give.
          writer.join();
          answering.shutdown();
          snapshots.shutdown();
          if (answering.awaitTermination(1, TimeUnit.DAYS)
              && snapshots.awaitTermination(1, TimeUnit.DAYS)) {
            break;
          }
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
