package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.Result;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fold of anybody's, under crashes. */
class VerificationTest {
  @TempDir private Path directory;

  record Payment(String account, long cents) {}

  record Account(long cents, long payments) {}

  record Receipt(String account, long cents) {}

  /** Payments of which every tenth or so is sent again, some after their ids are forgotten. */
  static class Payments implements Subject<Account, Payment, Receipt> {
    @Override
    public Fold<Account, Payment, Receipt> fold() {
      return Fold.of("accounts", Account.class, Payment.class, Receipt.class)
          .initially(new Account(0, 0))
          .remembering(Duration.ofDays(1))
          .update(
              (account, event) -> {
                long cents = account.cents() + event.value().cents();
                if (cents < 0) {
                  return Outcome.reject("insufficient funds");
                }
                return Outcome.accept(
                    new Account(cents, account.payments() + 1),
                    new Receipt(event.value().account(), cents));
              });
    }

    @Override
    public List<Event<Payment>> events() {
      Random random = new Random(1);
      Instant begin = Instant.parse("2026-01-01T00:00:00Z");
      List<Event<Payment>> events = new ArrayList<>();
      for (int i = 0; i < 20_000; i++) {
        if (i > 10 && random.nextInt(10) == 0) {
          Event<Payment> again =
              events.get(Math.max(0, i - 1 - random.nextInt(random.nextBoolean() ? 10 : 9000)));
          Payment changed = new Payment(again.key(), again.value().cents() + random.nextInt(2));
          events.add(new Event<>(again.id(), again.key(), again.time(), changed));
        } else {
          String account = "a" + Math.min(random.nextInt(300), random.nextInt(300));
          events.add(
              new Event<>(
                  "p" + i,
                  account,
                  begin.plusSeconds(60L * i),
                  new Payment(account, random.nextInt(100) - 40)));
        }
      }
      // Too late for any clock, with and without an id.
      events.set(100, new Event<>(null, "a1", Instant.MAX, new Payment("a1", 1)));
      events.set(200, new Event<>("late", "a1", Instant.MAX, new Payment("a1", 1)));
      events.set(
          300,
          new Event<>("ahead", "a1", begin.plus(Duration.ofDays(90_000)), new Payment("a1", 1)));
      return events;
    }
  }

  @Test
  void aSoundFoldPasses() throws Exception {
    Verification.Report report =
        Verification.of(Payments.class).seed(3).kills(8).pauses(2).run(directory.resolve("run"));
    report.lines().forEach(System.out::println);
    report.orFail();
    assertThat(report.result().figures().counts().events()).isEqualTo(20_000);
    assertThat(report.result().figures().counts().expired()).isPositive();
    assertThat(report.result().figures().counts().failed()).isGreaterThanOrEqualTo(3);
    assertThat(Checker.check(new HistoryFile(report.history()))).isInstanceOf(Result.Pass.class);
  }

  /** A fold that nobody can apply twice alike. */
  static final class Chance extends Payments {
    @Override
    public Fold<Account, Payment, Receipt> fold() {
      return Fold.of("accounts", Account.class, Payment.class, Receipt.class)
          .initially(new Account(0, 0))
          .remembering(Duration.ofDays(1))
          .update((account, event) -> Outcome.accept(new Account(System.nanoTime(), 1)));
    }

    @Override
    public List<Event<Payment>> events() {
      return super.events().subList(0, 20);
    }
  }

  @Test
  void aFoldThatIsNotDeterministicFailsWithTheEventAndIsNotRun() throws Exception {
    Verification.Report report = Verification.of(Chance.class).run(directory.resolve("chance"));
    assertThat(report.passed()).isFalse();
    assertThat(report.rounds()).isZero();
    assertThatThrownBy(report::orFail)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("FAIL: The fold is not deterministic: the event 0")
        .hasMessageContaining("\"p0\"");
  }
}
