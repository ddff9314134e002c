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
   * The partitions that this source reads.
   *
   * @return their names, which identify them in the store for ever
   */
  List<String> partitions();

  /**
   * Goes to where the store has applied a partition. Called once for each partition before the
   * first {@link #poll}.
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
