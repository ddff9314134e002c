package dev.oncefold.postgres;

import dev.oncefold.Slot;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a batch knows of one key: its row as it was read, and what the batch has made of it.
 *
 * @param <S> the type of one key's state
 */
final class Cell<S> {
  private static final @Nullable Object[] NONE = {};

  final String key;
  // As in the table; version 0 where there is no row.
  long readVersion;
  int xmin;
  // As judged so far.
  @Nullable Slot<S> slot;
  @Nullable Object[] values = NONE;
  boolean changed;
  // Whether it was read by an earlier batch, and whether a verdict of this one rests on it.
  boolean cached;
  boolean relied;

  Cell(String key) {
    this.key = key;
  }

  Cell(String key, Slot<S> slot, int xmin) {
    this.key = key;
    this.slot = slot;
    this.readVersion = slot.version();
    this.xmin = xmin;
  }

  boolean isStored() {
    return readVersion != 0;
  }

  /** The version of what was judged last. */
  long version() {
    return Objects.requireNonNull(slot).version();
  }

  /** The transaction that wrote it is committed. */
  void committed(int xid) {
    if (changed) {
      readVersion = slot == null ? 0 : slot.version();
      xmin = xid;
    }
    values = NONE;
    changed = false;
    cached = true;
    relied = false;
  }
}
