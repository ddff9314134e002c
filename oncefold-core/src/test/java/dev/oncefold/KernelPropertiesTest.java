package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** The kernel against a reference that is slow and obvious. */
class KernelPropertiesTest {
  record Add(int amount) {}

  record Total(long sum) {}

  /** An event as it may come: few keys and ids, so that they meet again. */
  record Step(@Nullable String id, String key, @Nullable Long time, int amount, long floorUp) {}

  private static final long LATEST = 60;

  private static final Fold<Total, Add, String> SPAN = fold().remembering(span()).update(rules());
  private static final Fold<Total, Add, String> FOREVER =
      fold().rememberingForever().update(rules());
  private static final Fold<Total, Add, String> NONE = fold().rememberingNoIds().update(rules());

  private static Duration span() {
    return Duration.ofMillis(20);
  }

  private static Fold.Builder<Total, Add, String> fold() {
    return Fold.of("totals", Total.class, Add.class, String.class).initially(new Total(0));
  }

  /** Adds; rejects what would fall below zero, fails at 13, deletes at a sum of 7. */
  private static Update<Total, Add, String> rules() {
    return (total, event) -> {
      long sum = total.sum() + event.value().amount();
      if (event.value().amount() == 13) {
        throw new IllegalStateException("13");
      }
      if (sum < 0) {
        return Outcome.reject("below zero: " + sum);
      }
      return Outcome.accept(sum == 7 ? null : new Total(sum), event.key() + "=" + sum);
    };
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Step> step =
        Combinators.combine(
                Arbitraries.of("1", "2", "3", "4").injectNull(0.1),
                Arbitraries.of("a", "b"),
                Arbitraries.longs().between(0, LATEST + 5).injectNull(0.05),
                Arbitraries.of(1, 2, 3, 5, -4, 13),
                Arbitraries.frequency(net.jqwik.api.Tuple.of(6, 0L), net.jqwik.api.Tuple.of(1, 7L)))
            .as(Step::new);
    return step.list().ofMaxSize(60);
  }

  @Property(tries = 1_500)
  void withASpan(@ForAll("steps") List<Step> steps) {
    compare(SPAN, steps);
  }

  @Property(tries = 700)
  void forever(@ForAll("steps") List<Step> steps) {
    compare(FOREVER, steps);
  }

  @Property(tries = 700)
  void withoutIds(@ForAll("steps") List<Step> steps) {
    compare(NONE, steps);
  }

  private static void compare(Fold<Total, Add, String> fold, List<Step> steps) {
    Kernel<Total, Add, String> kernel = new Kernel<>(fold);
    Fold.Ids.Kind kind = fold.ids().kind();
    // The reference: everything that was ever Applied or Rejected, and plain sums.
    List<Step> judged = new ArrayList<>();
    Map<Step, String> verdicts = new HashMap<>();
    Map<String, Long> sums = new HashMap<>();
    // What the kernel is given.
    Map<String, Slot<Total>> slots = new HashMap<>();
    Map<String, Remembered> ids = new HashMap<>();
    long floor = 0;
    for (Step step : steps) {
      floor += step.floorUp();
      Instant time = step.time() == null ? null : Instant.ofEpochMilli(step.time());
      Event<Add> event = new Event<>(step.id(), step.key(), time, new Add(step.amount()));
      Verdict<Total, String> verdict =
          kernel.judge(event, slots::get, (key, id) -> ids.get(key + "/" + id), floor, LATEST);
      String expected = expected(step, kind, judged, verdicts, sums, floor);
      assertThat(told(verdict)).as("%s with the floor %s", step, floor).isEqualTo(expected);
      if (verdict instanceof Verdict.Applied<Total, String> applied) {
        Total total = applied.state();
        if (total == null) {
          slots.remove(step.key());
        } else {
          slots.put(step.key(), new Slot<>(total, 1));
        }
      }
      boolean remembered =
          verdict instanceof Verdict.Applied || verdict instanceof Verdict.Rejected;
      if (remembered && step.id() != null) {
        String rejected = verdict instanceof Verdict.Rejected<Total, String> r ? r.reason() : null;
        ids.put(
            step.key() + "/" + step.id(),
            new Remembered(kernel.fingerprint(event.value()), rejected));
      }
      Map<String, Long> stored = new HashMap<>();
      slots.forEach((key, slot) -> stored.put(key, slot.state().sum()));
      assertThat(stored).isEqualTo(sums);
    }
  }

  private static String expected(
      Step step,
      Fold.Ids.Kind kind,
      List<Step> judged,
      Map<Step, String> verdicts,
      Map<String, Long> sums,
      long floor) {
    boolean span = kind == Fold.Ids.Kind.SPAN;
    if (kind != Fold.Ids.Kind.NONE && step.id() != null) {
      for (Step before : judged) {
        if (step.id().equals(before.id()) && step.key().equals(before.key())) {
          return step.amount() == before.amount()
              ? "duplicate " + verdicts.getOrDefault(before, "?").replace("applied", "")
              : "conflict";
        }
      }
      Long time = step.time();
      // Also for ids kept for ever: a floor was left by a version of the fold that forgot some.
      if (time == null) {
        return "failed NO_TIME";
      }
      if (time <= floor) {
        return "expired " + floor;
      }
    }
    if (span && step.time() != null && step.time() > LATEST) {
      return "failed AHEAD_OF_CLOCK";
    }
    if (step.amount() == 13) {
      return "failed UPDATE";
    }
    long sum = sums.getOrDefault(step.key(), 0L) + step.amount();
    String verdict = sum < 0 ? "below zero: " + sum : "applied";
    judged.add(step);
    verdicts.put(step, verdict);
    if (sum < 0) {
      return "rejected " + verdict;
    }
    if (sum == 7) {
      sums.remove(step.key());
    } else {
      sums.put(step.key(), sum);
    }
    return "applied " + step.key() + "=" + sum;
  }

  private static String told(Verdict<Total, String> verdict) {
    if (verdict instanceof Verdict.Applied<Total, String> applied) {
      return "applied " + applied.outputs().get(0).value();
    } else if (verdict instanceof Verdict.Rejected<Total, String> rejected) {
      return "rejected " + rejected.reason();
    } else if (verdict instanceof Verdict.Duplicate<Total, String> duplicate) {
      return "duplicate " + (duplicate.rejected() == null ? "" : duplicate.rejected());
    } else if (verdict instanceof Verdict.Expired<Total, String> expired) {
      return "expired " + expired.floor().toEpochMilli();
    } else if (verdict instanceof Verdict.Failed<Total, String> failed) {
      return "failed " + failed.cause();
    }
    return "conflict";
  }
}
