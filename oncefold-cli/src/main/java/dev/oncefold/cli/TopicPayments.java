package dev.oncefold.cli;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Payments for a topic, from a seed: some are sent again at once, later or by another producer,
 * some of these with another amount, some overdraw an account, and some are no payment at all. Sent
 * at a steady pace, so that there is always work in progress, until it is told that it is enough.
 */
final class TopicPayments implements AutoCloseable {
  static final int ACCOUNTS = 500;

  private static final Instant BEGIN = Instant.parse("2025-01-01T00:00:00Z");
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final int AT_ONCE = 10;
  private static final int RESENT_AT_THE_END = 1_000;
  private static final String AMOUNT = "\"amount\":";

  private final String bootstrap;
  private final String topic;
  private final long least;
  private final SplittableRandom random;
  private final List<ProducerRecord<String, byte[]>> sent = new ArrayList<>();
  private final AtomicLong count = new AtomicLong();
  private final Thread thread = new Thread(this::run, "oncefold-payments");
  private volatile boolean enough;
  private volatile boolean abandoned;
  private volatile @Nullable Exception failure;
  private long payments;

  /**
   * Prepares to send.
   *
   * @param seed what the payments are made from
   * @param least how many records are sent at least
   */
  TopicPayments(String bootstrap, String topic, long seed, long least) {
    this.bootstrap = bootstrap;
    this.topic = topic;
    this.least = least;
    this.random = new SplittableRandom(seed);
    thread.setDaemon(true);
  }

  /** Begins to send, in a thread of its own. */
  void begin() {
    thread.start();
  }

  /** How many records were sent so far. */
  long count() {
    return count.get();
  }

  /**
   * Lets it come to its end: the least number, and what is sent again by another producer.
   *
   * @throws IllegalStateException if sending has failed
   */
  void finish() throws InterruptedException {
    enough = true;
    thread.join();
    if (failure != null) {
      throw new IllegalStateException("the payments cannot be sent: " + failure, failure);
    }
  }

  /** Why it sends no more though it should; null where all is well. */
  @Nullable Exception failure() {
    return failure;
  }

  private void run() {
    try {
      try (Producer<String, byte[]> first = producer()) {
        while (!abandoned && failure == null && (!enough || count.get() < least)) {
          for (int i = 0; i < AT_ONCE; i++) {
            send(first, next());
          }
          if (!enough) {
            LockSupport.parkNanos(PAUSE_NANOS);
          }
        }
        first.flush();
      }
      try (Producer<String, byte[]> second = producer()) {
        for (int i = 0; i < RESENT_AT_THE_END && !abandoned; i++) {
          send(second, sent.get(random.nextInt(sent.size())));
        }
      }
    } catch (Exception e) {
      failure = e;
    }
  }

  /**
   * One batch at a time: of a new producer a broker takes any batch as the first, so that one which
   * is refused for a moment and overtaken by the next is out of order until it expires.
   */
  private Producer<String, byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "linger.ms",
            5,
            "max.in.flight.requests.per.connection",
            1),
        new StringSerializer(),
        new ByteArraySerializer());
  }

  private void send(Producer<String, byte[]> producer, ProducerRecord<String, byte[]> record) {
    var unused =
        producer.send(
            record,
            (metadata, failed) -> {
              if (failed != null && failure == null) {
                failure = failed;
              }
            });
    count.incrementAndGet();
  }

  private ProducerRecord<String, byte[]> next() {
    if (!sent.isEmpty() && random.nextInt(12) == 0) {
      ProducerRecord<String, byte[]> again =
          sent.get(random.nextBoolean() ? sent.size() - 1 : random.nextInt(sent.size()));
      return random.nextInt(6) == 0 ? changed(again) : again;
    }
    String account = "a-" + random.nextInt(ACCOUNTS);
    long number = payments++;
    if (random.nextInt(500) == 0) {
      return record(account, "{\"id\":\"p-" + number + "\",\"account\":");
    }
    ProducerRecord<String, byte[]> made =
        record(
            account,
            String.format(
                Locale.ROOT,
                "{\"id\":\"p-%d\",\"account\":\"%s\",\"type\":\"%s\",\"amount\":%d.%02d,\"at\":\"%s\"}",
                number,
                account,
                random.nextInt(5) < 2 ? "withdraw" : "deposit",
                random.nextInt(100),
                random.nextInt(100),
                BEGIN.plus(Duration.ofMillis(number * 500))));
    sent.add(made);
    return made;
  }

  /** The same payment with another amount. */
  private ProducerRecord<String, byte[]> changed(ProducerRecord<String, byte[]> payment) {
    String text = new String(payment.value(), StandardCharsets.UTF_8);
    return record(payment.key(), text.replace(AMOUNT, AMOUNT + "1"));
  }

  private ProducerRecord<String, byte[]> record(String account, String value) {
    return new ProducerRecord<>(topic, account, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Ends it, wherever it is. */
  @Override
  public void close() {
    abandoned = true;
    enough = true;
    thread.interrupt();
  }
}
