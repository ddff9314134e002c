package dev.oncefold;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a file, one event a line; or its records, where quotes may hold line feeds.
 *
 * <p>A position is an offset in bytes and the CRC-32C of all bytes before it, so that a file which
 * was rewritten, cut or replaced stops the run instead of being resumed in garbage. Going on from a
 * position reads everything before it once, at the speed of the disk.
 *
 * <p>A finite source takes a last line without a line end as whole, goes on where only the line end
 * came later, and stops if that line turns out longer. A source that follows its file waits for the
 * line end.
 *
 * <p>A UTF-8 byte order mark at the beginning is no part of the first line. A file that begins as
 * UTF-16, or with a zero byte in its first KiB, is refused.
 *
 * @param <E> the type of the events' values
 */
public final class FileSource<E> implements Source<E> {
  /** The longest line taken unless set otherwise: 1 MiB. */
  public static final int DEFAULT_MAX_LINE = 1 << 20;

  // In the check of a position, above the CRC: the file ended inside quotes.
  private static final long IN_QUOTES = 1L << 32;

  private final Disk disk;
  private final String name;
  private final String partition;
  private final boolean follow;
  private final Format<E> format;

  private final InputFile file;
  private final CRC32C before = new CRC32C();
  private final Lines lines;
  private boolean headerIsNext;
  private boolean ended;
  // Where the last batch ended, and the next one begins.
  private Position answered = Position.START;

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
     * @return the event; null where the line is none, such as a comment
     * @throws Exception any exception makes the line a Failed event
     */
    @Nullable Event<E> decode(String line) throws Exception;
  }

  /**
   * Makes an event of the bytes of a record.
   *
   * @param <E> the type of the events' values
   */
  @FunctionalInterface
  public interface BytesDecoding<E> {
    /**
     * Makes an event of the bytes of a record.
     *
     * @param bytes an array that holds the record. It may be the source's own: it is not to be
     *     changed, and holds the record during the call only
     * @param from where the record begins in it
     * @param length the record's length, without its line end
     * @return the event; null where the record is none, such as a comment
     * @throws Exception any exception makes the record a Failed event
     */
    @Nullable Event<E> decode(byte[] bytes, int from, int length) throws Exception;
  }

  private FileSource(Disk disk, String name, String partition, boolean follow, Format<E> format) {
    this.disk = disk;
    this.name = name;
    this.partition = partition;
    this.follow = follow;
    this.format = format;
    this.file = new InputFile(disk, name);
    this.lines = new Lines(format, before::update);
    this.headerIsNext = format.header();
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
    return ofBytes(file, new Format.Text<>(decoding, StandardCharsets.UTF_8));
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
    return ofBytes(disk, name, new Format.Text<>(decoding, StandardCharsets.UTF_8));
  }

  /**
   * The records of a file, to its present end, decoded from their bytes.
   *
   * @param file the file
   * @param decoding makes an event of a record
   * @param <E> the type of the events' values
   * @return the source; its partition is named after the file
   * @throws SourceException if there is no such file
   */
  public static <E> FileSource<E> ofBytes(Path file, BytesDecoding<E> decoding) {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isRegularFile(file)) {
      throw new SourceException("there is no file " + file + " to read events from");
    }
    try {
      return ofBytes(Disk.at(directory), file.getFileName().toString(), decoding);
    } catch (IOException e) {
      throw new SourceException("the directory " + directory + " cannot be read: " + e, e);
    }
  }

  /**
   * The records of a file of a disk, decoded from their bytes.
   *
   * @param disk the disk
   * @param name the file's name
   * @param decoding makes an event of a record
   * @param <E> the type of the events' values
   * @return the source; its partition is named after the file
   */
  public static <E> FileSource<E> ofBytes(Disk disk, String name, BytesDecoding<E> decoding) {
    return new FileSource<>(disk, name, name, false, Format.of(decoding));
  }

  /**
   * The same source under another partition name. The name identifies the input in the store; keep
   * it when the file moves.
   *
   * @param partition the partition's name
   * @return a new source
   */
  public FileSource<E> named(String partition) {
    return new FileSource<>(disk, name, partition, follow, format);
  }

  /**
   * The same source, waiting for lines to be appended instead of ending.
   *
   * @return a new source
   */
  public FileSource<E> following() {
    return new FileSource<>(disk, name, partition, true, format);
  }

  /**
   * The same source with another bound on lines. A longer line is undecodable.
   *
   * @param bytes the bound in bytes
   * @return a new source
   */
  public FileSource<E> maxLine(int bytes) {
    return new FileSource<>(disk, name, partition, follow, format.maxLine(bytes));
  }

  /**
   * The same source in another encoding, one in which a line feed is the byte 10.
   *
   * @param charset the encoding
   * @return a new source
   * @throws IllegalStateException if the source is decoded from bytes
   */
  public FileSource<E> in(Charset charset) {
    return new FileSource<>(disk, name, partition, follow, format.in(charset));
  }

  /**
   * The same source of records with quoted fields, as in CSV (RFC 4180): a line feed in quotes does
   * not end the record. A quote opens only at the start of a field, two in quotes are one of the
   * text, and one elsewhere is plain text.
   *
   * <p>A quote that is not closed runs to the bound on lines, or to the end of a finite file; the
   * record is undecodable then, and reading goes on at the next line.
   *
   * @param quote the quote
   * @param delimiter what stands between fields
   * @return a new source
   * @throws IllegalArgumentException if one is no ASCII character or ends lines, or both are one
   */
  public FileSource<E> quoting(char quote, char delimiter) {
    return new FileSource<>(disk, name, partition, follow, format.quoting(quote, delimiter));
  }

  /**
   * The same source of a file whose first record is a header, and never an event.
   *
   * @return a new source
   */
  public FileSource<E> withHeader() {
    return new FileSource<>(disk, name, partition, follow, format.withHeader());
  }

  /**
   * The first record of the file, whether it is a header or not. May be called at any time, and
   * leaves the reading where it is.
   *
   * @return its bytes, without its line end and without a byte order mark; empty where the file is,
   *     or where it is followed and the record is not finished
   * @throws SourceException if the file cannot be read, is no text in UTF-8, or the record is
   *     longer than the bound or ends inside quotes
   */
  public byte[] firstRecord() {
    InputFile own = new InputFile(disk, name);
    try {
      Lines first = new Lines(format, (bytes, from, length) -> {});
      while (!first.next()) {
        if (!own.fill(first)) {
          if (follow || !first.rest()) {
            return new byte[0];
          }
          break;
        }
      }
      checkFirst(first);
      return first.copy();
    } catch (IOException e) {
      throw own.failed(e);
    } finally {
      close(own);
    }
  }

  /**
   * The line in which a byte stands, for a message to a person: of a record with line feeds in
   * quotes, the line in the file. Reads the file up to there.
   *
   * @param offset the byte's offset
   * @return the line's number, from 1; the last line's behind the end of the file
   * @throws SourceException if the file cannot be read
   */
  public long lineAt(long offset) {
    InputFile own = new InputFile(disk, name);
    try {
      return own.lineAt(offset);
    } catch (IOException e) {
      throw own.failed(e);
    } finally {
      close(own);
    }
  }

  @Override
  public List<String> partitions() {
    return List.of(partition);
  }

  @Override
  public void seek(String partition, Position position) {
    long offset = position.offset();
    try {
      before.reset();
      byte last = file.passOver(offset, before, position.check() & ~IN_QUOTES);
      boolean inQuotes = (position.check() & IN_QUOTES) != 0;
      long begins = last == '\n' || inQuotes ? offset : file.passLineEnd(offset, before);
      if ((last != '\n' || inQuotes) && begins == offset && file.size() > offset) {
        throw new SourceException(
            file.told(
                (inQuotes ? "ended inside quotes" : "ended without a line end")
                    + " at offset "
                    + offset
                    + " and that line was taken as whole; now it goes on. Follow the file while it"
                    + " grows, or restore the line end at that offset"));
      }
      answered = position;
      ended = false;
      headerIsNext = format.header() && offset == 0;
      lines.reset(begins);
      if (offset == 0) {
        file.fill(lines);
      }
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    if (ended) {
      return null; // what is appended from now on may go on with the last line
    }
    try {
      List<Received<E>> events = new ArrayList<>();
      while (events.size() < max) {
        if (lines.next()) {
          take(events);
        } else if (!file.fill(lines)) {
          if (!follow && lines.rest()) {
            take(events);
          }
          ended = !follow;
          break;
        }
      }
      if (events.isEmpty()) {
        if (follow) {
          file.checkStillTheSame(lines.offset());
          TimeUnit.MILLISECONDS.sleep(wait.toMillis());
        }
        return null;
      }
      Polled<E> polled = new Polled<>(partition, answered, events, !ended && unread());
      answered = polled.to();
      return polled;
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  private void take(List<Received<E>> events) {
    if (headerIsNext) {
      checkFirst(lines);
      headerIsNext = false;
      return;
    }
    long check = before.getValue() | (lines.endedInQuotes() ? IN_QUOTES : 0);
    Received<E> received = format.received(lines, lines.at(), new Position(lines.offset(), check));
    if (received != null) {
      events.add(received);
    }
  }

  private void checkFirst(Lines first) {
    if (first.wrong() != null) {
      first.again();
      throw new SourceException(file.told("has no first record to go by: " + first.wrong()));
    }
  }

  @Override
  public boolean ended() {
    return ended;
  }

  @Override
  public void close() {
    close(file);
  }

  private static void close(InputFile file) {
    try {
      file.close();
    } catch (IOException e) {
      throw file.failed(e);
    }
  }

  private boolean unread() throws IOException {
    // Of a followed file, a last line without its end is not there to be read yet.
    return lines.ready() || (!follow && lines.hasRest()) || file.size() > lines.fed();
  }
}
