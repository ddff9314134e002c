package dev.oncefold.journal;

import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Holds what a journal says against what the reference says. */
final class SimChecks {
  private SimChecks() {}

  static void require(boolean holds, SimViolation.Rule rule, Supplier<String> what) {
    if (!holds) {
      throw new SimViolation(rule, what.get());
    }
  }

  /** State, counts and positions, all as of one commit. */
  static void view(View<SimFold.Trace> view, SimReference reference, String when) {
    atSequence(view, reference, when);
    Map<String, Position> positions = new HashMap<>(view.positions());
    positions.values().removeIf(Position.START::equals);
    require(
        positions.equals(reference.positions),
        SimViolation.Rule.POSITION,
        () -> when + ": at " + positions + ", not " + reference.positions);
  }

  /** State and counts as of one event, which may be in the middle of a commit. */
  static void atSequence(View<SimFold.Trace> view, SimReference reference, String when) {
    require(
        view.sequence() == reference.sequence,
        SimViolation.Rule.POSITION,
        () -> when + ": at event " + view.sequence() + ", not " + reference.sequence);
    if (!reference.slots.equals(view.slots())) {
      throw new SimViolation(
          SimViolation.Rule.STATE,
          when + ": " + new TreeMap<>(view.slots()) + ", not " + reference.slots);
    }
    require(
        view.counts().equals(reference.counts()),
        SimViolation.Rule.COUNTS,
        () -> when + ": " + view.counts() + ", not " + reference.counts());
  }

  /** What recovery restores beside state, counts and positions. */
  static void memory(Memory<SimFold.Trace> memory, SimReference reference, String when) {
    require(
        memory.floor == reference.floor,
        SimViolation.Rule.FLOOR,
        () -> when + ": the floor is " + memory.floor + ", not " + reference.floor);
    require(
        memory.ids.size() == reference.ids(),
        SimViolation.Rule.IDS,
        () -> when + ": " + memory.ids.size() + " ids, not " + reference.ids());
    memory.partitions.forEach(
        (name, partition) -> {
          require(
              partition.watermark == reference.watermark(name),
              SimViolation.Rule.FLOOR,
              () -> when + ": the watermark of " + name + " is " + partition.watermark);
          require(
              partition.epoch >= reference.epochs.getOrDefault(name, 0L),
              SimViolation.Rule.FENCE,
              () -> when + ": the epoch of " + name + " fell to " + partition.epoch);
        });
  }

  /** The verdicts that were answered. */
  static void verdicts(SimBatch batch) {
    for (int i = 0; i < batch.events.size(); i++) {
      SimReference.Expected expected = batch.expected.get(i);
      Verdict<SimFold.Trace, String> answered = batch.answered.get(i);
      String reason =
          answered instanceof Verdict.Rejected<SimFold.Trace, String> rejected
              ? rejected.reason()
              : answered instanceof Verdict.Duplicate<SimFold.Trace, String> duplicate
                  ? duplicate.rejected()
                  : null;
      int at = i;
      require(
          answered.kind() == expected.kind() && Objects.equals(reason, expected.reason()),
          SimViolation.Rule.VERDICT,
          () -> batch.events.get(at) + " is " + answered + ", not " + expected);
    }
  }

  /** That a sink's file is the beginning of what it should become, or all of it. */
  static void file(byte[] content, StringBuilder expected, boolean all, String when) {
    String text = new String(content, StandardCharsets.UTF_8);
    boolean fits = text.length() <= expected.length();
    int same = 0;
    while (fits && same < text.length()) {
      fits = text.charAt(same) == expected.charAt(same);
      same++;
    }
    int upTo = same;
    require(
        fits && (!all || text.length() == expected.length()),
        SimViolation.Rule.OUTPUTS,
        () ->
            when
                + ": the file has "
                + text.length()
                + " characters, the outputs "
                + expected.length()
                + ", equal up to "
                + upTo);
  }

  /**
   * That the floor stands no higher than the least (watermark − span) over the partitions with
   * unread input, nor so low that ids are never forgotten.
   */
  static void floor(
      SimReference after, SimBatch batch, long before, Map<String, Boolean> unread, Fold.Ids ids) {
    long now = batch.floorAfter;
    if (ids.kind() != Fold.Ids.Kind.SPAN) {
      require(
          now == before, SimViolation.Rule.FLOOR, () -> "a floor rose although no id is forgotten");
      return;
    }
    List<String> holding = new ArrayList<>(List.of(batch.partition));
    unread.forEach(
        (partition, more) -> {
          if (more) {
            holding.add(partition);
          }
        });
    long least = Long.MAX_VALUE;
    for (String partition : holding) {
      least = Math.min(least, after.watermark(partition));
    }
    long span = ids.span().toMillis();
    boolean none = least == Long.MIN_VALUE;
    long under = least;
    Supplier<String> what =
        () -> "the floor went from " + before + " to " + now + " under the watermark " + under;
    require(now >= before, SimViolation.Rule.FLOOR, what);
    if (now > before) {
      require(
          (!none && now <= least - span) || after.idsBeforeRise > ids.atMost(),
          SimViolation.Rule.FLOOR,
          what);
    } else {
      require(
          none
              || least - span < after.oldest()
              || (before != Long.MIN_VALUE && least - span < before + span / 8),
          SimViolation.Rule.FLOOR,
          () -> what.get() + ", and the oldest id is of " + after.oldest());
      require(
          after.ids() <= ids.atMost(), SimViolation.Rule.IDS, () -> "more ids than may be kept");
    }
  }

  /** The journal's own history, and its state as of one event of it. */
  static void past(
      Journal<SimFold.Trace, SimFold.Op, String> journal,
      SimLedger ledger,
      Fold.Ids ids,
      long asOf) {
    atSequence(journal.asOf(asOf), at(ledger.batches(), ids, asOf), "as of " + asOf);
    List<SimReference.Expected> judged = new ArrayList<>();
    ledger.batches().forEach(batch -> judged.addAll(batch.expected));
    Map<String, Slot<SimFold.Trace>> slots = new TreeMap<>();
    StringBuilder outputs = new StringBuilder();
    int[] seen = new int[1];
    journal.history(
        entry -> {
          SimReference.Expected expected = judged.get(seen[0]++);
          boolean hasReason =
              expected.kind() == Verdict.Kind.REJECTED || expected.kind() == Verdict.Kind.DUPLICATE;
          require(
              entry.sequence() == seen[0]
                  && entry.verdict() == expected.kind()
                  && (!hasReason || Objects.equals(entry.reason(), expected.reason())),
              SimViolation.Rule.OUTPUTS,
              () -> "history has " + entry + " where " + expected + " should be");
          for (Entry.Change<SimFold.Trace> change : entry.changes()) {
            slots.compute(change.key(), (key, old) -> change.slot());
          }
          for (Emitted<String> output : entry.outputs()) {
            outputs.append(SimReference.line(output)).append('\n');
          }
        });
    SimReference committed = ledger.committed();
    require(
        seen[0] == judged.size()
            && slots.equals(committed.slots)
            && outputs.compareTo(committed.allOutputs) == 0,
        SimViolation.Rule.OUTPUTS,
        () -> "history is not that of the " + judged.size() + " events");
  }

  /** Where events are missing, nothing is shown as if it were all. */
  static void noPast(Journal<SimFold.Trace, SimFold.Op, String> journal) {
    try {
      journal.history(entry -> {});
    } catch (JournalException e) {
      require(
          !(e instanceof JournalException.Corrupt),
          SimViolation.Rule.REFUSED,
          () -> "history is refused for damage: " + e.getMessage());
      return;
    }
    throw new SimViolation(SimViolation.Rule.OUTPUTS, "history is shown where events are missing");
  }

  /** What should be there after some number of events. */
  static SimReference at(List<SimBatch> committed, Fold.Ids ids, long sequence) {
    SimReference then = new SimReference(ids);
    for (SimBatch batch : committed) {
      if (then.sequence + batch.events.size() <= sequence) {
        then.apply(batch);
      } else {
        for (Received<SimFold.Op> received : batch.events) {
          if (then.sequence < sequence) {
            then.applyOne(batch, received);
          }
        }
      }
    }
    return then;
  }
}
