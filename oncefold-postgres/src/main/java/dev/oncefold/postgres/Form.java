package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How the values of one type stand in a column. What it takes the column gives back equal; anything
 * else is a {@link CodecException}.
 *
 * @param type the column's type
 * @param store makes the column's value
 * @param restore makes the value again
 */
record Form(Columns.Type type, Function<Object, Object> store, Function<Object, Object> restore) {
  // What numeric can hold: digits before and behind the point.
  private static final int MOST_WHOLE = 131_072;
  private static final int MOST_SCALE = 16_383;
  // What timestamptz can hold: from 4713 BC, up to the year 294276.
  static final Instant FIRST = Instant.parse("-4712-01-01T00:00:00Z");
  static final Instant LAST = Instant.parse("+294276-12-31T23:59:59.999999Z");

  private static final Map<Class<?>, Form> BASIC = new HashMap<>();

  static {
    whole(byte.class, Byte.class, n -> (byte) in(n, Byte.MIN_VALUE, Byte.MAX_VALUE));
    whole(short.class, Short.class, n -> (short) in(n, Short.MIN_VALUE, Short.MAX_VALUE));
    whole(int.class, Integer.class, n -> (int) in(n, Integer.MIN_VALUE, Integer.MAX_VALUE));
    whole(long.class, Long.class, n -> n);
    Form bool = new Form(Columns.Type.BOOLEAN, b -> b, b -> b);
    BASIC.put(boolean.class, bool);
    BASIC.put(Boolean.class, bool);
    Form doubles = new Form(Columns.Type.DOUBLE, d -> d, d -> d);
    BASIC.put(double.class, doubles);
    BASIC.put(Double.class, doubles);
    Form floats =
        new Form(Columns.Type.DOUBLE, f -> ((Float) f).doubleValue(), d -> single((Double) d));
    BASIC.put(float.class, floats);
    BASIC.put(Float.class, floats);
    BASIC.put(
        BigDecimal.class, new Form(Columns.Type.NUMERIC, d -> checked((BigDecimal) d), d -> d));
    BASIC.put(
        BigInteger.class,
        new Form(
            Columns.Type.NUMERIC,
            i -> checked(new BigDecimal((BigInteger) i)),
            d -> ((BigDecimal) d).toBigIntegerExact()));
    text(String.class, s -> s);
    text(UUID.class, UUID::fromString);
    text(Duration.class, Duration::parse);
    text(LocalDate.class, LocalDate::parse);
    text(char.class, Form::single);
    text(Character.class, Form::single);
    BASIC.put(Instant.class, new Form(Columns.Type.TIMESTAMPTZ, t -> checked((Instant) t), t -> t));
  }

  private static void whole(Class<?> primitive, Class<?> box, Function<Long, Object> narrow) {
    Form form =
        new Form(Columns.Type.BIGINT, n -> ((Number) n).longValue(), n -> narrow.apply((Long) n));
    BASIC.put(primitive, form);
    BASIC.put(box, form);
  }

  private static void text(Class<?> type, Function<String, Object> parse) {
    BASIC.put(
        type,
        new Form(
            Columns.Type.TEXT,
            value -> Text.checked("the text", value.toString()),
            text -> parse.apply((String) text)));
  }

  /** The form of a type that has a column type of its own; null where there is none. */
  static @Nullable Form basic(Class<?> type) {
    if (type.isEnum()) {
      return new Form(
          Columns.Type.TEXT,
          value -> ((Enum<?>) value).name(),
          text -> constant(type, (String) text));
    }
    return BASIC.get(type);
  }

  /** The form of anything that is nested: as JSON. */
  static Form json(Type type) {
    Json json = new Json(type);
    return new Form(Columns.Type.JSONB, json::text, text -> json.value((String) text));
  }

  private static long in(long n, long least, long most) {
    if (n < least || n > most) {
      throw new CodecException(n + " is not between " + least + " and " + most);
    }
    return n;
  }

  private static Object single(Double d) {
    float f = d.floatValue();
    if (Double.compare(f, d) != 0) {
      throw new CodecException(d + " is no float");
    }
    return f;
  }

  private static Object single(String text) {
    if (text.length() != 1) {
      throw new CodecException("\"" + text + "\" is no single character");
    }
    return text.charAt(0);
  }

  private static Object constant(Class<?> type, String name) {
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equals(name)) {
        return constant;
      }
    }
    throw new CodecException("\"" + name + "\" is no constant of " + type.getName());
  }

  /** A number that numeric gives back as it is. */
  static BigDecimal checked(BigDecimal number) {
    if (number.scale() < 0) {
      throw new CodecException(
          number
              + " has a negative scale, which PostgreSQL would not keep: setScale(0) makes it a plain"
              + " number");
    }
    if (number.scale() > MOST_SCALE || number.precision() - number.scale() > MOST_WHOLE) {
      throw new CodecException(
          "a number of " + number.precision() + " digits is too long for PostgreSQL");
    }
    return number;
  }

  private static Instant checked(Instant time) {
    if (!time.truncatedTo(ChronoUnit.MICROS).equals(time)) {
      throw new CodecException(
          time + " is finer than a microsecond, and PostgreSQL would round it: truncate it");
    }
    if (time.isBefore(FIRST) || time.isAfter(LAST)) {
      throw new CodecException(time + " is not between " + FIRST + " and " + LAST);
    }
    return time;
  }
}
