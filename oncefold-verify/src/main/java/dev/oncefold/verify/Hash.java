package dev.oncefold.verify;

import org.jspecify.annotations.Nullable;

/** 64-bit hashes of what is compared: by chance two different histories look the same never. */
final class Hash {
  private static final long OFFSET = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  private Hash() {}

  /** FNV-1a over the characters, then mixed. */
  static long of(long seed, @Nullable String text) {
    long hash = seed ^ OFFSET;
    if (text == null) {
      return mix(hash);
    }
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * PRIME;
    }
    return mix(hash + text.length() + 1);
  }

  static long of(long seed, long value) {
    return mix(mix(seed ^ OFFSET) + value * PRIME);
  }

  /** The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom generators). */
  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
