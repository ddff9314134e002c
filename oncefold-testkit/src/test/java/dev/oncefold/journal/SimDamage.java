package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.verify.SimulatedDisk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Damages a copy of a journal below the greatest mark in its log, where everything was durable
 * once, and looks whether that is told.
 */
final class SimDamage {
  private final Fold<SimFold.Trace, SimFold.Op, String> fold;
  private final Options options;
  private final Journal.Parts parts;
  private final UnaryOperator<Disk> wrapped;

  SimDamage(
      Fold<SimFold.Trace, SimFold.Op, String> fold,
      Options options,
      Journal.Parts parts,
      UnaryOperator<Disk> wrapped) {
    this.fold = fold;
    this.options = options;
    this.parts = parts;
    this.wrapped = wrapped;
  }

  /** All that can be read from a journal; of its history only where it is all there. */
  record Content(
      View<SimFold.Trace> view, List<String> history, @Nullable String outputs, String refusals) {}

  /**
   * Damages one file.
   *
   * @param committed how far each partition is known to be committed
   * @return whether that was told, or null where there was nothing to damage
   */
  @Nullable Boolean check(
      SimulatedDisk disk, Random random, Map<String, Long> committed, SimHistory history) {
    Content truth = read(disk.copy());
    SimulatedDisk damaged = disk.copy();
    String what = damage(damaged, random);
    if (what == null) {
      return null;
    }
    // Of what was not answered nobody knows yet whether it will be there.
    boolean tells = SimHistory.offsets(truth.view()).equals(committed);
    Content read;
    try {
      read = read(damaged);
    } catch (JournalException e) {
      if (tells) {
        history.refusedDamage(what, String.valueOf(e.getMessage()));
      }
      return true;
    }
    if (tells) {
      history.readDamage(what, read);
    }
    SimChecks.require(
        read.equals(truth),
        SimViolation.Rule.ABSORBED,
        () ->
            what
                + " was not told: "
                + read.view().counts()
                + " is read, not "
                + truth.view().counts());
    return false;
  }

  Content read(SimulatedDisk disk) {
    try (Journal<SimFold.Trace, SimFold.Op, String> journal =
        Journal.open(wrapped.apply(disk), fold, options, parts)) {
      View<SimFold.Trace> view = journal.view();
      List<String> history = new ArrayList<>();
      StringBuilder outputs = new StringBuilder();
      StringBuilder refusals = new StringBuilder();
      boolean whole = options.history() == Options.History.FULL && journal.log().start() == 0;
      if (whole) {
        journal.history(
            entry -> {
              history.add(
                  String.join(
                      " ",
                      String.valueOf(entry.sequence()),
                      entry.verdict().name(),
                      String.valueOf(entry.value()),
                      entry.changes().toString(),
                      entry.outputs().toString()));
              entry.outputs().forEach(o -> outputs.append(SimReference.line(o)).append('\n'));
              if (entry.isRefusal()) {
                refusals.append(SimSinks.refusal(entry)).append('\n');
              }
            });
      }
      return new Content(view, history, whole ? outputs.toString() : null, refusals.toString());
    }
  }

  private static @Nullable String damage(SimulatedDisk disk, Random random) {
    long mark = greatestMark(disk);
    List<String> names = new ArrayList<>();
    String last = "";
    for (String name : disk.list()) {
      if (name.endsWith(Log.SUFFIX) && name.compareTo(last) > 0) {
        last = name;
      }
      if (name.endsWith(Snapshot.SUFFIX) || (name.endsWith(Log.SUFFIX) && mark > startOf(name))) {
        names.add(name);
      }
    }
    if (names.isEmpty()) {
      return null;
    }
    String name = names.get(random.nextInt(names.size()));
    byte[] bytes = disk.content(name);
    boolean log = name.endsWith(Log.SUFFIX);
    int most = log ? (int) Math.min(bytes.length, mark - startOf(name)) : bytes.length;
    int at = random.nextInt(most);
    String how;
    switch (random.nextInt(6)) {
      case 0 -> {
        Arrays.fill(bytes, at, Math.min(most, at + 1 + random.nextInt(600)), (byte) 0);
        how = "zeros";
      }
      case 1 -> {
        // Not of the last segment: with its end the marks are gone too, as from an older copy.
        if (log && name.equals(last)) {
          return null;
        }
        bytes = Arrays.copyOf(bytes, at);
        how = "cut off";
      }
      default -> {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        how = "a flipped bit";
      }
    }
    disk.put(name, bytes);
    return name + " at " + at + ", " + how + " below the mark " + mark + ",";
  }

  static long startOf(String name) {
    return Long.parseLong(name.substring(0, 20));
  }

  /** Everything before it was durable. */
  static long greatestMark(SimulatedDisk disk) {
    long mark = 0;
    for (String name : disk.list()) {
      if (name.endsWith(Log.SUFFIX)) {
        byte[] bytes = disk.content(name);
        int at = 0;
        Frame.Header header = header(bytes, at, startOf(name));
        while (header != null) {
          mark = Math.max(mark, header.mark());
          at += Frame.HEADER + header.length();
          header = header(bytes, at, startOf(name));
        }
      }
    }
    return mark;
  }

  /** The header at a place, or null where there is no whole one. */
  private static Frame.@Nullable Header header(byte[] bytes, int at, long segment) {
    if (at + Frame.HEADER > bytes.length) {
      return null;
    }
    Frame.Header header = Frame.read(bytes, at);
    boolean defines = header.kind() == Frame.DEFINITION;
    int crc =
        Frame.crc(
            defines ? 0 : Simulation.K0,
            defines ? 0 : Simulation.K1,
            segment + at,
            bytes,
            at + 8,
            Frame.HEADER - 8);
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return buffer.getInt(at) == Frame.MAGIC
            && buffer.getInt(at + 4) == crc
            && header.length() <= bytes.length - at - Frame.HEADER
        ? header
        : null;
  }
}
