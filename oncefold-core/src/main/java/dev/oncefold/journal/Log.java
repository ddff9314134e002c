package dev.oncefold.journal;

import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Encoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The append-only log: frames in segment files. An offset counts bytes from the beginning of the
 * log; a segment is named after the offset of its first byte.
 *
 * <p>One thread appends; any thread reads with a {@link Cursor} of its own.
 */
class Log {
  static final String SUFFIX = ".log";
  static final String TEMPORARY = ".tmp";
  private static final int FIRST_CHUNK = 1 << 18;
  private static final int LARGEST_CHUNK = 1 << 24;

  private final Disk disk;
  private final int segmentSize;
  private final NavigableMap<Long, String> segments = new ConcurrentSkipListMap<>();
  private @Nullable Definition definition;

  // Of the appending thread.
  private Disk.@Nullable Handle file;
  private long segmentStart;
  private long allocated;
  private long end;
  private boolean unsynced;
  private volatile long durable;

  Log(Disk disk, int segmentSize) throws IOException {
    this.disk = disk;
    this.segmentSize = segmentSize;
    refresh();
  }

  /** Lists the segments again, for a reader beside the process that writes. */
  final void refresh() throws IOException {
    for (String name : disk.list()) {
      if (name.endsWith(SUFFIX)) {
        segments.put(startOf(name), name);
      }
    }
  }

  static String name(long offset, String suffix) {
    String digits = Long.toString(offset);
    return "0".repeat(20 - digits.length()) + digits + suffix;
  }

  private long startOf(String name) {
    try {
      return Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
    } catch (NumberFormatException e) {
      throw new JournalException(
          disk.path(name)
              + " is no segment of a journal: its name should be 20 digits. Move it away",
          e);
    }
  }

  boolean isEmpty() {
    return segments.isEmpty();
  }

  long start() {
    return segments.firstKey();
  }

  /** The end of what is durable: readers stop there. */
  long durable() {
    return durable;
  }

  /** The end of what was appended. */
  long end() {
    return end;
  }

  /** The definition of the newest segment. */
  Definition definition() {
    if (definition == null) {
      throw new IllegalStateException("the log has no segment yet");
    }
    return definition;
  }

  List<Long> segmentStarts() {
    return new ArrayList<>(segments.keySet());
  }

  /** Where the newest segment begins. */
  long newestSegment() {
    return segments.lastKey();
  }

  /** The definition of the newest segment, read from the disk. */
  Definition newestDefinition() throws IOException {
    return definition(segments.lastKey());
  }

  Definition definition(long segment) throws IOException {
    Cursor cursor = new Cursor(segment, Long.MAX_VALUE);
    try (cursor) {
      if (!cursor.next()) {
        throw cursor.damage("the segment does not begin with its definition");
      }
      return cursor.definition();
    }
  }

  // ---------------------------------------------------------------- recovery

  /** Receives what stands in the log, in order. */
  interface Replay {
    void frame(Cursor cursor) throws IOException;
  }

  /**
   * Reads everything from an offset on and finds the end: a torn tail is cut off, any other damage
   * is an error. Afterwards the log can be appended to.
   */
  void recover(long from, Replay replay) throws IOException {
    Cursor cursor = new Cursor(from, Long.MAX_VALUE);
    long mark = from;
    try (cursor) {
      while (cursor.next()) {
        mark = Math.max(mark, cursor.header().mark());
        replay.frame(cursor);
      }
      end = checkTail(cursor);
    }
    Map.Entry<Long, String> last = segments.lastEntry();
    segmentStart = last.getKey();
    definition = definition(segmentStart);
    Disk.Handle opened = disk.open(last.getValue(), true);
    file = opened;
    if (opened.size() > end - segmentStart) {
      opened.truncate(end - segmentStart);
    }
    // What was read may have been in nothing but the page cache of a crashed process. Where a sync
    // failed those pages count as clean, so that another sync would not write them: they are
    // written again.
    rewrite(opened, Math.max(mark, segmentStart));
    opened.sync();
    disk.sync();
    allocated = end - segmentStart;
    durable = end;
  }

  private void rewrite(Disk.Handle segment, long from) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(1 << 20, end - from));
    for (long offset = from; offset < end; offset += chunk.limit()) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), end - offset));
      while (chunk.hasRemaining()) {
        long place = offset - segmentStart + chunk.position();
        if (segment.read(place, chunk) < 1) {
          throw new IOException("the file became shorter while it was read");
        }
      }
      segment.write(offset - segmentStart, chunk.flip());
    }
  }

  /**
   * Tells a torn tail from damage: if a later frame names a mark beyond the bad bytes, they were
   * durable once. Answers where the log ends, which is behind the last whole frame.
   */
  long checkTail(Cursor cursor) throws IOException {
    long bad = cursor.end();
    Map.Entry<Long, String> later = segments.higherEntry(bad);
    if (later != null) {
      throw cursor.damage(
          "no whole frame stands here, but a later segment, " + later.getValue() + ", exists");
    }
    if (cursor.markBeyond(bad)) {
      throw cursor.damage("no whole frame stands here, but a later frame says that it was durable");
    }
    return bad;
  }

  // ---------------------------------------------------------------- appending

  /** Makes the first segment, or one that starts under another definition. */
  void startSegment(Definition next, long sequence, long time) throws IOException {
    if (file != null) {
      finishSegment();
    }
    String name = name(end, SUFFIX);
    Encoder frame = Frame.start(new Encoder());
    next.encode(frame);
    // The key stands in the body itself, so this frame's checksums cannot cover it.
    Frame.seal(frame, Frame.DEFINITION, 0, sequence, end, time, next.version(), end, 0, 0);
    Disk.Handle created = disk.create(name + TEMPORARY);
    try {
      created.write(0, ByteBuffer.wrap(frame.array(), 0, frame.length()));
      created.sync();
      disk.rename(name + TEMPORARY, name);
      disk.sync();
    } catch (IOException e) {
      created.close();
      throw e;
    }
    file = created;
    definition = next;
    segmentStart = end;
    segments.put(end, name);
    end += frame.length();
    allocated = frame.length();
    unsynced = false;
    durable = end;
  }

  /** Seals a frame and writes it; durable only after {@link #sync}. */
  void append(Encoder frame, byte kind, int events, long sequence, long time) throws IOException {
    Definition current = definition();
    if (end - segmentStart + frame.length() > segmentSize
        && end - segmentStart > 2L * Frame.HEADER + 4096) {
      // The segment follows the base, it does not begin with it again.
      startSegment(current.with(null, current.rules()), sequence, time);
    }
    Frame.seal(
        frame,
        kind,
        events,
        sequence,
        durable,
        time,
        current.version(),
        end,
        current.k0(),
        current.k1());
    reserve(end - segmentStart + frame.length());
    opened().write(end - segmentStart, ByteBuffer.wrap(frame.array(), 0, frame.length()));
    end += frame.length();
    unsynced = true;
  }

  /** Makes everything appended durable. */
  void sync() throws IOException {
    if (unsynced) {
      opened().sync();
      unsynced = false;
      durable = end;
    }
  }

  /**
   * Fills the file with zeros ahead of the frames: a sync need not write the file's size then,
   * which halves its cost, and a full disk is met before a commit begins.
   */
  private void reserve(long size) throws IOException {
    if (size <= allocated) {
      return;
    }
    long chunk = Math.max(FIRST_CHUNK, Math.min(allocated, LARGEST_CHUNK));
    long to = Math.max(size, Math.min(allocated + chunk, segmentSize));
    ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(1 << 20, to - allocated));
    while (allocated < to) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), to - allocated));
      int length = zeros.remaining();
      opened().write(allocated, zeros);
      allocated += length;
    }
    opened().sync();
  }

  private void finishSegment() throws IOException {
    Disk.Handle finished = opened();
    finished.truncate(end - segmentStart);
    finished.sync();
    finished.close();
    file = null;
  }

  /** Leaves the file without its reserve, and closes it. */
  void close() throws IOException {
    if (file != null) {
      finishSegment();
    }
  }

  /** Closes without writing anything. */
  void abandon() {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        // The journal has failed already; that failure is the one told.
      }
      file = null;
    }
  }

  private Disk.Handle opened() {
    if (file == null) {
      throw new IllegalStateException("the log is closed");
    }
    return file;
  }

  /** Deletes the segments that end at or before an offset; answers whether there were any. */
  boolean deleteBefore(long offset) throws IOException {
    boolean deleted = false;
    while (segments.size() > 1) {
      Long first = segments.firstKey();
      Long second = segments.higherKey(first);
      if (second == null || second > offset) {
        break;
      }
      // Oldest first and durably, so that what remains has no gap.
      disk.delete(name(first, SUFFIX));
      disk.sync();
      segments.remove(first);
      deleted = true;
    }
    return deleted;
  }

  /** Whether a body's or header's checksum holds; a seam for tests that break it. */
  boolean intact(int stored, int computed) {
    return stored == computed;
  }

  // ---------------------------------------------------------------- reading

  Cursor cursor(long from, long until) throws IOException {
    return new Cursor(from, until);
  }

  /** Goes over the frames of the log, from one that begins at an offset. */
  final class Cursor implements AutoCloseable {
    private final long until;
    private long segment;
    private String name;
    private Disk.Handle handle;
    private long size;
    private long k0;
    private long k1;
    private @Nullable Definition current;
    private long next;
    private long at;
    private long sequence = -1;
    private Frame.@Nullable Header header;
    private final byte[] head = new byte[Frame.HEADER];
    private byte[] body = new byte[0];

    private Cursor(long from, long until) throws IOException {
      this.until = until;
      Map.Entry<Long, String> entry = segments.floorEntry(from);
      if (entry == null) {
        throw new JournalException(
            "the journal "
                + disk.path("")
                + " holds nothing from its offset "
                + from
                + " on: its older segments are gone. Restore them from a copy");
      }
      this.segment = entry.getKey();
      this.name = entry.getValue();
      this.handle = disk.open(name, false);
      this.size = handle.size();
      this.next = segment;
      if (from > segment) {
        if (!next()) {
          throw damage("the segment does not begin with its definition");
        }
        if (from - segment > size) {
          throw damage(
              segment + size, "the file ends here, but the log once went on to offset " + from);
        }
        next = from;
        sequence = -1;
      }
    }

    /** Goes to the next whole frame; false at the end, or where something else stands. */
    boolean next() throws IOException {
      if (next >= until) {
        return false;
      }
      if (next > segment && segments.containsKey(next)) {
        openSegment(next);
      }
      Frame.Header found = header(next);
      if (found == null || found.length() > size - (next - segment) - Frame.HEADER) {
        return false;
      }
      if (body.length < found.length()) {
        body = new byte[Math.max(found.length(), Math.min(body.length * 2, 1 << 24))];
      }
      if (!read(next + Frame.HEADER, body, found.length())) {
        return false;
      }
      boolean defines = found.kind() == Frame.DEFINITION;
      int crc = Frame.crc(defines ? 0 : k0, defines ? 0 : k1, next, body, 0, found.length());
      if (!intact(found.bodyCrc(), crc)) {
        return false;
      }
      if (defines != (next == segment)) {
        throw damage(next, "a definition and the beginning of a segment do not meet");
      }
      if (found.mark() > next) {
        throw damage(next, "a frame names a mark behind itself");
      }
      if (sequence >= 0 && found.sequence() != sequence) {
        throw damage(
            next, "a frame follows " + found.sequence() + " events, not the " + sequence + " read");
      }
      at = next;
      header = found;
      sequence = found.sequence() + found.events();
      next = at + Frame.HEADER + found.length();
      if (defines) {
        define();
      }
      return true;
    }

    private void define() {
      try {
        Decoder in = new Decoder(body, 0, header().length());
        Definition defined = Definition.decode(in);
        if (in.remaining() != 0) {
          throw damage("the definition is longer than it should be");
        }
        current = defined;
        k0 = defined.k0();
        k1 = defined.k1();
      } catch (CodecException e) {
        throw damage("the definition cannot be read: " + e.getMessage());
      }
    }

    private void openSegment(long start) throws IOException {
      handle.close();
      segment = start;
      name = name(start, SUFFIX);
      handle = disk.open(name, false);
      size = handle.size();
    }

    /** The valid header at an offset, or null. */
    private Frame.@Nullable Header header(long offset) throws IOException {
      if (size - (offset - segment) < Frame.HEADER) {
        size = handle.size(); // the file grows while it is written
      }
      if (size - (offset - segment) < Frame.HEADER || !read(offset, head, Frame.HEADER)) {
        return null;
      }
      return header(head, 0, offset);
    }

    private Frame.@Nullable Header header(byte[] bytes, int place, long offset) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      if (buffer.getInt(place) != Frame.MAGIC) {
        return null;
      }
      Frame.Header found = Frame.read(bytes, place);
      boolean defines = found.kind() == Frame.DEFINITION;
      if (defines && offset == segment && found.format() != Frame.FORMAT) {
        throw new JournalException(
            disk.path(name)
                + " is in format "
                + found.format()
                + " of the journal; this version of Oncefold reads format "
                + Frame.FORMAT
                + ". Open it with the version that wrote it");
      }
      int crc =
          Frame.crc(defines ? 0 : k0, defines ? 0 : k1, offset, bytes, place + 8, Frame.HEADER - 8);
      if (!intact(buffer.getInt(place + 4), crc)
          || found.format() != Frame.FORMAT
          || found.length() < 0
          || found.events() < 0) {
        return null;
      }
      return found;
    }

    private boolean read(long offset, byte[] into, int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(into, 0, length);
      long place = offset - segment;
      while (buffer.hasRemaining()) {
        int read = handle.read(place + buffer.position(), buffer);
        if (read < 1) {
          return false;
        }
      }
      return true;
    }

    /** Whether a frame behind {@code bad} in this segment says that {@code bad} was durable. */
    private boolean markBeyond(long bad) throws IOException {
      byte[] chunk = new byte[1 << 16];
      for (long offset = bad + 1; size - (offset - segment) >= Frame.HEADER; ) {
        int length = (int) Math.min(chunk.length, size - (offset - segment));
        if (!read(offset, chunk, length)) {
          return false;
        }
        int places = length - Frame.HEADER + 1;
        for (int i = 0; i < places; i++) {
          if (chunk[i] == (byte) (Frame.MAGIC >>> 24)) {
            Frame.Header found = header(chunk, i, offset + i);
            if (found != null && found.mark() > bad) {
              return true;
            }
          }
        }
        offset += places;
      }
      return false;
    }

    Frame.Header header() {
      if (header == null) {
        throw new IllegalStateException("next() was not called");
      }
      return header;
    }

    /** The definition under which the frame was written. */
    Definition definition() {
      if (current == null) {
        throw new IllegalStateException("next() was not called");
      }
      return current;
    }

    /** The frame's body; reused by the next frame. */
    byte[] body() {
      return body;
    }

    /** Where the frame begins. */
    long at() {
      return at;
    }

    /** Where the frame ends. */
    long end() {
      return next;
    }

    JournalException.Corrupt damage(String what) {
      return damage(next, what);
    }

    JournalException.Corrupt damage(long offset, String what) {
      return new JournalException.Corrupt(disk.path(name), offset - segment, what);
    }

    @Override
    public void close() throws IOException {
      handle.close();
    }
  }

  /** The names of files that a crash left half-made. */
  List<String> leftovers() throws IOException {
    List<String> names = new ArrayList<>();
    for (String name : disk.list()) {
      if (name.endsWith(TEMPORARY)) {
        names.add(name);
      }
    }
    Collections.sort(names);
    return names;
  }
}
