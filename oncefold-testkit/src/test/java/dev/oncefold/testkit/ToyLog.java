package dev.oncefold.testkit;

import dev.oncefold.Disk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The log of a {@link ToyStore}: frames of parts, each with a checksum. What is not whole at its
 * end was not committed and is cut off; what is not whole before its end is damage.
 */
class ToyLog {
  static final String NAME = "log";
  private static final int HEADER = 12;
  private static final int MAGIC = 0x746f7931;

  /** What a part is about, in the order in which the parts stand in a frame. */
  enum Kind {
    CLAIM,
    POSITION,
    IDS,
    EFFECTS,
    TALLY,
    REFUSALS,
    OUTPUTS;

    private byte letter() {
      return (byte) name().charAt(0);
    }

    private static Kind of(byte letter) throws IOException {
      for (Kind kind : values()) {
        if (kind.letter() == letter) {
          return kind;
        }
      }
      throw new IOException("no part has the letter " + letter);
    }
  }

  /** Some fields of text. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Line(String... fields) {
    static Line of(String... fields) {
      return new Line(fields);
    }
  }

  /** All of a kind in a frame. */
  record Part(Kind kind, List<Line> lines) {}

  private final Disk disk;
  private Disk.@Nullable Handle file;
  private long end;

  ToyLog(Disk disk) {
    this.disk = disk;
  }

  // ---------------------------------------------------------------- the steps that a test breaks

  /** Makes durable what was appended. */
  void sync(Disk.Handle log) throws IOException {
    log.sync();
  }

  /** Whether a checksum is right. */
  boolean intact(int stored, int computed) {
    return stored == computed;
  }

  /** What counts of a frame that was not written to its end. */
  List<Part> ofTail(byte[] tail) {
    return List.of();
  }

  // ---------------------------------------------------------------- reading and writing

  void open(Consumer<Part> each) throws IOException {
    Disk.Handle log;
    if (disk.list().contains(NAME)) {
      log = disk.open(NAME, true);
    } else {
      log = disk.create(NAME);
    }
    disk.sync(); // also where somebody made it before, and failed here
    file = log;
    ByteBuffer bytes = ByteBuffer.allocate((int) log.size());
    while (bytes.hasRemaining() && log.read(bytes.position(), bytes) > 0) {}
    byte[] all = bytes.array();
    List<Part> found = new ArrayList<>();
    int at = 0;
    for (int length = whole(all, at); length >= 0; length = whole(all, at)) {
      found.addAll(parts(all, at + HEADER, length, false));
      at += HEADER + length;
    }
    for (int later = at + 1; later + HEADER <= all.length; later++) {
      if (whole(all, later) >= 0) {
        throw new IOException(disk.path(NAME) + " is damaged at " + at);
      }
    }
    end = at;
    List<Part> kept = ofTail(Arrays.copyOfRange(all, at, all.length));
    log.truncate(at);
    // What was read may be in the cache only, and after a failed sync clean there.
    log.write(0, ByteBuffer.wrap(all, 0, at));
    sync(log);
    if (!kept.isEmpty()) {
      append(kept);
      sync();
      found.addAll(kept);
    }
    found.forEach(each);
  }

  /** The length of the whole frame at a place, or -1 where there is none. */
  private int whole(byte[] all, int at) {
    if (at + HEADER > all.length) {
      return -1;
    }
    ByteBuffer header = ByteBuffer.wrap(all, at, HEADER);
    int magic = header.getInt();
    int length = header.getInt();
    if (magic != MAGIC || length < 0 || length > all.length - at - HEADER) {
      return -1;
    }
    return intact(header.getInt(), crc(all, at + HEADER, length)) ? length : -1;
  }

  private static int crc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }

  /** The parts of a frame; with {@code cut}, as many as can be read. */
  static List<Part> parts(byte[] bytes, int from, int length, boolean cut) throws IOException {
    List<Part> parts = new ArrayList<>();
    try (DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(bytes, from, Math.max(0, length)))) {
      while (in.available() > 0) {
        Kind kind = Kind.of(in.readByte());
        List<Line> lines = new ArrayList<>();
        for (int left = in.readShort(); left > 0; left--) {
          String[] fields = new String[in.readByte()];
          for (int i = 0; i < fields.length; i++) {
            fields[i] = in.readUTF();
          }
          lines.add(new Line(fields));
        }
        parts.add(new Part(kind, lines));
      }
    } catch (IOException | RuntimeException e) {
      if (!cut) {
        throw new IOException("the frame cannot be read", e);
      }
    }
    return parts;
  }

  /** The parts of a frame that was not written to its end. */
  static List<Part> partsOfTail(byte[] tail) throws IOException {
    return parts(tail, Math.min(HEADER, tail.length), tail.length - HEADER, true);
  }

  void append(List<Part> parts) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(body)) {
      for (Part part : parts) {
        out.writeByte(part.kind().letter());
        out.writeShort(part.lines().size());
        for (Line line : part.lines()) {
          out.writeByte(line.fields().length);
          for (String field : line.fields()) {
            out.writeUTF(field);
          }
        }
      }
    }
    byte[] bytes = body.toByteArray();
    ByteBuffer frame = ByteBuffer.allocate(HEADER + bytes.length);
    frame.putInt(MAGIC).putInt(bytes.length).putInt(crc(bytes, 0, bytes.length)).put(bytes);
    file().write(end, frame.flip());
    end += frame.capacity();
  }

  void sync() throws IOException {
    sync(file());
  }

  private Disk.Handle file() {
    if (file == null) {
      throw new IllegalStateException("the log is not open");
    }
    return file;
  }

  /** Whether a write opens a commit. */
  static boolean isCommit(String name, byte[] bytes) {
    return name.equals(NAME) && bytes.length > HEADER && bytes[HEADER] != Kind.CLAIM.letter();
  }

  /** Where the last whole frame of a log begins. */
  int lastFrame(byte[] all) {
    int last = 0;
    int at = 0;
    for (int length = whole(all, at); length >= 0; length = whole(all, at)) {
      last = at;
      at += HEADER + length;
    }
    return last;
  }
}
