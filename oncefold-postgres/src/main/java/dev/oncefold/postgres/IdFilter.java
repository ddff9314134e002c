package dev.oncefold.postgres;

import java.util.ArrayList;
import java.util.List;

/**
 * Tells of most ids that were never added that they were not: a Bloom filter of two bytes an id, in
 * blocks of a cache line, which grows by adding a part of twice the size. Never wrong about an id
 * that was added; of the others about one in 500 passes. Not thread-safe.
 */
final class IdFilter {
  private static final int BLOCK = 8; // longs; in each of them an id has one bit
  private static final int IDS_OF_BLOCK = 32;
  private static final int FIRST_BLOCKS = 1 << 9;

  private final List<long[]> parts = new ArrayList<>();
  private long[] newest = new long[FIRST_BLOCKS * BLOCK];
  private int room = FIRST_BLOCKS * IDS_OF_BLOCK;
  private long size;

  IdFilter() {
    parts.add(newest);
  }

  /** How many ids were added. */
  long size() {
    return size;
  }

  void add(long hi, long lo) {
    if (room == 0) {
      newest = new long[newest.length * 2];
      parts.add(newest);
      room = newest.length / BLOCK * IDS_OF_BLOCK;
    }
    int at = block(newest, hi);
    for (int i = 0; i < BLOCK; i++) {
      newest[at + i] |= bit(lo, i);
    }
    room--;
    size++;
  }

  boolean mayHave(long hi, long lo) {
    for (long[] part : parts) {
      int at = block(part, hi);
      int i = 0;
      while (i < BLOCK && (part[at + i] & bit(lo, i)) != 0) {
        i++;
      }
      if (i == BLOCK) {
        return true;
      }
    }
    return false;
  }

  // Both halves are of a keyed hash: nobody can choose ids that crowd a block.
  private static int block(long[] part, long hi) {
    return ((int) (hi >>> 32) & (part.length / BLOCK - 1)) * BLOCK;
  }

  private static long bit(long lo, int i) {
    return 1L << (lo >>> (6 * i) & 63);
  }
}
