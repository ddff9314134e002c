package dev.oncefold.journal;

import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.List;

/** A batch of one partition as it was handed to the journal. */
final class SimBatch {
  final String partition;
  final long epoch;
  // In which life of the journal it was handed over.
  final int life;
  final Position from;
  final List<Received<SimFold.Op>> events;
  // The greatest event time believed when it was judged.
  final long latest;
  // The floor under which the next batch is judged.
  long floorAfter;
  // What the reference says of each event.
  final List<SimReference.Expected> expected = new ArrayList<>();
  // What the journal answered, in order; empty until it did.
  final List<Verdict<SimFold.Trace, String>> answered = new ArrayList<>();

  SimBatch(
      String partition,
      long epoch,
      int life,
      Position from,
      List<Received<SimFold.Op>> events,
      long latest) {
    this.partition = partition;
    this.epoch = epoch;
    this.life = life;
    this.from = from;
    this.events = events;
    this.latest = latest;
  }

  Position to() {
    return events.get(events.size() - 1).next();
  }
}
