package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The same loop without a journal: slots in a hash map, ids as 128-bit hashes in an open-addressing
 * table, nothing encoded but fingerprints, nothing kept. A limit to measure against, not a store.
 */
final class MemoryStore<S, E, O> implements Store<S, E, O>, Store.Batch<S, E, O> {
  private final Map<String, Slot<S>> slots = new HashMap<>();
  private final Kernel<S, E, O> fingerprints;
  private final SipHash hash = new SipHash(1, 2);
  private long[] ids = new long[3 << 10];
  private int size;
  private Position position = Position.START;

  MemoryStore(Kernel<S, E, O> fingerprints) {
    this.fingerprints = fingerprints;
  }

  @Override
  public Claim claim(String partition) {
    return new Claim(partition, 1, position);
  }

  @Override
  public void caughtUp(Claim claim) {}

  @Override
  public Batch<S, E, O> begin(Claim claim, Position from) {
    return this;
  }

  @Override
  public @Nullable Slot<S> slot(String key) {
    return slots.get(key);
  }

  @Override
  public @Nullable Remembered remembered(String key, String id) {
    hash.hash(key, id);
    int at = place(ids, hash.hi(), hash.lo());
    return ids[at] == 0 ? null : new Remembered(ids[at + 2], null);
  }

  @Override
  public void load(List<Received<E>> events) {}

  @Override
  public long floor() {
    return Kernel.NO_FLOOR;
  }

  @Override
  public void add(Received<E> received, Verdict<S, O> verdict) {
    Event<E> event = received.event();
    if (event == null || event.id() == null) {
      return;
    }
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      S state = applied.state();
      if (state != null) {
        slots.merge(
            event.key(),
            new Slot<>(state, 1),
            (old, unused) -> new Slot<>(state, old.version() + 1));
      }
    } else if (!(verdict instanceof Verdict.Rejected)) {
      return;
    }
    hash.hash(event.key(), event.id());
    int at = place(ids, hash.hi(), hash.lo());
    ids[at] = hash.hi();
    ids[at + 1] = hash.lo();
    ids[at + 2] = fingerprints.fingerprint(event.value());
    if (++size * 4L > ids.length) {
      grow();
    }
  }

  private static int place(long[] table, long hi, long lo) {
    int mask = table.length / 3 - 1;
    for (int i = (int) lo & mask; ; i = (i + 1) & mask) {
      if (table[i * 3] == 0 || (table[i * 3] == hi && table[i * 3 + 1] == lo)) {
        return i * 3;
      }
    }
  }

  private void grow() {
    long[] larger = new long[ids.length * 2];
    for (int i = 0; i < ids.length; i += 3) {
      if (ids[i] != 0) {
        System.arraycopy(ids, i, larger, place(larger, ids[i], ids[i + 1]), 3);
      }
    }
    ids = larger;
  }

  @Override
  public boolean isFull() {
    return false;
  }

  @Override
  public CompletableFuture<Position> commit(Position to, boolean unread) {
    position = to;
    return CompletableFuture.completedFuture(to);
  }

  @Override
  public void close() {}
}
