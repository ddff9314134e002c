package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SipHashTest {
  /** The key of the published vectors: the bytes 00 to 0f. */
  private final SipHash published = new SipHash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);

  /** The published vectors: the input is the bytes 00, 01, 02… of that length. */
  @ParameterizedTest
  @CsvSource({
    " 0, 310e0edd47db6f72, a3817f04ba25a8e66df67214c7550293",
    " 1, fd67dc93c539f874, da87c1d86b99af44347659119b22fc45",
    " 2, 5a4fa9d909806c0d, 8177228da4a45dc7fca38bdef60affe4",
    " 7, 37d1018bf50002ab, a1f1ebbed8dbc153c0b84aa61ff08239",
    " 8, 6224939a79f5f593, 3b62a9ba6258f5610f83e264f31497b4",
    " 9, b0e4a90bdf82009e, 264499060ad9baabc47f8b02bb6d71ed",
    "15, e545be4961ca29a1, 5493e99933b0a8117e08ec0f97cfc3d9",
    "16, db9bc2577fcc2a3f, 6ee2a4ca67b054bbfd3315bf85230577",
    "63, 724506eb4c328a95, 5150d1772f50834a503e069a973fbd7c"
  })
  void answersThePublishedVectors(int length, String hash64, String hash128) {
    byte[] input = new byte[length];
    for (int i = 0; i < length; i++) {
      input[i] = (byte) i;
    }
    assertThat(hex(published.hash(input, 0, length))).isEqualTo(hash64);
    published.hash128(input, 0, length);
    assertThat(hex(published.hi()) + hex(published.lo())).isEqualTo(hash128);
  }

  @Property(tries = 2_000)
  void agreesWithAStraightforwardImplementation(
      @ForAll long k0, @ForAll long k1, @ForAll @Size(max = 40) byte[] input) {
    SipHash hash = new SipHash(k0, k1);
    assertThat(hash.hash(input, 0, input.length)).isEqualTo(Plain.hash(k0, k1, input, false)[0]);
    hash.hash128(input, 0, input.length);
    assertThat(new long[] {hash.hi(), hash.lo()}).isEqualTo(Plain.hash(k0, k1, input, true));
  }

  @Property(tries = 1_000)
  void hashesAPartOfAnArray(@ForAll @Size(min = 8, max = 40) byte[] input) {
    byte[] part = Arrays.copyOfRange(input, 3, input.length - 2);
    assertThat(published.hash(input, 3, input.length - 5))
        .isEqualTo(published.hash(part, 0, part.length));
  }

  /** The form for ids is the form for bytes of exactly the text that its comment describes. */
  @Property(tries = 3_000)
  void anIdIsHashedAsItsTextSays(@ForAll long k0, @ForAll String key, @ForAll String id) {
    SipHash ofStrings = new SipHash(k0, 7);
    ofStrings.hash(key, id);
    byte[] text = text(key, id);
    SipHash ofBytes = new SipHash(k0, 7);
    ofBytes.hash128(text, 0, text.length);
    assertThat(ofStrings.hi()).isEqualTo(ofBytes.hi());
    assertThat(ofStrings.lo()).isEqualTo(ofBytes.lo());
  }

  @Test
  void noTwoPairsOfKeyAndIdGiveTheSameText() {
    String[] parts = {"", "a", "aa", "aaa", "aaaa", "aaaaa", "\0", "a\0", "\0a", "\0\0\0\0"};
    Set<String> texts = new HashSet<>();
    Set<String> hashes = new HashSet<>();
    for (String key : parts) {
      for (String id : parts) {
        texts.add(HexFormat.of().formatHex(text(key, id)));
        published.hash(key, id);
        hashes.add(hex(published.hi()) + hex(published.lo()));
      }
    }
    assertThat(texts).hasSize(parts.length * parts.length);
    assertThat(hashes).hasSize(parts.length * parts.length);
  }

  @Test
  void keepsNothingFromOneHashToTheNext() {
    Random random = new Random(1);
    SipHash used = new SipHash(3, 4);
    for (int i = 0; i < 100; i++) {
      String id = "id-" + random.nextInt();
      used.hash("key", id);
      long hi = used.hi();
      byte[] other = new byte[random.nextInt(30)];
      random.nextBytes(other);
      long first = used.hash(other, 0, other.length);
      used.hash("key", id);
      assertThat(used.hi()).isEqualTo(hi);
      assertThat(used.hash(other, 0, other.length)).isEqualTo(first);
    }
  }

  private static byte[] text(String key, String id) {
    byte[] keyBytes = chars(key);
    byte[] idBytes = chars(id);
    ByteBuffer text =
        ByteBuffer.allocate(8 + (keyBytes.length + 7) / 8 * 8 + idBytes.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    text.putLong(key.length()).put(keyBytes);
    text.position(8 + (keyBytes.length + 7) / 8 * 8);
    text.put(idBytes);
    return text.array();
  }

  /** UTF-16LE, but with every char as it is: {@code getBytes} replaces what is no text. */
  private static byte[] chars(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(text.length() * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < text.length(); i++) {
      bytes.putChar(text.charAt(i));
    }
    return bytes.array();
  }

  private static String hex(long littleEndian) {
    return HexFormat.of().toHexDigits(Long.reverseBytes(littleEndian));
  }

  /** SipHash-2-4 as its paper writes it down. */
  private static final class Plain {
    private final long[] v;

    private Plain(long k0, long k1) {
      v =
          new long[] {
            k0 ^ 0x736f6d6570736575L,
            k1 ^ 0x646f72616e646f6dL,
            k0 ^ 0x6c7967656e657261L,
            k1 ^ 0x7465646279746573L
          };
    }

    static long[] hash(long k0, long k1, byte[] input, boolean twice) {
      Plain plain = new Plain(k0, k1);
      if (twice) {
        plain.v[1] ^= 0xee;
      }
      byte[] padded = Arrays.copyOf(input, input.length / 8 * 8 + 8);
      padded[padded.length - 1] = (byte) input.length;
      ByteBuffer words = ByteBuffer.wrap(padded).order(ByteOrder.LITTLE_ENDIAN);
      while (words.hasRemaining()) {
        long m = words.getLong();
        plain.v[3] ^= m;
        plain.round();
        plain.round();
        plain.v[0] ^= m;
      }
      plain.v[2] ^= twice ? 0xee : 0xff;
      long first = plain.finish();
      if (!twice) {
        return new long[] {first};
      }
      plain.v[1] ^= 0xdd;
      return new long[] {first, plain.finish()};
    }

    private long finish() {
      for (int i = 0; i < 4; i++) {
        round();
      }
      return v[0] ^ v[1] ^ v[2] ^ v[3];
    }

    private void round() {
      half(0, 1, 13);
      v[0] = Long.rotateLeft(v[0], 32);
      half(2, 3, 16);
      half(0, 3, 21);
      half(2, 1, 17);
      v[2] = Long.rotateLeft(v[2], 32);
    }

    private void half(int a, int b, int by) {
      v[a] += v[b];
      v[b] = Long.rotateLeft(v[b], by) ^ v[a];
    }
  }
}
