package dev.oncefold.journal;

import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Follows a journal for whoever writes elsewhere what it commits: reads what is durable, waits for
 * more, and ends when all of it is written.
 */
final class Tail<S, E, O> {
  private static final long WAIT_MILLIS = 100;
  private static final long GATHERED = 1 << 20;
  private static final long GATHER_MILLIS = 10;

  private final Journal<S, E, O> journal;
  private final Map<Definition, Definition.Codecs<S, E, O>> codecs = new HashMap<>();
  private final EventRecord record = new EventRecord();
  private final CountDownLatch closing = new CountDownLatch(1);
  private @Nullable Thread thread;
  private volatile @Nullable Throwable failure;

  /** The log up to here is written; only whoever writes moves it. */
  long offset;

  Tail(Journal<S, E, O> journal) {
    this.journal = journal;
  }

  /** Takes one event of the log. */
  interface Events<S, E, O> {
    void event(
        EventRecord record, long sequence, Log.Cursor cursor, Definition.Codecs<S, E, O> codecs);
  }

  /** Writes what is new. */
  interface Step {
    /**
     * Writes some of it.
     *
     * @param last whether there will be no further try
     * @return false if there was nothing new
     */
    boolean write(boolean last) throws InterruptedException;
  }

  /** Whether there is anything durable beyond the offset. */
  boolean hasMore() {
    return journal.log().durable() > offset;
  }

  /** Reads whole commits from the offset on, until they are enough; answers where they end. */
  long read(BooleanSupplier enough, Events<S, E, O> events) throws IOException {
    try (Log.Cursor cursor = journal.log().cursor(offset, journal.log().durable())) {
      while (!enough.getAsBoolean() && cursor.next()) {
        if (cursor.header().kind() == Frame.COMMIT) {
          Definition.Codecs<S, E, O> of =
              codecs.computeIfAbsent(
                  cursor.definition(), d -> new Definition.Codecs<>(d, journal.fold()));
          History.records(
              cursor,
              record,
              (each, sequence, at) -> events.event(each, sequence, at, of),
              journal.disk());
        }
      }
      if (cursor.end() == offset) {
        throw cursor.damage("no whole frame stands here, but it was durable");
      }
      return cursor.end();
    }
  }

  /** The refusal that an event of the log is; null where it is none. */
  static <S, E, O> @Nullable Entry<S, E, O> refusal(
      Journal<S, E, O> journal,
      EventRecord record,
      long sequence,
      Log.Cursor cursor,
      Definition.Codecs<S, E, O> codecs) {
    return switch (record.kind()) {
      case APPLIED, DUPLICATE -> null;
      case REJECTED, CONFLICT, EXPIRED, FAILED ->
          record.entry(
              sequence,
              Instant.ofEpochMilli(cursor.header().time()),
              journal.fold(),
              codecs,
              cursor.header().foldVersion());
    };
  }

  // ---------------------------------------------------------------- on a thread of its own

  /** Writes until {@link #finish}, or until something stops it. */
  void start(String name, Step step) {
    Thread started = GroupCommit.daemon(name, () -> run(step));
    thread = started;
    started.start();
  }

  private void run(Step step) {
    try {
      while (true) {
        boolean last = closing.getCount() == 0;
        if (!step.write(last) && last) {
          break;
        }
        if (!last) {
          // Each step costs an fsync or a round trip: under load let some more come together.
          if (journal.groups().awaitDurable(offset, WAIT_MILLIS)) {
            journal.groups().awaitDurable(offset + GATHERED, GATHER_MILLIS);
          }
          if (journal.groups().failure() != null && !hasMore()) {
            break;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      // An Error of the user's code, too: close must not pass for having written everything.
      failure = e;
    }
  }

  /** Waits for a while; true at once when it is to finish. */
  boolean pause(long millis) throws InterruptedException {
    return closing.await(millis, TimeUnit.MILLISECONDS);
  }

  boolean hasFailed() {
    return failure != null;
  }

  /**
   * Lets the thread write everything committed until now, and waits for its end.
   *
   * @return false if there is none, so that whoever writes by hand does it
   */
  boolean finish() {
    closing.countDown();
    Thread running = thread;
    if (running == null) {
      return false;
    }
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  /** Throws what has stopped the thread, if anything has. */
  void rethrow(String who) {
    Throwable failed = failure;
    if (failed instanceof RuntimeException told) {
      throw told;
    } else if (failed != null) {
      throw new JournalException(who + " stopped: " + failed, failed);
    }
  }
}
