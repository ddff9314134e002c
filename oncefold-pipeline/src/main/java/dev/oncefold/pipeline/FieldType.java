package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.cel.common.types.CelType;
import dev.cel.common.types.NullableType;
import dev.cel.common.types.OpaqueType;
import dev.cel.common.types.SimpleType;
import dev.oncefold.FailureException;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The type of a field of events or of the state. Reads values from text and from JSON. Nothing is
 * rounded, cut or wrapped: what does not fit throws {@link FailureException} with the reason.
 *
 * @param kind what kind of values
 * @param scale how many digits a decimal has behind the point
 * @param optional whether it may be missing or null
 */
record FieldType(Kind kind, int scale, boolean optional) {
  static final FieldType STRING = new FieldType(Kind.STRING, 0, false);
  static final FieldType INT = new FieldType(Kind.INT, 0, false);
  static final FieldType DOUBLE = new FieldType(Kind.DOUBLE, 0, false);
  static final FieldType BOOL = new FieldType(Kind.BOOL, 0, false);
  static final FieldType TIME = new FieldType(Kind.TIME, 0, false);

  /** The most digits behind the point of a decimal. */
  static final int MAX_SCALE = 18;

  /** The most digits of a decimal. */
  static final int MAX_DIGITS = 38;

  private static final Pattern SYNTAX =
      Pattern.compile("(string|int|double|bool|time|decimal\\((\\d{1,3})\\))(\\?)?");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d{1,9})?");
  private static final int TOLD = 60;
  // No number that fits is longer, but for zeros in front of it.
  private static final int MAX_TEXT = 200;

  /** What there is. */
  static final String ALL =
      "string, int, double, bool, time, decimal(2); with ? if it may be missing";

  /** Kinds of values. */
  enum Kind {
    STRING(String.class, String.class, SimpleType.STRING),
    INT(long.class, Long.class, SimpleType.INT),
    DOUBLE(double.class, Double.class, SimpleType.DOUBLE),
    BOOL(boolean.class, Boolean.class, SimpleType.BOOL),
    TIME(Instant.class, Instant.class, SimpleType.TIMESTAMP),
    DECIMAL(BigDecimal.class, BigDecimal.class, SimpleType.DYN);

    private final Class<?> required;
    private final Class<?> optional;
    private final CelType cel;

    Kind(Class<?> required, Class<?> optional, CelType cel) {
      this.required = required;
      this.optional = optional;
      this.cel = cel;
    }
  }

  /** What a text says, or null where it is no type. */
  static @Nullable FieldType parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    boolean optional = matcher.group(3) != null;
    if (matcher.group(2) != null) {
      int scale = Integer.parseInt(matcher.group(2));
      return scale > MAX_SCALE ? null : new FieldType(Kind.DECIMAL, scale, optional);
    }
    return new FieldType(Kind.valueOf(upper(matcher.group(1))), 0, optional);
  }

  private static String upper(String word) {
    return word.toUpperCase(Locale.ROOT);
  }

  Class<?> javaType() {
    return optional ? kind.optional : kind.required;
  }

  CelType celType() {
    if (kind == Kind.DECIMAL) {
      // Types with parameters may be null for CEL in any case.
      return decimal(scale);
    }
    return optional ? NullableType.create(kind.cel) : kind.cel;
  }

  /** The type of decimals of one scale. Those of two scales are different types. */
  static CelType decimal(int scale) {
    return OpaqueType.create("decimal", OpaqueType.create(String.valueOf(scale)));
  }

  @Override
  public String toString() {
    String name =
        kind == Kind.DECIMAL ? "decimal(" + scale + ")" : kind.name().toLowerCase(Locale.ROOT);
    return optional ? name + "?" : name;
  }

  /** The type of a value that is there. */
  private String told() {
    return optional ? new FieldType(kind, scale, false).toString() : toString();
  }

  // ---------------------------------------------------------------- from text

  /** The value of a text. */
  Object fromText(String text) {
    if (kind == Kind.STRING) {
      return text;
    }
    if (!text.isEmpty()
        && (Character.isWhitespace(text.charAt(0))
            || Character.isWhitespace(text.charAt(text.length() - 1)))) {
      throw new FailureException(
          quoted(text) + " has spaces around it (csv: {trim: true} takes them away)");
    }
    return switch (kind) {
      case INT -> intOf(text);
      case DOUBLE -> doubleOf(text);
      case BOOL -> boolOf(text);
      case TIME -> timeOf(text);
      case DECIMAL -> decimalOf(text);
      case STRING -> text;
    };
  }

  private static Long intOf(String text) {
    try {
      // Java takes the digits of every script, but no other program might.
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) > '9') {
          throw new NumberFormatException();
        }
      }
      return Long.valueOf(text);
    } catch (NumberFormatException e) {
      throw new FailureException(
          text.matches("[+-]?[0-9]+")
              ? quoted(text) + " does not fit into the 64 bits of an int"
              : quoted(text) + " is no int: digits only, and a - before them");
    }
  }

  private static Double doubleOf(String text) {
    if (!NUMBER.matcher(text).matches()) {
      throw new FailureException(quoted(text) + " is no number");
    }
    double value = Double.parseDouble(text);
    if (Double.isInfinite(value)) {
      throw new FailureException(quoted(text) + " is too large for a double");
    } else if (value == 0 && text.matches("[^eE]*[1-9].*")) {
      throw new FailureException(quoted(text) + " is too small for a double");
    }
    return value;
  }

  private static Boolean boolOf(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new FailureException(quoted(text) + " is no bool: true or false");
    };
  }

  static Instant timeOf(String text) {
    Instant simple = Timestamps.simple(text);
    if (simple != null) {
      return simple;
    }
    try {
      return DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from);
    } catch (DateTimeException e) {
      throw new FailureException(
          quoted(text)
              + " is no time such as 2026-01-31T12:00:00Z; declare it a string and read it by its"
              + " pattern");
    }
  }

  BigDecimal decimalOf(String text) {
    if (text.length() > MAX_TEXT) {
      throw new FailureException(quoted(text) + " has too many digits for a " + told());
    }
    if (!NUMBER.matcher(text).matches()) {
      throw new FailureException(
          quoted(text) + " is no " + told() + (text.contains(",") ? ": the point is a \".\"" : ""));
    }
    return fitting(new BigDecimal(text), scale);
  }

  /** A decimal in a scale, where no digit is lost by that. */
  static BigDecimal fitting(BigDecimal value, int scale) {
    if (value.signum() == 0) {
      return BigDecimal.valueOf(0, scale);
    }
    // First of all: a number such as 1e999999999 must not be written out.
    if ((long) value.precision() - value.scale() > MAX_DIGITS - scale) {
      throw new FailureException(
          (value.precision() > TOLD ? "the number" : value)
              + " has too many digits: a decimal("
              + scale
              + ") has at most "
              + (MAX_DIGITS - scale)
              + " before the point");
    }
    if (value.scale() == scale) {
      return value;
    }
    if ((long) value.scale() - value.precision() + 1 > scale) {
      // 1e-999999999 must not be written out either.
      throw new FailureException(
          (value.precision() > TOLD ? "the number" : value)
              + " has more than "
              + scale
              + " digits behind the point");
    }
    try {
      return value.setScale(scale);
    } catch (ArithmeticException e) {
      throw new FailureException(
          value.toPlainString().length() > TOLD
              ? "the number has more than " + scale + " digits behind the point"
              : value.toPlainString() + " has more than " + scale + " digits behind the point");
    }
  }

  /** A text in quotes, cut off where it is long. */
  static String quoted(String text) {
    return text.length() > TOLD ? "\"" + text.substring(0, TOLD) + "…\"" : "\"" + text + "\"";
  }

  // ---------------------------------------------------------------- from JSON

  /** The value of the token that a parser is at; null for null. */
  @Nullable Object fromJson(JsonParser json) throws IOException {
    JsonToken token = json.currentToken();
    if (token == JsonToken.VALUE_NULL) {
      return null;
    }
    switch (kind) {
      case STRING -> {
        if (token == JsonToken.VALUE_STRING) {
          return whole(json.getText());
        }
      }
      case INT -> {
        if (token == JsonToken.VALUE_NUMBER_INT) {
          return json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
              ? intOf(json.getText())
              : (Object) json.getLongValue();
        }
      }
      case DOUBLE -> {
        if (token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT) {
          return doubleOf(json.getText());
        }
      }
      case BOOL -> {
        if (token.isBoolean()) {
          return json.getBooleanValue();
        }
      }
      case TIME -> {
        if (token == JsonToken.VALUE_STRING) {
          return timeOf(json.getText());
        }
      }
      case DECIMAL -> {
        // Many send money as text, since others read JSON's numbers as doubles.
        if (token == JsonToken.VALUE_STRING) {
          return decimalOf(json.getText());
        } else if (token.isNumeric()) {
          return fitting(decimal(json), scale);
        }
      }
    }
    throw new FailureException("is " + told(token, json) + ", not " + article() + told());
  }

  /** A text that can be written in UTF-8. */
  private static String whole(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : 'x')) {
          throw new FailureException(
              String.format("has half a character in it, \\u%04x", (int) text.charAt(i)));
        }
        i++;
      }
    }
    return text;
  }

  private BigDecimal decimal(JsonParser json) throws IOException {
    try {
      return json.getDecimalValue();
    } catch (NumberFormatException e) {
      return decimalOf(json.getText()); // an exponent beyond measure: says so
    }
  }

  private String article() {
    return kind == Kind.INT ? "an " : "a ";
  }

  /** What a token is, in the words of a message. */
  static String told(JsonToken token, JsonParser json) throws IOException {
    return switch (token) {
      case VALUE_STRING -> "the text " + quoted(json.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + json.getText();
      case VALUE_TRUE, VALUE_FALSE -> json.getText();
      case START_ARRAY -> "a list";
      default -> "an object";
    };
  }
}
