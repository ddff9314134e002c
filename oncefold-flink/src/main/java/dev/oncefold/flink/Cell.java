package dev.oncefold.flink;

import dev.oncefold.Slot;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * What a backend holds of one key: the bytes that are stored, and beside them, where it keeps
 * objects, the slot they were made of. What the bytes mean is the fold's business, so a backend
 * restores them without knowing the fold or its version. Immutable.
 */
final class Cell<S> {
  private final byte[] bytes;
  private final @Nullable Slot<S> live;

  Cell(byte[] bytes, @Nullable Slot<S> live) {
    this.bytes = bytes;
    this.live = live;
  }

  byte[] bytes() {
    return bytes;
  }

  /** The slot; null where it was restored, or comes from a backend that keeps bytes. */
  @Nullable Slot<S> live() {
    return live;
  }

  /** Writes the bytes, whose own format says all else. */
  static final class Serializer<S> extends TypeSerializer<Cell<S>> {
    private static final long serialVersionUID = 1;

    @Override
    public void serialize(Cell<S> cell, DataOutputView target) throws IOException {
      target.writeInt(cell.bytes.length);
      target.write(cell.bytes);
    }

    @Override
    public Cell<S> deserialize(DataInputView source) throws IOException {
      byte[] bytes = new byte[source.readInt()];
      source.readFully(bytes);
      return new Cell<>(bytes, null);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
      int length = source.readInt();
      target.writeInt(length);
      target.write(source, length);
    }

    @Override
    public boolean isImmutableType() {
      return true;
    }

    @Override
    public TypeSerializer<Cell<S>> duplicate() {
      return this;
    }

    @Override
    public Cell<S> createInstance() {
      return new Cell<>(new byte[0], null);
    }

    @Override
    public Cell<S> copy(Cell<S> from) {
      return from;
    }

    @Override
    public Cell<S> copy(Cell<S> from, Cell<S> reuse) {
      return from;
    }

    @Override
    public Cell<S> deserialize(Cell<S> reuse, DataInputView source) throws IOException {
      return deserialize(source);
    }

    @Override
    public int getLength() {
      return -1;
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
