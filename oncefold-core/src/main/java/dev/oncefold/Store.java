package dev.oncefold;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Commits slots, ids, outputs, refusals, counts and positions atomically. The store is the fence:
 * it mints the epochs, and refuses whoever does not hold the newest one or starts from another
 * position than the one stored.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public interface Store<S, E, O> {
  /** The size of batches unless a store says otherwise, in events. */
  int USUAL_BATCH = 512;

  /**
   * The size of batches that this store commits best.
   *
   * @return the most events to put into one batch
   */
  default int batchSize() {
    return USUAL_BATCH;
  }

  /**
   * Tells all partitions of an input, those of other owners too: as long as one of them was never
   * read to its end the floor waits for it. Called before the first claim, and when partitions were
   * added.
   *
   * @param partitions their names
   */
  default void expect(List<String> partitions) {}

  /**
   * Gives a partition back: somebody else may claim it. What is held in memory for it is dropped.
   *
   * @param claim the claim, fenced or not
   */
  default void release(Claim claim) {}

  /**
   * Told, from any thread, that the run is to stop: a store that waits for a database which is away
   * waits no longer, and what it was asked for fails.
   */
  default void stopping() {}

  /**
   * Takes a partition over. From here on every older claim on it is fenced. A claimed partition
   * counts as having unread input until a batch or {@link #caughtUp} says otherwise, so claim all
   * partitions of a run before the first batch.
   *
   * @param partition the partition's name
   * @return the claim
   */
  Claim claim(String partition);

  /**
   * Says that a claimed partition has nothing left to read for now, so that it does not hold the
   * floor down.
   *
   * @param claim the claim
   * @throws FencedException if another claim took the partition over: nothing was noted
   */
  void caughtUp(Claim claim);

  /**
   * Which of some claims another one has taken over since. Asked between batches: where nothing is
   * read no batch tells, and a partition whose owner has not heard of it holds the floor and sends
   * nothing. A store that has to ask somebody else does so now and then, and answers none in
   * between.
   *
   * @param claims the claims that a run holds
   * @return those of them that are known to be fenced
   */
  default Collection<Claim> overtaken(Collection<Claim> claims) {
    return List.of();
  }

  /**
   * Starts a batch. It may wait while earlier batches are on their way to the disk, and it keeps
   * other batches of this store out until it is committed or closed.
   *
   * @param claim the claim on the partition
   * @param from where the batch starts
   * @return the batch
   * @throws FencedException if another claim took the partition over, or the stored position is not
   *     {@code from}
   * @throws RejudgeException if the same batch is to be begun again
   */
  Batch<S, E, O> begin(Claim claim, Position from);

  /**
   * A claim on a partition.
   *
   * @param partition the partition's name
   * @param epoch the number of the claim; the greatest holds
   * @param position how far the partition has been applied
   */
  record Claim(String partition, long epoch, Position position) {}

  /**
   * Events judged and to be committed together. Used by one thread. {@link #close} without {@link
   * #commit} drops all of it; where the store cannot undo what it holds in memory it stops.
   *
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   */
  interface Batch<S, E, O> extends Kernel.Slots<S>, Kernel.Seen, AutoCloseable {
    /**
     * The floor under which this batch is judged.
     *
     * @return the greatest event time (epoch milliseconds) whose ids may have been forgotten
     */
    long floor();

    /**
     * Told once, before the first event is judged, what the batch will be asked for: a store may
     * read it all at once.
     *
     * @param events the events, in the order in which they are judged and added
     * @throws RejudgeException if the batch is to be begun again
     */
    void load(List<Received<E>> events);

    /**
     * Adds an event with its verdict; later events of the batch see its effect.
     *
     * @param received what was read
     * @param verdict its verdict
     * @throws CodecException if the state, an output or the event cannot be written; then nothing
     *     was added
     */
    void add(Received<E> received, Verdict<S, O> verdict);

    /**
     * Whether the batch has become so large that it should be committed before more is added.
     *
     * @return true from some size on
     */
    boolean isFull();

    /**
     * Commits: all of the batch or nothing.
     *
     * @param to the position after the last event added
     * @param unread whether the partition has more to read
     * @return completes after the commit point, in the order of the commits; fails if the store
     *     failed. What depends on it must not block the thread that completes it
     * @throws FencedException if another claim took the partition over: nothing was committed
     * @throws RejudgeException if nothing was committed, and the same events are to be judged again
     */
    CompletableFuture<Position> commit(Position to, boolean unread);

    @Override
    void close();
  }
}
