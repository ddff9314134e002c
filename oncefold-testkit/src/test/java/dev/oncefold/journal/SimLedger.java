package dev.oncefold.journal;

import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
  private final SimHistory history;
  private final boolean looksInside;
  private final List<SimBatch> handed = new ArrayList<>();
  private int committedBatches;
  private int answeredBatches;
  private SimReference committed;
  private SimReference ahead;
  // The partitions claimed in this life, and whether they have more to read.
  private final Map<String, Boolean> unread = new HashMap<>();
  // What is thrown in callbacks is kept by futures that nobody looks at.
  private @Nullable SimViolation inCallback;
  // Not told yet: what was handed over before them is not committed.
  private final Deque<Claim> claims = new ArrayDeque<>();

  /** A claim, which stands behind what was handed over before. */
  private record Claim(int behind, String partition, int life, long epoch, Position position) {}

  SimLedger(Fold.Ids ids, SimTally tally, SimHistory history, boolean looksInside) {
    this.ids = ids;
    this.tally = tally;
    this.history = history;
    this.looksInside = looksInside;
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
    // What was answered is committed, whatever became of the journal since.
    commitAnswered();
    history.newLife();
  }

  void claimed(String partition, long epoch, Position position) {
    claims.add(new Claim(handed.size(), partition, history.life(), epoch, position));
    tellClaims(committedBatches);
    unread.put(partition, true);
    SimChecks.require(
        position.equals(ahead.position(partition)),
        SimViolation.Rule.POSITION,
        () -> partition + " goes on from " + position + ", not " + ahead.position(partition));
  }

  private void tellClaims(int batches) {
    for (Claim claim = claims.peek();
        claim != null && claim.behind() <= batches;
        claim = claims.peek()) {
      claims.remove();
      history.claimed(claim.partition(), claim.life(), claim.epoch(), claim.position());
    }
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
            history.life(),
            from,
            events,
            ids.kind() == Fold.Ids.Kind.SPAN ? now + ids.aheadMillis() : Kernel.NO_LIMIT);
    long before = ahead.floor;
    batch.floorAfter = memory.floor;
    batch.expected.addAll(ahead.apply(batch));
    unread.put(partition, more);
    if (looksInside) {
      SimChecks.floor(ahead, batch, before, unread, ids);
    }
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
    commitAnswered();
    if (inCallback != null) {
      throw inCallback;
    }
    SimChecks.require(
        journal == null || journal.sequence() == committed.sequence,
        SimViolation.Rule.VERDICT,
        () -> "other events are committed than the " + committed.sequence + " answered");
  }

  private void commitAnswered() {
    while (committedBatches < answeredBatches) {
      tellClaims(committedBatches);
      history.committed(handed.get(committedBatches), true);
      commit();
    }
    tellClaims(committedBatches);
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
      Journal<SimFold.Trace, SimFold.Op, String> journal,
      long floor,
      @Nullable Memory<SimFold.Trace> inside) {
    View<SimFold.Trace> view = journal.view();
    tellSurvivors(view);
    history.stored(view, floor);
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
    holds(view, inside, "after recovery");
  }

  /** What was not answered is committed if the journal's positions say so. */
  private void tellSurvivors(View<SimFold.Trace> view) {
    Map<String, Long> offsets = SimHistory.offsets(view);
    for (int i = committedBatches; i < handed.size(); i++) {
      SimBatch batch = handed.get(i);
      if (batch.to().offset() <= offsets.getOrDefault(batch.partition, 0L)) {
        tellClaims(i);
        history.committed(batch, false);
      }
    }
    claims.clear();
  }

  /** What is committed, and what is in memory beside it. */
  void holds(View<SimFold.Trace> view, @Nullable Memory<SimFold.Trace> inside, String when) {
    SimChecks.view(view, committed, when);
    if (inside != null) {
      SimChecks.memory(inside, committed, when);
    }
  }

  private void commit() {
    SimBatch batch = handed.get(committedBatches++);
    committed.apply(batch);
    tally.commits++;
    for (SimReference.Expected judged : batch.expected) {
      tally.expired += judged.kind() == Verdict.Kind.EXPIRED ? 1 : 0;
      tally.conflicts += judged.kind() == Verdict.Kind.CONFLICT ? 1 : 0;
    }
  }
}
