package dev.oncefold.flink;

import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.time.Duration;

/** The state with a field more. */
final class Then {
  record Account(long cents, long payments) {}

  private Then() {}

  static Fold<Account, Paid, String> fold() {
    return Fold.of("accounts", Account.class, Paid.class, String.class)
        .version(2)
        .initially(new Account(0, 1000))
        .remembering(Duration.ofDays(8))
        .update(
            (account, event) ->
                accept(
                    new Account(account.cents() + event.value().cents(), account.payments() + 1)));
  }

  private static Outcome<Account, String> accept(Account account) {
    return Outcome.accept(account, account.toString());
  }
}
