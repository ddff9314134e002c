package dev.oncefold;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a file, one event a line.
 *
 * <p>A position is an offset in bytes and the CRC-32C of all bytes before it, so that a file which
 * was rewritten, cut or replaced stops the run instead of being resumed in garbage. Going on from a
 * position reads everything before it once, at the speed of the disk.
 *
 * <p>A finite source takes a last line without a line end as whole, and stops if that line turns
 * out longer later. A source that follows its file waits for the line end.
 *
 * @param <E> the type of the events' values
 */
public final class FileSource<E> implements Source<E> {
  /** The longest line taken unless set otherwise: 1 MiB. */
  public static final int DEFAULT_MAX_LINE = 1 << 20;

  private static final int CHUNK = 1 << 16;
  private static final int HEAD = 4096;
  private static final int KEPT_OF_LONG_LINES = 1024;

  private final Disk disk;
  private final String name;
  private final String partition;
  private final boolean follow;
  private final int maxLine;
  private final Charset charset;
  private final Decoding<E> decoding;

  private Disk.@Nullable Handle file;
  private byte[] buffer = new byte[CHUNK];
  private int start;
  private int end;
  private long offset;
  private final CRC32C before = new CRC32C();
  private byte[] head = new byte[0];
  private boolean ended;
  // Where the last batch ended, and the next one begins.
  private Position answered = Position.START;
  // A line longer than the bound, of which a part is passed: where it begins, and with what.
  private long longLine = -1;
  private byte[] longLineBegins = new byte[0];

  /**
   * Makes an event of a line.
   *
   * @param <E> the type of the events' values
   */
  @FunctionalInterface
  public interface Decoding<E> {
    /**
     * Makes an event of a line.
     *
     * @param line the line without its end
     * @return the event; null where the line is none, such as a header
     * @throws Exception any exception makes the line a Failed event
     */
    @Nullable Event<E> decode(String line) throws Exception;
  }

  private FileSource(
      Disk disk,
      String name,
      String partition,
      boolean follow,
      int maxLine,
      Charset charset,
      Decoding<E> decoding) {
    this.disk = disk;
    this.name = name;
    this.partition = partition;
    this.follow = follow;
    this.maxLine = maxLine;
    this.charset = charset;
    this.decoding = decoding;
  }

  /**
   * The lines of a file in UTF-8, to its present end.
   *
   * @param file the file
   * @param decoding makes an event of a line
   * @param <E> the type of the events' values
   * @return the source; its partition is named after the file
   * @throws SourceException if there is no such file
   */
  public static <E> FileSource<E> of(Path file, Decoding<E> decoding) {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isRegularFile(file)) {
      throw new SourceException("there is no file " + file + " to read events from");
    }
    try {
      return of(Disk.at(directory), file.getFileName().toString(), decoding);
    } catch (IOException e) {
      throw new SourceException("the directory " + directory + " cannot be read: " + e, e);
    }
  }

  /**
   * The lines of a file of a disk.
   *
   * @param disk the disk
   * @param name the file's name
   * @param decoding makes an event of a line
   * @param <E> the type of the events' values
   * @return the source; its partition is named after the file
   */
  public static <E> FileSource<E> of(Disk disk, String name, Decoding<E> decoding) {
    return new FileSource<>(
        disk, name, name, false, DEFAULT_MAX_LINE, StandardCharsets.UTF_8, decoding);
  }

  /**
   * The same source under another partition name. The name identifies the input in the store; keep
   * it when the file moves.
   *
   * @param partition the partition's name
   * @return a new source
   */
  public FileSource<E> named(String partition) {
    return new FileSource<>(disk, name, partition, follow, maxLine, charset, decoding);
  }

  /**
   * The same source, waiting for lines to be appended instead of ending.
   *
   * @return a new source
   */
  public FileSource<E> following() {
    return new FileSource<>(disk, name, partition, true, maxLine, charset, decoding);
  }

  /**
   * The same source with another bound on lines. A longer line is undecodable.
   *
   * @param bytes the bound in bytes
   * @return a new source
   */
  public FileSource<E> maxLine(int bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("a line has at least one byte, not " + bytes);
    }
    return new FileSource<>(disk, name, partition, follow, bytes, charset, decoding);
  }

  /**
   * The same source in another encoding, one in which a line feed is the byte 10.
   *
   * @param charset the encoding
   * @return a new source
   */
  public FileSource<E> in(Charset charset) {
    return new FileSource<>(disk, name, partition, follow, maxLine, charset, decoding);
  }

  @Override
  public List<String> partitions() {
    return List.of(partition);
  }

  @Override
  public void seek(String partition, Position position) {
    try {
      Disk.Handle opened = opened();
      long size = opened.size();
      if (size < position.offset()) {
        throw new SourceException(
            told("has " + size + " bytes, fewer than the " + position.offset() + " already applied")
                + CHANGED);
      }
      answered = position;
      longLine = -1;
      start = 0;
      end = 0;
      offset = 0;
      before.reset();
      head = new byte[0];
      byte last = '\n';
      while (offset < position.offset()) {
        int want = (int) Math.min(buffer.length, position.offset() - offset);
        int read = opened.read(offset, ByteBuffer.wrap(buffer, 0, want));
        if (read < 1) {
          throw new SourceException(told("became shorter while it was read") + CHANGED);
        }
        keepHead(read);
        before.update(buffer, 0, read);
        last = buffer[read - 1];
        offset += read;
      }
      if (before.getValue() != position.check()) {
        throw new SourceException(
            told(
                    "is not the file that was read: its first "
                        + position.offset()
                        + " bytes have changed")
                + CHANGED);
      }
      if (last != '\n' && size > position.offset()) {
        throw new SourceException(
            told(
                    "ended without a line end at offset "
                        + position.offset()
                        + " and that line was taken as whole; now it goes on")
                + ". Follow the file while it grows, or restore the line end at that offset");
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    try {
      List<Received<E>> events = new ArrayList<>();
      while (events.size() < max) {
        int line = lineEnd();
        if (longLine >= 0) {
          if (!passLongLine(line, events)) {
            ended = !follow;
            break;
          }
        } else if (line >= 0) {
          take(events, line - start, 1);
        } else if (end - start > maxLine) {
          longLine = offset;
          longLineBegins =
              Arrays.copyOfRange(buffer, start, start + Math.min(end - start, KEPT_OF_LONG_LINES));
        } else if (!fill()) {
          if (!follow && end > start) {
            take(events, end - start, 0);
          }
          ended = !follow;
          break;
        }
      }
      if (events.isEmpty()) {
        if (follow) {
          checkStillTheSame();
          TimeUnit.MILLISECONDS.sleep(wait.toMillis());
        }
        return null;
      }
      Polled<E> polled = new Polled<>(partition, answered, events, !ended && unread());
      answered = polled.to();
      return polled;
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public boolean ended() {
    return ended;
  }

  @Override
  public void close() {
    try {
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      throw failed(e);
    }
    file = null;
  }

  private Position position() {
    return new Position(offset, before.getValue());
  }

  private int lineEnd() {
    for (int i = start; i < end; i++) {
      if (buffer[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private void take(List<Received<E>> events, int length, int lineEnd) {
    long at = offset;
    int text = length > 0 && buffer[start + length - 1] == '\r' ? length - 1 : length;
    int from = start;
    advance(length + lineEnd);
    if (length > maxLine) {
      events.add(
          tooLong(
              at, Arrays.copyOfRange(buffer, from, from + Math.min(length, KEPT_OF_LONG_LINES))));
      return;
    }
    Event<E> event;
    try {
      event = decoding.decode(text(from, text));
    } catch (CharacterCodingException e) {
      events.add(
          Received.undecodable(
              at,
              position(),
              "the line is not in " + charset + "; say which encoding the file has",
              Arrays.copyOfRange(buffer, from, from + text)));
      return;
    } catch (Exception e) {
      events.add(
          Received.undecodable(
              at,
              position(),
              e.getMessage() == null ? e.toString() : e.getMessage(),
              Arrays.copyOfRange(buffer, from, from + text)));
      return;
    }
    if (event != null) {
      events.add(Received.of(at, position(), event));
    }
  }

  private Received<E> tooLong(long at, byte[] beginning) {
    return Received.undecodable(
        at,
        position(),
        "the line is longer than " + maxLine + " bytes; raise the bound to read it",
        beginning);
  }

  /** A new string of some bytes of the buffer; malformed bytes are an error, never a '?'. */
  private String text(int from, int length) throws CharacterCodingException {
    if (charset.equals(StandardCharsets.UTF_8)) {
      boolean ascii = true;
      for (int i = from; i < from + length && ascii; i++) {
        ascii = buffer[i] >= 0;
      }
      if (ascii) {
        return new String(buffer, from, length, StandardCharsets.ISO_8859_1);
      }
    }
    return charset.newDecoder().decode(ByteBuffer.wrap(buffer, from, length)).toString();
  }

  /** Goes on over a line that is too long; false at the end of the file. */
  private boolean passLongLine(int lineEnd, List<Received<E>> events) throws IOException {
    advance((lineEnd < 0 ? end : lineEnd + 1) - start);
    boolean more = lineEnd >= 0 || fill();
    if (lineEnd >= 0 || (!more && !follow)) {
      events.add(tooLong(longLine, longLineBegins));
      longLine = -1;
    }
    return more;
  }

  private void advance(int bytes) {
    before.update(buffer, start, bytes);
    start += bytes;
    offset += bytes;
  }

  /** Reads more bytes behind those not yet taken; false at the end of the file. */
  private boolean fill() throws IOException {
    if (start > 0) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
    }
    if (end == buffer.length) {
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int read = opened().read(offset + end, ByteBuffer.wrap(buffer, end, buffer.length - end));
    if (read < 1) {
      return false;
    }
    if (offset + end < HEAD) {
      keepHead(end + read);
    }
    end += read;
    return true;
  }

  private boolean unread() throws IOException {
    // Of a followed file, a last line without its end is not there to be read yet.
    return lineEnd() >= 0 || (!follow && end > start) || opened().size() > offset + (end - start);
  }

  /** Keeps the first bytes of the file, which stand in the buffer's first {@code filled} bytes. */
  private void keepHead(int filled) {
    if (offset == 0 && head.length < HEAD) {
      head = Arrays.copyOf(buffer, Math.min(HEAD, filled));
    }
  }

  /**
   * A followed file that was cut, or replaced by another one of its name, must not go unnoticed.
   */
  private void checkStillTheSame() throws IOException {
    Disk.Handle now = disk.open(name, false);
    try {
      if (now.size() < offset) {
        throw new SourceException(
            told("has " + now.size() + " bytes, fewer than the " + offset + " already read")
                + CHANGED);
      }
      byte[] first = new byte[(int) Math.min(head.length, offset)];
      ByteBuffer into = ByteBuffer.wrap(first);
      while (into.hasRemaining() && now.read(into.position(), into) > 0) {}
      if (!Arrays.equals(first, 0, first.length, head, 0, first.length)) {
        throw new SourceException(told("was replaced by another file") + CHANGED);
      }
    } catch (IOException | SourceException e) {
      now.close();
      throw e;
    }
    opened().close();
    file = now;
  }

  private Disk.Handle opened() throws IOException {
    if (file == null) {
      file = disk.open(name, false);
    }
    return file;
  }

  private static final String CHANGED =
      ". Restore the file as it was, or read the new one under another partition name";

  private String told(String what) {
    return "the file " + disk.path(name) + " " + what;
  }

  private SourceException failed(IOException e) {
    return new SourceException(
        e instanceof NoSuchFileException
            ? told("does not exist")
            : told("cannot be read: " + Kernel.told(e)),
        e);
  }
}
