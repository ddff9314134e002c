package dev.oncefold;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts records out of the bytes it is fed: at line feeds, where these do not stand in quotes.
 *
 * <p>What is cut depends on the bytes alone, never on the pieces they came in. While a record
 * grows, only its new bytes are looked at.
 */
final class Lines {
  /** How many bytes {@link #room} has place for, at least. */
  static final int ROOM = 1 << 15;

  /** What to do where {@link #beginsAsNoText}. */
  static final String CONVERT_IT =
      ". If it is text, convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8";

  private static final int BEGINNING = 1024;
  private static final int KEPT_OF_LONG_LINES = 1024;
  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  // What stands before the next byte to look at: the start of a field, plain text, an open quote,
  // a quote in quotes, which closes them unless another one follows.
  private static final int FIELD = 0;
  private static final int PLAIN = 1;
  private static final int QUOTED = 2;
  private static final int CLOSING = 3;

  private final int bound;
  private final int quote;
  private final int delimiter;
  private final Passed passed;

  private byte[] buffer = new byte[2 * ROOM];
  private int start;
  private int end;
  private long offset;
  // Where a byte order mark was skipped: its length.
  private int mark;
  private int scanned;
  private int state = FIELD;
  private int quoteAt;
  // A record longer than the bound, of which a part is passed: what it begins with.
  private boolean passing;
  private byte[] longBegins = new byte[0];
  private int longKept;

  // The record that was cut.
  private long at;
  private byte[] bytes = buffer;
  private int from;
  private int length;
  private @Nullable String wrong;
  private boolean unclosed;
  private boolean again;

  /** Told of all bytes, in order, once they belong to a record. */
  @FunctionalInterface
  interface Passed {
    void passed(byte[] bytes, int from, int length);
  }

  Lines(Format<?> format, Passed passed) {
    this.bound = format.maxLine();
    this.quote = format.quote();
    this.delimiter = format.delimiter();
    this.passed = passed;
  }

  /** Forgets all bytes; those fed next stand at an offset of the input where a record begins. */
  void reset(long newOffset) {
    start = 0;
    end = 0;
    offset = newOffset;
    passing = false;
    unclosed = false;
    again = false;
    begin();
  }

  /** Where the next bytes go. The record cut before is gone then. */
  ByteBuffer room() {
    if (start > 0) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      scanned -= start;
      end -= start;
      start = 0;
    }
    if (buffer.length - end < ROOM) {
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    return ByteBuffer.wrap(buffer, end, buffer.length - end);
  }

  /** So many bytes were put into the room. */
  void filled(int count) {
    end += count;
  }

  /** The offset of the first byte that belongs to no record cut so far. */
  long offset() {
    return offset;
  }

  /** The offset of the next byte to feed. */
  long fed() {
    return offset + (end - start);
  }

  /** The first bytes of the input, as far as they are here; only while no record was cut. */
  byte[] beginning(int max) {
    return Arrays.copyOfRange(buffer, start, start + Math.min(max, end - start));
  }

  /** Whether the input begins as UTF-16 does, or as no text does. */
  boolean beginsAsNoText() {
    if (offset > 0 || end - start < 2) {
      return false;
    }
    int mark16 = (buffer[start] & 0xff) << 8 | (buffer[start + 1] & 0xff);
    boolean zero = false;
    for (int i = start; i < end && i < start + BEGINNING; i++) {
      zero |= buffer[i] == 0;
    }
    return zero || mark16 == 0xfeff || mark16 == 0xfffe;
  }

  /** Cuts the next record; false where its end is not here yet. */
  boolean next() {
    if (again) {
      again = false;
      return true;
    }
    if (!passing) {
      if (!markIsSettled()) {
        return false;
      }
      int to = scan();
      if (to >= 0) {
        cut(to, to + 1, null);
        return true;
      }
      if (!isTooLong()) {
        return false;
      }
      beginPassing();
    }
    return pass();
  }

  /** Lets {@link #next} answer the same record again. */
  void again() {
    again = true;
  }

  /** At the end of the input: cuts what is left, of which next() made no record. */
  boolean rest() {
    if (passing) {
      endPassing();
      return true;
    }
    if (!hasRest()) {
      return false;
    }
    unclosed = state == QUOTED;
    cut(
        end,
        end,
        unclosed
            ? "a quote that opens at byte " + quoteAt + " of the record is never closed: close it"
            : null);
    return true;
  }

  /** Whether next() would cut a record without more bytes. */
  boolean ready() {
    return again
        || (passing
            ? lineFeed(start, end) < end
            : markIsSettled()
                && (scan() >= 0 || (isTooLong() && lineFeed(start + mark + bound, end) < end)));
  }

  /** Whether at the end of the input a record would be left. */
  boolean hasRest() {
    return passing || end - start > mark;
  }

  /** Whether the last record was cut by the end of the input, inside quotes. */
  boolean endedInQuotes() {
    return unclosed;
  }

  /** Where the record begins in the input. */
  long at() {
    return at;
  }

  /** Why the record is none, or null. Then only its beginning may be here. */
  @Nullable String wrong() {
    return wrong;
  }

  /** The array in which the record stands, until {@link #room} is asked for. */
  byte[] bytes() {
    return bytes;
  }

  /** Where the record stands in the array. */
  int from() {
    return from;
  }

  /** Its length there, without its line end. */
  int length() {
    return length;
  }

  /** A copy of the record. */
  byte[] copy() {
    return Arrays.copyOfRange(bytes, from, from + length);
  }

  /** Skips a byte order mark at the beginning of the input; false while a part of one is there. */
  private boolean markIsSettled() {
    if (offset > 0 || scanned > start || end == start) {
      return true;
    }
    int here = Math.min(MARK.length, end - start);
    if (!Arrays.equals(buffer, start, start + here, MARK, 0, here)) {
      return true;
    }
    if (here < MARK.length) {
      return false;
    }
    mark = here;
    scanned = start + here;
    return true;
  }

  /** The place of the line feed that ends the record; -1 where it is not here or too far. */
  private int scan() {
    byte[] in = buffer;
    int limit = isTooLong() ? start + mark + bound + 1 : end;
    int i = scanned;
    if (quote < 0) {
      i = lineFeed(i, limit);
    } else {
      int now = state;
      for (; i < limit; i++) {
        byte b = in[i];
        if (now == QUOTED) {
          if (b == quote) {
            now = CLOSING;
          }
        } else if (b == '\n') {
          break;
        } else if (b == delimiter) {
          now = FIELD;
        } else if (b == quote && now != PLAIN) {
          if (now == FIELD) {
            quoteAt = i - start - mark + 1;
          }
          now = QUOTED;
        } else {
          now = PLAIN;
        }
      }
      state = now;
    }
    scanned = i;
    return i < limit ? i : -1;
  }

  /** Whether more bytes are here than the record may have, if its end is not among them. */
  private boolean isTooLong() {
    return end - start - mark > bound;
  }

  private void cut(int to, int next, @Nullable String reason) {
    at = offset;
    bytes = buffer;
    from = start + mark;
    length = to > from && buffer[to - 1] == '\r' ? to - 1 - from : to - from;
    wrong = reason;
    advance(next - start);
    begin();
  }

  private void begin() {
    mark = 0;
    scanned = start;
    state = FIELD;
  }

  /** The record is too long: the rest of the line in which it passes the bound goes by. */
  private void beginPassing() {
    passing = true;
    at = offset;
    wrong =
        "the line is longer than "
            + bound
            + " bytes; "
            + (state == QUOTED
                ? "a quote that opens at byte "
                    + quoteAt
                    + " of the record may never be closed: close it, or raise the bound to read it"
                : "raise the bound to read it");
    longBegins = new byte[KEPT_OF_LONG_LINES];
    longKept = 0;
    keep(start + mark, bound);
    advance(mark + bound);
  }

  private boolean pass() {
    int to = lineFeed(start, end);
    keep(start, to - start);
    boolean whole = to < end;
    advance((whole ? to + 1 : end) - start);
    if (whole) {
      endPassing();
    }
    return whole;
  }

  private void endPassing() {
    passing = false;
    bytes = longBegins;
    from = 0;
    length = longKept;
    begin();
  }

  private void keep(int first, int count) {
    int kept = Math.min(count, longBegins.length - longKept);
    System.arraycopy(buffer, first, longBegins, longKept, kept);
    longKept += kept;
  }

  /** The place of the first line feed between two places; the second one where there is none. */
  private int lineFeed(int first, int limit) {
    byte[] in = buffer;
    int i = first;
    for (; i <= limit - Long.BYTES; i += Long.BYTES) {
      // A byte of found is 0x80 where the byte is a line feed; those above the lowest may lie.
      long others = (long) EIGHT.get(in, i) ^ 0x0a0a0a0a0a0a0a0aL;
      long found = (others - 0x0101010101010101L) & ~others & 0x8080808080808080L;
      if (found != 0) {
        return i + (Long.numberOfTrailingZeros(found) >> 3);
      }
    }
    while (i < limit && in[i] != '\n') {
      i++;
    }
    return i;
  }

  private void advance(int count) {
    passed.passed(buffer, start, count);
    start += count;
    offset += count;
  }
}
