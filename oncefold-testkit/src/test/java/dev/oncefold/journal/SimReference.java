package dev.oncefold.journal;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the state, outputs and counts should be after some batches: the guarantee in plain memory,
 * sharing no code with the kernel or the journal but the user's rules. It is told the floor, and
 * checks apart that the floor may stand there.
 */
final class SimReference {
  /** What should become of an event. */
  record Expected(Verdict.Kind kind, @Nullable String reason) {}

  /** What is remembered of an id. */
  private record Seen(SimFold.Op op, long time, @Nullable String rejected) {}

  private final Fold.Ids choice;
  final Map<String, Slot<SimFold.Trace>> slots = new TreeMap<>();
  final Map<String, Position> positions = new HashMap<>();
  final Map<String, Long> watermarks = new HashMap<>();
  final Map<String, Long> epochs = new HashMap<>();
  private final Map<String, Seen> ids = new LinkedHashMap<>();
  private final Map<Verdict.Kind, Long> counts = new EnumMap<>(Verdict.Kind.class);
  private long outputCount;
  // How many ids there were when the last batch was judged, before the floor rose.
  int idsBeforeRise;
  long floor = Kernel.NO_FLOOR;
  long sequence;
  final StringBuilder outputs = new StringBuilder();
  final StringBuilder audit = new StringBuilder();
  final StringBuilder allOutputs = new StringBuilder();
  final StringBuilder refusals = new StringBuilder();

  SimReference(Fold.Ids choice) {
    this.choice = choice;
  }

  SimReference copy() {
    SimReference copy = new SimReference(choice);
    copy.slots.putAll(slots);
    copy.positions.putAll(positions);
    copy.watermarks.putAll(watermarks);
    copy.epochs.putAll(epochs);
    copy.ids.putAll(ids);
    copy.counts.putAll(counts);
    copy.outputCount = outputCount;
    copy.floor = floor;
    copy.sequence = sequence;
    copy.outputs.append(outputs);
    copy.audit.append(audit);
    copy.allOutputs.append(allOutputs);
    copy.refusals.append(refusals);
    return copy;
  }

  Counts counts() {
    return new Counts(
        count(Verdict.Kind.APPLIED),
        count(Verdict.Kind.REJECTED),
        count(Verdict.Kind.DUPLICATE),
        count(Verdict.Kind.CONFLICT),
        count(Verdict.Kind.EXPIRED),
        count(Verdict.Kind.FAILED),
        outputCount);
  }

  private long count(Verdict.Kind kind) {
    return counts.getOrDefault(kind, 0L);
  }

  int ids() {
    return ids.size();
  }

  Position position(String partition) {
    return positions.getOrDefault(partition, Position.START);
  }

  /** The offset of each partition. */
  Map<String, Long> offsets() {
    Map<String, Long> offsets = new HashMap<>();
    positions.forEach((partition, position) -> offsets.put(partition, position.offset()));
    return offsets;
  }

  long watermark(String partition) {
    return watermarks.getOrDefault(partition, Kernel.NO_FLOOR);
  }

  /** The least time of a remembered id. */
  long oldest() {
    long oldest = Long.MAX_VALUE;
    for (Seen seen : ids.values()) {
      oldest = Math.min(oldest, seen.time());
    }
    return oldest;
  }

  /** Applies a batch; answers what should have become of its events. */
  List<Expected> apply(SimBatch batch) {
    List<Expected> judged = new ArrayList<>();
    for (Received<SimFold.Op> received : batch.events) {
      judged.add(applyOne(batch, received));
    }
    positions.put(batch.partition, batch.to());
    epochs.put(batch.partition, batch.epoch);
    idsBeforeRise = ids.size();
    if (batch.floorAfter > floor) {
      floor = batch.floorAfter;
      ids.values().removeIf(seen -> seen.time() <= floor);
    }
    return judged;
  }

  /** Applies one event of a batch, without what belongs to the whole batch. */
  Expected applyOne(SimBatch batch, Received<SimFold.Op> received) {
    sequence++;
    Event<SimFold.Op> event = received.event();
    String id =
        event == null || event.id() == null
            ? batch.partition + "@" + received.offset()
            : event.id();
    Expected judged =
        event == null
            ? new Expected(Verdict.Kind.FAILED, null)
            : judge(batch, event, event.key() + '\0' + event.id(), id);
    counts.merge(judged.kind(), 1L, Long::sum);
    if (judged.kind() != Verdict.Kind.APPLIED && judged.kind() != Verdict.Kind.DUPLICATE) {
      refusals
          .append(refusal(sequence, judged.kind(), event == null ? null : event.key(), id))
          .append('\n');
    }
    return judged;
  }

  static String refusal(long sequence, Verdict.Kind kind, @Nullable String key, String id) {
    return sequence + " " + kind + " " + key + " " + id;
  }

  static String line(Emitted<String> out) {
    return out.id() + " " + out.name() + " " + out.key() + " " + out.sequence() + " " + out.value();
  }

  private Expected judge(SimBatch batch, Event<SimFold.Op> event, String known, String id) {
    boolean span = choice.kind() == Fold.Ids.Kind.SPAN;
    Instant time = event.time();
    if (event.id() != null && choice.kind() != Fold.Ids.Kind.NONE) {
      Seen first = ids.get(known);
      if (first != null) {
        return first.op().equals(event.value())
            ? new Expected(Verdict.Kind.DUPLICATE, first.rejected())
            : new Expected(Verdict.Kind.CONFLICT, null);
      }
      if (span && time == null) {
        return new Expected(Verdict.Kind.FAILED, null);
      }
    }
    if (span && time != null) {
      if (event.id() != null && time.toEpochMilli() <= floor) {
        return new Expected(Verdict.Kind.EXPIRED, null);
      }
      if (time.toEpochMilli() > batch.latest) {
        return new Expected(Verdict.Kind.FAILED, null);
      }
    }
    Expected judged = byTheRules(event, id);
    if (judged.kind() != Verdict.Kind.FAILED) {
      if (event.id() != null && choice.kind() != Fold.Ids.Kind.NONE) {
        long until = span && time != null ? time.toEpochMilli() : Long.MAX_VALUE;
        ids.put(known, new Seen(event.value(), until, judged.reason()));
      }
      if (span && time != null) {
        watermarks.merge(batch.partition, time.toEpochMilli(), Math::max);
      }
    }
    return judged;
  }

  private Expected byTheRules(Event<SimFold.Op> event, String id) {
    SimFold.Op op = event.value();
    List<String> keys = SimFold.keys(event.key(), op);
    if (new HashSet<>(keys).size() < keys.size() || op.kind() == SimFold.Kind.THROW) {
      return new Expected(Verdict.Kind.FAILED, null);
    }
    List<SimFold.Trace> before = new ArrayList<>();
    for (String key : keys) {
      Slot<SimFold.Trace> slot = slots.get(key);
      before.add(slot == null ? SimFold.Trace.NONE : slot.state());
    }
    SimFold.Decision decision = SimFold.decide(event.id(), op, before);
    if (decision.rejected() != null) {
      return new Expected(Verdict.Kind.REJECTED, decision.rejected());
    }
    if (op.kind() == SimFold.Kind.UNSTORABLE) {
      return new Expected(Verdict.Kind.FAILED, null);
    }
    for (int i = 0; i < keys.size(); i++) {
      Slot<SimFold.Trace> old = slots.get(keys.get(i));
      SimFold.Trace state = decision.states().get(i);
      if (state == null) {
        slots.remove(keys.get(i));
      } else {
        slots.put(keys.get(i), new Slot<>(state, old == null ? 1 : old.version() + 1));
      }
    }
    int n = 0;
    for (Output<String> output : decision.outputs()) {
      outputCount++;
      Emitted<String> emitted =
          new Emitted<>(
              SimFold.NAME + "/" + event.key() + "/" + id + "/" + n++,
              output.name(),
              event.key(),
              sequence,
              output.value());
      allOutputs.append(line(emitted)).append('\n');
      (output.name().equals(Output.DEFAULT) ? outputs : audit).append(line(emitted)).append('\n');
    }
    return new Expected(Verdict.Kind.APPLIED, null);
  }
}
