package dev.oncefold.flink;

import dev.oncefold.Event;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Makes an event of a record of the input. It travels with the job's plan, so it holds nothing that
 * cannot be serialized.
 *
 * @param <R> the type of the input's records
 * @param <E> the type of the events' values
 */
@FunctionalInterface
public interface Reading<R, E> extends Serializable {
  /**
   * Makes an event of a record.
   *
   * @param record the record. Of a topic, key and value may be null
   * @return the event; null where the record is none
   * @throws Exception any exception makes the record a Failed event; but one that has a {@link
   *     org.apache.kafka.common.errors.RetriableException} as a cause, or is one, says that
   *     something is away, and fails the task: the job restarts as it is set to
   */
  @Nullable Event<E> read(R record) throws Exception;
}
