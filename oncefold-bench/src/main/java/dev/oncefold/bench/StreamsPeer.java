package dev.oncefold.bench;

import dev.oncefold.Output;
import dev.oncefold.kafkastreams.StreamsApplication;
import dev.oncefold.kafkastreams.StreamsFold;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Payments from a topic into accounts, one receipt each to another topic, by Kafka Streams: this
 * project's way, and as one writes it by hand. All decode and write the same bytes.
 */
final class StreamsPeer implements AutoCloseable {
  private final Way way;
  private final String application;
  private final KafkaStreams streams;
  private final AtomicReference<@Nullable Throwable> failure;

  private StreamsPeer(
      Way way,
      String application,
      KafkaStreams streams,
      AtomicReference<@Nullable Throwable> failure) {
    this.way = way;
    this.application = application;
    this.streams = streams;
    this.failure = failure;
  }

  /**
   * Starts an instance.
   *
   * @param directory for its state, the same for all instances that run after one another
   * @param more settings of Kafka Streams
   */
  static StreamsPeer start(
      Way way,
      String bootstrap,
      String application,
      String outputs,
      Path directory,
      Map<String, ?> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("state.dir", directory.toAbsolutePath().toString());
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    if (way == Way.BY_HAND) {
      settings.put("bootstrap.servers", bootstrap);
      settings.put("application.id", application);
      settings.put("processing.guarantee", "exactly_once_v2");
      settings.put("auto.offset.reset", "earliest");
      Properties properties = new Properties();
      properties.putAll(settings);
      KafkaStreams streams = new KafkaStreams(byHand(outputs).build(), properties);
      streams.setUncaughtExceptionHandler(
          thrown -> {
            failure.set(thrown);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      streams.start();
      return new StreamsPeer(way, application, streams, failure);
    }
    var run =
        StreamsApplication.of(bootstrap, application, StreamsFold.of(way.fold()).partitionedByKey())
            .from(record -> way.event(record.value()), StreamsRig.TOPIC)
            .output(Output.DEFAULT, outputs, emitted -> Way.receipt(emitted.value().cents()))
            .with(settings)
            .start();
    Thread watch =
        new Thread(
            () -> {
              try {
                run.await();
              } catch (InterruptedException | RuntimeException e) {
                failure.set(e);
              }
            },
            "bench-watch");
    watch.setDaemon(true);
    watch.start();
    return new StreamsPeer(way, application, run.streams(), failure);
  }

  /** A cache would send one output a commit instead of one an event, so there is none. */
  private static StreamsBuilder byHand(String outputs) {
    StreamsBuilder builder = new StreamsBuilder();
    Serde<Workload.Payment> payments =
        Serdes.serdeFrom(
            (topic, payment) -> {
              throw new UnsupportedOperationException("payments are read only");
            },
            (topic, json) -> Payments.decode(json).value());
    builder.stream(StreamsRig.TOPIC, Consumed.with(Serdes.String(), payments))
        .groupByKey(Grouped.with(Serdes.String(), payments))
        .aggregate(
            () -> new Workload.Account(Rig.BALANCE, 0),
            (key, payment, account) -> Way.after(account, payment),
            Materialized.<String, Workload.Account, KeyValueStore<Bytes, byte[]>>as("accounts")
                .withKeySerde(Serdes.String())
                .withValueSerde(accounts())
                .withCachingDisabled())
        .toStream()
        .mapValues(account -> Way.receipt(account.cents()))
        .to(outputs, Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder;
  }

  private static Serde<Workload.Account> accounts() {
    return Serdes.serdeFrom(
        (topic, account) ->
            ByteBuffer.allocate(16).putLong(account.cents()).putLong(account.payments()).array(),
        (topic, bytes) -> {
          ByteBuffer in = ByteBuffer.wrap(bytes);
          return new Workload.Account(in.getLong(), in.getLong());
        });
  }

  String name() {
    return way.name;
  }

  String application() {
    return application;
  }

  boolean isRunning() {
    return streams.state() == KafkaStreams.State.RUNNING;
  }

  /** Throws if it has stopped. */
  void check() {
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw new IllegalStateException(name() + " has stopped", thrown);
    }
  }

  @Override
  public void close() {
    streams.close(Duration.ofSeconds(60));
  }
}
