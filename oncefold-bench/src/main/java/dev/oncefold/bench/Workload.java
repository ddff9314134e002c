package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Payments to accounts: a string key, a string id to remember, one output each. */
final class Workload {
  static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

  record Payment(String account, String kind, long cents) {}

  record Account(long cents, long payments) {}

  record Receipt(String account, long cents) {}

  private Workload() {}

  static Fold<Account, Payment, Receipt> fold() {
    return Fold.of("accounts", Account.class, Payment.class, Receipt.class)
        .initially(new Account(0, 0))
        .remembering(Duration.ofDays(7))
        .update(
            (account, event) -> {
              Payment p = event.value();
              if (p.kind().equals("withdraw") && account.cents() < p.cents()) {
                return Outcome.reject("insufficient funds");
              }
              long cents = account.cents() + (p.kind().equals("withdraw") ? -p.cents() : p.cents());
              return Outcome.accept(
                  new Account(cents, account.payments() + 1), new Receipt(p.account(), cents));
            });
  }

  /** Decoded events: one in twenty is a re-send of one of the thousand before it. */
  static List<Received<Payment>> events(int count, int accounts, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Received<Payment>> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Event<Payment> event;
      if (i > 0 && random.nextInt(20) == 0) {
        Event<Payment> before = events.get(i - 1 - random.nextInt(Math.min(i, 1000))).event();
        event = before == null ? event(i, 0, random) : before;
      } else {
        event = event(i, random.nextInt(accounts), random);
      }
      events.add(Received.of(i, new Position(i + 1, 0), event));
    }
    return events;
  }

  static Event<Payment> event(int i, int account, SplittableRandom random) {
    String key = "account-" + account;
    String kind = random.nextInt(3) == 0 ? "withdraw" : "deposit";
    return new Event<>(
        "pay-" + i, key, BEGIN.plusMillis(i), new Payment(key, kind, 1 + random.nextInt(10_000)));
  }

  /** Hands out what is in memory, as fast as it is taken. */
  static final class InMemory implements Source<Payment> {
    private final List<Received<Payment>> events;
    private int next;

    InMemory(List<Received<Payment>> events) {
      this.events = events;
    }

    @Override
    public List<String> partitions() {
      return List.of("events");
    }

    @Override
    public void seek(String partition, Position position) {
      next = (int) position.offset();
    }

    @Override
    public @Nullable Polled<Payment> poll(int max, Duration wait) {
      if (next == events.size()) {
        return null;
      }
      int to = Math.min(next + max, events.size());
      Polled<Payment> polled =
          new Polled<>(
              "events", new Position(next, 0), events.subList(next, to), to < events.size());
      next = to;
      return polled;
    }

    @Override
    public boolean ended() {
      return next == events.size();
    }

    @Override
    public void close() {}
  }
}
