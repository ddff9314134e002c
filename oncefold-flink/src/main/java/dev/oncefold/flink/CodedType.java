package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import java.io.Serializable;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.jspecify.annotations.Nullable;

/** What Flink needs to know of immutable values that the fold's codecs write. */
final class CodedType<T> extends TypeInformation<T> {
  private static final long serialVersionUID = 1;

  private final Class<T> type;
  private final Form<T> form;

  /**
   * How values are written.
   *
   * @param <T> the type of the values
   */
  interface Form<T> extends Serializable {
    /** Describes the form completely. */
    String schema();

    void write(T value, Encoder out);

    T read(Decoder in);
  }

  @SuppressWarnings("unchecked") // the class of a generic type is that of its raw type
  CodedType(Class<? super T> type, Form<T> form) {
    this.type = (Class<T>) type;
    this.form = form;
  }

  @Override
  public TypeSerializer<T> createSerializer(SerializerConfig config) {
    return new CodedSerializer<>(form);
  }

  @Override
  public boolean isBasicType() {
    return false;
  }

  @Override
  public boolean isTupleType() {
    return false;
  }

  @Override
  public int getArity() {
    return 1;
  }

  @Override
  public int getTotalFields() {
    return 1;
  }

  @Override
  public Class<T> getTypeClass() {
    return type;
  }

  @Override
  public boolean isKeyType() {
    return false;
  }

  @Override
  public String toString() {
    return "CodedType[" + type.getSimpleName() + "]";
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CodedType<?> coded && type.equals(coded.type);
  }

  @Override
  public int hashCode() {
    return type.hashCode();
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof CodedType;
  }
}
