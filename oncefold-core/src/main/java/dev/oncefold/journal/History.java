package dev.oncefold.journal;

import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads what the log holds of the past. */
final class History {
  private static final int TRIES = 5;

  private History() {}

  /** Receives each record of the log. */
  interface Visitor {
    void event(EventRecord record, long sequence, Log.Cursor cursor);

    default void floor(long floor) {}

    default void position(Decoder in) {
      in.readString();
      in.readUnsigned();
      in.readSigned();
      in.readLong();
      in.readSigned();
    }
  }

  /** Goes over the records between two offsets of the log; answers where it ended. */
  static long scan(Log log, Disk disk, long from, long until, Visitor visitor) throws IOException {
    EventRecord record = new EventRecord();
    try (Log.Cursor cursor = log.cursor(from, until)) {
      while (cursor.next()) {
        if (cursor.header().kind() == Frame.COMMIT) {
          records(cursor, record, visitor, disk);
        }
      }
      if (cursor.end() < until) {
        throw cursor.damage("no whole frame stands here, but it was durable");
      }
      return cursor.end();
    }
  }

  static void records(Log.Cursor cursor, EventRecord record, Visitor visitor, Disk disk) {
    Decoder in = new Decoder(cursor.body(), 0, cursor.header().length());
    long sequence = cursor.header().sequence();
    try {
      while (in.remaining() > 0) {
        int tag = in.readByte();
        switch (tag) {
          case EventRecord.TAG -> {
            record.read(in);
            visitor.event(record, ++sequence, cursor);
          }
          case Memory.POSITION -> visitor.position(in);
          case Memory.FLOOR -> visitor.floor(in.readSigned());
          case Memory.SINK -> {
            in.readString();
            in.readSigned();
            in.readSigned();
            in.readLong();
          }
          default -> throw new CodecException("no record has the tag " + tag);
        }
      }
    } catch (CodecException e) {
      throw new JournalException(
          "the frame at offset "
              + cursor.at()
              + " of the log in "
              + disk.path("")
              + " is whole, but cannot be decoded: "
              + e.getMessage(),
          e);
    }
  }

  /** Passes on what named or changed a key. */
  static <S, E, O> Consumer<Entry<S, E, O>> ofKey(String key, Consumer<Entry<S, E, O>> each) {
    return entry -> {
      if (key.equals(entry.key())
          || entry.changes().stream().anyMatch(change -> change.key().equals(key))) {
        each.accept(entry);
      }
    };
  }

  /** Every event of a journal that another process may be writing. */
  static <S, E, O> void read(Disk disk, Fold<S, E, O> fold, Consumer<Entry<S, E, O>> each) {
    Beside beside = tried(disk, () -> beside(disk, fold));
    // Read once: nobody is told of an event twice.
    read(disk, beside.log(), fold, 0, beside.mark(), each);
  }

  /** Every event behind one, up to an offset of the log. */
  static <S, E, O> void read(
      Disk disk,
      Log log,
      Fold<S, E, O> fold,
      long after,
      long until,
      Consumer<Entry<S, E, O>> each) {
    Map<Definition, Definition.Codecs<S, E, O>> codecs = new HashMap<>();
    try {
      requireHistory(disk, log);
      scan(
          log,
          disk,
          segmentOf(log, after),
          until,
          (record, sequence, cursor) -> {
            if (sequence > after) {
              each.accept(
                  record.entry(
                      sequence,
                      Instant.ofEpochMilli(cursor.header().time()),
                      fold,
                      codecs.computeIfAbsent(
                          cursor.definition(), d -> new Definition.Codecs<>(d, fold)),
                      cursor.header().foldVersion()));
            }
          });
    } catch (IOException e) {
      throw unreadable(disk, e);
    }
  }

  /** The last segment that begins with an event or before it. */
  private static long segmentOf(Log log, long sequence) throws IOException {
    long found = 0;
    for (long segment : log.segmentStarts()) {
      try (Log.Cursor cursor = log.cursor(segment, Long.MAX_VALUE)) {
        if (cursor.next() && cursor.header().sequence() > sequence) {
          return found;
        }
      }
      found = segment;
    }
    return found;
  }

  /** Refuses where events are missing: nothing is shown as if it were all. */
  static void requireHistory(Disk disk, Log log) throws IOException {
    if (log.start() != 0) {
      throw new JournalException(
          "the journal "
              + disk.path("")
              + " does not go back to its beginning: older segments were dropped. Keep them with"
              + " Options.retainBytes");
    }
    for (long segment : log.segmentStarts()) {
      if (!log.definition(segment).full()) {
        throw new JournalException(
            "the journal "
                + disk.path("")
                + " was kept without history (Options.history), so past events and states cannot"
                + " be shown");
      }
    }
  }

  /** The state as of an event of a journal that another process may be writing. */
  static <S> View<S> asOf(Disk disk, Fold<S, ?, ?> fold, long sequence) {
    return tried(
        disk,
        () -> {
          Beside beside = beside(disk, fold);
          return asOfOnce(disk, beside.log(), fold, beside.mark(), sequence);
        });
  }

  static <S> View<S> asOf(Disk disk, Log log, Fold<S, ?, ?> fold, long until, long sequence) {
    return tried(disk, () -> asOfOnce(disk, log, fold, until, sequence));
  }

  private static <S> View<S> asOfOnce(
      Disk disk, Log log, Fold<S, ?, ?> fold, long until, long sequence) throws IOException {
    requireHistory(disk, log);
    Memory<S> memory = Recovery.of(disk, log, fold).load(until, sequence);
    if (memory.sequence < sequence) {
      throw new JournalException(
          "the journal "
              + disk.path("")
              + " holds "
              + memory.sequence
              + " events; there is no state as of "
              + sequence
              + " yet");
    }
    return view(memory);
  }

  /** What a journal holds that another process may be writing. */
  static <S> View<S> view(Disk disk, Fold<S, ?, ?> fold) {
    return tried(
        disk,
        () -> {
          Beside beside = beside(disk, fold);
          return view(Recovery.of(disk, beside.log(), fold).load(beside.mark(), Long.MAX_VALUE));
        });
  }

  /** What a journal says of itself; null where there is none. */
  static @Nullable Description describe(Disk disk) {
    return tried(
            disk,
            () -> {
              Log log = new Log(disk, 1 << 16);
              return Optional.ofNullable(
                  isThere(disk, log) ? log.newestDefinition().description() : null);
            })
        .orElse(null);
  }

  /** Whether there is a journal; what has lost its log is damaged, not absent. */
  static boolean isThere(Disk disk, Log log) throws IOException {
    if (!log.isEmpty()) {
      return true;
    }
    for (String name : disk.list()) {
      if (name.endsWith(Snapshot.SUFFIX)) {
        throw new JournalException(
            disk.path(name) + " has no log beside it. Restore the missing files from a copy");
      }
    }
    return false;
  }

  /** A log that another process may be writing, and up to where it is durable. */
  private record Beside(Log log, long mark) {}

  private static Beside beside(Disk disk, Fold<?, ?, ?> fold) throws IOException {
    Log log = new Log(disk, 1 << 16);
    if (!isThere(disk, log)) {
      throw new JournalException("there is no journal in " + disk.path(""));
    }
    Journal.checkName(disk, log.newestDefinition(), fold);
    long mark = log.newestSegment();
    try (Log.Cursor cursor = log.cursor(mark, Long.MAX_VALUE)) {
      while (cursor.next()) {
        mark = Math.max(mark, cursor.header().mark());
      }
    }
    return new Beside(log, mark);
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  /** Reads again where the writer dropped a snapshot or a segment for a newer one meanwhile. */
  private static <T> T tried(Disk disk, Reading<T> reading) {
    for (int tries = 1; ; tries++) {
      try {
        return reading.read();
      } catch (NoSuchFileException e) {
        if (tries == TRIES) {
          throw unreadable(disk, e);
        }
      } catch (IOException e) {
        throw unreadable(disk, e);
      }
    }
  }

  private static <S> View<S> view(Memory<S> memory) {
    Map<String, Slot<S>> slots = new HashMap<>();
    memory.cells.forEach(
        (key, cell) -> {
          Slot<S> slot = cell.committed;
          if (slot != null) {
            slots.put(key, slot);
          }
        });
    Map<String, Position> positions = new HashMap<>();
    memory.partitions.forEach((name, partition) -> positions.put(name, partition.position));
    return new View<>(
        memory.sequence,
        memory.tally.counts(),
        Collections.unmodifiableMap(positions),
        Collections.unmodifiableMap(slots));
  }

  static JournalException unreadable(Disk disk, IOException e) {
    return new JournalException(
        "the journal " + disk.path("") + " cannot be read: " + Kernel.told(e), e);
  }
}
