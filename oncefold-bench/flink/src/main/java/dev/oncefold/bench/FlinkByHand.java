package dev.oncefold.bench;

import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Payments into accounts as one writes it for Flink by hand: a keyed function with a state, between
 * Flink's own source and sink, exactly once. Its types are those that Flink writes by serializers
 * of its own, fields in turn, and not by Kryo.
 */
public final class FlinkByHand {
  private FlinkByHand() {}

  /** What came in. */
  public record Paid(String account, String kind, long cents) {}

  /** A state. */
  public record Kept(long cents, long payments) {}

  /** What goes out. */
  public record Sent(String account, long cents) {}

  static void in(
      StreamExecutionEnvironment environment,
      String bootstrap,
      String application,
      String outputs) {
    KafkaSource<Paid> source =
        KafkaSource.<Paid>builder()
            .setBootstrapServers(bootstrap)
            .setGroupId(application)
            .setTopics(StreamsRig.TOPIC)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setProperty("isolation.level", "read_committed")
            .setDeserializer(new Reading())
            .build();
    Properties settings = new Properties();
    settings.setProperty("transaction.timeout.ms", "600000");
    KafkaSink<Sent> sink =
        KafkaSink.<Sent>builder()
            .setBootstrapServers(bootstrap)
            .setKafkaProducerConfig(settings)
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(application)
            .setRecordSerializer(new Writing(outputs))
            .build();
    environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "payments")
        .keyBy(Paid::account)
        .process(new Accounts())
        .sinkTo(sink);
  }

  private static final class Reading implements KafkaRecordDeserializationSchema<Paid> {
    private static final long serialVersionUID = 1;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Paid> out) {
      Workload.Payment payment = Payments.decode(record.value()).value();
      out.collect(new Paid(payment.account(), payment.kind(), payment.cents()));
    }

    @Override
    public TypeInformation<Paid> getProducedType() {
      return TypeInformation.of(Paid.class);
    }
  }

  private static final class Accounts extends KeyedProcessFunction<String, Paid, Sent> {
    private static final long serialVersionUID = 1;
    private transient ValueState<Kept> state;

    @SuppressWarnings("NullAway.Init") // Flink calls open before anything else
    Accounts() {}

    @Override
    public void open(OpenContext context) {
      state = getRuntimeContext().getState(new ValueStateDescriptor<>("account", Kept.class));
    }

    @Override
    public void processElement(Paid paid, Context context, Collector<Sent> out) throws Exception {
      Kept before = state.value();
      long cents = before == null ? Rig.BALANCE : before.cents();
      Kept after =
          new Kept(
              cents + (paid.kind().equals("withdraw") ? -paid.cents() : paid.cents()),
              before == null ? 1 : before.payments() + 1);
      state.update(after);
      out.collect(new Sent(paid.account(), after.cents()));
    }
  }

  private record Writing(String topic) implements KafkaRecordSerializationSchema<Sent> {
    private static final long serialVersionUID = 1;

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Sent sent, KafkaSinkContext context, @Nullable Long timestamp) {
      return new ProducerRecord<>(
          topic, sent.account().getBytes(StandardCharsets.UTF_8), Way.receipt(sent.cents()));
    }
  }
}
