package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link Encoder} wrote. It trusts nothing: bytes that end too early, that are not what
 * the encoder writes (a number longer than it need be, a boolean of 2, broken UTF-8) or that count
 * more than there is throw {@link CodecException}, and no method allocates memory beyond a small
 * multiple of the bytes that are left. After an exception the position is of no use.
 *
 * <p>Not thread-safe.
 */
public final class Decoder {
  private static final int MAX_NANO = 999_999_999;

  private final byte[] bytes;
  private final int end;
  private int position;
  // The text read last, and where: a key is mostly a field of its event, too.
  private String last = "";
  private int lastAt;
  private int lastCount;

  /**
   * Reads an array from its start. The array is not copied.
   *
   * @param bytes the bytes
   */
  public Decoder(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  /**
   * Reads a part of an array. The array is not copied.
   *
   * @param bytes holds the bytes
   * @param from the first
   * @param length how many
   * @throws IndexOutOfBoundsException if the array has fewer
   */
  public Decoder(byte[] bytes, int from, int length) {
    Objects.checkFromIndexSize(from, length, bytes.length);
    this.bytes = bytes;
    this.position = from;
    this.end = from + length;
  }

  /**
   * The array that is read, not a copy: who gave it may fill it anew once a value is read.
   *
   * @return the array
   */
  public byte[] array() {
    return bytes;
  }

  /**
   * Where in {@link #array} the next byte is.
   *
   * @return the index
   */
  public int position() {
    return position;
  }

  /**
   * How many bytes are left.
   *
   * @return the count
   */
  public int remaining() {
    return end - position;
  }

  /**
   * Passes over bytes.
   *
   * @param n how many
   * @throws CodecException if there are fewer, or if n is negative
   */
  public void skip(int n) {
    position += checkCount(n);
  }

  /**
   * Reads one byte.
   *
   * @return 0 to 255
   */
  public int readByte() {
    if (position == end) {
      throw new CodecException("the bytes end at " + end + ", too early");
    }
    return bytes[position++] & 0xFF;
  }

  /**
   * Reads what {@link Encoder#writeBoolean} wrote.
   *
   * @return the value
   */
  public boolean readBoolean() {
    int b = readByte();
    if (b > 1) {
      throw malformed("the byte is " + b + ", not 0 or 1");
    }
    return b == 1;
  }

  /**
   * Reads what {@link Encoder#writeUnsigned} wrote.
   *
   * @return the number; negative if as an unsigned one it has 64 bits
   */
  public long readUnsigned() {
    int b = readByte();
    if (b < 0x80) {
      return b;
    }
    long v = b & 0x7F;
    for (int shift = 7; ; shift += 7) {
      b = readByte();
      if (shift == 63 && b > 1) {
        throw malformed("the number has more than 64 bits");
      }
      v |= (long) (b & 0x7F) << shift;
      if (b < 0x80) {
        if (b == 0) {
          throw malformed("the number is longer than it need be");
        }
        return v;
      }
    }
  }

  /**
   * Reads what {@link Encoder#writeSigned} wrote.
   *
   * @return the number
   */
  public long readSigned() {
    long v = readUnsigned();
    return (v >>> 1) ^ -(v & 1);
  }

  /**
   * Reads an unsigned count of things that each take at least one byte, so that there cannot be
   * more of them than bytes: the size of a list.
   *
   * @return the count, at most {@link #remaining}
   */
  public int readCount() {
    return checkCount(readUnsigned());
  }

  /**
   * Reads four bytes, the highest first.
   *
   * @return the number
   */
  public int readInt() {
    int at = take(4);
    return (bytes[at] & 0xFF) << 24
        | (bytes[at + 1] & 0xFF) << 16
        | (bytes[at + 2] & 0xFF) << 8
        | (bytes[at + 3] & 0xFF);
  }

  /**
   * Reads eight bytes, the highest first.
   *
   * @return the number
   */
  public long readLong() {
    checkCount(8);
    return (long) readInt() << 32 | (readInt() & 0xFFFF_FFFFL);
  }

  /**
   * Reads what {@link Encoder#writeDouble} wrote.
   *
   * @return the number
   */
  public double readDouble() {
    long bits = readLong();
    double v = Double.longBitsToDouble(bits);
    if (Double.doubleToLongBits(v) != bits) {
      throw malformed("it is a NaN of another form");
    }
    return v;
  }

  /**
   * Reads what {@link Encoder#writeString} wrote.
   *
   * @return the text
   */
  public String readString() {
    return text(readUnsigned());
  }

  /**
   * Reads what {@link Encoder#writeNullableString} wrote.
   *
   * @return the text, or null
   */
  public @Nullable String readNullableString() {
    long n = readUnsigned();
    return n == 0 ? null : text(n - 1);
  }

  /**
   * Reads what {@link Encoder#writeBytes} wrote.
   *
   * @return a copy of the bytes
   */
  public byte[] readBytes() {
    int count = readCount();
    int at = take(count);
    return Arrays.copyOfRange(bytes, at, at + count);
  }

  /**
   * Reads what {@link Encoder#writeInstant} wrote.
   *
   * @return the time
   */
  public Instant readInstant() {
    long seconds = readSigned();
    int nanos = readNanos();
    try {
      return Instant.ofEpochSecond(seconds, nanos);
    } catch (DateTimeException e) {
      throw new CodecException("the second " + seconds + " is out of the range of Instant", e);
    }
  }

  int readNanos() {
    long nanos = readUnsigned();
    if (nanos < 0 || nanos > MAX_NANO) {
      throw malformed("a second has no nanosecond " + Long.toUnsignedString(nanos));
    }
    return (int) nanos;
  }

  /** A signed number that must be in a range. */
  long readSigned(long least, long most) {
    long v = readSigned();
    if (v < least || v > most) {
      throw malformed(v + " is not from " + least + " to " + most);
    }
    return v;
  }

  /** Refuses a count of things, of a byte or more each, that cannot all be there. */
  int checkCount(long count) {
    if (count < 0 || count > remaining()) {
      throw malformed(
          "it counts "
              + Long.toUnsignedString(count)
              + " where "
              + remaining()
              + " bytes are left");
    }
    return (int) count;
  }

  CodecException malformed(String what) {
    return new CodecException(what + " (before byte " + position + ")");
  }

  private String text(long length) {
    int count = checkCount(length);
    int at = take(count);
    if (count == lastCount && Arrays.equals(bytes, at, at + count, bytes, lastAt, lastAt + count)) {
      return last;
    }
    String text = new String(bytes, at, count, UTF_8);
    // Java puts U+FFFD where the bytes are broken. To find one is cheap, and rare.
    if (text.indexOf('\uFFFD') >= 0
        && !Arrays.equals(text.getBytes(UTF_8), Arrays.copyOfRange(bytes, at, at + count))) {
      throw malformed("the text is not UTF-8");
    }
    last = text;
    lastAt = at;
    lastCount = count;
    return text;
  }

  private int take(int count) {
    int at = position;
    position += checkCount(count);
    return at;
  }
}
