package dev.oncefold.flink;

import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.time.Duration;

/** The state as it was first. */
final class First {
  record Account(long cents) {}

  private First() {}

  static Fold<Account, Paid, String> fold() {
    return Fold.of("accounts", Account.class, Paid.class, String.class)
        .initially(new Account(0))
        .remembering(Duration.ofDays(8))
        .whenFailed(Fold.WhenFailed.REFUSE)
        .update(
            (account, event) -> {
              if (event.value().cents() == 13) {
                throw new IllegalStateException("unlucky");
              }
              long cents = account.cents() + event.value().cents();
              return cents < 0
                  ? Outcome.reject("too poor")
                  : Outcome.accept(new Account(cents), "has " + cents);
            });
  }

  static Fold<Account, Paid, String> second() {
    return Fold.of("accounts", Account.class, Paid.class, String.class)
        .version(2)
        .initially(new Account(0))
        .remembering(Duration.ofDays(8))
        .update((account, event) -> Outcome.reject("closed"));
  }
}
