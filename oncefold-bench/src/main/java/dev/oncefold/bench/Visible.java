package dev.oncefold.bench;

import dev.oncefold.Event;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;

/**
 * From produce to visible row at a fixed rate. One event in twenty is a mark, whose row another
 * connection looks at all the time. Times count from when an event was due, not from when it was
 * sent, so that a stall is not left out.
 */
final class Visible {
  private static final int EVERY = 20;

  private Visible() {}

  static void run(Settings settings) throws Exception {
    int rate = settings.number("rate", 1000);
    int seconds = settings.number("seconds", 30);
    int batch = settings.number("batch", 4_000);
    String only = settings.text("only", "");
    try (Rig rig = Rig.start(settings)) {
      for (Peer peer :
          List.<Peer>of(
              new OncefoldPeer(true, batch),
              new OncefoldPeer(false, batch),
              new SpringBatch(false),
              new SpringBatch(true),
              new FoldedLimit(batch))) {
        if (peer.name().contains(only)) {
          long[] nanos = measure(rig, peer, rate, seconds);
          System.out.printf(
              "%-20s produce to visible row at %,d events/s for %d s: p50 %.2f ms, p90 %.2f ms,"
                  + " p99 %.2f ms, max %.2f ms%n",
              peer.name(),
              rate,
              seconds,
              Latency.at(nanos, 0.5),
              Latency.at(nanos, 0.9),
              Latency.at(nanos, 0.99),
              nanos[nanos.length - 1] / 1e6);
        }
      }
    }
  }

  private static long[] measure(Rig rig, Peer peer, int rate, int seconds) throws Exception {
    String topic = "live-" + peer.name().replace(' ', '-');
    rig.create(topic);
    rig.reset(peer);
    int warmup = rate * 5 / EVERY;
    int count = rate * seconds / EVERY;
    long[] due = new long[warmup + count];
    long[] nanos = new long[warmup + count];
    try (Marks marks = new Marks(rig, peer, TimeUnit.MICROSECONDS.toNanos(200))) {
      peer.start(rig, topic);
      long begin = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
      for (int mark = 0; mark < due.length; mark++) {
        due[mark] = begin + ((mark + 1L) * EVERY - 1) * 1_000_000_000L / rate;
      }
      Thread producing = new Thread(() -> produce(rig, topic, begin, rate, due.length));
      producing.start();
      for (long seen = 0; seen < due.length; ) {
        long now = marks.await(seen + 1);
        long at = System.nanoTime();
        for (; seen < now; seen++) {
          nanos[(int) seen] = at - due[(int) seen];
        }
      }
      producing.join();
    } finally {
      peer.stop();
    }
    long[] measured = Arrays.copyOfRange(nanos, warmup, nanos.length);
    Arrays.sort(measured);
    return measured;
  }

  private static void produce(Rig rig, String topic, long begin, int rate, int marks) {
    SplittableRandom random = new SplittableRandom(1);
    try (KafkaProducer<byte[], byte[]> producer = rig.producer(0)) {
      for (int i = 1; i <= marks * EVERY; i++) {
        long due = begin + (i - 1L) * 1_000_000_000L / rate;
        while (System.nanoTime() < due) {
          LockSupport.parkNanos(due - System.nanoTime());
        }
        Event<Workload.Payment> event =
            i % EVERY == 0
                ? Rig.mark(i, i / EVERY)
                : Workload.event(i, random.nextInt(Rig.ACCOUNTS), random);
        var unused = producer.send(Rig.record(topic, event));
      }
    }
  }
}
