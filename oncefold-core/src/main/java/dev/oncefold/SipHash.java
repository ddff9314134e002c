package dev.oncefold;

/**
 * SipHash-2-4 of Jean-Philippe Aumasson and Daniel J. Bernstein ("SipHash: a fast short-input PRF",
 * 2012), in its 64-bit and 128-bit forms. With a secret key nobody can choose two ids that collide,
 * and by chance two of a thousand million ids do so once in 10<sup>20</sup> stores.
 *
 * <p>Not thread-safe: the 128-bit form leaves its answer in the object, to allocate nothing.
 */
public final class SipHash {
  private final long k0;
  private final long k1;
  private long v0;
  private long v1;
  private long v2;
  private long v3;
  private long hi;
  private long lo;

  /**
   * A hash under a key.
   *
   * @param k0 the first half of the key
   * @param k1 the second half of the key
   */
  public SipHash(long k0, long k1) {
    this.k0 = k0;
    this.k1 = k1;
  }

  /**
   * The first half of the last 128-bit hash.
   *
   * @return the first 64 bits
   */
  public long hi() {
    return hi;
  }

  /**
   * The second half of the last 128-bit hash.
   *
   * @return the second 64 bits
   */
  public long lo() {
    return lo;
  }

  /**
   * Hashes an id within its key to 128 bits, to be read from {@link #hi} and {@link #lo}. Hashed
   * are the length of the key in UTF-16 units as 8 bytes, the key in UTF-16LE padded with zeros to
   * a multiple of 8 bytes, and the id in UTF-16LE: no two pairs give the same text.
   *
   * @param key the event's key
   * @param id the event's id
   */
  public void hash(String key, String id) {
    start(0xee);
    word(key.length());
    int whole = key.length() & ~3;
    for (int i = 0; i < whole; i += 4) {
      word(four(key, i));
    }
    int bytes = 8 + whole * 2;
    if (whole < key.length()) {
      word(rest(key, whole));
      bytes += 8;
    }
    whole = id.length() & ~3;
    for (int i = 0; i < whole; i += 4) {
      word(four(id, i));
    }
    bytes += id.length() * 2;
    word(rest(id, whole) | (long) bytes << 56);
    finish128();
  }

  /**
   * The 64-bit hash of some bytes.
   *
   * @param bytes holds the bytes
   * @param from the first
   * @param length how many
   * @return the hash
   */
  public long hash(byte[] bytes, int from, int length) {
    start(0);
    absorb(bytes, from, length);
    v2 ^= 0xff;
    rounds(4);
    return v0 ^ v1 ^ v2 ^ v3;
  }

  /**
   * The 128-bit hash of some bytes, to be read from {@link #hi} and {@link #lo}.
   *
   * @param bytes holds the bytes
   * @param from the first
   * @param length how many
   */
  public void hash128(byte[] bytes, int from, int length) {
    start(0xee);
    absorb(bytes, from, length);
    finish128();
  }

  private void absorb(byte[] bytes, int from, int length) {
    int end = from + (length & ~7);
    for (int i = from; i < end; i += 8) {
      long m = 0;
      for (int j = 7; j >= 0; j--) {
        m = m << 8 | (bytes[i + j] & 0xffL);
      }
      word(m);
    }
    long last = (long) length << 56;
    for (int j = (length & 7) - 1; j >= 0; j--) {
      last |= (bytes[end + j] & 0xffL) << (8 * j);
    }
    word(last);
  }

  private void start(int variant) {
    v0 = k0 ^ 0x736f6d6570736575L;
    v1 = k1 ^ 0x646f72616e646f6dL ^ variant;
    v2 = k0 ^ 0x6c7967656e657261L;
    v3 = k1 ^ 0x7465646279746573L;
  }

  private void finish128() {
    v2 ^= 0xee;
    rounds(4);
    hi = v0 ^ v1 ^ v2 ^ v3;
    v1 ^= 0xdd;
    rounds(4);
    lo = v0 ^ v1 ^ v2 ^ v3;
  }

  private void word(long m) {
    v3 ^= m;
    rounds(2);
    v0 ^= m;
  }

  private void rounds(int n) {
    long a = v0;
    long b = v1;
    long c = v2;
    long d = v3;
    for (int i = 0; i < n; i++) {
      a += b;
      b = Long.rotateLeft(b, 13) ^ a;
      a = Long.rotateLeft(a, 32);
      c += d;
      d = Long.rotateLeft(d, 16) ^ c;
      a += d;
      d = Long.rotateLeft(d, 21) ^ a;
      c += b;
      b = Long.rotateLeft(b, 17) ^ c;
      c = Long.rotateLeft(c, 32);
    }
    v0 = a;
    v1 = b;
    v2 = c;
    v3 = d;
  }

  private static long four(String text, int at) {
    return text.charAt(at)
        | (long) text.charAt(at + 1) << 16
        | (long) text.charAt(at + 2) << 32
        | (long) text.charAt(at + 3) << 48;
  }

  private static long rest(String text, int from) {
    long word = 0;
    for (int i = text.length() - 1; i >= from; i--) {
      word = word << 16 | text.charAt(i);
    }
    return word;
  }
}
