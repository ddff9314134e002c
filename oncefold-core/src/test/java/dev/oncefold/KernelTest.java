package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Verdict.Cause;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of an event, one event a line, ending in its verdict. */
class KernelTest {
  record Payment(String kind, long cents, String note) {}

  record Balance(long cents) {}

  private static Fold.Builder<Balance, Payment, String> bank() {
    return Fold.of("bank", Balance.class, Payment.class, String.class).initially(new Balance(0));
  }

  private static Outcome<Balance, String> rules(Balance balance, Event<Payment> event) {
    Payment p = event.value();
    return switch (p.kind()) {
      case "deposit" -> Outcome.accept(new Balance(balance.cents() + p.cents()), event.key());
      case "withdraw" ->
          balance.cents() < p.cents()
              ? Outcome.reject("insufficient funds")
              : Outcome.accept(new Balance(balance.cents() - p.cents()));
      case "close" -> Outcome.accept(null);
      case "explode" -> throw new IllegalStateException("boom " + p.cents());
      case "halt" -> throw new OutOfMemoryError("no more");
      default -> nothing();
    };
  }

  @SuppressWarnings("NullAway") // the mistake that is tested
  private static Outcome<Balance, String> nothing() {
    return null;
  }

  private static final Fold<Balance, Payment, String> SEVEN_DAYS =
      bank().remembering(Duration.ofDays(7)).update(KernelTest::rules);

  @Test
  void anIdIsJudgedOnce() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 100 | applied 100
            p-1 | alice | day 1 | deposit 100 | duplicate
            p-2 | alice | day 1 | deposit 100 | applied 200
            p-2 | alice | day 1 | deposit 100 | duplicate
            """);
  }

  @Test
  void aRejectionIsRememberedWithItsReason() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | withdraw 5  | rejected: insufficient funds
            d-1 | alice | day 1 | deposit 100 | applied 100
            p-1 | alice | day 1 | withdraw 5  | duplicate: insufficient funds
            p-9 | alice | day 1 | withdraw 5  | applied 95
            """);
  }

  @Test
  void anotherPayloadUnderAKnownIdIsAConflictAndChangesNothing() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 100  | applied 100
            p-1 | alice | day 1 | deposit 101  | conflict
            p-1 | alice | day 1 | deposit 100  | duplicate
            p-2 | alice | day 1 | withdraw 500 | rejected: insufficient funds
            p-2 | alice | day 1 | withdraw 50  | conflict
            p-2 | alice | day 1 | withdraw 500 | duplicate: insufficient funds
            p-3 | alice | day 1 | withdraw 100 | applied 0
            """);
  }

  @Test
  void theSameIdUnderAnotherKeyIsAnotherEvent() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 100 | applied 100
            p-1 | bob   | day 1 | deposit 100 | applied 100
            p-1 | bob   | day 1 | deposit 7   | conflict
            p-1 | alice | day 1 | deposit 100 | duplicate
            """);
  }

  @Test
  void theFingerprintIgnoresTheTime() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 100 | applied 100
            p-1 | alice | day 3 | deposit 100 | duplicate
            p-1 | alice | never | deposit 100 | duplicate
            """);
  }

  @Test
  void theOrderIsIdThenFloorThenClockThenRules() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 100 | applied 100
            floor day 5
            p-1 | alice | day 1 | deposit 100 | duplicate
            p-1 | alice | day 1 | deposit 9   | conflict
            p-2 | alice | day 1 | explode 1   | expired
            p-3 | alice | day 5 | deposit 1   | expired
            p-4 | alice | day 6 | deposit 1   | applied 101
            latest day 7
            p-5 | alice | day 7 | deposit 1   | applied 102
            p-6 | alice | day 8 | explode 1   | failed: ahead_of_clock
            p-4 | alice | day 9 | deposit 1   | duplicate
            latest day 2
            p-7 | alice | day 4 | deposit 1   | expired
            p-8 | alice | day 6 | deposit 1   | failed: ahead_of_clock
            """);
  }

  @Test
  void onlyAppliedAndRejectedAreRemembered() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            latest day 2
            p-1 | alice | day 3 | deposit 1    | failed: ahead_of_clock
            latest day 9
            p-1 | alice | day 3 | deposit 2    | applied 2
            p-2 | alice | day 3 | explode 1    | failed: update
            p-2 | alice | day 3 | withdraw 9   | rejected: insufficient funds
            floor day 4
            p-3 | alice | day 4 | deposit 1    | expired
            floor day 3
            p-3 | alice | day 4 | deposit 2    | applied 4
            """);
  }

  @Test
  void anEventWithoutAnIdIsNeverLookedUpAndNeverExpires() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            -  | alice | day 1 | deposit 1 | applied 1
            -  | alice | day 1 | deposit 1 | applied 2
            floor day 5
            -  | alice | day 1 | deposit 1 | applied 3
            -  | alice | never | deposit 1 | applied 4
            latest day 7
            -  | alice | day 9 | deposit 1 | failed: ahead_of_clock
            """);
    Kernel<Balance, Payment, String> kernel = new Kernel<>(SEVEN_DAYS);
    Kernel.Seen nobodyAsks =
        (key, id) -> {
          throw new AssertionError("looked up");
        };
    Event<Payment> event = new Event<>(null, "a", null, new Payment("deposit", 1, ""));
    assertThat(kernel.judge(event, key -> null, nobodyAsks, 9, 9).kind())
        .isEqualTo(Verdict.Kind.APPLIED);
  }

  @Test
  void aSpanNeedsATime() {
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | never | deposit 1 | failed: no_time
            p-1 | alice | max   | deposit 1 | failed: no_time
            p-1 | alice | min   | deposit 1 | failed: no_time
            p-1 | alice | day 1 | deposit 1 | applied 1
            """);
  }

  @Test
  void idsRememberedForeverNeedNoTimeAndNeverExpire() {
    new Engine(bank().rememberingForever().update(KernelTest::rules))
        .tells(
            """
            p-1 | alice | never | deposit 1 | applied 1
            p-2 | alice | day 9 | deposit 1 | applied 2
            p-3 | alice | max   | deposit 1 | applied 3
            p-1 | alice | never | deposit 1 | duplicate
            p-1 | alice | never | deposit 2 | conflict
            latest day 2
            p-4 | alice | day 9 | deposit 1 | applied 4
            """);
  }

  @Test
  void withoutIdsAResendIsAppliedAgain() {
    Engine engine = new Engine(bank().rememberingNoIds().update(KernelTest::rules));
    engine.tells(
        """
        p-1 | alice | never | deposit 1 | applied 1
        p-1 | alice | never | deposit 1 | applied 2
        p-1 | alice | day 1 | deposit 5 | applied 7
        """);
    assertThat(engine.lookups).isZero();
  }

  @Test
  void aNullStateDeletesTheKey() {
    Engine engine = new Engine(SEVEN_DAYS);
    engine.tells(
        """
        p-1 | alice | day 1 | deposit 1 | applied 1
        p-2 | alice | day 1 | close 0   | applied null
        """);
    assertThat(engine.slots).isEmpty();
    engine.tells(
        """
        p-1 | alice | day 1 | deposit 1 | duplicate
        p-3 | alice | day 1 | deposit 1 | applied 1
        """);
  }

  @Test
  void anUpdateThatThrowsOrAnswersNullFails() {
    Engine engine = new Engine(SEVEN_DAYS);
    engine.tells(
        """
        p-1 | alice | day 1 | explode 3 | failed: update
        p-2 | alice | day 1 | unknown 3 | failed: update
        p-1 | alice | day 1 | deposit 3 | applied 3
        """);
    assertThat(engine.judge(payment("x", "explode", 3)))
        .isEqualTo(
            new Verdict.Failed<Balance, String>(
                Cause.UPDATE, "the update threw java.lang.IllegalStateException: boom 3"));
    assertThat(engine.judge(payment("x", "unknown", 3)).toString())
        .contains("answered null instead of an Outcome");
  }

  @Test
  void anErrorIsNobodysVerdict() {
    assertThatThrownBy(() -> new Engine(SEVEN_DAYS).judge(payment("x", "halt", 3)))
        .isInstanceOf(OutOfMemoryError.class)
        .hasMessage("no more");
  }

  @Test
  void aNarrowedFingerprintIgnoresTheOtherFields() {
    Fold<Balance, Payment, String> narrowed =
        bank()
            .remembering(Duration.ofDays(7))
            .fingerprint("kind", "cents")
            .update(KernelTest::rules);
    new Engine(narrowed)
        .tells(
            """
            p-1 | alice | day 1 | deposit 1 first  | applied 1
            p-1 | alice | day 1 | deposit 1 second | duplicate
            p-1 | alice | day 1 | deposit 2 first  | conflict
            """);
    new Engine(SEVEN_DAYS)
        .tells(
            """
            p-1 | alice | day 1 | deposit 1 first  | applied 1
            p-1 | alice | day 1 | deposit 1 second | conflict
            """);
  }

  @Test
  void expiredTellsTheTimeAndTheFloor() {
    Engine engine = new Engine(SEVEN_DAYS);
    engine.floor = day(5);
    assertThat(engine.judge(payment("x", "deposit", 3)))
        .isEqualTo(
            new Verdict.Expired<Balance, String>(
                Instant.ofEpochMilli(day(1)), Instant.ofEpochMilli(day(5))));
  }

  @Test
  void anEventThatCannotBeFingerprintedFails() {
    Engine engine = new Engine(SEVEN_DAYS);
    engine.tells("p-1 | alice | day 1 | deposit 1 | applied 1");
    Event<Payment> lone =
        new Event<>("p-1", "alice", at("day 1"), new Payment("deposit", 1, "\ud800"));
    assertThat(engine.judge(lone))
        .isInstanceOfSatisfying(
            Verdict.Failed.class, failed -> assertThat(failed.cause()).isEqualTo(Cause.UPDATE));
  }

  static long day(long day) {
    return Duration.ofDays(day).toMillis();
  }

  static @Nullable Instant at(String time) {
    return switch (time) {
      case "never" -> null;
      case "max" -> Instant.MAX;
      case "min" -> Instant.MIN;
      default -> Instant.ofEpochMilli(day(Long.parseLong(time.substring("day ".length()))));
    };
  }

  private static Event<Payment> payment(String id, String kind, long cents) {
    return new Event<>(id, "alice", at("day 1"), new Payment(kind, cents, ""));
  }

  /** The least that can hold what a kernel decides. */
  private static final class Engine {
    final Kernel<Balance, Payment, String> kernel;
    final Map<String, Slot<Balance>> slots = new HashMap<>();
    final Map<List<String>, Remembered> ids = new HashMap<>();
    long floor = Kernel.NO_FLOOR;
    long latest = Kernel.NO_LIMIT;
    int lookups;

    Engine(Fold<Balance, Payment, String> fold) {
      this.kernel = new Kernel<>(fold);
    }

    Verdict<Balance, String> judge(Event<Payment> event) {
      Verdict<Balance, String> verdict =
          kernel.judge(
              event,
              slots::get,
              (key, id) -> {
                lookups++;
                return ids.get(List.of(key, id));
              },
              floor,
              latest);
      String rejected = null;
      if (verdict instanceof Verdict.Applied<Balance, String> applied) {
        Balance state = applied.state();
        if (state == null) {
          slots.remove(event.key());
        } else {
          slots.put(event.key(), new Slot<>(state, 1));
        }
      } else if (verdict instanceof Verdict.Rejected<Balance, String> reason) {
        rejected = reason.reason();
      } else {
        return verdict;
      }
      if (event.id() != null) {
        ids.put(
            List.of(event.key(), event.id()),
            new Remembered(kernel.fingerprint(event.value()), rejected));
      }
      return verdict;
    }

    /** Each line is an event and its verdict, or a new floor, or a new limit of the clock. */
    void tells(String table) {
      List<String> told = new ArrayList<>();
      List<String> expected = new ArrayList<>();
      for (String line : table.strip().split("\n", -1)) {
        List<String> cells = Arrays.stream(line.split("\\|", -1)).map(String::strip).toList();
        if (line.startsWith("floor ")) {
          floor = Objects.requireNonNull(at(line.substring("floor ".length()))).toEpochMilli();
        } else if (line.startsWith("latest ")) {
          latest = Objects.requireNonNull(at(line.substring("latest ".length()))).toEpochMilli();
        } else {
          String id = cells.get(0).equals("-") ? null : cells.get(0);
          String[] words = cells.get(3).split(" ", 3);
          Payment payment =
              new Payment(words[0], Long.parseLong(words[1]), words.length > 2 ? words[2] : "");
          Event<Payment> event = new Event<>(id, cells.get(1), at(cells.get(2)), payment);
          String start = String.join(" | ", cells.subList(0, 4)) + " | ";
          expected.add(start + cells.get(4));
          told.add(start + word(judge(event)));
        }
      }
      assertThat(told).isEqualTo(expected);
    }

    private static String word(Verdict<Balance, String> verdict) {
      if (verdict instanceof Verdict.Applied<Balance, String> applied) {
        Balance state = applied.state();
        return "applied " + (state == null ? "null" : String.valueOf(state.cents()));
      } else if (verdict instanceof Verdict.Rejected<Balance, String> rejected) {
        return "rejected: " + rejected.reason();
      } else if (verdict instanceof Verdict.Duplicate<Balance, String> duplicate) {
        return "duplicate" + (duplicate.rejected() == null ? "" : ": " + duplicate.rejected());
      } else if (verdict instanceof Verdict.Failed<Balance, String> failed) {
        return "failed: " + failed.cause().name().toLowerCase(java.util.Locale.ROOT);
      }
      return verdict.kind().name().toLowerCase(java.util.Locale.ROOT);
    }
  }
}
