package dev.oncefold.postgres;

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
 * Sends moves into a topic at some pace, some of them again: by the same producer or a new one, at
 * once or later, into the same partition or another, and a few with another payload. It knows what
 * stands where.
 */
final class Feed {
  static final String ID = "id";

  private final String bootstrap;
  private final String topic;
  private final int partitions;
  private final int keys;
  private final int events;
  private final boolean shared;
  private final Random random;
  private final List<List<Sent>> standing = new ArrayList<>();
  private final int[] told;
  private KafkaProducer<byte[], byte[]> producer;
  private volatile boolean enough;
  private volatile int sent;

  /** A record that was sent. */
  private record Sent(
      int partition, String key, String id, String payload, Future<RecordMetadata> at) {}

  Feed(
      String bootstrap,
      String topic,
      int partitions,
      int keys,
      int events,
      boolean shared,
      long seed) {
    this.bootstrap = bootstrap;
    this.topic = topic;
    this.partitions = partitions;
    this.keys = keys;
    this.events = events;
    this.shared = shared;
    this.random = new Random(seed);
    this.producer = newProducer();
    this.told = new int[partitions];
    for (int i = 0; i < partitions; i++) {
      standing.add(new ArrayList<>());
    }
  }

  private KafkaProducer<byte[], byte[]> newProducer() {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers", bootstrap,
            "acks", "all",
            "linger.ms", "5",
            // Of a producer that is new to it a broker may take the second batch without the
            // first: then records would not stand as they were sent.
            "max.in.flight.requests.per.connection", "1",
            // The broker will be away for a while.
            "delivery.timeout.ms", "240000",
            "max.block.ms", "120000"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /** Sends so many a second, until there are as many as there are to be and it is enough. */
  void run(int perSecond) {
    List<Sent> old = new ArrayList<>();
    long begin = System.nanoTime();
    int seq = 0;
    for (; seq < events || !enough; seq++) {
      long due = begin + seq * 1_000_000_000L / perSecond;
      for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
        LockSupport.parkNanos(due - now);
      }
      if (random.nextInt(5000) == 0) {
        producer.close();
        producer = newProducer();
      }
      if (!old.isEmpty() && random.nextInt(10) == 0) {
        again(old.get(random.nextInt(old.size())));
      } else if (random.nextInt(500) == 0) {
        send(random.nextInt(partitions), "nobody", "x" + seq, "?");
      } else {
        Sent made = make(seq);
        old.add(made);
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
    int key = random.nextInt(keys);
    long amount = random.nextInt(100);
    // One key in some hundred is hot.
    String name = random.nextInt(20) == 0 ? "k0" : "k" + key;
    Move move;
    if (shared && random.nextInt(3) == 0) {
      move = new Move(seq, List.of(name, "k" + (key + 1)), List.of(-amount, amount));
      if (move.keys().get(0).equals(move.keys().get(1))) {
        move = new Move(seq, List.of(name), List.of(amount));
      }
    } else {
      move = new Move(seq, List.of(name), List.of(random.nextInt(10) == 0 ? -amount : amount));
    }
    return send(home(name), name, "e" + seq, move.text());
  }

  private int home(String key) {
    return Math.floorMod(key.hashCode(), partitions);
  }

  private void again(Sent first) {
    int partition = shared ? random.nextInt(partitions) : first.partition();
    String payload = first.payload();
    if (random.nextInt(20) == 0) {
      Move move = Move.parse(payload);
      List<Long> amounts = new ArrayList<>(move.amounts());
      amounts.set(0, amounts.get(0) + 1);
      payload = new Move(move.seq(), move.keys(), amounts).text();
    }
    send(partition, first.key(), first.id(), payload);
  }

  private Sent send(int partition, String key, String id, String payload) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            topic,
            partition,
            key.getBytes(StandardCharsets.UTF_8),
            payload.getBytes(StandardCharsets.UTF_8));
    record.headers().add(ID, id.getBytes(StandardCharsets.UTF_8));
    // Nobody may read it before it is here.
    synchronized (standing) {
      Sent made = new Sent(partition, key, id, payload, producer.send(record));
      standing.get(partition).add(made);
      return made;
    }
  }

  /**
   * Tells what stands in a partition before an offset, and was not told; waits until it is known: a
   * record can be read, and applied, before its sender has the answer.
   */
  void tell(String name, long to, Consumer<Observation> history) throws InterruptedException {
    int partition = Integer.parseInt(name.substring(name.lastIndexOf('-') + 1));
    // It stands alone in the topic, without transactions: the n-th record is at the offset n.
    for (; told[partition] < to; told[partition]++) {
      Sent one;
      synchronized (standing) {
        one = standing.get(partition).get(told[partition]);
      }
      Observation.Input input = input(one);
      if (input.at() != told[partition]) {
        throw new IllegalStateException(
            one.id() + " is at " + input.at() + " and not at " + told[partition]);
      }
      history.accept(input);
    }
  }

  private Observation.Input input(Sent one) throws InterruptedException {
    long at;
    try {
      at = one.at().get().offset();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a record was not sent", e.getCause());
    }
    boolean event = !one.payload().equals("?");
    return new Observation.Input(
        topic + "-" + one.partition(),
        at,
        at + 1,
        event ? one.key() : null,
        event ? one.id() : null,
        null,
        one.payload());
  }
}
