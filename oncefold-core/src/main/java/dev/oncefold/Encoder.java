package dev.oncefold;

import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A growing buffer that values are written to. Every value has exactly one form, and {@link
 * Decoder} reads it back. To use the buffer again, {@link #truncate truncate(0)} it: it keeps its
 * capacity. Once it would outgrow an array, about 2 GiB, writing throws {@link CodecException}.
 *
 * <p>Not thread-safe.
 */
public final class Encoder {
  private static final int LONGEST_VARINT = 10;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

  private byte[] bytes;
  private int length;

  /** An empty buffer. */
  public Encoder() {
    this(256);
  }

  /**
   * An empty buffer.
   *
   * @param capacity how many bytes fit before it grows
   */
  public Encoder(int capacity) {
    this.bytes = new byte[capacity];
  }

  /**
   * The buffer itself, not a copy: its first {@link #length} bytes are what was written. Writing
   * more may replace it.
   *
   * @return the array
   */
  public byte[] array() {
    return bytes;
  }

  /**
   * How many bytes were written.
   *
   * @return the count
   */
  public int length() {
    return length;
  }

  /**
   * Forgets what was written after a length.
   *
   * @param length how many bytes to keep
   * @throws IndexOutOfBoundsException if fewer were written
   */
  public void truncate(int length) {
    if (length < 0 || length > this.length) {
      throw new IndexOutOfBoundsException(length + " of " + this.length + " bytes");
    }
    this.length = length;
  }

  /**
   * A copy of what was written.
   *
   * @return the bytes
   */
  public byte[] toByteArray() {
    return Arrays.copyOf(bytes, length);
  }

  /**
   * Writes one byte.
   *
   * @param b its low eight bits are written
   * @return this
   */
  public Encoder writeByte(int b) {
    ensure(1);
    bytes[length++] = (byte) b;
    return this;
  }

  /**
   * Writes one byte: 1 for true and 0 for false.
   *
   * @param value the value
   * @return this
   */
  public Encoder writeBoolean(boolean value) {
    return writeByte(value ? 1 : 0);
  }

  /**
   * Writes an unsigned number in 1 to 10 bytes, seven bits each, the lowest first (LEB128). Small
   * numbers are short; a negative one counts as its unsigned value and takes ten bytes.
   *
   * @param v the number
   * @return this
   */
  public Encoder writeUnsigned(long v) {
    ensure(LONGEST_VARINT);
    byte[] to = bytes;
    int at = length;
    while ((v & ~0x7FL) != 0) {
      to[at++] = (byte) (v | 0x80);
      v >>>= 7;
    }
    to[at++] = (byte) v;
    length = at;
    return this;
  }

  /**
   * Writes a signed number in 1 to 10 bytes: 0, −1, 1, −2, … are written as the unsigned 0, 1, 2, 3
   * and so on (zigzag).
   *
   * @param v the number
   * @return this
   */
  public Encoder writeSigned(long v) {
    return writeUnsigned((v << 1) ^ (v >> 63));
  }

  /**
   * Writes four bytes, the highest first.
   *
   * @param v the number
   * @return this
   */
  public Encoder writeInt(int v) {
    ensure(4);
    putInt(length, v);
    length += 4;
    return this;
  }

  /**
   * Writes eight bytes, the highest first.
   *
   * @param v the number
   * @return this
   */
  public Encoder writeLong(long v) {
    ensure(8);
    putInt(length, (int) (v >>> 32));
    putInt(length + 4, (int) v);
    length += 8;
    return this;
  }

  /**
   * Writes the eight bytes of {@link Double#doubleToLongBits}: every NaN is the same, 0.0 and −0.0
   * are not, as with {@link Double#equals}.
   *
   * @param v the number
   * @return this
   */
  public Encoder writeDouble(double v) {
    return writeLong(Double.doubleToLongBits(v));
  }

  /**
   * Writes the count of bytes, unsigned, and the text in UTF-8.
   *
   * @param text the text
   * @return this
   * @throws CodecException if a surrogate in it lacks its other half: UTF-8 has no form for that,
   *     and a '?' in its place would be another text. Then nothing was written
   */
  public Encoder writeString(String text) {
    return write(text, 0);
  }

  /**
   * Writes 0 for null; else the count of bytes plus one, unsigned, and the text in UTF-8.
   *
   * @param text the text, or null
   * @return this
   * @throws CodecException as {@link #writeString}
   */
  public Encoder writeNullableString(@Nullable String text) {
    return text == null ? writeByte(0) : write(text, 1);
  }

  /**
   * Writes the count of bytes, unsigned, and the bytes.
   *
   * @param b the bytes
   * @return this
   */
  public Encoder writeBytes(byte[] b) {
    writeUnsigned(b.length);
    return writeRaw(b, 0, b.length);
  }

  /**
   * Writes bytes without their count.
   *
   * @param b holds the bytes
   * @param from the first
   * @param length how many
   * @return this
   * @throws IndexOutOfBoundsException if the array has fewer
   */
  public Encoder writeRaw(byte[] b, int from, int length) {
    Objects.checkFromIndexSize(from, length, b.length);
    ensure(length);
    System.arraycopy(b, from, bytes, this.length, length);
    this.length += length;
    return this;
  }

  /**
   * Writes the second of the epoch, signed, and the nanosecond in it, unsigned.
   *
   * @param time the time
   * @return this
   */
  public Encoder writeInstant(Instant time) {
    return writeSigned(time.getEpochSecond()).writeUnsigned(time.getNano());
  }

  /**
   * Writes over four bytes, the highest first.
   *
   * @param at where the first was written
   * @param v the number
   * @throws IndexOutOfBoundsException if nothing was written there
   */
  public void setInt(int at, int v) {
    Objects.checkFromIndexSize(at, 4, length);
    putInt(at, v);
  }

  /**
   * Writes over eight bytes, the highest first.
   *
   * @param at where the first was written
   * @param v the number
   * @throws IndexOutOfBoundsException if nothing was written there
   */
  public void setLong(int at, long v) {
    Objects.checkFromIndexSize(at, 8, length);
    putInt(at, (int) (v >>> 32));
    putInt(at + 4, (int) v);
  }

  private void putInt(int at, int v) {
    byte[] to = bytes;
    to[at] = (byte) (v >>> 24);
    to[at + 1] = (byte) (v >>> 16);
    to[at + 2] = (byte) (v >>> 8);
    to[at + 3] = (byte) v;
  }

  /** Takes the text for ASCII, whose count of bytes is known before the first is written. */
  private Encoder write(String text, int plus) {
    int start = length;
    int chars = text.length();
    writeUnsigned((long) chars + plus);
    ensure(chars);
    byte[] to = bytes;
    int at = length;
    for (int i = 0; i < chars; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        length = start;
        return writeAny(text, plus);
      }
      to[at + i] = (byte) c;
    }
    length = at + chars;
    return this;
  }

  private Encoder writeAny(String text, int plus) {
    long count = utf8Length(text);
    if (count > LARGEST_ARRAY) {
      throw tooLarge();
    }
    writeUnsigned(count + plus);
    ensure((int) count);
    byte[] to = bytes;
    int at = length;
    for (int i = 0; i < text.length(); i++) {
      int c = text.charAt(i);
      if (c < 0x80) {
        to[at++] = (byte) c;
      } else if (c < 0x800) {
        to[at++] = (byte) (0xC0 | c >> 6);
        to[at++] = (byte) (0x80 | (c & 0x3F));
      } else if (!Character.isSurrogate((char) c)) {
        to[at++] = (byte) (0xE0 | c >> 12);
        to[at++] = (byte) (0x80 | (c >> 6 & 0x3F));
        to[at++] = (byte) (0x80 | (c & 0x3F));
      } else {
        int point = text.codePointAt(i++);
        to[at++] = (byte) (0xF0 | point >> 18);
        to[at++] = (byte) (0x80 | (point >> 12 & 0x3F));
        to[at++] = (byte) (0x80 | (point >> 6 & 0x3F));
        to[at++] = (byte) (0x80 | (point & 0x3F));
      }
    }
    length = at;
    return this;
  }

  private static long utf8Length(String text) {
    long count = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        count++;
      } else if (c < 0x800) {
        count += 2;
      } else if (!Character.isSurrogate(c)) {
        count += 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        count += 4;
        i++;
      } else {
        throw new CodecException(
            "the surrogate at index " + i + " of the text lacks its other half");
      }
    }
    return count;
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      grow(more);
    }
  }

  private void grow(int more) {
    long needed = (long) length + more;
    if (needed > LARGEST_ARRAY) {
      throw tooLarge();
    }
    bytes = Arrays.copyOf(bytes, (int) Math.min(LARGEST_ARRAY, Math.max(needed, 2L * length)));
  }

  private static CodecException tooLarge() {
    return new CodecException("what is written at once would be larger than 2 GiB");
  }
}
