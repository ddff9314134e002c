package dev.oncefold.kafkastreams;

import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.TaskCorruptedException;
import org.apache.kafka.streams.errors.TaskMigratedException;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/**
 * Sends each event on under its own key, where the input is not partitioned by it.
 *
 * @param <K> the type of the input's keys
 * @param <V> the type of the input's values
 * @param <E> the type of the events' values
 */
final class Routing<K, V, E> implements Processor<K, V, String, Arrived<E>> {
  static final String LATE = "the cluster did not answer in time";

  private final Arrivals<K, V, E> arrivals;
  private @Nullable ProcessorContext<String, Arrived<E>> context;

  Routing(Plan<?, E, ?> plan, Reading<K, V, E> reading) {
    this.arrivals = new Arrivals<>(plan, reading);
  }

  @Override
  public void init(ProcessorContext<String, Arrived<E>> begun) {
    arrivals.begin(begun);
    context = begun;
  }

  @Override
  public void close() {
    arrivals.end();
    context = null;
  }

  private ProcessorContext<String, Arrived<E>> context() {
    if (context == null) {
      throw new IllegalStateException("not begun");
    }
    return context;
  }

  @Override
  public void process(Record<K, V> record) {
    Arrived<E> arrived = arrivals.of(record);
    if (arrived == null) {
      return;
    }
    try {
      context()
          .forward(
              new Record<>(
                  arrived.key(), arrived, Math.max(0, record.timestamp()), new RecordHeaders()));
    } catch (TimeoutException | TaskCorruptedException e) {
      throw again(LATE, e);
    }
  }

  /**
   * Gives up what is not committed, and begins again with it. Kafka Streams does so with all tasks
   * of a thread that has lost them. A timeout, and what it makes of one of the producer's, it
   * answers otherwise: it commits the other tasks, and with them what this one has sent so far; and
   * while the group rebalances it does not, and aborts what they have not committed. And an
   * exception of any other kind may be skipped, with its event, by a handler of the application.
   */
  static TaskMigratedException again(String why, Throwable cause) {
    return new TaskMigratedException(why, cause);
  }
}
