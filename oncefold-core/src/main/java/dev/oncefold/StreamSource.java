package dev.oncefold;

import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The records of a stream that is there once, such as standard input.
 *
 * <p>It cannot go back: what was read and not committed when a run ended is gone, unless somebody
 * sends it again. Only the ids of events protect against such a re-send; the position does not. It
 * counts on from the stored one, so that no two events of a partition have one place, and its check
 * is 0.
 *
 * <p>A last record without a line end is taken as whole. A UTF-8 byte order mark at the beginning
 * is no part of the first record.
 *
 * @param <E> the type of the events' values
 */
public final class StreamSource<E> implements Source<E> {
  private static final int WAITING = 16;
  private static final byte[] END = new byte[0];

  private final String partition;
  private final InputStream in;
  private final Format<E> format;

  private final Lines lines;
  // Pieces of the stream, and at last END.
  private final BlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(WAITING);
  private @Nullable Thread reader;
  private volatile @Nullable Throwable failure;
  private volatile boolean closed;
  private boolean over;
  private boolean ended;
  // The stored position, from which this stream's own offsets count on.
  private long base;
  private Position answered = Position.START;
  private byte @Nullable [] first;
  private @Nullable String firstIsWrong;

  private StreamSource(String partition, InputStream in, Format<E> format) {
    this.partition = partition;
    this.in = in;
    this.format = format;
    this.lines = new Lines(format, (bytes, from, length) -> {});
  }

  /**
   * The records of a stream, decoded from their bytes.
   *
   * @param partition the partition's name, which identifies the input in the store
   * @param in the stream. It is read from the first use on, by a thread of this source, and not
   *     closed by it
   * @param decoding makes an event of a record
   * @param <E> the type of the events' values
   * @return the source
   */
  public static <E> StreamSource<E> of(
      String partition, InputStream in, FileSource.BytesDecoding<E> decoding) {
    return new StreamSource<>(partition, in, Format.of(decoding));
  }

  /**
   * The same source with another bound on records, which is {@link FileSource#DEFAULT_MAX_LINE}
   * unless set. A longer record is undecodable.
   *
   * @param bytes the bound in bytes
   * @return a new source of the same stream: use one of them
   */
  public StreamSource<E> maxLine(int bytes) {
    return new StreamSource<>(partition, in, format.maxLine(bytes));
  }

  /**
   * The same source of records with quoted fields, as {@link FileSource#quoting} describes them.
   *
   * @param quote the quote
   * @param delimiter what stands between fields
   * @return a new source of the same stream: use one of them
   * @throws IllegalArgumentException if one is no ASCII character or ends lines, or both are one
   */
  public StreamSource<E> quoting(char quote, char delimiter) {
    return new StreamSource<>(partition, in, format.quoting(quote, delimiter));
  }

  /**
   * The same source of a stream whose first record is a header, and never an event. Each stream has
   * its own, wherever the stored position is.
   *
   * @return a new source of the same stream: use one of them
   */
  public StreamSource<E> withHeader() {
    return new StreamSource<>(partition, in, format.withHeader());
  }

  /**
   * The first record of the stream, whether it is a header or not. May be called at any time by the
   * thread that polls, and takes nothing away from it. Waits until the record is there.
   *
   * @return its bytes, without its line end and without a byte order mark; empty where the stream
   *     is
   * @throws SourceException if the stream cannot be read, is no text in UTF-8, or the record is
   *     longer than the bound or ends inside quotes
   * @throws InterruptedException if the thread was interrupted while waiting
   */
  public byte[] firstRecord() throws InterruptedException {
    while (first == null) {
      if (next()) {
        keepFirst();
        if (!format.header() || firstIsWrong != null) {
          lines.again();
        }
      } else if (over) {
        checkReadable();
        return new byte[0];
      } else {
        feed(Long.MAX_VALUE);
      }
    }
    checkFirst();
    return first.clone();
  }

  @Override
  public List<String> partitions() {
    return List.of(partition);
  }

  @Override
  public void seek(String partition, Position position) {
    base = position.offset();
    answered = position;
    start();
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    long until = System.nanoTime() + wait.toNanos();
    List<Received<E>> events = new ArrayList<>();
    while (events.size() < max) {
      if (next()) {
        take(events);
      } else if (over) {
        ended = failure == null;
        break;
      } else if (!feed(events.isEmpty() ? until - System.nanoTime() : 0)) {
        break;
      }
    }
    if (events.isEmpty()) {
      checkReadable();
      return null;
    }
    boolean unread = !ended && (lines.ready() || !pieces.isEmpty() || (over && lines.hasRest()));
    Polled<E> polled = new Polled<>(partition, answered, events, unread);
    answered = polled.to();
    return polled;
  }

  @Override
  public boolean ended() {
    return ended;
  }

  /** Stops reading. A read that waits for input is left behind; it takes what comes first. */
  @Override
  public void close() {
    closed = true;
    if (reader != null) {
      reader.interrupt();
    }
  }

  /** Cuts the next record; the last one too, but not where the stream broke off. */
  private boolean next() {
    return lines.next() || (over && failure == null && lines.rest());
  }

  private void take(List<Received<E>> events) {
    boolean isFirst = first == null;
    if (isFirst) {
      keepFirst();
    }
    if (format.header()) {
      if (firstIsWrong != null) {
        lines.again();
        checkFirst();
      }
      if (isFirst) {
        return;
      }
    }
    Position next = new Position(base + lines.offset(), 0);
    Received<E> received = format.received(lines, base + lines.at(), next);
    if (received != null) {
      events.add(received);
    }
  }

  private void keepFirst() {
    first = lines.copy();
    firstIsWrong = lines.wrong();
  }

  private void checkFirst() {
    if (firstIsWrong != null) {
      throw new SourceException(told("has no first record to go by: " + firstIsWrong));
    }
  }

  private void checkReadable() {
    Throwable cause = over ? failure : null;
    if (cause != null) {
      throw new SourceException(
          told("cannot be read on from byte " + lines.fed() + ": " + cause)
              + ". Everything before its last whole record was taken; send the rest again",
          cause);
    }
  }

  private String told(String what) {
    return "the stream \"" + partition + "\" " + what;
  }

  /** Takes a piece of the stream; false where none came in time. */
  private boolean feed(long nanos) throws InterruptedException {
    start();
    byte[] piece = pieces.poll(nanos, TimeUnit.NANOSECONDS);
    if (piece == null) {
      return false;
    }
    if (piece.length == 0) {
      over = true;
      return true;
    }
    lines.room().put(piece);
    lines.filled(piece.length);
    if (lines.beginsAsNoText()) {
      throw new SourceException(
          told("begins as UTF-16 or as binary data, not as text in UTF-8") + Lines.CONVERT_IT);
    }
    return true;
  }

  private void start() {
    if (reader == null) {
      reader = new Thread(this::readAll, "oncefold-stream-" + partition);
      reader.setDaemon(true);
      reader.start();
    }
  }

  /** The reader's work, up to the end of the stream or the first failure. */
  private void readAll() {
    try {
      try {
        byte[] bytes = new byte[Lines.ROOM];
        for (int read = in.read(bytes); read >= 0 && !closed; read = in.read(bytes)) {
          if (read > 0) {
            pieces.put(Arrays.copyOf(bytes, read));
          }
        }
      } catch (InterruptedException e) {
        throw e;
      } catch (Throwable e) { // whatever it is, it must not look like the end of the stream
        failure = e;
      }
      if (!closed) {
        pieces.put(END);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }
}
