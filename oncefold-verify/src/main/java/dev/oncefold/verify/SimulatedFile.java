package dev.oncefold.verify;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The content of a file: on the disk, and in the cache in front of it. */
final class SimulatedFile {
  /** A write, or a truncation to {@code at} where there are no bytes. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Change(int at, byte @Nullable [] bytes) {}

  // What it is called now; open files keep up with it.
  String name;
  private byte[] cache = new byte[0];
  private int size;
  private byte[] durable = new byte[0];
  private int durableSize;
  private final DiskObserver observer;
  // Not synced, in order.
  private final List<Change> pending = new ArrayList<>();
  // Whether a failed sync left clean pages in the cache that the disk does not have.
  private boolean diverged;

  SimulatedFile(String name, DiskObserver observer) {
    this.name = name;
    this.observer = observer;
  }

  /** A file whose content is durable. */
  SimulatedFile(String name, byte[] content, DiskObserver observer) {
    this(name, observer);
    durable = content.clone();
    durableSize = content.length;
    reload();
  }

  int size() {
    return size;
  }

  byte[] content() {
    return Arrays.copyOf(cache, size);
  }

  int read(long at, ByteBuffer into) {
    if (at >= size) {
      return into.hasRemaining() ? -1 : 0;
    }
    int length = (int) Math.min(into.remaining(), size - at);
    into.put(cache, (int) at, length);
    return length;
  }

  void write(long at, byte[] bytes) {
    change(new Change((int) at, bytes));
  }

  void truncate(long to) {
    if (to < size) {
      change(new Change((int) to, null));
    }
  }

  private void change(Change change) {
    toCache(change);
    pending.add(change);
  }

  void sync() {
    pending.forEach(this::toDurable);
    pending.clear();
  }

  /** Some of what was pending is written; all of it counts as clean. */
  void failSync(Random random) {
    for (Change change : pending) {
      if (random.nextBoolean()) {
        toDurable(change);
      }
    }
    pending.clear();
    diverged = true;
  }

  /** Clean pages may leave the cache at any time. */
  void evict() {
    if (diverged) {
      reload();
    }
  }

  /** Whether a commit was written and not synced. */
  boolean hasOpenCommit() {
    for (Change change : pending) {
      if (change.bytes != null && isCommit(change.bytes)) {
        return true;
      }
    }
    return false;
  }

  boolean isCommit(byte[] bytes) {
    return observer.opensCommit(name, bytes);
  }

  // ---------------------------------------------------------------- power loss

  /**
   * Keeps any part of what is pending: all, none, what came first, or each by itself; and of one
   * write all of it, none, or a part.
   */
  void losePower(Random random) {
    int writes = pending.size();
    int whole =
        switch (random.nextInt(4)) {
          case 0 -> 0;
          case 1 -> writes;
          case 2 -> writes == 0 ? 0 : random.nextInt(writes);
          default -> -1; // each by itself
        };
    for (int i = 0; i < writes; i++) {
      Change change = pending.get(i);
      if (whole >= 0 ? i < whole : random.nextInt(3) == 0) {
        toDurable(change);
      } else if (whole >= 0 ? i == whole && random.nextBoolean() : random.nextBoolean()) {
        tear(change, random).forEach(this::toDurable);
      }
    }
    pending.clear();
    reload();
  }

  /** Some part of a write: its beginning, its end, or some of its sectors. */
  private static List<Change> tear(Change change, Random random) {
    byte[] bytes = change.bytes;
    if (bytes == null || bytes.length < 2) {
      return List.of();
    }
    int cut = 1 + random.nextInt(bytes.length - 1);
    List<Change> parts = new ArrayList<>();
    switch (random.nextInt(3)) {
      case 0 -> parts.add(part(change.at, bytes, 0, cut));
      case 1 -> parts.add(part(change.at, bytes, cut, bytes.length));
      default -> {
        int sector = Math.max(1, Math.min(512, bytes.length / 3));
        for (int at = 0; at < bytes.length; at += sector) {
          if (random.nextBoolean()) {
            parts.add(part(change.at, bytes, at, Math.min(bytes.length, at + sector)));
          }
        }
      }
    }
    return parts;
  }

  private static Change part(int at, byte[] bytes, int from, int to) {
    return new Change(at + from, Arrays.copyOfRange(bytes, from, to));
  }

  // ---------------------------------------------------------------- applying changes

  private void reload() {
    cache = Arrays.copyOf(durable, durableSize);
    size = durableSize;
    diverged = false;
    pending.forEach(this::toCache);
  }

  private void toCache(Change change) {
    cache = grown(cache, size, change);
    size = applied(cache, size, change);
  }

  private void toDurable(Change change) {
    durable = grown(durable, durableSize, change);
    durableSize = applied(durable, durableSize, change);
  }

  private static byte[] grown(byte[] bytes, int size, Change change) {
    int needed = change.at + (change.bytes == null ? 0 : change.bytes.length);
    if (needed <= bytes.length) {
      return bytes;
    }
    byte[] more = new byte[Math.max(needed, Math.min(bytes.length * 2, needed + (1 << 16)))];
    System.arraycopy(bytes, 0, more, 0, size);
    return more;
  }

  private static int applied(byte[] into, int size, Change change) {
    if (change.bytes == null) {
      // What is cut off reads as zeros if the file grows again.
      if (change.at < size) {
        Arrays.fill(into, change.at, size, (byte) 0);
      }
      return Math.min(size, change.at);
    }
    System.arraycopy(change.bytes, 0, into, change.at, change.bytes.length);
    return Math.max(size, change.at + change.bytes.length);
  }
}
