package dev.oncefold.verify;

import dev.oncefold.Counts;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What a right engine says, with one change. */
final class Mutation implements History {
  private final SoundHistory sound;
  private final List<Observation> all;
  private final Random random;
  @Nullable String kind;
  String told = "";
  boolean neutral;

  Mutation(SoundHistory sound, Random random) {
    this.sound = sound;
    this.all = new ArrayList<>(sound.seen);
    this.random = random;
    int at = pick();
    Observation observation = all.get(at);
    if (observation instanceof Observation.Output output) {
      output(at, output);
    } else if (observation instanceof Observation.Refusal refusal) {
      refusal(at, refusal);
    } else if (observation instanceof Observation.Slot slot) {
      slot(at, slot);
    } else if (observation instanceof Observation.Snapshot snapshot) {
      snapshot(at, snapshot);
    } else if (observation instanceof Observation.Commit commit) {
      commit(at, commit);
    } else if (observation instanceof Observation.Answered answered) {
      long to = answered.to() + 1 + random.nextInt(4);
      neutral = to <= nextPosition(at, answered.partition());
      put(at, "answered later", new Observation.Answered(answered.partition(), to));
    } else if (observation instanceof Observation.Claimed claimed) {
      claimed(at, claimed);
    } else if (observation instanceof Observation.Query query) {
      query(at, query);
    } else if (observation instanceof Observation.Fault fault && fault.fault().equals("F2")) {
      neutral = count(Observation.Fault.class, f -> f.fault().equals("F2") && f.openCommit()) > 1;
      neutral |= !fault.openCommit();
      put(at, "fault not landed", new Observation.Fault("F2", "none", false, true, true));
    } else if (observation instanceof Observation.Complete complete) {
      // Who had read all before, and has read nothing since, says nothing new.
      neutral =
          after(at).stream().anyMatch(complete::equals)
              || (hasReadNothing(at, complete.reader())
                  && after(lastCommit()).stream()
                      .anyMatch(o -> o instanceof Observation.Complete && !o.equals(complete)));
      drop(at, "complete dropped");
    } else if (observation instanceof Observation.End) {
      if (random.nextBoolean()) {
        drop(at, "end dropped");
      } else {
        insert(all.size(), "behind the end", all.get(random.nextInt(at)));
      }
    }
    int end = all.size() - 1;
    for (int i = 0; i <= end; i++) {
      if (all.get(i) instanceof Observation.End && !"behind the end".equals(kind)) {
        all.set(i, new Observation.End(i));
      }
    }
  }

  /** Each kind of observation as often as the others. */
  private int pick() {
    Map<String, List<Integer>> kinds = new TreeMap<>();
    for (int i = 0; i < all.size(); i++) {
      kinds.computeIfAbsent(all.get(i).getClass().getName(), k -> new ArrayList<>()).add(i);
    }
    List<List<Integer>> places = List.copyOf(kinds.values());
    List<Integer> chosen = places.get(random.nextInt(places.size()));
    return chosen.get(random.nextInt(chosen.size()));
  }

  private int lastCommit() {
    return IntStream.range(0, all.size())
        .filter(i -> all.get(i) instanceof Observation.Commit)
        .max()
        .orElse(0);
  }

  private boolean hasReadNothing(int at, String reader) {
    for (int i = at - 1; i > 0; i--) {
      if (all.get(i).equals(new Observation.Complete(reader))) {
        return true;
      } else if ((all.get(i) instanceof Observation.Output o && o.reader().equals(reader))
          || (all.get(i) instanceof Observation.Refusal r && r.reader().equals(reader))) {
        return false;
      }
    }
    return true;
  }

  /** The slots of the first snapshot from there on. */
  private Set<String> slotsFrom(int at) {
    Set<String> keys = new HashSet<>();
    boolean there = false;
    for (Observation one : all.subList(at, all.size())) {
      if (one instanceof Observation.Slot slot) {
        keys.add(slot.key());
      } else if (one instanceof Observation.Snapshot && there) {
        return keys;
      }
      there |= one instanceof Observation.Snapshot;
    }
    return keys;
  }

  private List<Observation> after(int at) {
    return all.subList(at + 1, all.size());
  }

  private <T> long count(Class<T> type, java.util.function.Predicate<T> which) {
    return all.stream().filter(type::isInstance).map(type::cast).filter(which).count();
  }

  private void put(int at, String what, Observation changed) {
    kind = what;
    told = all.get(at) + " -> " + changed + " at " + (at + 1);
    neutral |= all.get(at).equals(changed);
    all.set(at, changed);
  }

  private void drop(int at, String what) {
    kind = what;
    told = all.remove(at) + " at " + (at + 1);
  }

  private void insert(int at, String what, Observation more) {
    kind = what;
    told = more + " at " + (at + 1);
    all.add(at, more);
  }

  private long nextPosition(int at, String partition) {
    long position = 0;
    for (Observation next : after(at)) {
      if (next instanceof Observation.Snapshot snapshot) {
        return snapshot.positions().getOrDefault(partition, 0L);
      }
    }
    return position;
  }

  // -------------------------------------------------------------- outputs and refusals

  private void output(int at, Observation.Output o) {
    switch (random.nextInt(8)) {
      case 0 -> drop(at, "output dropped");
      case 1 -> insert(at, "output twice", o);
      case 2 -> insert(at + 1 + random.nextInt(all.size() - 1 - at), "output twice, later", o);
      case 3 ->
          put(
              at,
              "output value",
              new Observation.Output(o.reader(), o.name(), o.key(), o.id(), Trace.NONE.text()));
      case 4 ->
          put(
              at,
              "output id",
              new Observation.Output(o.reader(), o.name(), o.key(), o.id() + "0", o.value()));
      case 5 ->
          put(
              at,
              "output key",
              new Observation.Output(o.reader(), o.name(), o.key() + "/", o.id(), o.value()));
      case 6 ->
          put(
              at,
              "output name",
              new Observation.Output(o.reader(), "other", o.key(), o.id(), o.value()));
      default ->
          swap(
              at,
              "outputs swapped",
              other ->
                  other instanceof Observation.Output p
                      && p.reader().equals(o.reader())
                      && p.key().equals(o.key()));
    }
    unlessInSlots();
  }

  /** A line more between a snapshot and its slots is no change of what the engine says. */
  private void unlessInSlots() {
    int due = 0;
    for (Observation one : all) {
      if (due > 0 && !(one instanceof Observation.Slot)) {
        kind = null;
        return;
      }
      due = one instanceof Observation.Snapshot s ? s.changed() : Math.max(0, due - 1);
    }
  }

  private void swap(int at, String what, java.util.function.Predicate<Observation> like) {
    int other =
        IntStream.range(at + 1, all.size())
            .filter(i -> like.test(all.get(i)))
            .findFirst()
            .orElse(-1);
    if (other >= 0) {
      Observation first = all.get(at);
      put(at, what, all.get(other));
      all.set(other, first);
    }
  }

  private void refusal(int at, Observation.Refusal r) {
    switch (random.nextInt(6)) {
      case 0 -> drop(at, "refusal dropped");
      case 1 -> insert(at, "refusal twice", r);
      case 2 ->
          put(
              at,
              "refusal id",
              new Observation.Refusal(r.reader(), r.key(), r.id() + "0", r.verdict()));
      case 3 ->
          put(
              at,
              "refusal key",
              new Observation.Refusal(r.reader(), r.key() + "/", r.id(), r.verdict()));
      case 4 ->
          put(
              at,
              "refusal verdict",
              new Observation.Refusal(r.reader(), r.key(), r.id(), r.verdict() == 'R' ? 'F' : 'R'));
      default -> {
        // Those without a key are in order for each partition only.
        if (!r.key().isEmpty()) {
          swap(
              at,
              "refusals swapped",
              other ->
                  other instanceof Observation.Refusal p
                      && p.reader().equals(r.reader())
                      && p.key().equals(r.key()));
        }
      }
    }
  }

  // -------------------------------------------------------------- snapshots

  private void slot(int at, Observation.Slot s) {
    Trace trace = Trace.parse(Objects.requireNonNull(s.state()));
    switch (random.nextInt(9)) {
      case 0 ->
          put(at, "slot version up", new Observation.Slot(s.key(), s.version() + 1, s.state()));
      case 1 -> put(at, "slot gone", new Observation.Slot(s.key(), 0, null));
      case 2 ->
          put(
              at,
              "slot lost an event",
              new Observation.Slot(
                  s.key(),
                  s.version(),
                  new Trace(trace.count() - 1, trace.sum(), trace.lastSeq(), trace.chain())
                      .text()));
      case 3 ->
          put(
              at,
              "slot sum",
              new Observation.Slot(
                  s.key(),
                  s.version(),
                  new Trace(trace.count(), trace.sum() + 1, trace.lastSeq(), trace.chain())
                      .text()));
      case 4 ->
          put(
              at,
              "slot chain",
              new Observation.Slot(
                  s.key(),
                  s.version(),
                  new Trace(trace.count(), trace.sum(), trace.lastSeq(), trace.chain() + 1)
                      .text()));
      case 5 -> put(at, "slot garbage", new Observation.Slot(s.key(), s.version(), "?"));
      case 6 ->
          put(
              at,
              "slot of another key",
              new Observation.Slot(s.key() + "!", s.version(), s.state()));
      case 7 -> {
        recount(at, 1);
        insert(at, "slot more", new Observation.Slot(s.key() + "!", 1, Trace.NONE.text()));
      }
      default -> {
        recount(at, -1);
        drop(at, "slot dropped");
      }
    }
  }

  private void recount(int slot, int more) {
    int at = slot;
    while (!(all.get(at) instanceof Observation.Snapshot)) {
      at--;
    }
    Observation.Snapshot s = (Observation.Snapshot) all.get(at);
    all.set(at, new Observation.Snapshot(s.positions(), s.counts(), s.floor(), s.changed() + more));
  }

  private void snapshot(int at, Observation.Snapshot s) {
    Map<String, Long> positions = new TreeMap<>(s.positions());
    String partition = positions.isEmpty() ? "p0" : positions.keySet().iterator().next();
    Counts c = s.counts();
    switch (random.nextInt(8)) {
      case 0 -> positions.merge(partition, 1L, Long::sum);
      case 1 -> positions.merge(partition, -1L, Long::sum);
      case 2 -> positions.put("p9", 1L);
      case 3 -> {
        if (positions.remove(partition) == null) {
          return;
        }
      }
      case 4 -> {
        put(
            at,
            "snapshot counts",
            new Observation.Snapshot(
                positions,
                new Counts(
                    c.applied(),
                    c.rejected(),
                    c.duplicates() + 1,
                    c.conflicts(),
                    c.expired(),
                    c.failed(),
                    c.outputs()),
                s.floor(),
                s.changed()));
        return;
      }
      case 5 -> {
        put(
            at,
            "snapshot outputs",
            new Observation.Snapshot(
                positions,
                new Counts(
                    c.applied(),
                    c.rejected(),
                    c.duplicates(),
                    c.conflicts(),
                    c.expired(),
                    c.failed(),
                    c.outputs() - 1),
                s.floor(),
                s.changed()));
        return;
      }
      case 6 -> {
        long floor = s.floor() == null ? 17 : s.floor() + (random.nextBoolean() ? 1 : -1);
        put(at, "snapshot floor", new Observation.Snapshot(positions, c, floor, s.changed()));
        return;
      }
      default -> {
        // Unless it is the last, nobody misses it if the next one tells all that it told.
        neutral =
            all.subList(lastCommit(), all.size()).stream()
                    .anyMatch(o -> o instanceof Observation.Snapshot && !o.equals(s))
                && slotsFrom(at + 1 + s.changed()).containsAll(slotsFrom(at));
        for (int i = s.changed(); i > 0; i--) {
          all.remove(at + 1);
        }
        drop(at, "snapshot dropped");
        return;
      }
    }
    put(at, "snapshot position", new Observation.Snapshot(positions, c, s.floor(), s.changed()));
  }

  // -------------------------------------------------------------- commits and owners

  private void commit(int at, Observation.Commit c) {
    switch (random.nextInt(9)) {
      case 0 -> drop(at, "commit dropped");
      case 1 -> insert(at, "commit twice", c);
      case 2 ->
          put(
              at,
              "commit begins later",
              commit(c, c.from() + 1, c.to(), c.epoch(), c.floor(), c.verdicts()));
      case 3 ->
          put(
              at,
              "commit ends elsewhere",
              commit(
                  c,
                  c.from(),
                  c.to() + (random.nextBoolean() ? 1 : -1),
                  c.epoch(),
                  c.floor(),
                  c.verdicts()));
      case 4 -> epoch(at, c);
      case 5 -> floor(at, c);
      case 6 -> latest(at, c);
      case 7 ->
          put(
              at,
              "verdict dropped",
              commit(
                  c,
                  c.from(),
                  c.to(),
                  c.epoch(),
                  c.floor(),
                  c.verdicts().length() == 1 ? "AA" : c.verdicts().substring(1)));
      default -> {
        int which = random.nextInt(c.verdicts().length());
        char old = c.verdicts().charAt(which);
        char other = "ARDCEF".charAt(random.nextInt(6));
        if (old != '?' && old != other) {
          put(
              at,
              "verdict " + old + " as " + other,
              commit(
                  c,
                  c.from(),
                  c.to(),
                  c.epoch(),
                  c.floor(),
                  c.verdicts().substring(0, which) + other + c.verdicts().substring(which + 1)));
        }
      }
    }
  }

  private static Observation.Commit commit(
      Observation.Commit c, long from, long to, long epoch, @Nullable Long floor, String verdicts) {
    return new Observation.Commit(
        c.partition(), from, to, epoch, floor, c.latest(), c.foldVersion(), verdicts);
  }

  /** Whether it tells who owns a partition. */
  private static boolean tellsOwner(Observation o, String partition) {
    return (o instanceof Observation.Claimed claimed && claimed.partition().equals(partition))
        || (o instanceof Observation.Commit commit && commit.partition().equals(partition));
  }

  private void epoch(int at, Observation.Commit c) {
    boolean up = random.nextBoolean();
    if (up) {
      // Unless somebody is older than that, it may have been another owner.
      Observation next =
          after(at).stream().filter(o -> tellsOwner(o, c.partition())).findFirst().orElse(null);
      neutral =
          next == null || (next instanceof Observation.Claimed d && d.epoch() > c.epoch() + 1);
    } else {
      neutral = all.subList(0, at).stream().noneMatch(o -> tellsOwner(o, c.partition()));
    }
    put(
        at,
        up ? "epoch up" : "epoch down",
        commit(c, c.from(), c.to(), c.epoch() + (up ? 1 : -1), c.floor(), c.verdicts()));
  }

  private void floor(int at, Observation.Commit c) {
    boolean next =
        after(at).stream()
                .filter(
                    o ->
                        o instanceof Observation.Snapshot
                            || (o instanceof Observation.Commit d && d.floor() != null))
                .findFirst()
                .orElse(null)
            instanceof Observation.Snapshot;
    Long floor = c.floor();
    if (floor == null) {
      put(
          at,
          "floor from nowhere",
          commit(c, c.from(), c.to(), c.epoch(), 1_000_000L, c.verdicts()));
    } else if (next) {
      int how = random.nextInt(3);
      put(
          at,
          "floor of a commit",
          commit(
              c,
              c.from(),
              c.to(),
              c.epoch(),
              how == 0 ? null : floor + how * 2L - 3,
              c.verdicts()));
    }
  }

  private void latest(int at, Observation.Commit c) {
    Set<Long> times = new HashSet<>();
    for (Observation o : all) {
      if (o instanceof Observation.Input i
          && i.partition().equals(c.partition())
          && i.at() >= c.from()
          && i.at() < c.to()
          && i.time() != null
          && i.id() == null) {
        times.add(i.time());
      }
    }
    Long latest = c.latest();
    // Without an id nothing but the rules and the clock decides.
    if (latest != null && !times.isEmpty()) {
      long time = times.iterator().next();
      put(
          at,
          "latest",
          new Observation.Commit(
              c.partition(),
              c.from(),
              c.to(),
              c.epoch(),
              c.floor(),
              time > latest ? time : time - 1,
              1,
              c.verdicts().replace('?', 'A')));
      neutral = c.verdicts().contains("?");
    }
  }

  private void claimed(int at, Observation.Claimed c) {
    switch (random.nextInt(4)) {
      case 0 ->
          put(
              at,
              "claim ahead",
              new Observation.Claimed(c.partition(), c.epoch(), c.position() + 1));
      case 1 ->
          put(
              at,
              "claim behind",
              new Observation.Claimed(c.partition(), c.epoch(), c.position() - 1));
      case 2 -> {
        neutral = all.subList(0, at).stream().noneMatch(o -> tellsOwner(o, c.partition()));
        put(at, "claim of an old epoch", new Observation.Claimed(c.partition(), 0, c.position()));
      }
      default -> {
        neutral = after(at).stream().noneMatch(o -> tellsOwner(o, c.partition()));
        put(
            at,
            "claim of a later epoch",
            new Observation.Claimed(c.partition(), c.epoch() + 99, c.position()));
      }
    }
  }

  // -------------------------------------------------------------- queries

  private void query(int at, Observation.Query q) {
    if (q.slots().isEmpty()) {
      return;
    }
    List<Observation.Slot> slots = new ArrayList<>(q.slots());
    int which = random.nextInt(slots.size());
    Observation.Slot s = slots.get(which);
    Trace t = Trace.parse(Objects.requireNonNull(s.state()));
    String what;
    switch (random.nextInt(4)) {
      case 0 -> {
        what = "query shows another state";
        slots.set(
            which,
            new Observation.Slot(
                s.key(),
                s.version(),
                new Trace(t.count(), t.sum(), t.lastSeq(), t.chain() + 1).text()));
      }
      case 1 -> {
        what = "query shows a later version";
        slots.set(
            which, new Observation.Slot(s.key(), s.version() + 1 + random.nextInt(9), s.state()));
      }
      case 2 -> {
        what = "query shows nobody's key";
        slots.add(new Observation.Slot("nobody", 1, Trace.NONE.text()));
      }
      default -> {
        what = "query lacks a key";
        slots.remove(which);
        // Who lags so far behind that the key was not there yet is right.
        neutral =
            !q.whole()
                || all.subList(0, at).stream()
                    .noneMatch(
                        o ->
                            o instanceof Observation.Query p
                                && p.session().equals(q.session())
                                && p.slots().stream()
                                    .anyMatch(p2 -> Objects.equals(p2.key(), s.key())));
      }
    }
    if (which < slots.size() && slots.get(which).key().equals(s.key())) {
      // What was so long ago, nobody remembers.
      long newest = sound.newestAt.getOrDefault(q, Map.of()).getOrDefault(s.key(), 0L);
      neutral |= slots.get(which).version() <= newest - Slots.RECENT;
    }
    put(at, what, new Observation.Query(q.session(), q.whole(), slots));
  }

  @Override
  public void read(java.util.function.Consumer<Observation> each) {
    all.forEach(each);
  }
}
