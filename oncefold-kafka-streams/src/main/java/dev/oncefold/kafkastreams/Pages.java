package dev.oncefold.kafkastreams;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Kernel;
import dev.oncefold.journal.IdTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How remembered ids stand in the changelog: many in one record, a page, under a number. A page
 * that is not full is written again with the ids of the next commit. Once all its ids are at or
 * below the floor it is removed whole, so forgetting costs one record a page. Not thread-safe.
 */
final class Pages {
  private static final int FORMAT = 1;
  // Below this many ids a page is written again: fewer records to read on a restore.
  private static final int FULL = 64;
  private static final int MOST_BYTES = 256 * 1024;
  // So that one commit does not grow without bound when the floor rises far.
  private static final int MOST_REMOVED = 10_000;
  private static final long GONE = Long.MIN_VALUE;

  private final Encoder body = new Encoder();
  private final List<byte[]> full = new ArrayList<>();
  // The greatest time of each page from number `first` on.
  private long[] greatest = new long[64];
  private long first;
  private long next;
  private long doomedBelow = Kernel.NO_FLOOR;
  private boolean doomed;
  private int ids;
  private boolean dirty;
  private long bodyGreatest = Long.MIN_VALUE;

  /** Where records go. */
  interface Log {
    void page(long number, byte @Nullable [] value);
  }

  void add(long hi, long lo, long fingerprint, long time, @Nullable String rejected) {
    body.writeLong(hi).writeLong(lo).writeLong(fingerprint).writeSigned(time);
    body.writeNullableString(rejected);
    bodyGreatest = Math.max(bodyGreatest, time);
    ids++;
    dirty = true;
    if (body.length() >= MOST_BYTES) {
      turn();
    }
  }

  /** The open page is full: it is written as it is with the next flush. */
  private void turn() {
    full.add(bytes());
    noted(next + full.size() - 1, bodyGreatest);
    body.truncate(0);
    ids = 0;
    dirty = false;
    bodyGreatest = Long.MIN_VALUE;
  }

  private byte[] bytes() {
    Encoder page = new Encoder(body.length() + 16);
    page.writeByte(FORMAT).writeSigned(bodyGreatest).writeRaw(body.array(), 0, body.length());
    return page.toByteArray();
  }

  /** Writes what was added, and removes what was forgotten. */
  void flush(Log log) {
    for (byte[] page : full) {
      log.page(next++, page);
    }
    full.clear();
    if (dirty) {
      log.page(next, bytes());
      noted(next, bodyGreatest);
      dirty = false;
      if (ids >= FULL) {
        next++;
        body.truncate(0);
        ids = 0;
        bodyGreatest = Long.MIN_VALUE;
      }
    }
    if (doomed) {
      remove(log);
    }
  }

  /** The floor has risen: pages that are wholly at or below it go with the next flushes. */
  void forget(long floor) {
    doomedBelow = floor;
    doomed = true;
  }

  private void remove(Log log) {
    int removed = 0;
    long open = next;
    for (long number = first; number < open; number++) {
      int at = (int) (number - first);
      if (greatest[at] != GONE && greatest[at] <= doomedBelow) {
        if (removed++ == MOST_REMOVED) {
          return;
        }
        greatest[at] = GONE;
        log.page(number, null);
      }
    }
    doomed = false;
    trim();
  }

  private void trim() {
    int gone = 0;
    while (first + gone < next && greatest[gone] == GONE) {
      gone++;
    }
    if (gone > greatest.length / 2) {
      greatest = Arrays.copyOfRange(greatest, gone, gone + Math.max(64, greatest.length / 2));
      first += gone;
    }
  }

  private void noted(long number, long time) {
    long at = number - first;
    if (at >= greatest.length) {
      int old = greatest.length;
      greatest = Arrays.copyOf(greatest, (int) Math.max(at + 1, old * 2L));
      Arrays.fill(greatest, old, greatest.length, GONE);
    }
    greatest[(int) at] = time;
  }

  /** Takes a page from the changelog; ids at or below the floor are left out. */
  void restore(long number, byte @Nullable [] value, IdTable table, long floor) {
    if (value == null) {
      // What it removes may be compacted away already.
      if (number >= first && number < next) {
        noted(number, GONE);
      }
      return;
    }
    if (next == 0) {
      first = number;
      Arrays.fill(greatest, GONE);
    }
    if (number < first) {
      throw new IllegalStateException("the page of ids " + number + " comes behind later ones");
    }
    next = Math.max(next, number + 1);
    Decoder in = new Decoder(value);
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "a page of ids is of format " + format + ", and " + FORMAT + " is known");
    }
    noted(number, in.readSigned());
    while (in.remaining() > 0) {
      long hi = in.readLong();
      long lo = in.readLong();
      long fingerprint = in.readLong();
      long time = in.readSigned();
      String rejected = in.readNullableString();
      if (time > floor) {
        table.put(hi, lo, fingerprint, time, rejected);
      }
    }
  }
}
