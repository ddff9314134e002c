package dev.oncefold.journal;

import dev.oncefold.Event;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Submits events, and sends again what was not answered when the journal died. */
final class SimSubmitter {
  /** An event on its way. */
  private static final class Submitted {
    final Event<SimFold.Op> event;
    final CompletableFuture<Verdict<SimFold.Trace, String>> answer;
    @Nullable SimBatch batch;

    Submitted(Event<SimFold.Op> event, CompletableFuture<Verdict<SimFold.Trace, String>> answer) {
      this.event = event;
      this.answer = answer;
    }
  }

  private final Deque<Event<SimFold.Op>> rest;
  private final List<Submitted> underway = new ArrayList<>();
  private final SimLedger ledger;

  SimSubmitter(List<Event<SimFold.Op>> events, SimLedger ledger) {
    this.rest = new ArrayDeque<>(events);
    this.ledger = ledger;
  }

  boolean hasMore() {
    return !rest.isEmpty();
  }

  boolean isAnswered() {
    return underway.isEmpty();
  }

  /** Submits some events, not judged yet. */
  void submit(Journal<SimFold.Trace, SimFold.Op, String> journal, int most) {
    for (int i = 0; i < most && !rest.isEmpty(); i++) {
      Event<SimFold.Op> event = rest.removeFirst();
      Submitted one = new Submitted(event, journal.submit(event));
      underway.add(one);
      var unused =
          one.answer.whenComplete(
              (verdict, failure) -> {
                if (verdict != null) {
                  underway.remove(one);
                  ledger.answered(one.batch == null ? null : one.batch.events, verdict);
                }
              });
    }
  }

  /** The submitted events were judged, all that waited in one batch. */
  void judged(long now, Memory<SimFold.Trace> memory) {
    List<Received<SimFold.Op>> events = new ArrayList<>();
    List<Submitted> waiting = new ArrayList<>();
    Position from = ledger.ahead().position(Submissions.PARTITION);
    long offset = from.offset();
    for (Submitted one : underway) {
      if (one.batch == null) {
        events.add(Received.of(offset, new Position(offset + 1, 0), one.event));
        waiting.add(one);
        offset++;
      }
    }
    SimBatch batch = ledger.handed(Submissions.PARTITION, from, events, false, now, memory);
    waiting.forEach(one -> one.batch = batch);
  }

  /** Not answered, so the sender cannot know: it sends again, or gives up. */
  void over(Random random) {
    for (int i = underway.size() - 1; i >= 0; i--) {
      if (random.nextInt(5) > 0) {
        rest.addFirst(underway.get(i).event);
      }
    }
    underway.clear();
  }
}
