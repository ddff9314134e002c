package dev.oncefold;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The walk: brings events from sources through the {@link Kernel} into a {@link Store}.
 *
 * <p>{@link #step} and {@link #run} belong to one thread; {@link #stop} and {@link #counts} may be
 * called from any.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Runner<S, E, O> {
  private static final Duration IDLE = Duration.ofMillis(50);

  private final Store<S, E, O> store;
  private final Fold<S, E, O> fold;
  private final Kernel<S, E, O> kernel;
  private final List<? extends Source<E>> sources;
  private final Clock clock;
  private final Fold.WhenFailed whenFailed;
  private final AfterCommit<S, E, O> afterCommit;
  private final Map<String, Store.Claim> claims = new HashMap<>();
  // By the place of the source: what it reads now, and what it was known to consist of.
  private final List<List<String>> assigned = new ArrayList<>();
  private final List<List<String>> expected = new ArrayList<>();
  // The partitions of which the store knows that they are read to their end.
  private final Set<String> caughtUp = new HashSet<>();
  private Set<String> refusing = Set.of();
  private int turn;
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);
  private volatile boolean stopping;
  private volatile Counts counts = Counts.NONE;

  /**
   * Told of every batch after its commit point, in commit order.
   *
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   */
  @FunctionalInterface
  public interface AfterCommit<S, E, O> {
    /**
     * A batch is committed.
     *
     * @param polled the batch; where the run stopped before a failed event it holds more events
     *     than were committed
     * @param verdicts the verdicts of its events, in order
     */
    void committed(Polled<E> polled, List<Verdict<S, O>> verdicts);
  }

  /**
   * A runner for some sources, by the fold's own rule for Failed events.
   *
   * @param store the store
   * @param fold the fold
   * @param sources all the sources of this run: give them together, so that the floor waits for
   *     each of their partitions
   * @param clock held against event times
   */
  public Runner(
      Store<S, E, O> store, Fold<S, E, O> fold, List<? extends Source<E>> sources, Clock clock) {
    this(store, fold, sources, clock, fold.whenFailed(), (polled, verdicts) -> {});
  }

  /**
   * A runner for some sources.
   *
   * @param store the store
   * @param fold the fold
   * @param sources all the sources of this run: give them together, so that the floor waits for
   *     each of their partitions
   * @param clock held against event times
   * @param whenFailed what to do with a Failed event
   * @param afterCommit told of every committed batch; it must not block
   */
  public Runner(
      Store<S, E, O> store,
      Fold<S, E, O> fold,
      List<? extends Source<E>> sources,
      Clock clock,
      Fold.WhenFailed whenFailed,
      AfterCommit<S, E, O> afterCommit) {
    this.store = store;
    this.fold = fold;
    this.kernel = new Kernel<>(fold);
    this.sources = List.copyOf(sources);
    this.clock = clock;
    this.whenFailed = whenFailed;
    this.afterCommit = afterCommit;
    for (int i = 0; i < sources.size(); i++) {
      assigned.add(List.of());
      expected.add(List.of());
    }
  }

  /**
   * Sends the Failed events at some positions to the refusals, also where the fold stops for Failed
   * events. Events there that do not fail are judged like any other. Call it before the run.
   *
   * @param positions what {@link FailedEventException#position} told: {@code partition@offset}
   * @return this
   */
  public Runner<S, E, O> refusing(Collection<String> positions) {
    refusing = Set.copyOf(positions);
    return this;
  }

  /**
   * Runs to the end of the sources, or until {@link #stop}: then the batch in hand is finished and
   * committed. On return everything it judged is committed.
   *
   * @return what it counted
   * @throws FailedEventException if it stopped before a Failed event
   * @throws FencedException if another owner has taken a partition over
   * @throws SourceException if a source cannot go on
   * @throws InterruptedException if the thread was interrupted while waiting for input
   */
  public Counts run() throws InterruptedException {
    try {
      while (!stopping && !last.isCompletedExceptionally()) {
        if (!step(Duration.ZERO)) {
          if (sources.stream().allMatch(Source::ended)) {
            break;
          }
          step(IDLE);
        }
      }
    } finally {
      awaitCommits();
    }
    return counts;
  }

  /** Lets {@link #run} finish the batch in hand and return. */
  public void stop() {
    stopping = true;
    store.stopping();
  }

  /**
   * What this runner has judged and handed to the store.
   *
   * @return the counts so far
   */
  public Counts counts() {
    return counts;
  }

  /** Waits until every batch handed to the store is committed. */
  public void awaitCommits() {
    try {
      last.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      } else if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw e;
    }
  }

  /**
   * Takes one batch from one source, judges it and hands it to the store.
   *
   * @param wait how long to wait for input where no source has any
   * @return whether there was anything to do
   * @throws FailedEventException if the fold stops for a Failed event and one came
   * @throws FencedException if another owner has taken the partition over
   * @throws SourceException if the source cannot go on
   * @throws InterruptedException if the thread was interrupted while waiting for input
   */
  public boolean step(Duration wait) throws InterruptedException {
    if (last.isCompletedExceptionally()) {
      awaitCommits();
    }
    for (int place = 0; place < sources.size(); place++) {
      follow(place);
    }
    for (Store.Claim claim : List.copyOf(store.overtaken(claims.values()))) {
      overtaken(claim);
    }
    for (int tries = 0; tries < sources.size(); tries++) {
      int place = turn;
      turn = (turn + 1) % sources.size();
      Source<E> source = sources.get(place);
      Polled<E> polled =
          source.poll(store.batchSize(), tries == sources.size() - 1 ? wait : Duration.ZERO);
      if (polled != null) {
        judge(source, polled);
      }
      tellCaughtUp(place, polled);
      if (polled != null) {
        return true;
      }
    }
    return false;
  }

  /** A partition that is busy says nothing of the others: each is looked at by itself. */
  private void tellCaughtUp(int place, @Nullable Polled<E> polled) {
    Source<E> source = sources.get(place);
    for (String partition : assigned.get(place)) {
      if (claims.containsKey(partition)
          && !caughtUp.contains(partition)
          && (polled == null || !polled.partition().equals(partition))
          && !source.mayHaveMore(partition, polled == null)) {
        try {
          store.caughtUp(claimOn(partition));
          caughtUp.add(partition);
        } catch (FencedException e) {
          giveUp(source, partition, e);
        }
      }
    }
  }

  private void overtaken(Store.Claim claim) {
    for (int place = 0; place < sources.size(); place++) {
      if (claims.containsKey(claim.partition())
          && assigned.get(place).contains(claim.partition())) {
        giveUp(
            sources.get(place),
            claim.partition(),
            new FencedException(
                "another claim has taken the partition \""
                    + claim.partition()
                    + "\" over, and claim "
                    + claim.epoch()
                    + " holds it no more: is there a second run of this fold, not in the same"
                    + " group?"));
      }
    }
  }

  /** Goes on without a partition, where its source can. */
  private void giveUp(Source<E> source, String partition, FencedException e) {
    if (!source.giveUp(partition)) {
      throw e;
    }
    release(partition);
  }

  /** Claims what a source has come to read, and releases what it reads no more. */
  private void follow(int place) {
    Source<E> source = sources.get(place);
    List<String> all = source.partitions();
    if (!all.equals(expected.get(place))) {
      store.expect(all);
      expected.set(place, List.copyOf(all));
    }
    List<String> now = source.assigned();
    List<String> before = assigned.get(place);
    if (now.equals(before)) {
      return;
    }
    for (String partition : before) {
      if (!now.contains(partition)) {
        release(partition);
      }
    }
    for (String partition : now) {
      if (!before.contains(partition)) {
        claim(source, partition);
      }
    }
    assigned.set(place, List.copyOf(now));
  }

  private void claim(Source<E> source, String partition) {
    if (claims.containsKey(partition)) {
      throw new IllegalArgumentException(
          "two sources read a partition named \"" + partition + "\": name them apart");
    }
    Store.Claim claim = store.claim(partition);
    claims.put(partition, claim);
    source.seek(partition, claim.position());
  }

  private void release(String partition) {
    Store.Claim claim = claims.remove(partition);
    caughtUp.remove(partition);
    if (claim != null) {
      store.release(claim);
    }
  }

  private Store.Claim claimOn(String partition) {
    Store.Claim claim = claims.get(partition);
    if (claim == null) {
      throw new IllegalStateException(
          "the source answers events of the partition \""
              + partition
              + "\", which it did not name");
    }
    return claim;
  }

  /** Judges what was polled, in as many batches as the store wants. */
  private void judge(Source<E> source, Polled<E> polled) {
    caughtUp.remove(polled.partition());
    Polled<E> rest = polled;
    boolean over = rest.to().equals(rest.from());
    while (!over) {
      try {
        int taken = judgeBatch(source, rest);
        over = taken == rest.events().size();
        rest = over ? rest : rest.after(taken);
        if (over && !polled.unread()) {
          caughtUp.add(polled.partition());
        }
      } catch (RejudgeException e) {
        // Nothing of the batch is left anywhere: once more from where it began.
        over = stopping;
      } catch (FencedException e) {
        giveUp(source, polled.partition(), e);
        over = true;
      }
    }
  }

  /** Judges and commits one batch; answers how many events it took: all, or at least one. */
  private int judgeBatch(Source<E> source, Polled<E> polled) {
    List<Verdict<S, O>> verdicts = new ArrayList<>(polled.events().size());
    FailedEventException failed = null;
    Position to = polled.from();
    Counts.Tally tally = new Counts.Tally();
    CompletableFuture<Position> committed;
    try (Store.Batch<S, E, O> batch = store.begin(claimOn(polled.partition()), polled.from())) {
      batch.load(polled.events());
      long latest = latest();
      for (Received<E> received : polled.events()) {
        Verdict<S, O> verdict = judged(received, batch, latest);
        if (verdict instanceof Verdict.Failed<S, O> failure) {
          if (whenFailed == Fold.WhenFailed.STOP
              && !refusing.contains(received.positionId(polled.partition()))) {
            failed = stopped(polled, received, failure);
            break;
          }
          batch.add(received, verdict);
        }
        verdicts.add(verdict);
        tally.add(verdict);
        to = received.next();
        if (batch.isFull()) {
          break;
        }
      }
      boolean all = verdicts.size() == polled.events().size();
      committed = batch.commit(all ? polled.to() : to, polled.unread() || !all);
    }
    counts = counts.plus(tally.counts());
    Polled<E> taken = polled.first(verdicts.size());
    // What one batch fails with is not covered up by the next.
    last =
        CompletableFuture.allOf(
            last,
            committed.thenAccept(
                position -> {
                  source.acknowledge(polled.partition(), position);
                  afterCommit.committed(taken, verdicts);
                }));
    if (failed != null) {
      throw failed;
    }
    return verdicts.size();
  }

  /** The verdict of one event, which is in the batch unless it Failed. */
  private Verdict<S, O> judged(Received<E> received, Store.Batch<S, E, O> batch, long latest) {
    Event<E> event = received.event();
    if (event == null) {
      return new Verdict.Failed<>(
          Verdict.Cause.UNDECODABLE, String.valueOf(received.undecodable()));
    }
    Verdict<S, O> verdict = kernel.judge(event, batch, batch, batch.floor(), latest);
    if (!(verdict instanceof Verdict.Failed)) {
      try {
        batch.add(received, verdict);
      } catch (CodecException e) {
        return new Verdict.Failed<>(Verdict.Cause.UPDATE, String.valueOf(e.getMessage()));
      }
    }
    return verdict;
  }

  private long latest() {
    return fold.ids().kind() == Fold.Ids.Kind.SPAN
        ? clock.millis() + fold.ids().aheadMillis()
        : Kernel.NO_LIMIT;
  }

  private FailedEventException stopped(
      Polled<E> polled, Received<E> received, Verdict.Failed<S, O> failure) {
    return new FailedEventException(
        polled.partition(),
        received.offset(),
        received.positionId(polled.partition()),
        received.event(),
        failure,
        "Nothing of this event is applied, everything before it is. Mend the cause and run again, or"
            + " let the run refuse this event (Runner.refusing), or the fold all failed events"
            + " (whenFailed)");
  }
}
