package dev.oncefold.journal;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.History;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Snapshots;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What was seen of a run, for the checker. It is told what the journal says, before the simulation
 * holds that against anything of its own.
 */
final class SimHistory implements History {
  private final List<Observation> seen = new ArrayList<>();
  private final Snapshots<SimFold.Trace> snapshots = new Snapshots<>(SimModel::text, seen::add);
  private int life;

  SimHistory(SimSettings settings, Observation.Needs needs) {
    Fold.Ids ids = settings.fold.ids();
    long span =
        switch (ids.kind()) {
          case SPAN -> ids.span().toMillis();
          case FOREVER -> Observation.Begin.FOREVER;
          case NONE -> Observation.Begin.NO_IDS;
        };
    seen.add(
        new Observation.Begin(
            "the embedded journal, simulated",
            SimFold.NAME,
            settings.seed,
            SimModel.NAME,
            span,
            null,
            needs,
            Map.of()));
    for (int i = 0; i < settings.workload.partitions.size(); i++) {
      inputs(SimSource.name(i), settings.workload.partitions.get(i));
    }
    if (settings.workload.resends > 0) {
      fault("F13", settings.workload.resends + " events are sent again");
    }
  }

  @Override
  public void read(Consumer<Observation> each) {
    seen.forEach(each);
  }

  List<Observation> observations() {
    return List.copyOf(seen);
  }

  private void inputs(String partition, List<Received<SimFold.Op>> events) {
    for (Received<SimFold.Op> received : events) {
      Event<SimFold.Op> event = received.event();
      seen.add(
          new Observation.Input(
              partition,
              received.offset(),
              received.next().offset(),
              event == null ? null : event.key(),
              event == null ? null : event.id(),
              event == null || event.time() == null ? null : event.time().toEpochMilli(),
              event == null ? "" : SimModel.text(event.value())));
    }
  }

  // ---------------------------------------------------------------- owners and commits

  /** Another process: its claims are newer than any of those before. */
  void newLife() {
    life++;
  }

  int life() {
    return life;
  }

  void claimed(String partition, int inLife, long epoch, Position position) {
    seen.add(new Observation.Claimed(partition, owner(inLife, epoch), position.offset()));
  }

  // Epochs are numbered within a process: a claim that committed nothing leaves no trace.
  private static long owner(int inLife, long epoch) {
    return ((long) inLife << 32) + epoch;
  }

  /** A batch is committed: somebody was told so, or it was found after a crash. */
  void committed(SimBatch batch, boolean answered) {
    if (batch.partition.equals(Submissions.PARTITION)) {
      // Where a submission stands is known only now: after a crash others may stand there.
      inputs(batch.partition, batch.events);
    }
    StringBuilder verdicts = new StringBuilder();
    for (Verdict<SimFold.Trace, String> verdict : batch.answered) {
      verdicts.append(Letters.of(verdict.kind()));
    }
    while (verdicts.length() < batch.events.size()) {
      verdicts.append(Letters.UNTOLD);
    }
    seen.add(
        new Observation.Commit(
            batch.partition,
            batch.from.offset(),
            batch.to().offset(),
            owner(batch.life, batch.epoch),
            batch.floorAfter == Kernel.NO_FLOOR ? null : batch.floorAfter,
            batch.latest == Kernel.NO_LIMIT ? null : batch.latest,
            1,
            verdicts.toString()));
    if (answered) {
      seen.add(new Observation.Answered(batch.partition, batch.to().offset()));
    }
  }

  // ---------------------------------------------------------------- what was read

  /** All that is stored. */
  void stored(View<SimFold.Trace> view, @Nullable Long floor) {
    snapshots.observe(
        offsets(view),
        view.counts(),
        floor == null || floor == Kernel.NO_FLOOR ? null : floor,
        view.slots());
  }

  static Map<String, Long> offsets(View<SimFold.Trace> view) {
    Map<String, Long> offsets = new HashMap<>();
    view.positions()
        .forEach(
            (partition, position) -> {
              if (position.offset() > 0) {
                offsets.put(partition, position.offset());
              }
            });
    return offsets;
  }

  void query(String session, View<SimFold.Trace> view) {
    List<Observation.Slot> slots = new ArrayList<>();
    view.slots()
        .forEach(
            (key, slot) ->
                slots.add(new Observation.Slot(key, slot.version(), SimModel.text(slot.state()))));
    seen.add(new Observation.Query(session, true, slots));
  }

  /** Files of outputs, from their beginnings, merged by the sequence of their events. */
  void outputs(String reader, byte[]... files) {
    record Line(long sequence, Observation.Output output) {}
    List<Line> merged = new ArrayList<>();
    for (byte[] file : files) {
      long last = 0;
      for (String line : lines(file)) {
        // As SimReference.line writes it.
        String[] parts = line.split(" ", 5);
        if (parts.length == 5 && parts[3].matches("[0-9]+")) {
          last = Long.parseLong(parts[3]);
          merged.add(
              new Line(
                  last, new Observation.Output(reader, parts[1], parts[2], parts[0], parts[4])));
        } else {
          merged.add(new Line(last, new Observation.Output(reader, "", "", line, "")));
        }
      }
    }
    merged.sort(Comparator.comparingLong(Line::sequence));
    merged.forEach(line -> seen.add(line.output()));
  }

  /** A file of refusals, from its beginning. */
  void refusals(String reader, byte[] file) {
    for (String line : lines(file)) {
      // As SimReference.refusal writes it.
      String[] parts = line.split(" ", 4);
      if (parts.length == 4) {
        String key = parts[2].equals("null") ? "" : parts[2];
        seen.add(new Observation.Refusal(reader, key, parts[3], parts[1].charAt(0)));
      } else {
        seen.add(new Observation.Refusal(reader, "", line, Letters.UNTOLD));
      }
    }
  }

  private static List<String> lines(byte[] file) {
    return new String(file, StandardCharsets.UTF_8).lines().toList();
  }

  void complete(String reader) {
    seen.add(new Observation.Complete(reader));
  }

  // ---------------------------------------------------------------- faults

  void landed(DiskFault fault, DiskFault.Op op, String name, boolean openCommit) {
    String where = name.isEmpty() ? "" : " of " + name;
    seen.add(
        new Observation.Fault(
            fault.number(), fault + " at " + op + where, true, fault.isCrash(), openCommit));
  }

  /** Something else than an error of the disk. */
  void fault(String number, String what) {
    seen.add(new Observation.Fault(number, what, true, false, false));
  }

  /** A copy was damaged, and that was told. */
  void refusedDamage(String what, String message) {
    fault("F5", what);
    seen.add(new Observation.Damaged(what));
    seen.add(new Observation.Refused(message));
    seen.add(new Observation.Repaired());
  }

  /** A copy was damaged, and read all the same. */
  void readDamage(String what, SimDamage.Content read) {
    fault("F5", what);
    seen.add(new Observation.Damaged(what));
    stored(read.view(), null);
    if (read.outputs() != null) {
      String reader = "of a damaged copy, " + seen.size();
      outputs(reader, read.outputs().getBytes(StandardCharsets.UTF_8));
      refusals(reader, read.refusals().getBytes(StandardCharsets.UTF_8));
      complete(reader);
    }
    seen.add(new Observation.Repaired());
  }

  void refused(String message) {
    seen.add(new Observation.Refused(message));
  }

  // ---------------------------------------------------------------- the end

  void calm() {
    seen.add(new Observation.Calm());
  }

  void end() {
    seen.add(new Observation.End(seen.size()));
  }
}
