package dev.oncefold;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The default codec. {@link Codec#of(Class)} says what it covers; this is its format.
 *
 * <h2>The schema</h2>
 *
 * <pre>{@code
 * schema     = basic | definition { ";" definition }    the first one is the type of the values
 * definition = name "{" [ field { "," field } ] "}"     a record: its components in order
 *            | name "[" name { "," name } "]"           a sealed interface: its records and enums
 *            | name "(" [ word { "," word } ] ")"       an enum: its constants in order
 * field      = word ":" type
 * type       = basic | name | "List<" type ">"
 * name       = word { "." word }                        with the package only where it is needed
 * word       = one or more of the characters of a Java identifier
 * basic      = "boolean" | "byte" | "short" | "int" | "long" | "char" | "float" | "double"
 *            | "Boolean" | "Byte" | "Short" | "Integer" | "Long" | "Character" | "Float" | "Double"
 *            | "String" | "BigInteger" | "BigDecimal" | "Instant" | "LocalDate" | "Duration"
 *            | "UUID"
 * }</pre>
 *
 * <p>There are no spaces. Each named type is defined once: first that of the values, then the ones
 * that it names, then the ones that those name, in the order of their first mention. Types go by
 * their simple names, so that moving a package breaks nothing. Those that share one with each other
 * or with a basic type go by their canonical names.
 *
 * <p>For example:
 *
 * <pre>{@code
 * Account{cents:long,payments:long}
 * Order{id:String,lines:List<Line>,state:State};Line{sku:String,count:int};State(OPEN,PAID)
 * Tree[Leaf,Node];Leaf{value:BigDecimal};Node{left:Tree,right:Tree}
 * }</pre>
 *
 * <h2>The bytes</h2>
 *
 * <p>Unsigned, signed, string and so on are as {@link Encoder} writes them.
 *
 * <ul>
 *   <li>boolean: a byte of 0 or 1. byte: a byte. short, int, long: signed. char: unsigned. float:
 *       four bytes. double: eight bytes. In both every NaN is the same, and -0.0 is not 0.0
 *   <li>String: a string
 *   <li>BigInteger: the count of bytes, unsigned, and as few bytes of the two's complement as will
 *       do. BigDecimal: the unscaled BigInteger, and the scale, signed
 *   <li>Instant, Duration: seconds, signed, and nanoseconds, unsigned. LocalDate: the day of the
 *       epoch, signed. UUID: 16 bytes
 *   <li>a record: its components, in the order of the schema. An enum: the index of the constant in
 *       the schema, unsigned. A sealed interface: the index of the variant in the schema, unsigned,
 *       and the variant. A list: its size, unsigned, and its elements
 *   <li>a component or element that is not a primitive may be null. For strings, enums, sealed
 *       interfaces and lists, null is an unsigned 0, and the number that the form above starts with
 *       is one more. For all others a byte goes before: 0 for null, 1 for a value
 * </ul>
 *
 * @param <T> the type of the values
 */
final class RecordCodec<T> implements Codec<T> {
  // The functions made for a class live as long as the class. To ask twice must not make them
  // twice.
  private static final ClassValue<RecordCodec<?>> CODECS =
      new ClassValue<>() {
        @Override
        protected RecordCodec<?> computeValue(Class<?> type) {
          return new RecordCodec<>(type);
        }
      };

  // What messages call the type.
  private final String type;
  private final Shapes shapes;
  private final Reader reader;
  private final RecordCodec<T> current;

  private RecordCodec(Class<T> type) {
    this(type.getSimpleName(), new Shapes(type));
  }

  private RecordCodec(String type, Shapes shapes) {
    this.type = type;
    this.shapes = shapes;
    this.reader = Reader.resolve(Schema.parse(shapes.schema()), shapes, null);
    this.current = this;
  }

  private RecordCodec(RecordCodec<T> current, Reader reader) {
    this.type = current.type;
    this.shapes = current.shapes;
    this.reader = reader;
    this.current = current;
  }

  @SuppressWarnings("unchecked")
  static <T> RecordCodec<T> of(Class<T> type) {
    // A class of Java itself outlives the loader of this one: kept there, the codec would pin it.
    return type.getClassLoader() == null
        ? new RecordCodec<>(type)
        : (RecordCodec<T>) CODECS.get(type);
  }

  static RecordCodec<Row> of(Row.Type rows) {
    return new RecordCodec<>(rows.name(), new Shapes(rows));
  }

  @Override
  public String schema() {
    return shapes.schema();
  }

  @Override
  public void encode(T value, Encoder out) {
    write(shapes.root(), type, value, out);
  }

  @Override
  @SuppressWarnings("unchecked")
  public T decode(Decoder in) {
    try {
      // Not type.cast: for int.class the value is an Integer.
      return (T) reader.read(in, 0);
    } catch (CodecException e) {
      throw e.at(type);
    }
  }

  @Override
  public Codec<T> reading(String writtenSchema, @Nullable T defaults) {
    if (writtenSchema.equals(schema())) {
      return current;
    }
    try {
      return new RecordCodec<>(
          current, Reader.resolve(Schema.parse(writtenSchema), shapes, defaults));
    } catch (CodecException e) {
      throw e.at(type);
    }
  }

  @Override
  public Codec<T> only(String... fields) {
    if (!(shapes.root() instanceof Shape.OfRecord record)) {
      return Codec.super.only(fields);
    }
    List<String> known = new ArrayList<>();
    for (int i = 0; i < record.size(); i++) {
      known.add(record.component(i).name());
    }
    for (String field : fields) {
      if (!known.contains(field)) {
        throw new IllegalArgumentException(
            record + " has no field \"" + field + "\": it has " + String.join(", ", known));
      }
    }
    if (fields.length == 0) {
      throw new IllegalArgumentException(
          "name a field of " + record + ": it has " + String.join(", ", known));
    }
    return new Narrowed<>(type, record, new HashSet<>(List.of(fields)));
  }

  @Override
  public String toString() {
    return "Codec[" + schema() + "]";
  }

  private static void write(Shape shape, String type, @Nullable Object value, Encoder out) {
    if (value == null) {
      throw new CodecException("is null").at(type);
    }
    try {
      shape.write(value, out, 0);
    } catch (RuntimeException e) {
      throw CodecException.of("cannot be written", e).at(type);
    }
  }

  /** Writes some components of a record. */
  private static final class Narrowed<T> implements Codec<T> {
    private final String type;
    private final Shape.OfRecord record;
    private final String schema;

    Narrowed(String type, Shape.OfRecord whole, Set<String> fields) {
      List<Component> components = new ArrayList<>();
      for (int i = 0; i < whole.size(); i++) {
        if (fields.contains(whole.component(i).name())) {
          components.add(whole.component(i));
        }
      }
      this.type = type;
      this.record = new Shape.OfRecord(whole.type());
      // A name of its own: a component may hold the whole record.
      this.record.qualify(whole + ".only");
      this.record.complete(components, null);
      this.schema = Shapes.schema(record);
    }

    @Override
    public String schema() {
      return schema;
    }

    @Override
    public void encode(T value, Encoder out) {
      write(record, type, value, out);
    }

    @Override
    public T decode(Decoder in) {
      throw new UnsupportedOperationException(
          "what was written of only some fields cannot be read: " + schema);
    }

    @Override
    public String toString() {
      return "Codec[" + schema + "]";
    }
  }
}
