package dev.oncefold.flink;

import dev.oncefold.Slot;
import java.util.Objects;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * What a backend holds of one key: bytes as they were stored, or where it keeps objects, what they
 * say. What the bytes mean is the fold's business ({@link Slots}), so a backend restores them
 * without knowing the fold or its version. Immutable: a checkpoint may write it in another thread.
 */
final class Cell<S> {
  private final byte @Nullable [] stored;
  private final @Nullable Slots<S> form;
  private final @Nullable S state;
  private final long version;
  private final int pages;
  private final long due;

  /** As it was stored: {@link Slots#open} reads it. */
  Cell(byte[] stored) {
    this(stored, null, null, 0, 0, 0);
  }

  /**
   * What is known.
   *
   * @param form writes it
   * @param state the key's state; null where it has none
   * @param version the state's version; 0 where it has none
   * @param pages in how many pages the ids are that are remembered for the key
   * @param due the time of the latest timer of the key that is to come; 0 where there is none
   */
  Cell(Slots<S> form, @Nullable S state, long version, int pages, long due) {
    this(null, form, state, version, pages, due);
  }

  private Cell(
      byte @Nullable [] stored,
      @Nullable Slots<S> form,
      @Nullable S state,
      long version,
      int pages,
      long due) {
    this.stored = stored;
    this.form = form;
    this.state = state;
    this.version = version;
    this.pages = pages;
    this.due = due;
  }

  /**
   * As it is stored. They are made when they are asked for, which is once per checkpoint where the
   * backend keeps objects, and at each event elsewhere.
   */
  byte[] bytes() {
    if (form != null) {
      return form.bytes(this);
    }
    return Objects.requireNonNull(stored);
  }

  /** Whether more is known of it than the bytes. */
  boolean isOpen() {
    return form != null;
  }

  @Nullable S state() {
    return state;
  }

  /** The state's version; 0 where there is none. */
  long version() {
    return version;
  }

  @Nullable Slot<S> slot() {
    return state == null ? null : new Slot<>(state, version);
  }

  int pages() {
    return pages;
  }

  long due() {
    return due;
  }

  /** Writes the bytes. */
  static final class Serializer<S> extends BytesSerializer<Cell<S>> {
    private static final long serialVersionUID = 1;

    @Override
    byte[] bytes(Cell<S> cell) {
      return cell.bytes();
    }

    @Override
    Cell<S> of(byte[] bytes) {
      return new Cell<>(bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Serializer;
    }

    @Override
    public int hashCode() {
      return Serializer.class.hashCode();
    }

    @Override
    public TypeSerializerSnapshot<Cell<S>> snapshotConfiguration() {
      return new Snapshot<>();
    }
  }

  /** The form of the bytes around the fold's own; never changes. */
  public static final class Snapshot<S> extends SimpleTypeSerializerSnapshot<Cell<S>> {
    /** For Flink. */
    public Snapshot() {
      super(Serializer::new);
    }
  }
}
