package dev.oncefold;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A file that is read: opened when needed, and known again by its first bytes. */
final class InputFile {
  private static final int CHUNK = 1 << 16;
  private static final int HEAD = 4096;

  private static final String CHANGED =
      ". Restore the file as it was, or read the new one under another partition name";

  private final Disk disk;
  private final String name;
  private Disk.@Nullable Handle file;
  private byte[] head = new byte[0];

  InputFile(Disk disk, String name) {
    this.disk = disk;
    this.name = name;
  }

  long size() throws IOException {
    return opened().size();
  }

  /** Reads what follows the bytes fed; false at the end of the file. */
  boolean fill(Lines lines) throws IOException {
    int read = opened().read(lines.fed(), lines.room());
    if (read < 1) {
      return false;
    }
    lines.filled(read);
    if (lines.offset() == 0 && head.length < HEAD) {
      head = lines.beginning(HEAD);
    }
    if (lines.beginsAsNoText()) {
      throw new SourceException(
          told("begins as UTF-16 or as a binary file, not as text in UTF-8") + Lines.CONVERT_IT);
    }
    return true;
  }

  /**
   * Takes what was applied into a checksum, and holds it against the checksum of then.
   *
   * @return the last of these bytes; a line feed where there are none
   */
  byte passOver(long applied, CRC32C before, long check) throws IOException {
    long size = size();
    if (size < applied) {
      throw changed("has " + size + " bytes, fewer than the " + applied + " already applied");
    }
    head = new byte[0];
    byte[] bytes = new byte[CHUNK];
    byte last = '\n';
    long at = 0;
    while (at < applied) {
      int want = (int) Math.min(bytes.length, applied - at);
      int read = opened().read(at, ByteBuffer.wrap(bytes, 0, want));
      if (read < 1) {
        throw changed("became shorter while it was read");
      }
      if (at == 0) {
        head = Arrays.copyOf(bytes, Math.min(HEAD, read));
      }
      before.update(bytes, 0, read);
      last = bytes[read - 1];
      at += read;
    }
    if (before.getValue() != check) {
      throw changed("is not the file that was read: its first " + applied + " bytes have changed");
    }
    return last;
  }

  /**
   * Takes a line end into a checksum, if one stands at an offset: LF or CRLF.
   *
   * @return the offset behind it; the same offset where there is none
   */
  long passLineEnd(long offset, CRC32C before) throws IOException {
    byte[] next = new byte[2];
    int read = Math.max(0, opened().read(offset, ByteBuffer.wrap(next)));
    int length =
        read > 0 && next[0] == '\n' ? 1 : read > 1 && next[0] == '\r' && next[1] == '\n' ? 2 : 0;
    before.update(next, 0, length);
    return offset + length;
  }

  /** A file that was cut, or replaced by another one of its name, must not go unnoticed. */
  void checkStillTheSame(long alreadyRead) throws IOException {
    Disk.Handle now = disk.open(name, false);
    try {
      if (now.size() < alreadyRead) {
        throw changed(
            "has " + now.size() + " bytes, fewer than the " + alreadyRead + " already read");
      }
      byte[] first = new byte[(int) Math.min(head.length, alreadyRead)];
      ByteBuffer into = ByteBuffer.wrap(first);
      while (into.hasRemaining() && now.read(into.position(), into) > 0) {}
      if (!Arrays.equals(first, 0, first.length, head, 0, first.length)) {
        throw changed("was replaced by another file");
      }
    } catch (IOException | SourceException e) {
      now.close();
      throw e;
    }
    opened().close();
    file = now;
  }

  /** The number of the line in which a byte stands, from 1. */
  long lineAt(long offset) throws IOException {
    byte[] bytes = new byte[CHUNK];
    long line = 1;
    long at = 0;
    while (at < offset) {
      int want = (int) Math.min(bytes.length, offset - at);
      int read = opened().read(at, ByteBuffer.wrap(bytes, 0, want));
      if (read < 1) {
        break;
      }
      for (int i = 0; i < read; i++) {
        if (bytes[i] == '\n') {
          line++;
        }
      }
      at += read;
    }
    return line;
  }

  void close() throws IOException {
    if (file != null) {
      file.close();
    }
    file = null;
  }

  private Disk.Handle opened() throws IOException {
    if (file == null) {
      file = disk.open(name, false);
    }
    return file;
  }

  String told(String what) {
    return "the file " + disk.path(name) + " " + what;
  }

  SourceException failed(IOException e) {
    return new SourceException(
        e instanceof NoSuchFileException
            ? told("does not exist")
            : told("cannot be read: " + Kernel.told(e)),
        e);
  }

  private SourceException changed(String what) {
    return new SourceException(told(what) + CHANGED);
  }
}
