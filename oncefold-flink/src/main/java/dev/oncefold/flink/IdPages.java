package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import org.apache.flink.api.common.state.MapState;
import org.jspecify.annotations.Nullable;

/**
 * The remembered ids of the present key, a few in one page, as hashes of 128 bits. A page is one
 * value of Flink's: an id of its own in a map costs several objects, which a backend on the heap
 * copies behind each checkpoint and writes one by one.
 *
 * <p>Pages are found by linear hashing (W. Litwin, "Linear hashing: a new tool for file and table
 * addressing", VLDB 1980): when a page has grown too long, the next one in turn is split in two. So
 * an event costs two pages more at the most, however many ids its key has. How many pages there are
 * stands in the {@link Cell}.
 *
 * <p>Not thread-safe.
 */
final class IdPages {
  /** A page that is longer has another one split. */
  static final int MOST_BYTES = 512;

  private static final int MOST_PAGES = 1 << 30;

  private final MapState<Integer, byte[]> pages;
  private final SipHash hash;
  private final Encoder scratch = new Encoder();
  // Where the id that was looked for last belongs.
  private long hi;
  private long lo;
  private int at;
  private byte @Nullable [] page;
  private boolean stale;

  /**
   * Ids in Flink's state.
   *
   * @param pages holds them
   * @param hash hashes ids, in the same way for ever
   */
  IdPages(MapState<Integer, byte[]> pages, SipHash hash) {
    this.pages = pages;
    this.hash = hash;
  }

  /** Walks over the ids of a page. */
  static final class Ids {
    private final byte[] page;
    private final Decoder in;
    private int begin;
    private int reason;
    long hi;
    long lo;
    long fingerprint;
    long time;

    Ids(byte[] page) {
      this.page = page;
      this.in = new Decoder(page);
    }

    boolean next() {
      if (in.remaining() == 0) {
        return false;
      }
      begin = in.position();
      hi = in.readLong();
      lo = in.readLong();
      fingerprint = in.readLong();
      time = in.readSigned();
      reason = in.position();
      int length = (int) in.readUnsigned();
      in.skip(Math.max(0, length - 1));
      return true;
    }

    Remembered remembered() {
      return new Remembered(
          fingerprint, new Decoder(page, reason, in.position() - reason).readNullableString());
    }

    void copyTo(Encoder out) {
      out.writeRaw(page, begin, in.position() - begin);
    }
  }

  private static int place(long lo, int count) {
    if (count <= 1) {
      return 0;
    }
    int half = Integer.highestOneBit(count);
    int place = (int) (lo & (2L * half - 1));
    return place < count ? place : place - half;
  }

  /** The page out of which that of a number is split. */
  private static int origin(int number) {
    return number - Integer.highestOneBit(number);
  }

  /**
   * Looks for an id.
   *
   * @param key the present key
   * @param id the id
   * @param count how many pages the key has
   * @param floor ids at or below it are forgotten, though they may still be here
   */
  @Nullable Remembered find(String key, String id, int count, long floor) throws Exception {
    hash.hash(key, id);
    hi = hash.hi();
    lo = hash.lo();
    at = place(lo, count);
    page = count == 0 ? null : pages.get(at);
    stale = false;
    Remembered found = null;
    if (page != null) {
      Ids ids = new Ids(page);
      while (found == null && ids.next()) {
        if (ids.time <= floor) {
          stale = true;
        } else if (ids.hi == hi && ids.lo == lo) {
          found = ids.remembered();
        }
      }
    }
    return found;
  }

  /** The page of the id that was looked for last, with that id in it. Nothing is stored yet. */
  byte[] with(long fingerprint, long time, @Nullable String rejected, long floor) {
    scratch.truncate(0);
    byte[] before = page;
    if (before != null && stale) {
      Ids ids = new Ids(before);
      while (ids.next()) {
        if (ids.time > floor) {
          ids.copyTo(scratch);
        }
      }
    } else if (before != null) {
      scratch.writeRaw(before, 0, before.length);
    }
    scratch.writeLong(hi).writeLong(lo).writeLong(fingerprint).writeSigned(time);
    scratch.writeNullableString(rejected);
    return scratch.toByteArray();
  }

  /** How many pages a key has once it was given one by {@link #with}. */
  static int countWith(byte[] page, int count) {
    int now = Math.max(1, count);
    return page.length > MOST_BYTES && now < MOST_PAGES ? now + 1 : now;
  }

  /** Stores a page made by {@link #with}. */
  void put(byte[] made, int count) throws Exception {
    pages.put(at, made);
    int now = Math.max(1, count);
    if (countWith(made, count) > now) {
      split(now);
    }
  }

  private void split(int count) throws Exception {
    int from = origin(count);
    byte[] before = pages.get(from);
    if (before == null) {
      return;
    }
    Encoder stays = new Encoder(before.length);
    Encoder moves = new Encoder(before.length);
    Ids ids = new Ids(before);
    while (ids.next()) {
      ids.copyTo(place(ids.lo, count + 1) == count ? moves : stays);
    }
    set(from, stays);
    set(count, moves);
  }

  private void set(int number, Encoder bytes) throws Exception {
    if (bytes.length() == 0) {
      pages.remove(number);
    } else {
      pages.put(number, bytes.toByteArray());
    }
  }

  /**
   * Removes what the floor has passed, and brings together what is left.
   *
   * @param count how many pages the key has
   * @return how many it has now
   */
  int forget(int count, long floor) throws Exception {
    long bytes = 0;
    for (int number = 0; number < count; number++) {
      bytes += forgetIn(number, floor);
    }
    int now = bytes == 0 ? 0 : count;
    while (now > 1 && bytes < (now - 1L) * (MOST_BYTES / 4)) {
      now--;
      byte[] last = pages.get(now);
      if (last != null) {
        byte[] first = pages.get(origin(now));
        scratch.truncate(0);
        if (first != null) {
          scratch.writeRaw(first, 0, first.length);
        }
        set(origin(now), scratch.writeRaw(last, 0, last.length));
        pages.remove(now);
      }
    }
    return now;
  }

  private int forgetIn(int number, long floor) throws Exception {
    byte[] before = pages.get(number);
    if (before == null) {
      return 0;
    }
    scratch.truncate(0);
    Ids ids = new Ids(before);
    while (ids.next()) {
      if (ids.time > floor) {
        ids.copyTo(scratch);
      }
    }
    if (scratch.length() < before.length) {
      set(number, scratch);
    }
    return scratch.length();
  }
}
