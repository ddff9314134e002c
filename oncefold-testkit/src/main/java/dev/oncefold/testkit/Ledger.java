package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.testkit.Step.Expectation;
import dev.oncefold.testkit.Step.Fate;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What must be there if every event came to what the table says: it takes verdicts, and never
 * judges. What an engine answers is compared with it.
 */
final class Ledger {
  private final Map<String, Slot<Trace>> slots = new HashMap<>();
  private final Set<String> keys = new HashSet<>();
  private final Counts.Tally tally = new Counts.Tally();
  private final Map<String, List<ToEmit>> outputs = new HashMap<>();
  private final List<ToRefuse> refusals = new ArrayList<>();
  private final boolean remembersIds;

  Ledger(Fold.Ids ids) {
    remembersIds = ids.kind() != Fold.Ids.Kind.NONE;
  }

  /** An output that must be there. */
  private record ToEmit(Step.Fed from, String key, int place, Receipt value) {
    boolean is(EngineFixture.Emitted read) {
      Event<Move> event = from.event();
      String id = event == null ? null : event.id();
      boolean sameId =
          id != null
              ? read.id().equals(Output.id(Bank.NAME, key, id, place))
              : isPosition(
                  read.id(), Output.id(Bank.NAME, key, from.partition() + '@', place), place);
      return sameId && read.key().equals(key) && read.value().equals(value);
    }

    private static boolean isPosition(String id, String atNowhere, int place) {
      String end = "/" + place;
      return id.startsWith(atNowhere.substring(0, atNowhere.length() - end.length()))
          && id.endsWith(end);
    }
  }

  /** A refusal that must be there. */
  private record ToRefuse(Step.Fed from, Expectation expected) {
    String key() {
      Event<Move> event = from.event();
      return event == null ? "" : event.key();
    }

    boolean is(EngineFixture.Refusal read) {
      Event<Move> event = from.event();
      String id = event == null ? null : event.id();
      boolean sameId =
          id != null ? read.id().equals(id) : read.id().startsWith(from.partition() + '@');
      return sameId
          && read.verdict() == expected.fate().verdict()
          && read.key().equals(key())
          && switch (read.verdict()) {
            case REJECTED -> read.reason().equals(expected.reason());
            case FAILED, EXPIRED ->
                !read.reason().isBlank() && read.reason().contains(expected.reason());
            default -> true;
          };
    }
  }

  /** Takes an event with what it came to, judged under a version of the fold. */
  void add(Step.Fed fed, Expectation expected, int version) {
    Event<Move> event = fed.event();
    if (event != null) {
      keys.addAll(Bank.keys(event.value()));
    }
    int emitted = 0;
    if (expected.fate() == Fate.APPLIED) {
      if (event == null) {
        throw new IllegalArgumentException(fed.at() + "\ncannot be applied: it is no event");
      }
      emitted = apply(fed, event, version);
    }
    Verdict.Kind verdict = expected.fate().verdict();
    tally.add(verdict, emitted);
    if (verdict != Verdict.Kind.APPLIED && verdict != Verdict.Kind.DUPLICATE) {
      refusals.add(new ToRefuse(fed, expected));
    }
  }

  private int apply(Step.Fed fed, Event<Move> event, int version) {
    int place = 0;
    Move move = event.value();
    for (String key : Bank.keys(move)) {
      Slot<Trace> before = slots.get(key);
      Trace trace = Bank.after(before == null ? Trace.NONE : before.state(), event, key, version);
      if (trace == null) {
        slots.remove(key);
        trace = Trace.NONE;
      } else {
        slots.put(key, new Slot<>(trace, before == null ? 1 : before.version() + 1));
      }
      Receipt receipt = new Receipt(key, trace.count(), trace.sum(), move.memo());
      for (String name : Bank.outputs(move)) {
        outputs
            .computeIfAbsent(name, n -> new ArrayList<>())
            .add(new ToEmit(fed, event.key(), place++, receipt));
      }
    }
    return place;
  }

  Counts counts() {
    return tally.counts();
  }

  /** Every key that an event named, whatever came of it. */
  Set<String> keys() {
    return keys;
  }

  @Nullable Slot<Trace> slot(String key) {
    return slots.get(key);
  }

  /** What is wrong with the outputs of a name; null where nothing is. */
  @Nullable String wrongOutputs(String name, List<EngineFixture.Emitted> read) {
    Set<String> ids = new HashSet<>();
    for (EngineFixture.Emitted each : read) {
      // Where no ids are remembered a re-send is applied again, and so are its outputs emitted.
      if (!ids.add(each.id()) && remembersIds) {
        return "two outputs of \"" + name + "\" have the id " + each.id();
      }
    }
    return difference(
        "output of \"" + name + "\"",
        outputs.getOrDefault(name, List.of()),
        ToEmit::key,
        read,
        EngineFixture.Emitted::key,
        ToEmit::is);
  }

  /** What is wrong with the refusals; null where nothing is. */
  @Nullable String wrongRefusals(List<EngineFixture.Refusal> read) {
    return difference(
        "refusal", refusals, ToRefuse::key, read, EngineFixture.Refusal::key, ToRefuse::is);
  }

  /** Compares in the order of each key, which is all that engines promise. */
  private static <A, B> @Nullable String difference(
      String what,
      List<A> expected,
      Function<A, String> expectedKey,
      List<B> read,
      Function<B, String> readKey,
      BiFunction<A, B, Boolean> same) {
    List<A> wanted = expected.stream().sorted(Comparator.comparing(expectedKey)).toList();
    List<B> there = read.stream().sorted(Comparator.comparing(readKey)).toList();
    for (int i = 0; i < Math.max(wanted.size(), there.size()); i++) {
      if (i >= there.size()) {
        return "a " + what + " is missing: " + wanted.get(i);
      } else if (i >= wanted.size()) {
        return "a " + what + " is there that should not be: " + there.get(i);
      } else if (!same.apply(wanted.get(i), there.get(i))) {
        return "a " + what + " is " + there.get(i) + ", expected was " + wanted.get(i);
      }
    }
    return null;
  }
}
