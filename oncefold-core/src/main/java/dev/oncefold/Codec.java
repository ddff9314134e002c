package dev.oncefold;

import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How the values of one type become bytes and back. It is canonical: equal values give equal bytes,
 * and {@code decode} of what {@code encode} wrote gives an equal value.
 *
 * <p>Codecs are immutable and safe for use by several threads at once, each with its own {@link
 * Encoder} and {@link Decoder}.
 *
 * @param <T> the type of the values
 */
public interface Codec<T> {
  /**
   * A text that describes the format completely. It is stored beside the data; as long as it is the
   * same, what was written can be read.
   *
   * @return the schema
   */
  String schema();

  /**
   * Writes a value.
   *
   * @param value the value
   * @param out takes the bytes; after an exception it may hold a part of them
   * @throws CodecException if the value cannot be written; a user's own codec may throw any other
   *     RuntimeException
   */
  void encode(T value, Encoder out);

  /**
   * Reads a value, and no byte after it: what follows is the caller's business. The value keeps
   * nothing of {@link Decoder#array}, which is filled anew for the next one.
   *
   * @param in gives the bytes
   * @return the value, equal to the one written
   * @throws CodecException if the bytes are not what {@link #encode} writes
   */
  T decode(Decoder in);

  /**
   * A codec that reads what was written under another schema, and writes under this one: its schema
   * is this one's. Codecs for which that cannot be done refuse every schema but their own, as this
   * default does.
   *
   * @param writtenSchema the schema of what is stored
   * @param defaults gives the fields that were added since, or null if there is no such value
   * @return the codec
   * @throws CodecException if what is stored cannot be read by this codec without losing some of
   *     it, or if the schema is malformed
   */
  default Codec<T> reading(String writtenSchema, @Nullable T defaults) {
    if (writtenSchema.equals(schema())) {
      return this;
    }
    throw new CodecException(
        "what is stored was written as \""
            + writtenSchema
            + "\", and this codec reads \""
            + schema()
            + "\" only");
  }

  /**
   * A codec that writes only some fields of a record, in the order in which the record declares
   * them: for what tells a re-send from a conflict. It cannot read: its {@code decode} throws
   * {@link UnsupportedOperationException}.
   *
   * @param fields the names of record components; naming one twice changes nothing
   * @return the codec, whose schema holds only those fields
   * @throws IllegalArgumentException if this is not the default codec of a record, as with this
   *     default, or if there is no such field, or none is named
   */
  default Codec<T> only(String... fields) {
    throw new IllegalArgumentException(
        "only the default codec of a record can be narrowed to some of its fields");
  }

  /**
   * The default codec. It covers records, sealed interfaces whose variants are records, enums or
   * further such interfaces, enums, the primitives and their boxes, String, BigDecimal, BigInteger,
   * Instant, LocalDate, Duration, UUID, and within a record a {@code List} of any of these or of
   * lists. A record may contain itself. Every reference inside a value may be null, in lists too; a
   * value itself may not.
   *
   * <p>Values may nest 64 deep, counting records and lists; deeper ones throw {@link
   * CodecException}. Records are taken apart by their accessors and made by their canonical
   * constructors, lists are read as unmodifiable ones. A BigDecimal keeps its scale: 1.0 and 1.00
   * are different values.
   *
   * <p>Of a schema the codec reads another version (see {@link #reading}) if records, fields, enums
   * and constants go by the same names. Their order and the packages do not matter. Then
   *
   * <ul>
   *   <li>a field that was added gets the value it has in {@code defaults}: for the record itself,
   *       and for a record in a field of it that is not null there. Otherwise it is null if its
   *       component is annotated with a {@code Nullable} of any package that is kept at run time;
   *       otherwise the schema is refused;
   *   <li>a field's whole number may become a wider one: byte, short, int, long, in this order, and
   *       a primitive may become its box or a wider one, but no box a primitive. This holds for the
   *       elements of lists too;
   *   <li>variants and constants may be added;
   *   <li>anything else is refused: a field, variant or constant that is gone, a field of another
   *       type, a renamed type.
   * </ul>
   *
   * @param type the class of the values
   * @return the codec
   * @param <T> the type of the values
   * @throws IllegalArgumentException if the type or something in it is not covered, naming the type
   *     and record component and what to use instead; or if a record is in a module that does not
   *     open its package
   */
  static <T> Codec<T> of(Class<T> type) {
    return RecordCodec.of(type);
  }

  /**
   * The default codec of rows: as for a record with the columns as its components, in the same
   * bytes and with the same rules for reading another version. A value that is null though its
   * column may not be, or of another type than its column's, throws {@link CodecException}.
   *
   * @param type the columns
   * @return the codec
   */
  static Codec<Row> of(Row.Type type) {
    return RecordCodec.of(type);
  }

  /**
   * A codec made of two functions, for Jackson, Avro, Protobuf or anything else. The bytes are
   * preceded by their count. It reads no schema but its own.
   *
   * <p>That equal values give equal bytes is up to {@code encode}: sort the keys of JSON. What it
   * throws passes through; what {@code decode} throws is wrapped in {@link CodecException}.
   *
   * @param schema a text that changes whenever the format does
   * @param encode makes bytes of a value
   * @param decode makes a value of bytes
   * @return the codec
   * @param <T> the type of the values
   */
  static <T> Codec<T> of(String schema, Function<T, byte[]> encode, Function<byte[], T> decode) {
    Objects.requireNonNull(schema);
    Objects.requireNonNull(encode);
    Objects.requireNonNull(decode);
    return new Codec<>() {
      @Override
      public String schema() {
        return schema;
      }

      @Override
      public void encode(T value, Encoder out) {
        byte[] bytes = encode.apply(value);
        if (bytes == null) {
          throw new CodecException("the codec \"" + schema + "\" made null of a value");
        }
        out.writeBytes(bytes);
      }

      @Override
      public T decode(Decoder in) {
        byte[] bytes = in.readBytes();
        T value;
        try {
          value = decode.apply(bytes);
        } catch (RuntimeException e) {
          throw CodecException.of("the codec \"" + schema + "\" cannot read the bytes", e);
        }
        if (value == null) {
          throw new CodecException("the codec \"" + schema + "\" made null of the bytes");
        }
        return value;
      }

      @Override
      public String toString() {
        return "Codec[" + schema + "]";
      }
    };
  }
}
