package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;

/**
 * What a key and a remembered id cost in memory: heap in use after a collection, with and without.
 */
final class Footprint {
  private Footprint() {}

  static void run(Settings settings) throws IOException {
    int count = settings.number("keys", 1_000_000);
    System.out.printf(
        "a key (String of 14, state of two longs): %d bytes%n", measured(settings, count, true));
    System.out.printf("a remembered id: %d bytes%n", measured(settings, count, false));
  }

  private static long measured(Settings settings, int count, boolean keys) throws IOException {
    Path directory = settings.directory();
    var choice =
        Fold.of("accounts", Workload.Account.class, Workload.Payment.class, Workload.Receipt.class)
            .initially(new Workload.Account(0, 0));
    Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold =
        (keys ? choice.rememberingNoIds() : choice.remembering(Duration.ofDays(365)))
            .update(
                (account, event) -> Outcome.accept(new Workload.Account(event.value().cents(), 1)));
    try (Journal<Workload.Account, Workload.Payment, Workload.Receipt> journal =
        Journal.open(directory, fold, Options.defaults().history(Options.History.NONE))) {
      long before = used();
      Deque<CompletableFuture<?>> waiting = new ArrayDeque<>();
      for (int i = 0; i < count; i++) {
        String key = keys ? "account-" + (1_000_000 + i) : "account";
        waiting.add(
            journal.submit(
                new Event<>(
                    "payment-" + i,
                    key,
                    Workload.BEGIN.plusMillis(i),
                    new Workload.Payment(key, "deposit", i))));
        if (waiting.size() > 1000) {
          waiting.remove().join();
        }
      }
      waiting.forEach(CompletableFuture::join);
      waiting.clear();
      return (used() - before) / count;
    } finally {
      Settings.delete(directory);
    }
  }

  private static long used() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
