package dev.oncefold.kafkastreams;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Makes an event of each record of the input, and notes where it was read.
 *
 * @param <K> the type of the input's keys
 * @param <V> the type of the input's values
 * @param <E> the type of the events' values
 */
final class Arrivals<K, V, E> {
  private final Plan<?, E, ?> plan;
  private final Reading<K, V, E> reading;
  private @Nullable ProcessingContext context;
  private @Nullable Origin last;

  Arrivals(Plan<?, E, ?> plan, Reading<K, V, E> reading) {
    this.plan = plan;
    this.reading = reading;
  }

  void begin(ProcessingContext begun) {
    Settings.check(begun.appConfigs());
    plan.backlog().enter(begun.appConfigs(), false);
    context = begun;
    last = null;
  }

  void end() {
    if (context != null) {
      plan.backlog().leave();
      context = null;
    }
  }

  private ProcessingContext context() {
    if (context == null) {
      throw new IllegalStateException("not begun");
    }
    return context;
  }

  /** What came in by a record; null where it is no event. */
  @Nullable Arrived<E> of(Record<K, V> record) {
    Origin origin = origin();
    String replaced = plan.backlog().replaced();
    if (replaced != null) {
      throw new FoldStopped(
          "the topic "
              + replaced
              + " was deleted and made anew while it was read. Begin anew under another application"
              + " id, or restore the topic");
    }
    return arrived(record, origin);
  }

  private Origin origin() {
    RecordMetadata at = context().recordMetadata().orElse(null);
    String topic = at == null ? "" : at.topic();
    int partition = at == null ? 0 : at.partition();
    long offset = at == null ? 0 : at.offset();
    Origin before = last;
    int place =
        before != null
                && before.offset() == offset
                && before.partition() == partition
                && before.topic().equals(topic)
            ? before.place() + 1
            : 0;
    String topicId =
        !plan.isStraight()
            ? ""
            : before != null && before.topic().equals(topic)
                ? before.topicId()
                : plan.backlog().topicId(topic);
    Origin now = new Origin(topic, topicId, partition, offset, place);
    last = now;
    return now;
  }

  private @Nullable Arrived<E> arrived(Record<K, V> record, Origin origin) {
    try {
      Event<E> event = reading.read(consumed(record, origin));
      if (event == null) {
        return null;
      }
      if (plan.repartitions()) {
        // What cannot be written cannot go there, and must not fail where a handler may skip it.
        new ArrivedSerde<>(plan.fold()).bytes(Arrived.of(origin, event));
      }
      return Arrived.of(origin, event);
    } catch (Exception e) {
      for (Throwable each = e; each != null; each = each.getCause()) {
        if (each instanceof RetriableException) {
          throw Routing.again(origin.id() + " cannot be read now", each);
        }
      }
      String why = e.getMessage() == null ? e.toString() : e.getMessage();
      return Arrived.undecodable(
          origin,
          why,
          record.value() instanceof byte[] bytes ? bytes : null,
          plan.repartitions() && plan.fold().whenFailed() == Fold.WhenFailed.STOP);
    }
  }

  private static <K, V> ConsumerRecord<K, V> consumed(Record<K, V> record, Origin origin) {
    return new ConsumerRecord<>(
        origin.topic(),
        origin.partition(),
        origin.offset(),
        record.timestamp(),
        TimestampType.CREATE_TIME,
        ConsumerRecord.NULL_SIZE,
        ConsumerRecord.NULL_SIZE,
        record.key(),
        record.value(),
        record.headers(),
        Optional.empty());
  }
}
