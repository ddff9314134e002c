package dev.oncefold.journal;

import dev.oncefold.Encoder;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The frame around every piece of the log: a header of {@link #HEADER} bytes and a body. All
 * numbers are big-endian.
 *
 * <pre>
 *  0 magic        int
 *  4 header CRC   int   CRC-32C over the key, the frame's offset and bytes 8 to 55
 *  8 format       byte  1
 *  9 kind         byte  DEFINITION, COMMIT or MARK
 * 10 zero         short
 * 12 body length  int
 * 16 body CRC     int   CRC-32C over the key, the frame's offset and the body
 * 20 events       int   how many events the body holds
 * 24 sequence     long  how many events stand before the frame
 * 32 mark         long  everything before this offset of the log was durable
 * 40 time         long  when it was written, in epoch milliseconds
 * 48 fold version int
 * 52 zero         int
 * </pre>
 *
 * <p>The checksums cover the journal's secret key and the offset, so that no event can carry bytes
 * that pass for a frame, and no frame of another place or journal passes for one here.
 */
final class Frame {
  static final int HEADER = 56;
  static final int MAGIC = 0x4f6e6346; // "OncF"
  static final byte FORMAT = 1;
  static final byte DEFINITION = 1;
  static final byte COMMIT = 2;
  static final byte MARK = 3;

  private Frame() {}

  /**
   * What a header says.
   *
   * @param format the format version
   * @param kind the kind of frame
   * @param length the length of the body
   * @param bodyCrc the checksum of the body
   * @param events how many events the body holds
   * @param sequence how many events stand before the frame
   * @param mark everything before this offset was durable
   * @param time when it was written, in epoch milliseconds
   * @param foldVersion the version of the fold that judged its events
   */
  record Header(
      byte format,
      byte kind,
      int length,
      int bodyCrc,
      int events,
      long sequence,
      long mark,
      long time,
      int foldVersion) {}

  /** Fills in the header that {@code frame} has room for at its start. */
  static void seal(
      Encoder frame,
      byte kind,
      int events,
      long sequence,
      long mark,
      long time,
      int foldVersion,
      long offset,
      long k0,
      long k1) {
    ByteBuffer header = ByteBuffer.wrap(frame.array(), 0, HEADER);
    int length = frame.length() - HEADER;
    header.putInt(0, MAGIC).put(8, FORMAT).put(9, kind).putShort(10, (short) 0);
    header.putInt(12, length).putInt(16, crc(k0, k1, offset, frame.array(), HEADER, length));
    header.putInt(20, events).putLong(24, sequence).putLong(32, mark).putLong(40, time);
    header.putInt(48, foldVersion).putInt(52, 0);
    header.putInt(4, crc(k0, k1, offset, frame.array(), 8, HEADER - 8));
  }

  /** An empty frame to be filled and sealed. */
  static Encoder start(Encoder frame) {
    frame.truncate(0);
    frame.writeRaw(new byte[HEADER], 0, HEADER);
    return frame;
  }

  static Header read(byte[] bytes, int at) {
    ByteBuffer header = ByteBuffer.wrap(bytes, at, HEADER);
    return new Header(
        header.get(at + 8),
        header.get(at + 9),
        header.getInt(at + 12),
        header.getInt(at + 16),
        header.getInt(at + 20),
        header.getLong(at + 24),
        header.getLong(at + 32),
        header.getLong(at + 40),
        header.getInt(at + 48));
  }

  static int crc(long k0, long k1, long offset, byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    byte[] salt = new byte[24];
    ByteBuffer.wrap(salt).putLong(k0).putLong(k1).putLong(offset);
    crc.update(salt, 0, salt.length);
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }
}
