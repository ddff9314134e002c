package dev.oncefold.verify;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One reading of a history: folds the input in the order of the commits and compares everything
 * that was seen with what comes of it. It ends at the first observation that breaks a rule.
 */
final class Walk implements Consumer<Observation> {
  private final Observation.Begin begin;
  private final Model model;
  private final Slots slots;
  private final Stream outputs;
  private final Stream refusals;
  private final boolean focused;
  private final RememberedIds ids = new RememberedIds();
  private final Map<String, Partition> partitions = new TreeMap<>();
  private final Counts.Tally tally = new Counts.Tally();
  private long floor = Long.MIN_VALUE;
  private long newest = Long.MIN_VALUE;
  private @Nullable String damaged;
  private boolean damageSeen;
  private @Nullable String damageUnseen;
  private Observation.@Nullable Snapshot snapshot;
  private int slotsToCome;

  // What happened.
  private long line;
  private long commits;
  private long snapshots;
  private long queries;
  private int kills;
  private int openCommits;
  private final Map<String, Integer> landed = new TreeMap<>();
  private final Map<String, Integer> missed = new TreeMap<>();
  private boolean calm;
  private boolean complete = true;
  private boolean compared = true;
  // Of each reader whether everything that it read was compared.
  private final Map<String, Boolean> readers = new TreeMap<>();
  private boolean ended;

  /** Ends a reading. */
  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    final transient List<Found> found;
    // Whose outputs differ, where it takes a second reading to tell how.
    final transient @Nullable String unclear;

    Broken(List<Found> found) {
      this(found, null);
    }

    Broken(List<Found> found, @Nullable String unclear) {
      super(null, null, false, false);
      this.found = found;
      this.unclear = unclear;
    }
  }

  Walk(Observation.Begin begin, Model model, @Nullable String focus) {
    this.begin = begin;
    this.model = model;
    this.slots = new Slots(model, begin.conserved());
    this.outputs = new Stream("the output", focus);
    this.refusals = new Stream("the refusal", focus);
    this.focused = focus != null;
  }

  long line() {
    return line;
  }

  @Override
  public void accept(Observation observation) {
    line++;
    require(!ended, "it goes on behind its end");
    if (slotsToCome > 0) {
      if (!(observation instanceof Observation.Slot slot)) {
        throw new HistoryException(slotsToCome + " slots of the snapshot before are missing", null);
      }
      slots.observed(slot);
      slotsToCome--;
      compareIfComplete();
    } else if (observation instanceof Observation.Begin) {
      require(line == 1, "a second history begins");
    } else if (observation instanceof Observation.Input input) {
      input(input);
    } else if (observation instanceof Observation.Judged judged) {
      model.told(judged);
    } else if (observation instanceof Observation.Commit commit) {
      commit(commit);
    } else if (observation instanceof Observation.Answered answered) {
      partition(answered.partition()).answered(answered.to());
    } else if (observation instanceof Observation.Claimed claimed) {
      claimed(claimed);
    } else if (observation instanceof Observation.Snapshot seen) {
      snapshot = seen;
      slotsToCome = seen.changed();
      compareIfComplete();
    } else if (observation instanceof Observation.Query query) {
      queries++;
      broken(slots.query(query));
    } else if (observation instanceof Observation.Output output) {
      reads(output.reader());
      outputs.read(
          output.reader(),
          output.name(),
          output.key(),
          output.id(),
          output.name() + "=" + output.value());
    } else if (observation instanceof Observation.Refusal refusal) {
      reads(refusal.reader());
      refusals.read(
          refusal.reader(),
          "",
          refusalKey(refusal.key(), refusal.id()),
          refusal.id(),
          String.valueOf(refusal.verdict()));
    } else if (observation instanceof Observation.Complete end) {
      complete(end.reader());
    } else if (observation instanceof Observation.End end) {
      end(end);
    } else {
      happened(observation);
    }
  }

  private void happened(Observation observation) {
    if (observation instanceof Observation.Fault fault) {
      (fault.landed() ? landed : missed).merge(fault.fault(), 1, Integer::sum);
      boolean killed = fault.landed() && fault.killed();
      kills += killed ? 1 : 0;
      openCommits += killed && fault.openCommit() ? 1 : 0;
    } else if (observation instanceof Observation.Damaged damage) {
      damaged = damage.what();
      damageSeen = false;
    } else if (observation instanceof Observation.Refused) {
      damageSeen = true;
    } else if (observation instanceof Observation.Repaired) {
      repaired();
    } else if (observation instanceof Observation.Calm) {
      calm = true;
    } else if (observation instanceof Observation.Slot) {
      throw new HistoryException("a slot stands behind no snapshot", null);
    }
  }

  private void repaired() {
    damageUnseen = damaged == null || damageSeen ? damageUnseen : damaged;
    damaged = null;
  }

  /** What a reader reads of a damaged copy is compared there and then, or never. */
  private void reads(String reader) {
    if (damaged == null) {
      readers.put(reader, false);
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new HistoryException(otherwise, null);
    }
  }

  private Partition partition(String name) {
    return partitions.computeIfAbsent(name, Partition::new);
  }

  private static void broken(@Nullable Found found) {
    if (found != null) {
      throw new Broken(List.of(found));
    }
  }

  private static void broken(Rule rule, String message, @Nullable String key) {
    throw new Broken(List.of(new Found(rule, message, key)));
  }

  // ---------------------------------------------------------------- input and commits

  private void input(Observation.Input input) {
    require(
        partition(input.partition()).told(input),
        "the input of " + input.partition() + " at " + input.at() + " is out of order");
  }

  private void claimed(Observation.Claimed claimed) {
    broken(partition(claimed.partition()).claimed(claimed));
  }

  private void commit(Observation.Commit commit) {
    Partition partition = partition(commit.partition());
    if (commit.to() > commit.from()) {
      commits++;
      complete = false;
      compared = false;
    }
    broken(partition.begins(commit));
    int judged = 0;
    for (Observation.Input next = partition.next(commit.to());
        next != null;
        next = partition.next(commit.to())) {
      if (!commit.verdicts().isEmpty() && judged >= commit.verdicts().length()) {
        broken(
            Rule.C13,
            "the event at " + position(next) + " was committed and is in no count",
            next.key());
      }
      judge(next, commit, commit.verdicts().isEmpty() ? '?' : commit.verdicts().charAt(judged));
      judged++;
    }
    String elsewhere = partition.endsElsewhere(commit);
    require(elsewhere == null, String.valueOf(elsewhere));
    if (judged < commit.verdicts().length()) {
      broken(
          Rule.C13,
          "a commit of "
              + commit.partition()
              + " counts "
              + commit.verdicts().length()
              + " events, but there are "
              + judged,
          null);
    }
    rise(commit.floor());
    slots.boundary();
  }

  private void rise(@Nullable Long risen) {
    if (risen == null) {
      return;
    } else if (begin.spanMillis() < 0) {
      broken(Rule.C14, "ids are not forgotten by time, and the floor rose to " + risen, null);
    } else if (risen < floor) {
      broken(Rule.C14, "the floor fell from " + floor + " to " + risen, null);
    } else if (risen > newest) {
      broken(
          Rule.C14,
          "the floor rose to "
              + risen
              + ", above the time of every event"
              + (newest == Long.MIN_VALUE ? "" : ", the greatest of which is " + newest),
          null);
    }
    floor = risen;
  }

  private static String position(Observation.Input input) {
    return input.partition() + '@' + input.at();
  }

  private static String id(Observation.Input input) {
    return input.id() == null ? position(input) : input.id();
  }

  private void judge(Observation.Input input, Observation.Commit commit, char letter) {
    Judgement expected = expected(input, commit);
    Verdict.Kind told = letter == '?' ? expected.unlessTold() : Letters.kind(letter);
    Rule rule = expected.breaks(told);
    if (rule != null) {
      broken(
          rule,
          "the event "
              + id(input)
              + " of "
              + input.key()
              + " at "
              + position(input)
              + " is "
              + told
              + ", but "
              + expected.why(),
          input.key());
    }
    Model.Effect effect = told == Verdict.Kind.APPLIED ? expected.effect() : null;
    tally.add(told, effect == null ? 0 : effect.outputs().size());
    boolean byTheRules = told == Verdict.Kind.APPLIED || told == Verdict.Kind.REJECTED;
    if (byTheRules && input.time() != null) {
      newest = Math.max(newest, input.time());
    }
    if (byTheRules && input.key() != null && input.id() != null && remembers()) {
      ids.remember(input.key(), input.id(), Hash.of(0, input.payload()), input.time(), floor);
    }
    if (effect != null) {
      apply(input, effect);
    } else if (told != Verdict.Kind.DUPLICATE) {
      refusals.expect(
          "",
          refusalKey(input.key() == null ? "" : input.key(), id(input)),
          id(input),
          String.valueOf(Letters.of(told)));
    }
  }

  /** The refusals of what has no key are in order for each partition. */
  static String refusalKey(String key, String id) {
    return key.isEmpty() ? noKey(id.substring(0, Math.max(0, id.lastIndexOf('@')))) : key;
  }

  /** Stands for the key of what has none, and is no key that a partition's name could be. */
  static String noKey(String partition) {
    return "(no key) " + partition;
  }

  private void apply(Observation.Input input, Model.Effect effect) {
    String key = input.key();
    for (Model.Change change : effect.changes()) {
      broken(slots.change(change.key(), change.state()));
    }
    int n = 0;
    for (Model.Emitted output : effect.outputs()) {
      String outputId =
          escaped(begin.fold()) + '/' + escaped(String.valueOf(key)) + '/' + escaped(id(input));
      outputId = outputId + '/' + n++;
      outputs.expect(
          output.name(), String.valueOf(key), outputId, output.name() + "=" + output.value());
    }
  }

  /** As the parts of an output's id are written, so that no two outputs share one. */
  private static String escaped(String part) {
    return part.replace("%", "%25").replace("/", "%2F");
  }

  private boolean remembers() {
    return begin.spanMillis() != Observation.Begin.NO_IDS;
  }

  private Judgement expected(Observation.Input input, Observation.Commit commit) {
    String key = input.key();
    if (key == null) {
      return Judgement.undecodable();
    }
    boolean timed = begin.spanMillis() >= 0;
    String id = input.id();
    Long time = input.time();
    if (id != null && remembers()) {
      RememberedIds.Known known = ids.find(key, id, floor);
      if (known != null) {
        return Judgement.known(known.payload() == Hash.of(0, input.payload()));
      } else if (timed && time == null) {
        return Judgement.cannot("it has no time, which ids need");
      } else if (timed && time != null && time <= floor) {
        return Judgement.old(time, floor);
      }
    }
    Long latest = commit.latest();
    if (timed && time != null && latest != null && time > latest) {
      return Judgement.cannot("its time is ahead of the clock");
    }
    return Judgement.byTheRules(model.judge(input, commit.foldVersion(), slots::state));
  }

  // ---------------------------------------------------------------- what was seen

  private void compareIfComplete() {
    Observation.Snapshot seen = snapshot;
    if (seen == null || slotsToCome > 0) {
      return;
    }
    snapshot = null;
    snapshots++;
    // Also those of which nothing is known but the position.
    seen.positions().keySet().forEach(this::partition);
    compared |= damaged == null;
    damageSeen = true;
    List<Found> found = new ArrayList<>();
    partitions.forEach(
        (name, partition) -> {
          Found differs = partition.differs(seen.positions().getOrDefault(name, 0L));
          if (differs != null) {
            found.add(differs);
          }
        });
    seen.positions()
        .forEach(
            (name, position) -> {
              if (position != 0 && !partitions.containsKey(name)) {
                found.add(
                    new Found(
                        Rule.C9, name + " is at " + position + ", and has no input at all", null));
              }
            });
    found.addAll(slots.compare(found.isEmpty()));
    Long seenFloor = seen.floor();
    if (seenFloor != null && seenFloor < floor) {
      found.add(new Found(Rule.C14, "the floor fell from " + floor + " to " + seenFloor, null));
    } else if (seenFloor != null && seenFloor > floor) {
      found.add(
          new Found(
              Rule.C14, "the floor is " + seenFloor + ", but no commit raised it to that", null));
    }
    if (found.isEmpty() && !seen.counts().equals(tally.counts())) {
      found.add(
          new Found(Rule.C13, "the counts are " + seen.counts() + ", not " + tally.counts(), null));
    }
    if (!found.isEmpty() && damaged != null) {
      throw new Broken(List.of(absorbed(found.get(0))));
    } else if (!found.isEmpty()) {
      throw new Broken(found);
    }
  }

  private Found absorbed(Found found) {
    return new Found(
        Rule.C11,
        "what is stored was damaged ("
            + damaged
            + "), and instead of refusing it shows: "
            + found.message(),
        found.key());
  }

  private void complete(String reader) {
    if (damaged == null) {
      complete = true;
      readers.put(reader, true);
    }
    damageSeen = true;
    complete(outputs, reader, Rule.C5);
    complete(refusals, reader, Rule.C13);
  }

  private void complete(Stream stream, String reader, Rule missing) {
    String key = stream.differing(reader);
    if (key != null && focused) {
      Found found = stream.diagnose(reader, key, missing);
      throw new Broken(List.of(damaged == null ? found : absorbed(found)));
    } else if (key != null) {
      throw new Broken(List.of(), key);
    }
  }

  private void end(Observation.End end) {
    require(
        end.observations() == line - 1,
        "it should have " + end.observations() + " observations before its end");
    ended = true;
    repaired();
    List<Found> found = new ArrayList<>(slots.notCommitted());
    partitions.values().forEach(partition -> found.addAll(partition.promised()));
    String behind = behind();
    if (behind != null && calm) {
      found.add(new Found(Rule.C12, "the faults have stopped, and still " + behind, null));
    }
    if (!found.isEmpty()) {
      throw new Broken(found);
    }
  }

  /** What is not done yet, or null. */
  private @Nullable String behind() {
    for (Partition partition : partitions.values()) {
      if (partition.waiting() > 0) {
        return partition.name() + " has " + partition.waiting() + " events that are not committed";
      }
    }
    for (Map.Entry<String, Boolean> reader : readers.entrySet()) {
      if (!reader.getValue()) {
        return "the reader " + reader.getKey() + " has not read to the end";
      }
    }
    return complete || (outputs.isEmpty() && refusals.isEmpty())
        ? null
        : "nobody has read the outputs and refusals to their end";
  }

  // ---------------------------------------------------------------- what it proves

  /** Why the history proves nothing; empty where it does. */
  List<String> provesNothing() {
    List<String> reasons = new ArrayList<>();
    if (!ended) {
      reasons.add("the history is incomplete: it has no end behind its " + line + " observations");
    }
    String behind = behind();
    if (behind != null) {
      reasons.add("it did not catch up: " + behind);
    }
    Observation.Needs needs = begin.needs();
    atLeast(reasons, "committed events", needs.events(), tally.counts().events());
    if (needs.kills() > 0 && tally.counts().applied() == 0) {
      reasons.add("no event was applied: the kills had no effect to do harm to");
    }
    atLeast(reasons, "commits", 1, commits);
    atLeast(reasons, "snapshots compared", Math.max(1, needs.snapshots()), snapshots);
    if (snapshots > 0 && !compared) {
      reasons.add("no snapshot was compared behind the last commit");
    }
    if (damageUnseen != null) {
      reasons.add("nobody looked at what is stored after its damage: " + damageUnseen);
    }
    atLeast(reasons, "kills", needs.kills(), kills);
    atLeast(reasons, "kills inside an open commit", needs.openCommits(), openCommits);
    for (String fault : needs.faults()) {
      if (!landed.containsKey(fault)) {
        int tries = missed.getOrDefault(fault, 0);
        reasons.add(
            "the fault "
                + fault
                + " did not land"
                + (tries == 0 ? ": it was never tried" : ", tried " + tries + " times"));
      }
    }
    return reasons;
  }

  private static void atLeast(List<String> reasons, String what, long needed, long had) {
    if (had < needed) {
      reasons.add("it needs " + needed + " " + what + ", and had " + had);
    }
  }

  Figures figures() {
    return new Figures(
        line,
        tally.counts(),
        slots.present(),
        commits,
        snapshots,
        queries,
        outputs.read,
        refusals.read,
        kills,
        openCommits,
        landed,
        missed);
  }
}
