package dev.oncefold.journal;

import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The remembered ids: 128-bit keyed hashes in an open-addressing table with linear probing, 36
 * bytes a place, at most three places of four in use. For engines that keep ids in memory. Not
 * thread-safe.
 */
public final class IdTable {
  /** The time of an id that is never forgotten. */
  public static final long NO_TIME = Long.MAX_VALUE;

  private static final int WIDTH = 4;
  private static final int FIRST_PLACES = 1 << 10;
  private static final int MAX_PLACES = 1 << 28;

  private final SipHash hash;
  // A place is (hi, lo, fingerprint, time); one with hi and lo 0 is free.
  private long[] table;
  // Beside each place: 0 where the event was applied, else 1 + the index of the reason.
  private int[] reason;
  private int size;
  private long oldest = NO_TIME;
  private List<String> reasons = new ArrayList<>();
  private Map<String, Integer> reasonIndex = new HashMap<>();

  /**
   * An empty table.
   *
   * @param k0 the first half of the secret key of the hashes
   * @param k1 the second half
   */
  public IdTable(long k0, long k1) {
    this.hash = new SipHash(k0, k1);
    this.table = new long[FIRST_PLACES * WIDTH];
    this.reason = new int[FIRST_PLACES];
  }

  private IdTable(IdTable from) {
    this.hash = new SipHash(0, 0); // a copy is only iterated
    this.table = from.table.clone();
    this.reason = from.reason.clone();
    this.size = from.size;
    this.oldest = from.oldest;
    this.reasons = new ArrayList<>(from.reasons);
  }

  /** A copy to be iterated by another thread. */
  IdTable copy() {
    return new IdTable(this);
  }

  /**
   * How many ids are remembered.
   *
   * @return the count
   */
  public int size() {
    return size;
  }

  /**
   * The least time of all ids.
   *
   * @return the time, or {@link #NO_TIME}
   */
  public long oldest() {
    return oldest;
  }

  /**
   * The hash of an id, to be read from {@link SipHash#hi} and {@link SipHash#lo}.
   *
   * @param key the event's key
   * @param id the event's id
   * @return holds the hash until the next one
   */
  public SipHash hash(String key, String id) {
    hash.hash(key, id);
    return hash;
  }

  /** Brings the place of an id into the processor's cache; the answer means nothing. */
  long touch(long lo) {
    return table[((int) lo & (reason.length - 1)) * WIDTH];
  }

  /**
   * Looks an id up.
   *
   * @param hi the first half of its hash
   * @param lo the second half
   * @return what is remembered of it, or null
   */
  public @Nullable Remembered find(long hi, long lo) {
    int place = place(high(hi, lo), lo);
    int at = place * WIDTH;
    if (free(at)) {
      return null;
    }
    return new Remembered(
        table[at + 2], reason[place] == 0 ? null : reasons.get(reason[place] - 1));
  }

  /**
   * Remembers an id.
   *
   * @param hi the first half of its hash
   * @param lo the second half
   * @param fingerprint the fingerprint of its payload
   * @param time its event time, or {@link #NO_TIME}
   * @param rejected the reason of its rejection, or null where it was applied
   */
  public void put(long hi, long lo, long fingerprint, long time, @Nullable String rejected) {
    if ((size + 1) * 4L > reason.length * 3L) {
      grow();
    }
    long high = high(hi, lo);
    int place = place(high, lo);
    int at = place * WIDTH;
    if (free(at)) {
      size++;
    }
    table[at] = high;
    table[at + 1] = lo;
    table[at + 2] = fingerprint;
    table[at + 3] = time;
    reason[place] = rejected == null ? 0 : 1 + index(rejected);
    oldest = Math.min(oldest, time);
  }

  /**
   * Forgets every id of a time at or below the floor.
   *
   * @param floor the floor
   */
  public void forget(long floor) {
    IdTable kept = new IdTable(0, 0);
    int keep = 0;
    for (int at = 0; at < table.length; at += WIDTH) {
      if (!free(at) && table[at + 3] > floor) {
        keep++;
      }
    }
    kept.allocate(keep);
    forEach(
        (hi, lo, fingerprint, time, rejected) -> {
          if (time > floor) {
            kept.put(hi, lo, fingerprint, time, rejected);
          }
        });
    table = kept.table;
    reason = kept.reason;
    size = kept.size;
    oldest = kept.oldest;
    reasons = kept.reasons;
    reasonIndex = kept.reasonIndex;
  }

  /**
   * The least time such that at most so many ids are later.
   *
   * @param most how many
   * @return the time; {@link #NO_TIME} where ids without a time are too many already
   */
  public long timeToKeep(long most) {
    long[] times = new long[size];
    int n = 0;
    for (int at = 0; at < table.length; at += WIDTH) {
      if (!free(at)) {
        times[n++] = table[at + 3];
      }
    }
    Arrays.sort(times);
    return times[(int) Math.max(0, size - most - 1)];
  }

  /** Receives every id. */
  interface Visitor {
    void id(long hi, long lo, long fingerprint, long time, @Nullable String rejected);
  }

  void forEach(Visitor visitor) {
    for (int place = 0; place < reason.length; place++) {
      int at = place * WIDTH;
      if (!free(at)) {
        visitor.id(
            table[at],
            table[at + 1],
            table[at + 2],
            table[at + 3],
            reason[place] == 0 ? null : reasons.get(reason[place] - 1));
      }
    }
  }

  /** The hash whose halves are both 0 would look free; it shares its place with another. */
  private static long high(long hi, long lo) {
    return hi == 0 && lo == 0 ? 1 : hi;
  }

  private boolean free(int at) {
    return table[at] == 0 && table[at + 1] == 0;
  }

  private int place(long high, long lo) {
    int mask = reason.length - 1;
    int place = (int) lo & mask;
    while (true) {
      int at = place * WIDTH;
      if (free(at) || (table[at] == high && table[at + 1] == lo)) {
        return place;
      }
      place = (place + 1) & mask;
    }
  }

  private int index(String rejected) {
    Integer known = reasonIndex.get(rejected);
    if (known != null) {
      return known;
    }
    reasons.add(rejected);
    reasonIndex.put(rejected, reasons.size() - 1);
    return reasons.size() - 1;
  }

  private void allocate(int ids) {
    int places = FIRST_PLACES;
    while (ids * 4L > places * 3L) {
      places *= 2;
    }
    table = new long[places * WIDTH];
    reason = new int[places];
  }

  private void grow() {
    if (reason.length >= MAX_PLACES) {
      throw new JournalException(
          size
              + " ids are remembered, as many as one table can hold. Remember them for a shorter"
              + " span, or bound their count");
    }
    long[] old = table;
    int[] oldReason = reason;
    table = new long[old.length * 2];
    reason = new int[oldReason.length * 2];
    for (int at = 0; at < old.length; at += WIDTH) {
      if (old[at] != 0 || old[at + 1] != 0) {
        int place = place(old[at], old[at + 1]);
        System.arraycopy(old, at, table, place * WIDTH, WIDTH);
        reason[place] = oldReason[at / WIDTH];
      }
    }
  }
}
