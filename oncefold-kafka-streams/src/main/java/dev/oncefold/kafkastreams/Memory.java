package dev.oncefold.kafkastreams;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import dev.oncefold.Slot;
import dev.oncefold.journal.IdTable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * All that one task holds, and its form in the changelog: what {@link #flush} writes is what {@link
 * #restore} reads. States are kept as objects; what was restored is decoded when it is first looked
 * at.
 *
 * <p>Belongs to one thread, but for {@link #committed} and {@link #committedHead}, which any may
 * call.
 *
 * @param <S> the type of one key's state
 */
final class Memory<S> {
  private static final byte DEFINITION = 'D';
  private static final byte HEAD = 'H';
  private static final byte SLOT = 'S';
  private static final byte IDS = 'I';
  private static final byte WAITING = 'W';

  private final Fold<S, ?, ?> fold;
  private final String changelog;
  private final ConcurrentHashMap<String, Cell<S>> cells = new ConcurrentHashMap<>();
  private final TreeMap<Integer, Definition> definitions = new TreeMap<>();
  private final Map<Integer, Codec<S>> codecs = new ConcurrentHashMap<>();
  private final Inputs inputs = new Inputs();
  private final Counts.Tally tally = new Counts.Tally();
  private final Pages pages = new Pages();
  private final Encoder scratch = new Encoder();
  // Set since they were written, the longest ago first.
  private final ArrayDeque<Cell<S>> dirty = new ArrayDeque<>();
  private List<Cell<S>> flushed = new ArrayList<>();
  // Read, and not judged: the task stops before the first of them.
  private final TreeMap<Long, byte[]> waiting = new TreeMap<>();
  private final TreeMap<Long, Boolean> waitingDirty = new TreeMap<>();
  private @Nullable Cell<S> looked;
  private @Nullable String lookedFor;
  private @Nullable IdTable ids;
  private long floor = Kernel.NO_FLOOR;
  private int writing;
  private long events;
  private boolean definitionDirty;
  private boolean changed;
  private Head flushedHead = Head.NONE;
  private volatile Head committedHead = Head.NONE;

  /** A key: what it is by now, and what of it is committed. */
  private static final class Cell<S> {
    final String key;
    @Nullable Slot<S> live;
    // Restored, and not decoded yet; then `live` is not set.
    byte @Nullable [] raw;
    // Whether it waits to be written, and whether it was set again meanwhile.
    boolean dirty;
    boolean again;
    // A Slot, or the bytes restored.
    volatile @Nullable Object committed;

    Cell(String key) {
      this.key = key;
    }
  }

  /** Where the records of a flush go. */
  @FunctionalInterface
  interface Log {
    void put(byte[] key, byte @Nullable [] value);
  }

  Memory(Fold<S, ?, ?> fold, String changelog) {
    this.fold = fold;
    this.changelog = changelog;
  }

  // ---------------------------------------------------------------- from the changelog

  /** Whether a record of the changelog is the last one of a flush. */
  static boolean endsFlush(byte[] key) {
    return key[0] == HEAD;
  }

  /** Takes a record of the changelog, in order. */
  void restore(byte[] key, byte @Nullable [] value) {
    try {
      byte tag = key[0];
      if (tag == SLOT) {
        restoreSlot(new String(key, 1, key.length - 1, StandardCharsets.UTF_8), value);
      } else if (tag == IDS) {
        pages.restore(ByteBuffer.wrap(key, 1, Long.BYTES).getLong(), value, table(), floor);
      } else if (tag == WAITING) {
        restoreWaiting(ByteBuffer.wrap(key, 1, Long.BYTES).getLong(), value);
      } else if (tag == HEAD && value != null) {
        restoreHead(Head.read(new Decoder(value)));
      } else if (tag == DEFINITION && value != null) {
        restoreDefinition(ByteBuffer.wrap(key, 1, Integer.BYTES).getInt(), value);
      } else {
        throw new IllegalStateException("no record has the tag " + tag);
      }
    } catch (RuntimeException e) {
      throw e instanceof StreamsFoldException
          ? e
          : new StreamsFoldException(
              "the changelog "
                  + changelog
                  + " has a record that is not the fold's: "
                  + e.getMessage()
                  + ". Nobody but this application may write there",
              e);
    }
  }

  private void restoreSlot(String key, byte @Nullable [] value) {
    if (value == null) {
      cells.remove(key);
      return;
    }
    Cell<S> cell = cells.computeIfAbsent(key, Cell::new);
    cell.live = null;
    cell.raw = value;
    cell.committed = value;
  }

  private void restoreWaiting(long number, byte @Nullable [] value) {
    if (value == null) {
      waiting.remove(number);
    } else {
      waiting.put(number, value);
    }
  }

  private void restoreHead(Head head) {
    if (head.floor() != floor) {
      floor = head.floor();
      table().forget(floor);
    }
    tally.reset(head.counts());
    events = head.counts().events();
    inputs.restore(head.inputs());
    flushedHead = head;
    committedHead = head;
  }

  private void restoreDefinition(int number, byte[] value) {
    forgetUnwritten();
    Definition definition = Definition.read(new Decoder(value));
    definitions.put(number, definition);
    if (ids == null) {
      ids = new IdTable(definition.k0(), definition.k1());
    }
  }

  /**
   * A task that has begun may become a standby before it has written anything, and begin again
   * behind what others have written. What it would have written first is not what stands there.
   */
  private void forgetUnwritten() {
    if (definitionDirty) {
      definitions.remove(writing);
      codecs.remove(writing);
      definitionDirty = false;
      if (definitions.isEmpty()) {
        // Hashes of its own secret key.
        ids = null;
      }
    }
  }

  /** The first definition stands before everything else, for ever: it is written once. */
  private IdTable table() {
    if (ids == null) {
      throw new IllegalStateException("what says which fold wrote it is missing");
    }
    return ids;
  }

  /**
   * Everything was restored: the fold goes on here, or is refused.
   *
   * @param accepting whether a change of the fold is accepted
   */
  void open(boolean accepting) {
    forgetUnwritten();
    if (definitions.isEmpty()) {
      SecureRandom random = new SecureRandom();
      Definition first = Definition.of(fold, random.nextLong(), random.nextLong());
      definitions.put(1, first);
      ids = new IdTable(first.k0(), first.k1());
      definitionDirty = true;
    } else {
      Definition last = definitions.lastEntry().getValue();
      last.admit(fold, changelog, accepting);
      Definition now = Definition.of(fold, last.k0(), last.k1());
      definitionDirty = !now.equals(last);
      if (definitionDirty) {
        definitions.put(definitions.lastKey() + 1, now);
      }
    }
    writing = definitions.lastKey();
    definitions.keySet().forEach(this::codec);
    if (floor != Kernel.NO_FLOOR) {
      pages.forget(floor);
    }
  }

  private Codec<S> codec(int number) {
    Codec<S> known = codecs.get(number);
    if (known == null) {
      Definition written = definitions.get(number);
      if (written == null) {
        throw new StreamsFoldException(
            "the changelog " + changelog + " has states of the unknown definition " + number);
      }
      try {
        known = fold.stateCodec().reading(written.state(), fold.initial());
      } catch (CodecException e) {
        throw new StreamsFoldException(
            "the states that version "
                + written.version()
                + " of the fold \""
                + fold.name()
                + "\" stored in "
                + changelog
                + " cannot be read as those of version "
                + fold.version()
                + ": "
                + e.getMessage()
                + ". Keep the stored fields, or begin anew under another application id",
            e);
      }
      codecs.put(number, known);
    }
    return known;
  }

  private Slot<S> decoded(byte[] raw) {
    Decoder in = new Decoder(raw);
    int number = (int) in.readUnsigned();
    long version = in.readUnsigned();
    return new Slot<>(codec(number).decode(in), version);
  }

  // ---------------------------------------------------------------- live

  @Nullable Slot<S> slot(String key) {
    Cell<S> cell = cell(key);
    return cell == null ? null : live(cell);
  }

  /** An event looks its key up to be judged, and again to be applied. */
  @SuppressWarnings("ReferenceEquality") // the same event's
  private @Nullable Cell<S> cell(String key) {
    Cell<S> found = looked;
    if (found == null || lookedFor != key) {
      found = cells.get(key);
      looked = found;
      lookedFor = key;
    }
    return found;
  }

  private @Nullable Slot<S> live(Cell<S> cell) {
    byte[] raw = cell.raw;
    if (raw != null) {
      cell.live = decoded(raw);
      cell.raw = null;
    }
    return cell.live;
  }

  @Nullable Remembered remembered(String key, String id) {
    SipHash hash = table().hash(key, id);
    return table().find(hash.hi(), hash.lo());
  }

  long floor() {
    return floor;
  }

  Counts counts() {
    return tally.counts();
  }

  /** How many events are counted. */
  long events() {
    return events;
  }

  /** How far each partition of the input is applied. */
  Inputs inputs() {
    return inputs;
  }

  void count(dev.oncefold.Verdict<S, ?> verdict) {
    tally.add(verdict);
    events++;
    changed = true;
  }

  void set(String key, @Nullable S state) {
    Cell<S> cell = cell(key);
    if (cell == null) {
      if (state == null) {
        return;
      }
      cell = new Cell<>(key);
      cells.put(key, cell);
    }
    Slot<S> before = live(cell);
    cell.live = state == null ? null : new Slot<>(state, before == null ? 1 : before.version() + 1);
    if (cell.dirty) {
      cell.again = true;
    } else {
      cell.dirty = true;
      dirty.add(cell);
    }
  }

  void remember(String key, String id, long fingerprint, long time, @Nullable String rejected) {
    IdTable table = table();
    SipHash hash = table.hash(key, id);
    long hi = hash.hi();
    long lo = hash.lo();
    table.put(hi, lo, fingerprint, time, rejected);
    pages.add(hi, lo, fingerprint, time, rejected);
  }

  /** Keeps an event that is read and not judged, behind those that wait already. */
  void hold(byte[] arrived) {
    long number = waiting.isEmpty() ? 1 : waiting.lastKey() + 1;
    waiting.put(number, arrived);
    waitingDirty.put(number, true);
    changed = true;
  }

  /** The first event that waits; null where none does. */
  byte @Nullable [] firstWaiting() {
    return waiting.isEmpty() ? null : waiting.firstEntry().getValue();
  }

  /** The first event that waits was judged. */
  void release() {
    waitingDirty.put(waiting.firstKey(), true);
    waiting.pollFirstEntry();
    changed = true;
  }

  /** Throws what writing a state would throw. */
  void check(S state) {
    scratch.truncate(0);
    fold.stateCodec().encode(state, scratch);
  }

  // ---------------------------------------------------------------- into the changelog

  /** Whether there is anything to flush. */
  boolean isDirty() {
    return changed;
  }

  /** Whether more states than that are set and not written. */
  boolean waitsMoreThan(int states) {
    return dirty.size() > states;
  }

  /**
   * Writes states that have waited the longest, so that few are left to be written when a commit is
   * prepared: then nothing else can be done meanwhile. A key that was set again while it waited
   * waits once more: it will be set again, and is to be written once.
   *
   * <p>A flush has still to come before the commit.
   *
   * @param log takes the records
   * @param most how many may go on waiting
   */
  void writeEarly(Log log, int most) {
    while (dirty.size() > most) {
      Cell<S> oldest = dirty.element();
      if (oldest.again) {
        oldest.again = false;
        dirty.add(dirty.remove());
      } else {
        define(log);
        writeOldest(log);
      }
    }
  }

  /** What says which fold writes stands before all that it writes. */
  private void define(Log log) {
    if (definitionDirty) {
      ByteBuffer key = ByteBuffer.allocate(1 + Integer.BYTES).put(DEFINITION).putInt(writing);
      log.put(key.array(), definitions.lastEntry().getValue().bytes());
      definitionDirty = false;
    }
  }

  private void writeOldest(Log log) {
    Cell<S> cell = dirty.element();
    log.put(slotKey(cell.key), cell.live == null ? null : bytes(cell.key, cell.live));
    // Where that throws the state is still to be written: no later flush succeeds without it.
    dirty.remove();
    cell.dirty = false;
    cell.again = false;
    flushed.add(cell);
  }

  /**
   * Writes all that changed since the flush before, each key once.
   *
   * @param log takes the records
   * @param least the least watermark of the partitions that still have unread input
   */
  void flush(Log log, long least) {
    if (!changed) {
      return;
    }
    define(log);
    while (!dirty.isEmpty()) {
      writeOldest(log);
    }
    raiseFloor(least);
    pages.flush((number, page) -> log.put(numbered(IDS, number), page));
    for (long number : waitingDirty.keySet()) {
      log.put(numbered(WAITING, number), waiting.get(number));
    }
    waitingDirty.clear();
    flushedHead = new Head(tally.counts(), floor, inputs.stored());
    log.put(new byte[] {HEAD}, flushedHead.bytes());
    changed = false;
  }

  private static byte[] numbered(byte tag, long number) {
    return ByteBuffer.allocate(1 + Long.BYTES).put(tag).putLong(number).array();
  }

  static byte[] slotKey(String key) {
    byte[] text = key.getBytes(StandardCharsets.UTF_8);
    byte[] tagged = new byte[text.length + 1];
    tagged[0] = SLOT;
    System.arraycopy(text, 0, tagged, 1, text.length);
    return tagged;
  }

  private byte[] bytes(String key, Slot<S> slot) {
    scratch.truncate(0);
    scratch.writeUnsigned(writing).writeUnsigned(slot.version());
    try {
      fold.stateCodec().encode(slot.state(), scratch);
    } catch (RuntimeException e) {
      throw new StreamsFoldException(
          "the state of the key \"" + key + "\" cannot be written: " + e.getMessage(), e);
    }
    return scratch.toByteArray();
  }

  private void raiseFloor(long least) {
    IdTable table = table();
    long next = fold.ids().nextFloor(floor, least, table.oldest());
    if (table.size() > fold.ids().atMost()) {
      long bound = table.timeToKeep(fold.ids().atMost() - fold.ids().atMost() / 8);
      // Ids without a time, kept by an earlier version of the fold, cannot be forgotten safely.
      next = bound == IdTable.NO_TIME ? next : Math.max(next, bound);
    }
    if (next != floor) {
      floor = next;
      table.forget(floor);
      pages.forget(floor);
    }
  }

  /** What was flushed last is committed: from now on readers see it. */
  void publish() {
    for (Cell<S> cell : flushed) {
      if (!cell.dirty) {
        cell.committed = cell.live;
        if (cell.live == null) {
          cells.remove(cell.key);
        }
      }
    }
    looked = null;
    flushed = new ArrayList<>();
    committedHead = flushedHead;
  }

  // ---------------------------------------------------------------- for readers

  /** What is committed of a key. */
  @Nullable Slot<S> committed(String key) {
    Cell<S> cell = cells.get(key);
    return cell == null ? null : committed(cell);
  }

  @SuppressWarnings("unchecked") // only slots of S and bytes are put in
  private @Nullable Slot<S> committed(Cell<S> cell) {
    Object committed = cell.committed;
    return committed instanceof byte[] raw ? decoded(raw) : (Slot<S>) committed;
  }

  /** All that is committed. */
  Map<String, Slot<S>> committed() {
    Map<String, Slot<S>> all = new HashMap<>();
    for (Cell<S> cell : cells.values()) {
      Slot<S> slot = committed(cell);
      if (slot != null) {
        all.put(cell.key, slot);
      }
    }
    return all;
  }

  Head committedHead() {
    return committedHead;
  }
}
