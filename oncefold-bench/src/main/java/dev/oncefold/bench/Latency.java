package dev.oncefold.bench;

import dev.oncefold.Fold;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * From submit to durable answer at a fixed rate. Times count from when an event was due, not from
 * when it was sent, so that a stall is not left out.
 */
final class Latency {
  private Latency() {}

  static void run(Settings settings) throws IOException, InterruptedException {
    int rate = settings.number("rate", 1000);
    int seconds = settings.number("seconds", 20);
    Path directory = settings.directory();
    Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold = Workload.fold();
    int warmup = rate * 5;
    int count = rate * seconds;
    long[] nanos = new long[count];
    try (Journal<Workload.Account, Workload.Payment, Workload.Receipt> journal =
        Journal.open(directory, fold, Options.defaults())) {
      SplittableRandom random = new SplittableRandom(1);
      CountDownLatch answered = new CountDownLatch(warmup + count);
      long begin = System.nanoTime();
      for (int i = 0; i < warmup + count; i++) {
        long due = begin + i * 1_000_000_000L / rate;
        while (System.nanoTime() < due) {
          LockSupport.parkNanos(due - System.nanoTime());
        }
        int place = i - warmup;
        var unused =
            journal
                .submit(Workload.event(i, random.nextInt(100_000), random))
                .thenRun(
                    () -> {
                      if (place >= 0) {
                        nanos[place] = System.nanoTime() - due;
                      }
                      answered.countDown();
                    });
      }
      answered.await();
    }
    Settings.delete(directory);
    Arrays.sort(nanos);
    System.out.printf(
        "submit to durable answer at %,d events/s for %d s: p50 %.2f ms, p90 %.2f ms, p99 %.2f ms,"
            + " p99.9 %.2f ms, max %.2f ms%n",
        rate,
        seconds,
        at(nanos, 0.5),
        at(nanos, 0.9),
        at(nanos, 0.99),
        at(nanos, 0.999),
        nanos[count - 1] / 1e6);
  }

  static double at(long[] sorted, double part) {
    return sorted[(int) Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] / 1e6;
  }
}
