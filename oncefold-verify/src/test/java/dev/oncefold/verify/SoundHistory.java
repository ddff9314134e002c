package dev.oncefold.verify;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a right engine says of a run, made from a seed: a small engine of its own, which shares
 * nothing with the checker but the form of a move and of a trace.
 */
final class SoundHistory implements History {
  static final long SPAN = 400;
  private static final List<String> KEYS =
      List.of("a", "b", "@world", "k@1", "x/y", "", "žluť 😀 %", "p0", "p0@3");
  private static final List<String> READERS = List.of("follower", "file");

  final List<Observation> seen = new ArrayList<>();
  private final Random random;
  private final long span;
  private final boolean conserves;
  private final boolean keepsForgotten;
  private final boolean tellsAll;

  private final Map<String, Slot> slots = new TreeMap<>();
  private final Map<String, Slot> shown = new HashMap<>();
  private final List<Map<String, Slot>> versions = new ArrayList<>(List.of(Map.of()));
  private final Map<List<String>, Sent> ids = new HashMap<>();
  private final Counts.Tally tally = new Counts.Tally();
  private final List<Part> parts = new ArrayList<>();
  private final List<Sent> sent = new ArrayList<>();
  private final Map<String, Map<String, Deque<Observation>>> unread = new LinkedHashMap<>();
  final IdentityHashMap<Observation, Map<String, Long>> newestAt = new IdentityHashMap<>();
  private final Map<String, Integer> sessions = new HashMap<>();
  private long floor = Long.MIN_VALUE;
  private long newest;
  private long seq;

  private record Slot(long version, Trace trace) {
    Observation.Slot of(String key) {
      return new Observation.Slot(key, version, trace.text());
    }
  }

  private record Sent(@Nullable String id, @Nullable Long time, Move move) {}

  /** A partition. */
  private static final class Part {
    final String name;
    long told;
    long committed;
    long epoch = 1;
    final Deque<Observation.Input> waiting = new ArrayDeque<>();

    Part(String name) {
      this.name = name;
    }
  }

  SoundHistory(long seed) {
    random = new Random(seed * 31 + 7);
    span =
        switch (random.nextInt(6)) {
          case 0 -> Observation.Begin.FOREVER;
          case 1 -> Observation.Begin.NO_IDS;
          default -> SPAN;
        };
    conserves = random.nextBoolean();
    keepsForgotten = random.nextInt(3) == 0;
    tellsAll = keepsForgotten || random.nextInt(4) > 0;
    for (int i = 0; i <= random.nextInt(3); i++) {
      parts.add(new Part("p" + i));
    }
    for (String reader : READERS) {
      unread.put(reader, new LinkedHashMap<>());
    }
    Observation.Needs needs = new Observation.Needs(1, 1, 1, 1, List.of("F2"));
    seen.add(
        new Observation.Begin(
            "reference",
            "f/1",
            seed,
            TraceModel.NAME,
            span,
            conserves ? 0L : null,
            needs,
            Map.of()));
    int steps = 6 + random.nextInt(25);
    int crash = random.nextInt(steps);
    for (int step = 0; step < steps; step++) {
      step(step == crash);
    }
    seen.add(new Observation.Calm());
    parts.forEach(part -> commit(part, part.waiting.size()));
    for (String reader : READERS) {
      read(reader, Integer.MAX_VALUE);
    }
    snapshot();
    seen.add(new Observation.End(seen.size()));
  }

  @Override
  public void read(Consumer<Observation> each) {
    seen.forEach(each);
  }

  private void step(boolean crash) {
    Part part = parts.get(random.nextInt(parts.size()));
    for (int i = random.nextInt(5); i >= 0; i--) {
      input(part);
    }
    commit(part, 1 + random.nextInt(part.waiting.size()));
    boolean crashed = crash || random.nextInt(8) == 0;
    // A commit may survive the crash that kept its answer from coming.
    if (!crashed || random.nextBoolean()) {
      seen.add(new Observation.Answered(part.name, part.committed));
    }
    if (crashed) {
      seen.add(new Observation.Fault("F2", "SIGKILL", true, true, crash || random.nextBoolean()));
      Part claimed = parts.get(random.nextInt(parts.size()));
      claimed.epoch += 1 + random.nextInt(2);
      seen.add(new Observation.Claimed(claimed.name, claimed.epoch, claimed.committed));
      snapshot();
    } else if (random.nextInt(12) == 0) {
      seen.add(new Observation.Fault("F5", "a flipped bit", true, false, false));
      seen.add(new Observation.Damaged("a flipped bit"));
      seen.add(new Observation.Refused("bytes are damaged"));
      seen.add(new Observation.Repaired());
    }
    if (random.nextInt(3) == 0) {
      query("s" + random.nextInt(2));
    }
    read(READERS.get(random.nextInt(2)), random.nextInt(3) == 0 ? 99 : random.nextInt(6));
  }

  // ---------------------------------------------------------------- the input

  private void input(Part part) {
    long at = part.told;
    long next = at + 1 + random.nextInt(3);
    Observation.Input input;
    if (random.nextInt(20) == 0) {
      input = new Observation.Input(part.name, at, next, null, null, null, "?");
    } else {
      Sent event = event();
      input =
          new Observation.Input(
              part.name,
              at,
              next,
              event.move().keys().get(0),
              event.id(),
              event.time(),
              event.move().text());
    }
    part.told = next;
    part.waiting.add(input);
    seen.add(input);
  }

  private Sent event() {
    if (!sent.isEmpty() && random.nextInt(4) == 0) {
      int back = random.nextBoolean() ? random.nextInt(Math.min(4, sent.size())) : 0;
      Sent again = sent.get(back > 0 ? sent.size() - 1 - back : random.nextInt(sent.size()));
      if (random.nextInt(4) > 0) {
        return again;
      }
      Move move = again.move();
      return new Sent(again.id(), again.time(), new Move(++seq, move.keys(), move.amounts()));
    }
    long time = 10 * ++seq + random.nextInt(15) + (random.nextInt(30) == 0 ? 100_000 : 0);
    @Nullable String id =
        switch (random.nextInt(10)) {
          case 0 -> null;
          case 1 -> "i/" + seq;
          case 2 -> "p0@" + seq;
          case 3 -> "";
          default -> "e" + seq;
        };
    Sent event = new Sent(id, random.nextInt(25) == 0 ? null : time, move());
    sent.add(event);
    return event;
  }

  private Move move() {
    List<String> keys = new ArrayList<>();
    List<Long> amounts = new ArrayList<>();
    long sum = 0;
    for (int i = conserves ? 1 + random.nextInt(2) : random.nextInt(2); i >= 0; i--) {
      String key = KEYS.get(random.nextInt(KEYS.size()));
      if (!keys.contains(key)) {
        keys.add(key);
        amounts.add((long) random.nextInt(12) - 4);
        sum += amounts.get(amounts.size() - 1);
      }
    }
    if (conserves) {
      if (keys.contains("@world")) {
        int at = keys.indexOf("@world");
        amounts.set(at, amounts.get(at) - sum);
      } else {
        keys.add("@world");
        amounts.add(-sum);
      }
    }
    return new Move(seq, keys, amounts);
  }

  // ---------------------------------------------------------------- the engine

  private void commit(Part part, int events) {
    if (events == 0) {
      return;
    }
    long from = part.committed;
    @Nullable Long latest = span >= 0 && random.nextInt(3) > 0 ? newest + 500 : null;
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < events; i++) {
      Observation.Input input = part.waiting.remove();
      part.committed = input.next();
      Verdict.Kind kind = judge(input, latest);
      letters.append(tellsAll || random.nextBoolean() ? Letters.of(kind) : Letters.UNTOLD);
    }
    @Nullable Long risen = null;
    if (span >= 0 && random.nextInt(3) == 0 && newest > 0 && newest - span > floor) {
      risen = floor = newest - span;
      if (!keepsForgotten) {
        ids.values().removeIf(old -> Objects.requireNonNull(old.time()) <= floor);
      }
    }
    versions.add(Map.copyOf(slots));
    if (random.nextInt(6) == 0) {
      sessions.put("s0", versions.size() - 1);
      query("s0"); // it sees the commit before anybody hears of it
    }
    seen.add(
        new Observation.Commit(
            part.name, from, part.committed, part.epoch, risen, latest, 1, letters.toString()));
  }

  private Verdict.Kind judge(Observation.Input input, @Nullable Long latest) {
    String id = input.id() == null ? input.partition() + "@" + input.at() : input.id();
    Verdict.Kind kind = verdict(input, latest);
    Map<String, Slot> after = new LinkedHashMap<>();
    if (kind == null) {
      Move move = Move.parse(input.payload());
      kind = Verdict.Kind.APPLIED;
      for (int i = 0; i < move.keys().size(); i++) {
        Slot before = slots.getOrDefault(move.keys().get(i), new Slot(0, Trace.NONE));
        long amount = move.amounts().get(i);
        if (!move.keys().get(i).startsWith("@") && before.trace().sum() + amount < 0) {
          kind = Verdict.Kind.REJECTED;
        }
        after.put(
            move.keys().get(i),
            new Slot(before.version() + 1, before.trace().after(id, move.seq(), amount)));
      }
      if (input.id() != null && span != Observation.Begin.NO_IDS) {
        ids.put(List.of(String.valueOf(input.key()), id), new Sent(id, input.time(), move));
      }
      newest = Math.max(newest, input.time() == null ? 0 : input.time());
    }
    if (kind == Verdict.Kind.APPLIED) {
      slots.putAll(after);
      int n = 0;
      for (Slot slot : after.values()) {
        String outputId = "f%2F1/" + escaped(input.key()) + "/" + escaped(id) + "/" + n++;
        for (String reader : READERS) {
          emit(
              reader,
              "o" + input.key(),
              new Observation.Output(
                  reader,
                  TraceModel.OUTPUT,
                  String.valueOf(input.key()),
                  outputId,
                  slot.trace().text()));
        }
      }
      tally.add(kind, n);
      return kind;
    }
    tally.add(kind, 0);
    if (kind != Verdict.Kind.DUPLICATE) {
      String key = input.key() == null ? "" : input.key();
      for (String reader : READERS) {
        emit(reader, "r" + key, new Observation.Refusal(reader, key, id, Letters.of(kind)));
      }
    }
    return kind;
  }

  private static String escaped(@Nullable String part) {
    StringBuilder escaped = new StringBuilder();
    for (char c : String.valueOf(part).toCharArray()) {
      escaped.append(c == '/' ? "%2F" : c == '%' ? "%25" : String.valueOf(c));
    }
    return escaped.toString();
  }

  /** The verdict where the rules are not asked, else null. */
  private Verdict.@Nullable Kind verdict(Observation.Input input, @Nullable Long latest) {
    if (input.key() == null) {
      return Verdict.Kind.FAILED;
    }
    boolean timed = span >= 0;
    String id = input.id();
    if (id != null && span != Observation.Begin.NO_IDS) {
      Sent first = ids.get(List.of(input.key(), id));
      // Below the floor an id may still be known, or not; above it, one forgotten is new.
      boolean forgotten = first != null && first.time() != null && first.time() <= floor;
      boolean old = input.time() != null && input.time() <= floor;
      if (first != null && (old || !forgotten)) {
        return first.move().text().equals(input.payload())
            ? Verdict.Kind.DUPLICATE
            : Verdict.Kind.CONFLICT;
      } else if (timed && input.time() == null) {
        return Verdict.Kind.FAILED;
      } else if (timed && input.time() != null && input.time() <= floor) {
        return Verdict.Kind.EXPIRED;
      }
    }
    return timed && latest != null && input.time() != null && input.time() > latest
        ? Verdict.Kind.FAILED
        : null;
  }

  // ---------------------------------------------------------------- what is seen

  private void emit(String reader, String group, Observation observation) {
    Objects.requireNonNull(unread.get(reader))
        .computeIfAbsent(group, g -> new ArrayDeque<>())
        .add(observation);
  }

  /** Reads on, the keys in any order. */
  private void read(String reader, int most) {
    Map<String, Deque<Observation>> left = Objects.requireNonNull(unread.get(reader));
    for (int i = 0; i < most && !left.isEmpty(); i++) {
      List<String> groups = List.copyOf(left.keySet());
      String group = groups.get(random.nextInt(groups.size()));
      Deque<Observation> next = Objects.requireNonNull(left.get(group));
      seen.add(next.remove());
      if (next.isEmpty()) {
        left.remove(group);
      }
    }
    if (left.isEmpty()) {
      seen.add(new Observation.Complete(reader));
    }
  }

  /** Whoever asks lags behind, and comes nearer. */
  private void query(String session) {
    int least = sessions.getOrDefault(session, Math.max(0, versions.size() - 4));
    int at = least + random.nextInt(versions.size() - least);
    sessions.put(session, at);
    List<Observation.Slot> told = new ArrayList<>();
    boolean whole = random.nextBoolean();
    versions
        .get(at)
        .forEach(
            (key, slot) -> {
              if (whole || random.nextBoolean()) {
                told.add(slot.of(key));
              }
            });
    Observation.Query query = new Observation.Query(session, whole, told);
    Map<String, Long> newest = new HashMap<>();
    slots.forEach((key, slot) -> newest.put(key, slot.version()));
    newestAt.put(query, newest);
    seen.add(query);
  }

  private void snapshot() {
    Map<String, Long> positions = new TreeMap<>();
    parts.stream()
        .filter(part -> part.committed > 0)
        .forEach(part -> positions.put(part.name, part.committed));
    List<Observation.Slot> changed = new ArrayList<>();
    slots.forEach(
        (key, slot) -> {
          if (!slot.equals(shown.put(key, slot))) {
            changed.add(slot.of(key));
          }
        });
    seen.add(
        new Observation.Snapshot(
            positions, tally.counts(), floor == Long.MIN_VALUE ? null : floor, changed.size()));
    seen.addAll(changed);
  }
}
