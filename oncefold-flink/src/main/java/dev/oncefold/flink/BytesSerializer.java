package dev.oncefold.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * Writes values that never change and are stored as bytes, whose own format says all else. A
 * backend that keeps objects shares them with its snapshots instead of copying them.
 *
 * @param <T> the type of the values
 */
abstract class BytesSerializer<T> extends TypeSerializer<T> {
  private static final long serialVersionUID = 1;

  abstract byte[] bytes(T value);

  abstract T of(byte[] bytes);

  @Override
  public void serialize(T value, DataOutputView target) throws IOException {
    byte[] bytes = bytes(value);
    target.writeInt(bytes.length);
    target.write(bytes);
  }

  @Override
  public T deserialize(DataInputView source) throws IOException {
    byte[] bytes = new byte[source.readInt()];
    source.readFully(bytes);
    return of(bytes);
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
  public TypeSerializer<T> duplicate() {
    return this;
  }

  @Override
  public T createInstance() {
    return of(new byte[0]);
  }

  @Override
  public T copy(T from) {
    return from;
  }

  @Override
  public T copy(T from, T reuse) {
    return from;
  }

  @Override
  public T deserialize(T reuse, DataInputView source) throws IOException {
    return deserialize(source);
  }

  @Override
  public int getLength() {
    return -1;
  }

  /** Of bytes themselves: nobody changes an array that was stored. */
  static final class OfBytes extends BytesSerializer<byte[]> {
    private static final long serialVersionUID = 1;

    @Override
    byte[] bytes(byte[] value) {
      return value;
    }

    @Override
    byte[] of(byte[] bytes) {
      return bytes;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof OfBytes;
    }

    @Override
    public int hashCode() {
      return OfBytes.class.hashCode();
    }

    @Override
    public TypeSerializerSnapshot<byte[]> snapshotConfiguration() {
      return new FormOfBytes();
    }
  }

  /** The form of bytes; never changes. */
  public static final class FormOfBytes extends SimpleTypeSerializerSnapshot<byte[]> {
    /** For Flink. */
    public FormOfBytes() {
      super(OfBytes::new);
    }
  }
}
