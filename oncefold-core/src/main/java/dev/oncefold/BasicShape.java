package dev.oncefold;

import java.lang.invoke.MethodType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A type that stands for itself in a schema, under the simple name that Java gives it. */
final class BasicShape extends Shape implements Reader {
  private static final List<BasicShape> ALL = new ArrayList<>();
  private static final Map<String, BasicShape> BY_NAME = new HashMap<>();
  private static final Map<Class<?>, BasicShape> BY_TYPE = new HashMap<>();

  static {
    pair(boolean.class, Boolean.class, 0, (b, out) -> out.writeBoolean(b), Decoder::readBoolean);
    pair(byte.class, Byte.class, 1, (b, out) -> out.writeByte(b), in -> (byte) in.readByte());
    pair(short.class, Short.class, 2, (n, out) -> out.writeSigned(n), BasicShape::readShort);
    pair(int.class, Integer.class, 3, (n, out) -> out.writeSigned(n), BasicShape::readInt);
    pair(long.class, Long.class, 4, (n, out) -> out.writeSigned(n), Decoder::readSigned);
    pair(char.class, Character.class, 0, (c, out) -> out.writeUnsigned(c), BasicShape::readChar);
    pair(float.class, Float.class, 0, BasicShape::writeFloat, BasicShape::readFloat);
    pair(double.class, Double.class, 0, (n, out) -> out.writeDouble(n), Decoder::readDouble);
    add(String.class, 0, (s, out) -> out.writeString(s), Decoder::readString);
    add(BigInteger.class, 0, BasicShape::writeInteger, BasicShape::readInteger);
    add(BigDecimal.class, 0, BasicShape::writeDecimal, BasicShape::readDecimal);
    add(Instant.class, 0, (t, out) -> out.writeInstant(t), Decoder::readInstant);
    add(LocalDate.class, 0, (d, out) -> out.writeSigned(d.toEpochDay()), BasicShape::readDate);
    add(Duration.class, 0, BasicShape::writeDuration, BasicShape::readDuration);
    add(UUID.class, 0, BasicShape::writeUuid, BasicShape::readUuid);
  }

  private final Class<?> type;
  private final int width;
  private final BiConsumer<Object, Encoder> writer;
  private final Function<Decoder, Object> reader;

  private BasicShape(
      Class<?> type,
      int width,
      BiConsumer<Object, Encoder> writer,
      Function<Decoder, Object> reader) {
    this.type = type;
    this.width = width;
    this.writer = writer;
    this.reader = reader;
  }

  static @Nullable BasicShape called(String name) {
    return BY_NAME.get(name);
  }

  static @Nullable BasicShape of(Class<?> type) {
    return BY_TYPE.get(type);
  }

  /** The names of all, for a message. */
  static String names() {
    StringBuilder names = new StringBuilder();
    for (BasicShape shape : ALL) {
      names.append(names.isEmpty() ? "" : ", ").append(shape);
    }
    return names.toString();
  }

  Class<?> type() {
    return type;
  }

  boolean isPrimitive() {
    return type.isPrimitive();
  }

  /**
   * Reads a value of this type as one of another. Only what loses nothing is possible: the same
   * type, a primitive as its box, and a whole number as a wider one.
   *
   * @return null if it is not possible
   */
  @Nullable Reader readAs(BasicShape other) {
    if (other == this) {
      return this;
    }
    if (!isPrimitive() && other.isPrimitive()) {
      return null;
    }
    if (MethodType.methodType(type).wrap().returnType() == other.type) {
      return this;
    }
    if (width == 0 || width >= other.width) {
      return null;
    }
    return (in, depth) -> {
      Number number = (Number) read(in, depth);
      return other.width == 2
          ? (Object) number.shortValue()
          : other.width == 3 ? (Object) number.intValue() : (Object) number.longValue();
    };
  }

  @Override
  void write(Object value, Encoder out, int depth) {
    writer.accept(value, out);
  }

  @Override
  void writeNullable(@Nullable Object value, Encoder out, int depth) {
    if (type == String.class) {
      out.writeNullableString((String) value);
    } else {
      super.writeNullable(value, out, depth);
    }
  }

  @Override
  public Object read(Decoder in, int depth) {
    return reader.apply(in);
  }

  @Override
  public @Nullable Object readNullable(Decoder in, int depth) {
    return type == String.class ? in.readNullableString() : Reader.super.readNullable(in, depth);
  }

  @Override
  public String toString() {
    return type.getSimpleName();
  }

  private static <T> void pair(
      Class<T> primitive,
      Class<T> box,
      int width,
      BiConsumer<T, Encoder> writer,
      Function<Decoder, T> reader) {
    add(primitive, width, writer, reader);
    add(box, width, writer, reader);
  }

  @SuppressWarnings("unchecked")
  private static <T> void add(
      Class<T> type, int width, BiConsumer<T, Encoder> writer, Function<Decoder, T> reader) {
    BasicShape shape =
        new BasicShape(
            type, width, (BiConsumer<Object, Encoder>) writer, (Function<Decoder, Object>) reader);
    ALL.add(shape);
    BY_NAME.put(shape.toString(), shape);
    BY_TYPE.put(type, shape);
  }

  private static short readShort(Decoder in) {
    return (short) in.readSigned(Short.MIN_VALUE, Short.MAX_VALUE);
  }

  private static int readInt(Decoder in) {
    return (int) in.readSigned(Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  private static char readChar(Decoder in) {
    long c = in.readUnsigned();
    if (c < 0 || c > Character.MAX_VALUE) {
      throw in.malformed(Long.toUnsignedString(c) + " is not a char");
    }
    return (char) c;
  }

  private static void writeFloat(float value, Encoder out) {
    out.writeInt(Float.floatToIntBits(value));
  }

  private static float readFloat(Decoder in) {
    int bits = in.readInt();
    float value = Float.intBitsToFloat(bits);
    if (Float.floatToIntBits(value) != bits) {
      throw in.malformed("it is a NaN of another form");
    }
    return value;
  }

  private static void writeInteger(BigInteger value, Encoder out) {
    out.writeBytes(value.toByteArray());
  }

  private static BigInteger readInteger(Decoder in) {
    byte[] bytes = in.readBytes();
    if (bytes.length == 0) {
      throw in.malformed("the number has no digits");
    }
    // A first byte that only repeats the sign of the second: the same number in more bytes.
    if (bytes.length > 1 && bytes[0] == bytes[1] >> 7) {
      throw in.malformed("the number is longer than it need be");
    }
    try {
      return new BigInteger(bytes);
    } catch (ArithmeticException e) {
      throw new CodecException("the number is out of the range of BigInteger", e);
    }
  }

  private static void writeDecimal(BigDecimal value, Encoder out) {
    writeInteger(value.unscaledValue(), out);
    out.writeSigned(value.scale());
  }

  private static BigDecimal readDecimal(Decoder in) {
    BigInteger unscaled = readInteger(in);
    return new BigDecimal(unscaled, readInt(in));
  }

  private static LocalDate readDate(Decoder in) {
    long day = in.readSigned();
    try {
      return LocalDate.ofEpochDay(day);
    } catch (DateTimeException e) {
      throw new CodecException("the day " + day + " is out of the range of LocalDate", e);
    }
  }

  private static void writeDuration(Duration value, Encoder out) {
    out.writeSigned(value.getSeconds()).writeUnsigned(value.getNano());
  }

  private static Duration readDuration(Decoder in) {
    long seconds = in.readSigned();
    return Duration.ofSeconds(seconds, in.readNanos());
  }

  private static void writeUuid(UUID value, Encoder out) {
    out.writeLong(value.getMostSignificantBits()).writeLong(value.getLeastSignificantBits());
  }

  private static UUID readUuid(Decoder in) {
    long most = in.readLong();
    return new UUID(most, in.readLong());
  }
}
