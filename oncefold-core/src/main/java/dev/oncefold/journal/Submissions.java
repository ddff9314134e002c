package dev.oncefold.journal;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The in-process partition: events given to {@link Journal#submit}, which go the same way as those
 * of any other source and are answered after their commit.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class Submissions<S, E, O> implements Source<E> {
  static final String PARTITION = "submit";

  private final BlockingQueue<Submitted<S, E, O>> waiting;
  // Polled and not yet answered, in order. Guarded by itself.
  private final Deque<Submitted<S, E, O>> judged = new ArrayDeque<>();
  private final Runner<S, E, O> runner;
  private long offset;
  private volatile boolean closed;
  private volatile @Nullable JournalException failure;

  private record Submitted<S, E, O>(Event<E> event, CompletableFuture<Verdict<S, O>> answer) {}

  /** The journal as only this source sees it: with its own partition. */
  private record Own<S, E, O>(Journal<S, E, O> journal) implements Store<S, E, O> {
    @Override
    public Claim claim(String partition) {
      return journal.take(partition);
    }

    @Override
    public void caughtUp(Claim claim) {
      journal.caughtUp(claim);
    }

    @Override
    public Batch<S, E, O> begin(Claim claim, Position from) {
      return journal.begin(claim, from);
    }
  }

  Submissions(Journal<S, E, O> journal, Fold<S, E, O> fold, int queue, Clock clock) {
    this.waiting = new ArrayBlockingQueue<>(queue);
    this.runner =
        new Runner<>(
            new Own<>(journal),
            fold,
            List.of(this),
            clock,
            Fold.WhenFailed.REFUSE,
            (polled, v) -> answer(v));
  }

  Runner<S, E, O> runner() {
    return runner;
  }

  CompletableFuture<Verdict<S, O>> submit(Event<E> event) {
    Submitted<S, E, O> submitted = new Submitted<>(event, new CompletableFuture<>());
    try {
      boolean taken = false;
      while (!taken) {
        check();
        taken = waiting.offer(submitted, 100, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JournalException("interrupted while waiting to submit; the event was not taken", e);
    }
    JournalException failed = failure;
    if (failed != null) {
      // Nobody may be left to take it out again.
      submitted.answer().completeExceptionally(failed);
    } else if (closed && waiting.remove(submitted)) {
      submitted.answer().completeExceptionally(new JournalException("the journal is closed"));
    }
    return submitted.answer();
  }

  private void check() {
    JournalException failed = failure;
    if (failed != null) {
      throw new JournalException(String.valueOf(failed.getMessage()), failed);
    }
    if (closed) {
      throw new JournalException("the journal is closed");
    }
  }

  private void answer(List<Verdict<S, O>> verdicts) {
    for (Verdict<S, O> verdict : verdicts) {
      Submitted<S, E, O> next;
      synchronized (judged) {
        next = judged.remove();
      }
      next.answer().complete(verdict);
    }
  }

  /** Fails all that is not answered, and everything submitted from now on. */
  void fail(JournalException cause) {
    failure = cause;
    List<Submitted<S, E, O>> unanswered = new ArrayList<>();
    synchronized (judged) {
      unanswered.addAll(judged);
      judged.clear();
    }
    waiting.drainTo(unanswered);
    for (Submitted<S, E, O> submitted : unanswered) {
      submitted.answer().completeExceptionally(cause);
    }
  }

  @Override
  public List<String> partitions() {
    return List.of(PARTITION);
  }

  @Override
  public void seek(String partition, Position position) {
    offset = position.offset();
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    List<Submitted<S, E, O>> taken = new ArrayList<>();
    waiting.drainTo(taken, max);
    if (taken.isEmpty() && !wait.isZero()) {
      Submitted<S, E, O> first = waiting.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
      if (first != null) {
        taken.add(first);
        waiting.drainTo(taken, max - 1);
      }
    }
    if (taken.isEmpty()) {
      return null;
    }
    synchronized (judged) {
      judged.addAll(taken);
    }
    Position from = new Position(offset, 0);
    List<Received<E>> events = new ArrayList<>(taken.size());
    for (Submitted<S, E, O> submitted : taken) {
      events.add(Received.of(offset, new Position(offset + 1, 0), submitted.event()));
      offset++;
    }
    return new Polled<>(PARTITION, from, events, !waiting.isEmpty());
  }

  @Override
  public boolean ended() {
    return closed && waiting.isEmpty();
  }

  /** Takes no more; what was taken is still judged. */
  @Override
  public void close() {
    closed = true;
  }
}
