package dev.oncefold.kafkastreams;

import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Makes an event of each record and judges it at once, where the input is partitioned by key.
 *
 * @param <K> the type of the input's keys
 * @param <V> the type of the input's values
 * @param <E> the type of the events' values
 * @param <M> the type of what is sent on
 */
final class Straight<K, V, E, M> implements Processor<K, V, String, M> {
  private final Arrivals<K, V, E> arrivals;
  private final Judging<?, E, ?, M> judging;

  Straight(Arrivals<K, V, E> arrivals, Judging<?, E, ?, M> judging) {
    this.arrivals = arrivals;
    this.judging = judging;
  }

  @Override
  public void init(ProcessorContext<String, M> begun) {
    arrivals.begin(begun);
    judging.init(begun);
  }

  @Override
  public void close() {
    judging.close();
    arrivals.end();
  }

  @Override
  public void process(Record<K, V> record) {
    Arrived<E> arrived = arrivals.of(record);
    if (arrived != null) {
      judging.take(arrived, Math.max(0, record.timestamp()));
    }
  }
}
