package dev.oncefold.bench;

import dev.oncefold.flink.FlinkJob;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.function.SerializableFunction;
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
  public interface In {
    String account();

    String kind();

    long cents();
  }

  /** All that the job needs of it. */
  public record Paid(String account, String kind, long cents) implements In {}

  /** And where it stood, for the id of what goes out. */
  public record PaidAt(String account, String kind, long cents, int partition, long offset)
      implements In {}

  /** A state. */
  public record Kept(long cents, long payments) {}

  /** What goes out. */
  public interface Out {
    String account();

    long cents();
  }

  /** All that the job has to say. */
  public record Sent(String account, long cents) implements Out {}

  /** And an id, by which readers know it again. */
  public record SentAs(String account, long cents, String id) implements Out {}

  /** As it is written without more ado. */
  static void in(
      StreamExecutionEnvironment environment,
      String bootstrap,
      String application,
      String outputs) {
    in(
        environment,
        bootstrap,
        application,
        new Reading<>(
            Paid.class,
            (payment, record) -> new Paid(payment.account(), payment.kind(), payment.cents())),
        new Accounts<>((paid, cents) -> new Sent(paid.account(), cents)),
        Sent.class,
        new Writing<>(outputs, null));
  }

  /** With an id in each output, the one that the fold gives it. */
  static void withIds(
      StreamExecutionEnvironment environment,
      String bootstrap,
      String application,
      String outputs) {
    in(
        environment,
        bootstrap,
        application,
        new Reading<>(
            PaidAt.class,
            (payment, record) ->
                new PaidAt(
                    payment.account(),
                    payment.kind(),
                    payment.cents(),
                    record.partition(),
                    record.offset())),
        new Accounts<>(
            (paid, cents) ->
                new SentAs(
                    paid.account(),
                    cents,
                    "accounts/"
                        + paid.account()
                        + '/'
                        + StreamsRig.TOPIC
                        + '-'
                        + paid.partition()
                        + '@'
                        + paid.offset()
                        + "/0")),
        SentAs.class,
        new Writing<>(outputs, SentAs::id));
  }

  private static <I extends In, O extends Out> void in(
      StreamExecutionEnvironment environment,
      String bootstrap,
      String application,
      Reading<I> reading,
      Accounts<I, O> accounts,
      Class<O> out,
      Writing<O> writing) {
    KafkaSource<I> source =
        KafkaSource.<I>builder()
            .setBootstrapServers(bootstrap)
            .setGroupId(application)
            .setTopics(StreamsRig.TOPIC)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setProperty("isolation.level", "read_committed")
            .setDeserializer(reading)
            .build();
    Properties settings = new Properties();
    settings.setProperty("transaction.timeout.ms", "600000");
    KafkaSink<O> sink =
        KafkaSink.<O>builder()
            .setBootstrapServers(bootstrap)
            .setKafkaProducerConfig(settings)
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(application)
            .setRecordSerializer(writing)
            .build();
    environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "payments")
        .keyBy(In::account, Types.STRING)
        .process(accounts)
        .returns(out)
        .sinkTo(sink);
  }

  /** Makes of a payment, and where it was read, what the job works with. */
  @FunctionalInterface
  private interface Making<I> extends Serializable {
    I of(Workload.Payment payment, ConsumerRecord<byte[], byte[]> record);
  }

  private record Reading<I>(Class<I> type, Making<I> making)
      implements KafkaRecordDeserializationSchema<I> {
    private static final long serialVersionUID = 1;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<I> out) {
      out.collect(making.of(Payments.decode(record.value()).value(), record));
    }

    @Override
    public TypeInformation<I> getProducedType() {
      return TypeInformation.of(type);
    }
  }

  /** Makes what goes out of what came in, and the balance. */
  @FunctionalInterface
  private interface Telling<I, O> extends Serializable {
    O of(I paid, long cents);
  }

  private static final class Accounts<I extends In, O> extends KeyedProcessFunction<String, I, O> {
    private static final long serialVersionUID = 1;
    private final Telling<I, O> telling;
    private transient ValueState<Kept> state;

    @SuppressWarnings("NullAway.Init") // Flink calls open before anything else
    Accounts(Telling<I, O> telling) {
      this.telling = telling;
    }

    @Override
    public void open(OpenContext context) {
      state = getRuntimeContext().getState(new ValueStateDescriptor<>("account", Kept.class));
    }

    @Override
    public void processElement(I paid, Context context, Collector<O> out) throws Exception {
      Kept before = state.value();
      long cents = before == null ? Rig.BALANCE : before.cents();
      Kept after =
          new Kept(
              cents + (paid.kind().equals("withdraw") ? -paid.cents() : paid.cents()),
              before == null ? 1 : before.payments() + 1);
      state.update(after);
      out.collect(telling.of(paid, after.cents()));
    }
  }

  private record Writing<O extends Out>(String topic, @Nullable SerializableFunction<O, String> id)
      implements KafkaRecordSerializationSchema<O> {
    private static final long serialVersionUID = 1;

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        O sent, KafkaSinkContext context, @Nullable Long timestamp) {
      ProducerRecord<byte[], byte[]> record =
          new ProducerRecord<>(
              topic, sent.account().getBytes(StandardCharsets.UTF_8), Way.receipt(sent.cents()));
      if (id != null) {
        record.headers().add(FlinkJob.ID, id.apply(sent).getBytes(StandardCharsets.UTF_8));
      }
      return record;
    }
  }
}
