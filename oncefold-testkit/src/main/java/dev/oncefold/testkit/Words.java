package dev.oncefold.testkit;

import dev.oncefold.Codec;
import dev.oncefold.Encoder;
import dev.oncefold.SipHash;
import java.util.HexFormat;

/**
 * Values as a history tells them: as they print, for a person, and a hash of what is stored, which
 * is what counts. Not thread-safe.
 */
final class Words {
  private static final int MOST = 400;

  private final Encoder scratch = new Encoder();
  private final SipHash hash = new SipHash(0, 0);

  /**
   * A value.
   *
   * @throws dev.oncefold.CodecException if it cannot be stored
   */
  <T> String of(Codec<T> codec, T value) {
    scratch.truncate(0);
    codec.encode(value, scratch);
    String printed = String.valueOf(value);
    return (printed.length() > MOST ? printed.substring(0, MOST) + "…" : printed)
        + " #"
        + HexFormat.of().toHexDigits(hash.hash(scratch.array(), 0, scratch.length()));
  }
}
