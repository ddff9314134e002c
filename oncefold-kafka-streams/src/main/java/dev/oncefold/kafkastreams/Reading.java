package dev.oncefold.kafkastreams;

import dev.oncefold.Event;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Makes an event of a record of the input.
 *
 * @param <K> the type of the input's keys
 * @param <V> the type of the input's values
 * @param <E> the type of the events' values
 */
@FunctionalInterface
public interface Reading<K, V, E> {
  /**
   * Makes an event of a record. A tombstone comes here, too: its value is null.
   *
   * @param record the record, with key, value, headers and where it was read. Key and value may be
   *     null whatever their types say
   * @return the event; null where the record is none
   * @throws Exception any exception makes the record a Failed event; but one that has a {@link
   *     org.apache.kafka.common.errors.RetriableException} as a cause, or is one, says that
   *     something is away, and stops the thread: a new one reads the record again
   */
  @Nullable Event<E> read(ConsumerRecord<K, V> record) throws Exception;
}
