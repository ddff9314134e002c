package dev.oncefold.kafkastreams;

import dev.oncefold.testkit.MoveFeed;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The topic of a feed, on a broker that may be away for a while. */
final class InputTopic implements MoveFeed.Topic {
  private final KafkaProducer<byte[], byte[]> producer;

  InputTopic(String bootstrap) {
    this.producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", bootstrap,
                "acks", "all",
                "linger.ms", "5",
                "request.timeout.ms", String.valueOf(CrashRig.REQUEST_MILLIS),
                // Of a producer that is new to it a broker takes the second batch without the
                // first, where that came before the topic was ready, and then never the first.
                "max.in.flight.requests.per.connection", "1",
                "delivery.timeout.ms", "240000",
                "max.block.ms", "120000"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  @Override
  public Callable<Long> send(int partition, String key, String id, String payload) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            CrashWorker.INPUT, partition, CrashWorker.bytes(key), CrashWorker.bytes(payload));
    record.headers().add(Moves.ID, CrashWorker.bytes(id));
    Future<RecordMetadata> standing = producer.send(record);
    return () -> standing.get().offset();
  }

  @Override
  public void close() {
    producer.close(Duration.ofMinutes(2));
  }
}
