package dev.oncefold.journal;

import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was handed to the journal, in order, and how far it is known to be committed. Two references
 * go along: one is where the journal's committed content should be, the other where its judging is.
 */
final class SimLedger {
  private final Fold.Ids ids;
  private final SimTally tally;
  private final List<SimBatch> handed = new ArrayList<>();
  private int committedBatches;
  private int answeredBatches;
  private SimReference committed;
  private SimReference ahead;
  // The partitions claimed in this life, and whether they have more to read.
  private final Map<String, Boolean> unread = new HashMap<>();
  // What is thrown in callbacks is kept by futures that nobody looks at.
  private @Nullable SimViolation inCallback;

  SimLedger(Fold.Ids ids, SimTally tally) {
    this.ids = ids;
    this.tally = tally;
    this.committed = new SimReference(ids);
    this.ahead = new SimReference(ids);
  }

  /** What should be committed. */
  SimReference committed() {
    return committed;
  }

  /** What should be judged. */
  SimReference ahead() {
    return ahead;
  }

  /** The committed batches. */
  List<SimBatch> batches() {
    return handed.subList(0, committedBatches);
  }

  void newLife() {
    unread.clear();
  }

  void claimed(String partition, Position position) {
    unread.put(partition, true);
    SimChecks.require(
        position.equals(ahead.position(partition)),
        SimViolation.Rule.POSITION,
        () -> partition + " goes on from " + position + ", not " + ahead.position(partition));
  }

  void caughtUp(String partition) {
    unread.put(partition, false);
  }

  /** A batch was judged, and nothing stands between it and the disk but the next write. */
  SimBatch handed(
      String partition,
      Position from,
      List<Received<SimFold.Op>> events,
      boolean more,
      long now,
      Memory<SimFold.Trace> memory) {
    SimBatch batch =
        new SimBatch(
            partition,
            memory.partition(partition).epoch,
            from,
            events,
            ids.kind() == Fold.Ids.Kind.SPAN ? now + ids.aheadMillis() : Kernel.NO_LIMIT);
    long before = ahead.floor;
    batch.floorAfter = memory.floor;
    batch.expected.addAll(ahead.apply(batch));
    unread.put(partition, more);
    SimChecks.floor(ahead, batch, before, unread, ids);
    handed.add(batch);
    return batch;
  }

  /** The journal answered all of a batch. */
  void answered(List<Received<SimFold.Op>> events, List<Verdict<SimFold.Trace, String>> verdicts) {
    for (int i = 0; i < events.size(); i++) {
      answered(events, verdicts.get(i));
    }
  }

  /** The journal answered the next event of a batch, which has to be the next one at all. */
  void answered(
      @Nullable List<Received<SimFold.Op>> events, Verdict<SimFold.Trace, String> verdict) {
    try {
      SimBatch batch = handed.get(answeredBatches);
      SimChecks.require(
          batch.events == events,
          SimViolation.Rule.VERDICT,
          () -> "answered " + events + " out of turn");
      batch.answered.add(verdict);
      if (batch.answered.size() == batch.events.size()) {
        answeredBatches++;
        SimChecks.verdicts(batch);
      }
    } catch (SimViolation violation) {
      inCallback = violation;
    }
  }

  /** Holds what is committed by now against what was answered. */
  void check(@Nullable Journal<SimFold.Trace, SimFold.Op, String> journal) {
    if (inCallback != null) {
      throw inCallback;
    }
    while (committedBatches < answeredBatches) {
      commit();
    }
    SimChecks.require(
        journal == null || journal.sequence() == committed.sequence,
        SimViolation.Rule.VERDICT,
        () -> "other events are committed than the " + committed.sequence + " answered");
  }

  /** After a clean close nothing is left open. */
  void closed() {
    check(null);
    SimChecks.require(
        answeredBatches == handed.size(),
        SimViolation.Rule.LOST,
        () -> "closed with " + (handed.size() - answeredBatches) + " batches unanswered");
  }

  /**
   * C5: after a recovery everything is as of one prefix of what was handed over, and that prefix
   * holds all that was answered.
   */
  void recovered(
      Journal<SimFold.Trace, SimFold.Op, String> journal, @Nullable Memory<SimFold.Trace> inside) {
    long sequence = journal.sequence();
    while (committedBatches < handed.size()
        && committed.sequence + handed.get(committedBatches).events.size() <= sequence) {
      commit();
    }
    SimChecks.require(
        sequence >= committed.sequence && committedBatches >= answeredBatches,
        SimViolation.Rule.LOST,
        () ->
            sequence
                + " events are there, but "
                + committed.sequence
                + " were committed, and "
                + answeredBatches
                + " batches answered of "
                + committedBatches);
    tally.survivedUnanswered += committedBatches - answeredBatches;
    handed.subList(committedBatches, handed.size()).clear();
    answeredBatches = committedBatches;
    ahead = committed.copy();
    holds(journal, inside, "after recovery");
  }

  /** What is committed, and what is in memory beside it. */
  void holds(
      Journal<SimFold.Trace, SimFold.Op, String> journal,
      @Nullable Memory<SimFold.Trace> inside,
      String when) {
    SimChecks.view(journal.view(), committed, when);
    if (inside != null) {
      SimChecks.memory(inside, committed, when);
    }
  }

  private void commit() {
    SimBatch batch = handed.get(committedBatches++);
    committed.apply(batch);
    tally.commits++;
    for (SimReference.Judgement judged : batch.expected) {
      tally.expired += judged.kind() == Verdict.Kind.EXPIRED ? 1 : 0;
      tally.conflicts += judged.kind() == Verdict.Kind.CONFLICT ? 1 : 0;
    }
  }
}
