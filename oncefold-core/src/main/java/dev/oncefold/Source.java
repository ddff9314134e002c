package dev.oncefold;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replayable, partitioned input. Reading again from a position gives the same events in the same
 * order.
 *
 * <p>Driven by one thread, except where a method says otherwise.
 *
 * @param <E> the type of the events' values
 */
public interface Source<E> extends AutoCloseable {
  /**
   * All partitions of the input, also those that others read. What is unread in any of them holds
   * the floor.
   *
   * @return their names, which identify them in the store for ever; may grow
   */
  List<String> partitions();

  /**
   * The partitions that this source reads now. Asked before every {@link #poll}: one that is new is
   * claimed, and one that is gone is released.
   *
   * @return names of {@link #partitions}; all of them, unless a group shares them out
   */
  default List<String> assigned() {
    return partitions();
  }

  /**
   * Goes to where the store has applied a partition. Called for each partition once it is {@link
   * #assigned}, before events of it are polled.
   *
   * @param partition the partition's name
   * @param position the position to read from
   * @throws SourceException if the input no longer holds what stood before the position
   */
  void seek(String partition, Position position);

  /**
   * Reads the next batch of one partition.
   *
   * @param max the most events wanted
   * @param wait how long to wait where there is nothing to read; zero does not wait
   * @return the batch, or null where there was nothing
   * @throws SourceException if the input cannot be read or is not what it was
   * @throws InterruptedException if the thread was interrupted while waiting
   */
  @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException;

  /**
   * Whether a partition may have something to read, as far as the source knows. Asked after each
   * {@link #poll}, of the partitions of which it answered nothing. As long as that is so the
   * partition holds the floor.
   *
   * @param partition one of {@link #assigned}
   * @param idle whether the poll answered nothing at all. If not, it answered events of another
   *     partition, and need not have looked at this one
   * @return unless overridden, false where the poll answered nothing at all: right for a source
   *     whose polls look at every partition before they say so
   */
  default boolean mayHaveMore(String partition, boolean idle) {
    return !idle;
  }

  /**
   * Told that another owner has taken a partition over.
   *
   * @param partition the partition's name
   * @return whether this source goes on without it, as a member of a group does: it comes back to
   *     {@link #assigned} only when the group gives it to this source anew. False where the run is
   *     to stop
   */
  default boolean giveUp(String partition) {
    return false;
  }

  /**
   * Whether a poll can ever answer anything again.
   *
   * @return true once a finite input was read to its end
   */
  boolean ended();

  /**
   * The store holds everything before a position. Called after the commit point, in order, by any
   * one thread at a time.
   *
   * @param partition the partition's name
   * @param position the position
   */
  default void acknowledge(String partition, Position position) {}

  @Override
  void close();
}
