package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.SipHash;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.util.InstantiationUtil;
import org.jspecify.annotations.Nullable;

/**
 * Writes immutable values by a form of the project's. Each value names the schema it was written
 * in, and is read in that one alone: what an unaligned checkpoint holds of another version's stops
 * the job. Not thread-safe; Flink duplicates it.
 */
final class CodedSerializer<T> extends BytesSerializer<T> {
  private static final long serialVersionUID = 1;

  private static final int BUFFER = 64 << 10;

  private final CodedType.Form<T> form;
  private transient @Nullable Encoder scratch;
  private transient byte @Nullable [] buffer;
  private transient long schema;

  CodedSerializer(CodedType.Form<T> form) {
    this.form = form;
  }

  private Encoder scratch() {
    Encoder open = scratch;
    if (open == null) {
      open = new Encoder();
      scratch = open;
      schema = hash(form.schema());
    }
    open.truncate(0);
    return open;
  }

  /** What a codec makes of bytes keeps nothing of them, so they are read into one array. */
  private byte[] buffer() {
    byte[] open = buffer;
    if (open == null) {
      open = new byte[BUFFER];
      buffer = open;
    }
    return open;
  }

  private static long hash(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return new SipHash(0, 0).hash(bytes, 0, bytes.length);
  }

  private Encoder encoded(T value) {
    Encoder out = scratch();
    out.writeLong(schema);
    form.write(value, out);
    return out;
  }

  @Override
  byte[] bytes(T value) {
    return encoded(value).toByteArray();
  }

  @Override
  T of(byte[] bytes) {
    return read(new Decoder(bytes));
  }

  private T read(Decoder in) {
    scratch();
    if (in.readLong() != schema) {
      throw new FlinkFoldException(
          "a record on its way to the fold, or from it, was written in another schema than this"
              + " version of the fold has: it comes from an unaligned checkpoint, or waits since"
              + " the fold stopped. Let the version that wrote it take a savepoint, and start from"
              + " that");
    }
    return form.read(in);
  }

  @Override
  public void serialize(T value, DataOutputView target) throws IOException {
    Encoder out = encoded(value);
    target.writeInt(out.length());
    target.write(out.array(), 0, out.length());
  }

  @Override
  public T deserialize(DataInputView source) throws IOException {
    int length = source.readInt();
    byte[] bytes = length > BUFFER ? new byte[length] : buffer();
    source.readFully(bytes, 0, length);
    return read(new Decoder(bytes, 0, length));
  }

  @Override
  public TypeSerializer<T> duplicate() {
    return new CodedSerializer<>(form);
  }

  @Override
  @SuppressWarnings("NullAway") // there is no empty value, and Flink allows null here
  public T createInstance() {
    return null;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CodedSerializer<?> coded && form.schema().equals(coded.form.schema());
  }

  @Override
  public int hashCode() {
    return form.schema().hashCode();
  }

  @Override
  public TypeSerializerSnapshot<T> snapshotConfiguration() {
    return new Snapshot<>(form);
  }

  /** For jobs that keep outputs or refusals in state of their own. */
  public static final class Snapshot<T> implements TypeSerializerSnapshot<T> {
    private CodedType.@Nullable Form<T> form;

    /** For Flink, which reads it then. */
    public Snapshot() {}

    private Snapshot(CodedType.Form<T> form) {
      this.form = form;
    }

    private CodedType.Form<T> form() {
      if (form == null) {
        throw new IllegalStateException("not read yet");
      }
      return form;
    }

    @Override
    public int getCurrentVersion() {
      return 1;
    }

    @Override
    public void writeSnapshot(DataOutputView out) throws IOException {
      byte[] bytes = InstantiationUtil.serializeObject(form());
      out.writeInt(bytes.length);
      out.write(bytes);
    }

    @Override
    public void readSnapshot(int version, DataInputView in, ClassLoader loader) throws IOException {
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      try {
        form = InstantiationUtil.deserializeObject(bytes, loader);
      } catch (ClassNotFoundException e) {
        throw new IOException(e);
      }
    }

    @Override
    public TypeSerializer<T> restoreSerializer() {
      return new CodedSerializer<>(form());
    }

    @Override
    public TypeSerializerSchemaCompatibility<T> resolveSchemaCompatibility(
        TypeSerializerSnapshot<T> old) {
      return old instanceof Snapshot<T> before && before.form().schema().equals(form().schema())
          ? TypeSerializerSchemaCompatibility.compatibleAsIs()
          : TypeSerializerSchemaCompatibility.incompatible();
    }
  }
}
