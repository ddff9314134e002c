package dev.oncefold.kafkastreams;

import dev.oncefold.verify.Observation;
import dev.oncefold.verify.TraceModel.Move;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends moves into a topic at some pace, each key's into one partition; if wanted some of them
 * again, and a few with another payload. It knows what stands where.
 */
final class Feed {
  static final String ID = "id";

  private final CrashRig.Plan plan;
  private final Random random;
  private final List<List<Sent>> standing = new ArrayList<>();
  private final int[] told;
  private final KafkaProducer<byte[], byte[]> producer;
  private volatile boolean enough;
  private volatile int sent;

  /** A record that was sent. */
  private record Sent(
      int partition, String key, String id, String payload, Future<RecordMetadata> at) {}

  Feed(String bootstrap, CrashRig.Plan plan) {
    this.plan = plan;
    this.random = new Random(plan.seed());
    this.told = new int[CrashRig.PARTITIONS];
    for (int i = 0; i < CrashRig.PARTITIONS; i++) {
      standing.add(new ArrayList<>());
    }
    this.producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", bootstrap,
                "acks", "all",
                "linger.ms", "5",
                // The broker will be away for a while.
                "delivery.timeout.ms", "240000",
                "max.block.ms", "120000"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /** Sends everything, so many a second. */
  void run(int perSecond) {
    List<Sent> old = new ArrayList<>();
    long begin = System.nanoTime();
    int seq = 0;
    for (; seq < plan.events() || !enough; seq++) {
      long due = begin + seq * 1_000_000_000L / perSecond;
      for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
        LockSupport.parkNanos(due - now);
      }
      if (plan.resends() && !old.isEmpty() && random.nextInt(10) == 0) {
        again(old.get(random.nextInt(old.size())));
      } else if (random.nextInt(500) == 0) {
        send(random.nextInt(CrashRig.PARTITIONS), "nobody", "x" + seq, "?");
      } else {
        old.add(make(seq));
      }
    }
    producer.close(Duration.ofMinutes(2));
    sent = seq;
  }

  /** Nothing waits for events any more: once there are as many as there are to be, it ends. */
  void enough() {
    enough = true;
  }

  /** How many records it has sent, once it is over. */
  int sent() {
    return sent;
  }

  private Sent make(int seq) {
    // One event of twenty is of a hot key.
    String key = random.nextInt(20) == 0 ? "k0" : "k" + random.nextInt(plan.keys());
    long amount = random.nextInt(100);
    Move move = new Move(seq, List.of(key), List.of(random.nextInt(10) == 0 ? -amount : amount));
    return send(Math.floorMod(key.hashCode(), CrashRig.PARTITIONS), key, "e" + seq, move.text());
  }

  private void again(Sent first) {
    String payload = first.payload();
    if (random.nextInt(20) == 0) {
      Move move = Move.parse(payload);
      payload = new Move(move.seq(), move.keys(), List.of(move.amounts().get(0) + 1)).text();
    }
    send(first.partition(), first.key(), first.id(), payload);
  }

  private Sent send(int partition, String key, String id, String payload) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            CrashWorker.INPUT,
            partition,
            key.getBytes(StandardCharsets.UTF_8),
            payload.getBytes(StandardCharsets.UTF_8));
    record.headers().add(ID, id.getBytes(StandardCharsets.UTF_8));
    Sent made = new Sent(partition, key, id, payload, producer.send(record));
    synchronized (standing) {
      standing.get(partition).add(made);
    }
    return made;
  }

  /** Tells what stands in a partition before an offset, and was not told; waits for the answers. */
  void tell(int partition, long to, Consumer<Observation> history) throws InterruptedException {
    while (true) {
      Sent one;
      synchronized (standing) {
        List<Sent> all = standing.get(partition);
        one = told[partition] < all.size() ? all.get(told[partition]) : null;
      }
      if (one == null) {
        return;
      }
      Observation.Input input = input(one);
      if (input.at() >= to) {
        return;
      }
      history.accept(input);
      told[partition]++;
    }
  }

  private static Observation.Input input(Sent one) throws InterruptedException {
    long at;
    try {
      at = one.at().get().offset();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a record was not sent", e.getCause());
    }
    boolean event = !one.payload().equals("?");
    return new Observation.Input(
        CrashWorker.INPUT + "-" + one.partition(),
        at,
        at + 1,
        event ? one.key() : null,
        event ? one.id() : null,
        null,
        one.payload());
  }
}
