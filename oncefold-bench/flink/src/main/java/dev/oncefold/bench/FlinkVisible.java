package dev.oncefold.bench;

import dev.oncefold.Event;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * From produce to an output that readers of committed messages are given, at a fixed rate. Each
 * event has a key of its own, by which its output is known. Times count from when an event was due,
 * not from when it was sent, so that a stall is not left out.
 */
final class FlinkVisible {
  private static final int WARMUP_SECONDS = 10;

  private FlinkVisible() {}

  static void run(Settings settings) throws Exception {
    int rate = settings.number("rate", 1000);
    int seconds = settings.number("seconds", 30);
    String only = settings.text("only", "");
    for (Way way : Way.EVERYWHERE) {
      if (!way.isMeant(only)) {
        continue;
      }
      try (StreamsRig rig = StreamsRig.start(settings)) {
        long[] nanos = measure(rig, way, rate, seconds, settings);
        System.out.printf(
            "%-20s produce to visible output at %,d events/s for %d s, checkpoints every %d ms: p50"
                + " %.0f ms, p90 %.0f ms, p99 %.0f ms, max %.0f ms%n",
            way.name,
            rate,
            seconds,
            settings.number("interval", 1000),
            Latency.at(nanos, 0.5),
            Latency.at(nanos, 0.9),
            Latency.at(nanos, 0.99),
            nanos[nanos.length - 1] / 1e6);
      }
    }
  }

  private static long[] measure(StreamsRig rig, Way way, int rate, int seconds, Settings settings)
      throws Exception {
    String outputs = "receipts";
    rig.create(StreamsRig.TOPIC);
    rig.create(outputs);
    int warmup = rate * WARMUP_SECONDS;
    long[] nanos = new long[warmup + rate * seconds];
    try (FlinkPeer peer = FlinkPeer.start(way, rig, outputs, settings);
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(
                Map.of("bootstrap.servers", rig.bootstrap(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          IntStream.range(0, StreamsRig.PARTITIONS)
              .mapToObj(i -> new TopicPartition(outputs, i))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long begin = System.nanoTime() + 3_000_000_000L;
      Thread producing = new Thread(() -> produce(rig, begin, rate, nanos.length));
      producing.start();
      for (int seen = 0; seen < nanos.length; ) {
        peer.check();
        var records = consumer.poll(Duration.ofMillis(100));
        long at = System.nanoTime();
        for (ConsumerRecord<byte[], byte[]> each : records) {
          int event = Integer.parseInt(new String(each.key(), StandardCharsets.UTF_8));
          if (nanos[event] != 0) {
            throw new IllegalStateException("the output of event " + event + " came twice");
          }
          nanos[event] = at - due(begin, rate, event);
          seen++;
        }
      }
      producing.join();
    }
    long[] measured = Arrays.copyOfRange(nanos, warmup, nanos.length);
    Arrays.sort(measured);
    return measured;
  }

  private static long due(long begin, int rate, int event) {
    return begin + event * 1_000_000_000L / rate;
  }

  private static void produce(StreamsRig rig, long begin, int rate, int events) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", rig.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < events; i++) {
        long due = due(begin, rate, i);
        while (System.nanoTime() < due) {
          LockSupport.parkNanos(due - System.nanoTime());
        }
        String key = String.valueOf(i);
        var unused =
            producer.send(
                Rig.record(
                    StreamsRig.TOPIC,
                    new Event<>(
                        "pay-" + i,
                        key,
                        Workload.BEGIN.plusMillis(i),
                        new Workload.Payment(key, "deposit", 100))));
      }
    }
  }
}
