package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import dev.oncefold.Slot;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * All that the journal holds in memory. What recovery rebuilds it with and what live batches change
 * it with are the same methods.
 *
 * <p>Guarded by the journal's lock, but for the committed slots, which any thread may read.
 *
 * @param <S> the type of one key's state
 */
class Memory<S> {
  static final int POSITION = 2;
  static final int FLOOR = 3;
  static final int SINK = 4;

  /**
   * A key's slot: as judged so far, and as committed.
   *
   * @param <S> the type of one key's state
   */
  static final class Cell<S> {
    @Nullable Slot<S> live;
    volatile @Nullable Slot<S> committed;
  }

  /** An input partition. */
  static final class Partition {
    Position position = Position.START;
    long epoch;
    // The greatest time Applied or Rejected.
    long watermark = Kernel.NO_FLOOR;
    // Of this run only: whether somebody claimed it, and whether it has more to read.
    boolean claimed;
    boolean unread;
  }

  /**
   * How far a sink has got.
   *
   * @param offset the offset of the log it has passed
   * @param length how much it has written, in the sink's own unit
   * @param check a value by which the sink knows what it has written again
   */
  record SinkPosition(long offset, long length, long check) {}

  /** The position of a sink that holds nothing back any more. */
  static final SinkPosition FORGOTTEN = new SinkPosition(-1, 0, 0);

  final Fold.Ids idChoice;
  final ConcurrentHashMap<String, Cell<S>> cells = new ConcurrentHashMap<>();
  final Map<String, Partition> partitions = new LinkedHashMap<>();
  final Map<String, SinkPosition> sinks = new HashMap<>();
  final Counts.Tally tally = new Counts.Tally();
  IdTable ids;
  long floor = Kernel.NO_FLOOR;
  long sequence;

  Memory(Fold.Ids idChoice, long k0, long k1) {
    this.idChoice = idChoice;
    this.ids = new IdTable(k0, k1);
  }

  Cell<S> cell(String key) {
    Cell<S> cell = cells.get(key);
    return cell != null ? cell : cells.computeIfAbsent(key, k -> new Cell<>());
  }

  Partition partition(String name) {
    return partitions.computeIfAbsent(name, n -> new Partition());
  }

  @Nullable Remembered remembered(String key, String id) {
    SipHash hash = ids.hash(key, id);
    return ids.find(hash.hi(), hash.lo());
  }

  void remember(
      String key, String id, long fingerprint, @Nullable Instant time, @Nullable String rejected) {
    if (idChoice.kind() != Fold.Ids.Kind.NONE) {
      SipHash hash = ids.hash(key, id);
      remember(hash.hi(), hash.lo(), fingerprint, time, rejected);
    }
  }

  void remember(
      long hi, long lo, long fingerprint, @Nullable Instant time, @Nullable String rejected) {
    if (idChoice.kind() != Fold.Ids.Kind.NONE) {
      ids.put(hi, lo, fingerprint, idTime(time), rejected);
    }
  }

  private long idTime(@Nullable Instant time) {
    return time == null || idChoice.kind() != Fold.Ids.Kind.SPAN
        ? IdTable.NO_TIME
        : time.toEpochMilli();
  }

  void raiseFloor(long to) {
    floor = to;
    ids.forget(to);
  }

  /**
   * Where the floor may rise to after a batch of a partition, or the present floor where it stays.
   *
   * <p>It is the least (watermark − span) over the batch's own partition and all claimed ones with
   * unread input.
   */
  long nextFloor(Partition own) {
    if (idChoice.kind() != Fold.Ids.Kind.SPAN) {
      return floor;
    }
    long least = own.watermark;
    for (Partition partition : partitions.values()) {
      if (partition.claimed && partition.unread) {
        least = Math.min(least, partition.watermark);
      }
    }
    long next = idChoice.nextFloor(floor, least, ids.oldest());
    if (ids.size() > idChoice.atMost()) {
      long bound = ids.timeToKeep(idChoice.atMost() - idChoice.atMost() / 8);
      // Ids without a time, kept by an earlier version of the fold, cannot be forgotten safely.
      next = bound == IdTable.NO_TIME ? next : Math.max(next, bound);
    }
    return next;
  }

  // ---------------------------------------------------------------- records

  static void writePartition(String name, Partition partition, Encoder out) {
    out.writeString(name).writeUnsigned(partition.epoch);
    out.writeSigned(partition.position.offset()).writeLong(partition.position.check());
    out.writeSigned(partition.watermark);
  }

  void readPartition(Decoder in) {
    Partition partition = partition(in.readString());
    partition.epoch = in.readUnsigned();
    partition.position = new Position(in.readSigned(), in.readLong());
    partition.watermark = in.readSigned();
  }

  static void writeSink(String name, SinkPosition sink, Encoder out) {
    out.writeString(name).writeSigned(sink.offset()).writeSigned(sink.length());
    out.writeLong(sink.check());
  }

  void readSink(Decoder in) {
    setSink(in.readString(), new SinkPosition(in.readSigned(), in.readSigned(), in.readLong()));
  }

  void setSink(String name, SinkPosition position) {
    if (position.equals(FORGOTTEN)) {
      sinks.remove(name);
    } else {
      sinks.put(name, position);
    }
  }

  /** Told of each event while records are applied. */
  interface EventVisitor {
    void event(EventRecord record, long sequence);

    /** Whether to go on with the events behind a sequence; what belongs to those before, always. */
    default boolean wants(long sequence) {
      return true;
    }
  }

  /** Applies the records of a commit, as the live batches did. */
  void apply(Decoder in, EventRecord record, Codec<S> stateCodec, EventVisitor visitor) {
    while (in.remaining() > 0) {
      int tag = in.readByte();
      if (tag == EventRecord.TAG && !visitor.wants(sequence)) {
        return;
      }
      switch (tag) {
        case EventRecord.TAG -> {
          record.read(in);
          apply(record, stateCodec);
          visitor.event(record, sequence);
        }
        case POSITION -> readPartition(in);
        case FLOOR -> raiseFloor(in.readSigned());
        case SINK -> readSink(in);
        default -> throw new CodecException("no record has the tag " + tag);
      }
    }
  }

  private void apply(EventRecord record, Codec<S> stateCodec) {
    sequence++;
    tally.add(record.kind(), record.outputCount());
    for (int i = 0; i < record.slotCount(); i++) {
      set(record.slotKey(i), record.slot(i, stateCodec));
    }
    String key = record.key();
    String id = record.ownId();
    if (key != null && id != null) {
      switch (record.kind()) {
        case APPLIED -> restoreId(key, id, record.fingerprint(), record.time(), null);
        case REJECTED -> restoreId(key, id, record.fingerprint(), record.time(), record.reason());
        default -> {}
      }
    }
  }

  /** Remembers an id that was read from the log; a seam for tests that lose it. */
  void restoreId(
      String key, String id, long fingerprint, @Nullable Instant time, @Nullable String rejected) {
    remember(key, id, fingerprint, time, rejected);
  }

  /** Sets a slot that is committed already. */
  void set(String key, @Nullable Slot<S> slot) {
    if (slot == null) {
      cells.remove(key);
    } else {
      Cell<S> cell = cell(key);
      cell.live = slot;
      cell.committed = slot;
    }
  }
}
