package dev.oncefold.cli;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.States;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** The demo's fold over payments, and the lines it reads and writes. */
final class Payments {
  static final String OVERDRAFT = "insufficient funds";
  static final Duration REMEMBERED = Duration.ofDays(7);

  /** The name under which the fold emits its receipts. */
  static final String RECEIPTS = "receipts";

  private Payments() {}

  static Fold<Account, Payment, Receipt> fold() {
    return definition().remembering(REMEMBERED).update(Payments::accounts, Payments::apply);
  }

  /** All of the fold but its rules, and how long it remembers ids. */
  static Fold.Builder<Account, Payment, Receipt> definition() {
    return Fold.of("accounts", Account.class, Payment.class, Receipt.class)
        .initially(Account.NEW)
        .whenFailed(Fold.WhenFailed.REFUSE);
  }

  /** The accounts that a payment changes. */
  static List<String> accounts(Event<Payment> event) {
    return event.value() instanceof Payment.Transfer transfer
        ? List.of(transfer.account(), transfer.to())
        : List.of(event.value().account());
  }

  /** The rules. */
  static Outcome<States<Account>, Receipt> apply(States<Account> accounts, Event<Payment> event) {
    Payment payment = event.value();
    String id = String.valueOf(event.id());
    String account = payment.account();
    Account before = accounts.get(account);
    long change = payment instanceof Payment.Deposit ? payment.cents() : -payment.cents();
    if (before.cents() + change < 0) {
      return Outcome.reject(OVERDRAFT);
    }
    Account after = before.changed(id, change);
    Outcome.Accepted<States<Account>, Receipt> accepted =
        Outcome.<States<Account>, Receipt>accept(accounts.with(account, after))
            .emit(RECEIPTS, new Receipt(account, change, after.cents()));
    if (payment instanceof Payment.Transfer transfer) {
      String to = transfer.to();
      Account paid = accounts.get(to).changed(id, transfer.cents());
      return new Outcome.Accepted<>(
              accounts.with(account, after).with(to, paid), accepted.outputs())
          .emit(RECEIPTS, new Receipt(to, transfer.cents(), paid.cents()));
    }
    return accepted;
  }

  // ---------------------------------------------------------------- lines

  /** Makes an event of a line {@code id,time,kind,account,to,cents}, the time in milliseconds. */
  static Event<Payment> decode(String line) {
    String[] fields = line.split(",", -1);
    if (fields.length != 6) {
      throw new IllegalArgumentException("a payment has 6 fields, not " + fields.length);
    }
    String account = fields[3];
    long cents = Long.parseLong(fields[5]);
    Payment payment =
        switch (fields[2]) {
          case "deposit" -> new Payment.Deposit(account, cents);
          case "withdraw" -> new Payment.Withdrawal(account, cents);
          case "transfer" -> new Payment.Transfer(account, fields[4], cents);
          default -> throw new IllegalArgumentException("no payment is a \"" + fields[2] + '"');
        };
    return new Event<>(
        fields[0], account, Instant.ofEpochMilli(Long.parseLong(fields[1])), payment);
  }

  /** The line of a receipt: {@code output id,account,change,balance}. */
  static String line(Emitted<Receipt> receipt) {
    Receipt value = receipt.value();
    return receipt.id() + ',' + value.account() + ',' + value.change() + ',' + value.balance();
  }

  /** The line of a refusal: {@code id,account,verdict,reason of a rejection}. */
  static String line(Entry<Account, Payment, Receipt> refusal) {
    return refusal.id()
        + ','
        + (refusal.key() == null ? "" : refusal.key())
        + ','
        + refusal.verdict()
        + ','
        + (refusal.verdict() == Verdict.Kind.REJECTED ? refusal.reason() : "");
  }
}
