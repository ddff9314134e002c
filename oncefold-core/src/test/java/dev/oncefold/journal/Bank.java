package dev.oncefold.journal;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.States;
import dev.oncefold.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** What the tests of the journal keep in it: accounts, as in the README. */
final class Bank {
  record Account(long cents, long payments) {}

  record Payment(String kind, long cents, String to) {}

  record Receipt(String account, long cents) {}

  static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
  static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
  static final Options OPTIONS = Options.defaults().clock(CLOCK);

  private Bank() {}

  static Fold.Builder<Account, Payment, Receipt> define() {
    return Fold.of("bank", Account.class, Payment.class, Receipt.class)
        .initially(new Account(0, 0))
        .remembering(Duration.ofDays(7));
  }

  static Fold<Account, Payment, Receipt> fold() {
    return define().update(Bank::rules);
  }

  /** The same with transfers, which change two accounts. */
  static Fold<Account, Payment, Receipt> withTransfers() {
    return define()
        .update(
            event ->
                event.value().kind().equals("transfer")
                    ? List.of(event.key(), event.value().to())
                    : List.of(event.key()),
            (accounts, event) -> {
              if (!event.value().kind().equals("transfer")) {
                return ofOne(accounts, event);
              }
              Account from = accounts.get(event.key());
              Account to = accounts.get(event.value().to());
              long cents = event.value().cents();
              if (from.cents() < cents) {
                return Outcome.reject("insufficient funds");
              }
              return Outcome.accept(
                  accounts
                      .with(event.key(), new Account(from.cents() - cents, from.payments() + 1))
                      .with(event.value().to(), new Account(to.cents() + cents, to.payments() + 1)),
                  new Receipt(event.key() + ">" + event.value().to(), cents));
            });
  }

  private static Outcome<States<Account>, Receipt> ofOne(
      States<Account> accounts, Event<Payment> event) {
    Outcome<Account, Receipt> outcome = rules(accounts.get(event.key()), event);
    if (outcome instanceof Outcome.Accepted<Account, Receipt> accepted) {
      Account after = accepted.state();
      return new Outcome.Accepted<>(
          after == null ? accounts.without(event.key()) : accounts.with(event.key(), after),
          accepted.outputs());
    }
    return Outcome.reject(((Outcome.Rejected<Account, Receipt>) outcome).reason());
  }

  static Outcome<Account, Receipt> rules(Account account, Event<Payment> event) {
    Payment p = event.value();
    switch (p.kind()) {
      case "withdraw" -> {
        if (account.cents() < p.cents()) {
          return Outcome.reject("insufficient funds");
        }
      }
      case "deposit" -> {}
      case "close" -> {
        return Outcome.accept(null);
      }
      case "halt" -> throw new LinkageError("a class is broken");
      default -> throw new IllegalArgumentException("no payment is a " + p.kind());
    }
    long cents = account.cents() + (p.kind().equals("withdraw") ? -p.cents() : p.cents());
    return Outcome.accept(
        new Account(cents, account.payments() + 1), new Receipt(event.key(), cents));
  }

  static Event<Payment> event(String id, String key, String kind, long cents) {
    return new Event<>(id, key, NOW, new Payment(kind, cents, ""));
  }

  static Event<Payment> deposit(String id, String key, long cents) {
    return event(id, key, "deposit", cents);
  }

  static Event<Payment> transfer(String id, String from, String to, long cents) {
    return new Event<>(id, from, NOW, new Payment("transfer", cents, to));
  }

  /** The verdict in a word or two. */
  static String told(Verdict<Account, Receipt> verdict) {
    if (verdict instanceof Verdict.Applied<Account, Receipt> applied) {
      Account account = applied.state();
      return "applied " + (account == null ? "null" : String.valueOf(account.cents()));
    } else if (verdict instanceof Verdict.Rejected<Account, Receipt> rejected) {
      return "rejected " + rejected.reason();
    } else if (verdict instanceof Verdict.Duplicate<Account, Receipt> duplicate) {
      return "duplicate" + (duplicate.rejected() == null ? "" : " " + duplicate.rejected());
    } else if (verdict instanceof Verdict.Failed<Account, Receipt> failed) {
      return "failed " + failed.cause();
    }
    return verdict.kind().name().toLowerCase(Locale.ROOT);
  }

  /** A journal without threads: nothing moves unless a test moves it. */
  static final class ByHand extends Journal.Parts {
    @Override
    boolean threads() {
      return false;
    }

    @Override
    long[] key() {
      return new long[] {11, 12};
    }
  }

  /** Judges what was submitted, without writing it. */
  static void judge(Journal<?, ?, ?> journal) {
    try {
      while (journal.submissions().runner().step(Duration.ZERO)) {}
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Judges and writes, and tells the verdicts. */
  @SafeVarargs
  static List<String> settle(Journal<Account, Payment, Receipt> journal, Event<Payment>... events) {
    List<CompletableFuture<Verdict<Account, Receipt>>> answers = new ArrayList<>();
    for (Event<Payment> event : events) {
      answers.add(journal.submit(event));
    }
    judge(journal);
    while (journal.write()) {}
    return answers.stream().map(answer -> told(answer.join())).toList();
  }

  /** Why a future failed. */
  static Throwable failure(CompletableFuture<?> future) {
    try {
      Object value = future.getNow(null);
      throw new AssertionError("not failed: " + value);
    } catch (CompletionException e) {
      return e.getCause() == null ? e : e.getCause();
    }
  }

  static Counts counts(long applied, long rejected, long duplicates, long conflicts) {
    return new Counts(applied, rejected, duplicates, conflicts, 0, 0, applied);
  }
}
