package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the tests keep in the database: accounts, as in the README. */
final class Bank {
  record Account(long cents, long payments) {}

  record Payment(String kind, long cents, @Nullable String to) {}

  record Receipt(String account, long cents) {}

  private static final Instant DAY_0 = Instant.parse("2026-01-01T00:00:00Z");

  private Bank() {}

  static Fold.Builder<Account, Payment, Receipt> define() {
    return Fold.of("bank", Account.class, Payment.class, Receipt.class)
        .initially(new Account(0, 0))
        .whenFailed(Fold.WhenFailed.REFUSE)
        .remembering(Duration.ofDays(7));
  }

  static Fold<Account, Payment, Receipt> fold() {
    return define().update((account, event) -> rules(account, event));
  }

  static Outcome<Account, Receipt> rules(Account account, Event<Payment> event) {
    Payment payment = event.value();
    return switch (payment.kind()) {
      case "close" -> Outcome.accept(null);
      case "withdraw" ->
          account.cents() < payment.cents()
              ? Outcome.reject("insufficient funds")
              : to(account.cents() - payment.cents(), account, event);
      case "boom" -> throw new IllegalStateException("boom");
      default -> to(account.cents() + payment.cents(), account, event);
    };
  }

  private static Outcome<Account, Receipt> to(long cents, Account account, Event<Payment> event) {
    return Outcome.accept(
        new Account(cents, account.payments() + 1), new Receipt(event.key(), cents));
  }

  /** Transfers, which change two accounts. */
  static Fold<Account, Payment, Receipt> transfers() {
    return define()
        .update(
            event ->
                event.value().to() == null
                    ? List.of(event.key())
                    : List.of(event.key(), String.valueOf(event.value().to())),
            (accounts, event) -> {
              String to = event.value().to();
              long cents = event.value().cents();
              Account from = accounts.get(event.key());
              if (to == null) {
                return Outcome.accept(
                    accounts.with(
                        event.key(), new Account(from.cents() + cents, from.payments() + 1)));
              }
              if (from.cents() < cents) {
                return Outcome.reject("insufficient funds");
              }
              Account into = accounts.get(to);
              return Outcome.accept(
                  accounts
                      .with(event.key(), new Account(from.cents() - cents, from.payments() + 1))
                      .with(to, new Account(into.cents() + cents, into.payments() + 1)));
            });
  }

  static Instant day(long day) {
    return DAY_0.plus(Duration.ofDays(day));
  }

  static Event<Payment> deposit(@Nullable String id, String key, long cents) {
    return deposit(id, key, cents, 1);
  }

  static Event<Payment> deposit(@Nullable String id, String key, long cents, long day) {
    return new Event<>(id, key, day(day), new Payment("deposit", cents, null));
  }

  static Event<Payment> withdraw(String id, String key, long cents) {
    return new Event<>(id, key, day(1), new Payment("withdraw", cents, null));
  }

  static Event<Payment> close(String id, String key) {
    return new Event<>(id, key, day(1), new Payment("close", 0, null));
  }

  static Event<Payment> transfer(String id, String from, String to, long cents) {
    return new Event<>(id, from, day(1), new Payment("transfer", cents, to));
  }
}
