package dev.oncefold.flink;

import dev.oncefold.Event;
import dev.oncefold.testkit.Fields;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The same fold in a stream made by hand, whose outputs go to Flink's own sink, at least once: what
 * was sent since the last checkpoint is sent again.
 */
final class PlainJob {
  private PlainJob() {}

  static void build(StreamExecutionEnvironment environment, String bootstrap) {
    KafkaSource<String> source =
        KafkaSource.<String>builder()
            .setBootstrapServers(bootstrap)
            .setTopics(CrashWorker.INPUT)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(new Lined())
            .build();
    FoldStreams<Trace, Move, String> folded =
        FlinkFold.of(() -> Moves.fold(null))
            .storedAs(CrashWorker.NAME)
            .in(
                environment
                    .fromSource(source, WatermarkStrategy.noWatermarks(), "input")
                    .uid(CrashWorker.NAME + "-input"),
                PlainJob::read);
    folded
        .outputs(TraceModel.OUTPUT)
        .sinkTo(
            PlainJob.sink(
                bootstrap,
                (each, context, time) ->
                    message(
                        CrashWorker.OUTPUTS, each.key(), each.id(), Servers.bytes(each.value()))));
    folded
        .refusals()
        .sinkTo(
            PlainJob.sink(
                bootstrap,
                (each, context, time) ->
                    message(
                        CrashWorker.REFUSALS,
                        each.key() == null ? "" : each.key(),
                        String.valueOf(each.id()),
                        CrashWorker.letter(each.verdict()))));
  }

  private static <T> KafkaSink<T> sink(
      String bootstrap, KafkaRecordSerializationSchema<T> messages) {
    return KafkaSink.<T>builder()
        .setBootstrapServers(bootstrap)
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .setRecordSerializer(messages)
        .build();
  }

  private static ProducerRecord<byte[], byte[]> message(
      String topic, String key, String id, byte[] value) {
    ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(topic, Servers.bytes(key), value);
    message.headers().add(FlinkJob.ID, Servers.bytes(id));
    return message;
  }

  private static Event<Move> read(String line) {
    List<String> fields = Fields.split(line);
    return new Event<>(fields.get(0), fields.get(1), null, Move.parse(fields.get(2)));
  }

  /** Records as lines. */
  private static final class Lined implements KafkaRecordDeserializationSchema<String> {
    private static final long serialVersionUID = 1;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<String> out) {
      out.collect(
          Fields.join(
              Servers.text(record.headers().lastHeader(Moves.ID).value()),
              Servers.text(record.key()),
              Servers.text(record.value())));
    }

    @Override
    public TypeInformation<String> getProducedType() {
      return Types.STRING;
    }
  }
}
