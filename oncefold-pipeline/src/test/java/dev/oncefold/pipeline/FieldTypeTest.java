package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.oncefold.FailureException;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Objects;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.BigRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Types of fields, and the values they read from text and from JSON. */
class FieldTypeTest {
  private static FieldType type(String text) {
    return Objects.requireNonNull(FieldType.parse(text), text);
  }

  private static @Nullable Object json(FieldType type, String json) {
    try (JsonParser parser = new JsonFactory().createParser(json)) {
      parser.nextToken();
      return type.fromJson(parser);
    } catch (IOException e) {
      throw new IllegalArgumentException(json, e);
    }
  }

  private static String written(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    Json.write(value, text);
    return text.toString();
  }

  // ---------------------------------------------------------------- types

  @ParameterizedTest
  @ValueSource(
      strings = {
        "string",
        "int",
        "double",
        "bool",
        "time",
        "decimal(0)",
        "decimal(2)",
        "decimal(18)",
        "string?",
        "int?",
        "double?",
        "bool?",
        "time?",
        "decimal(0)?",
        "decimal(18)?"
      })
  void everyTypeIsWrittenAsItIsRead(String text) {
    assertThat(type(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "?",
        "long",
        "String",
        "string ?",
        "string??",
        " int",
        "decimal",
        "decimal()",
        "decimal(19)",
        "decimal(-1)",
        "decimal(2,2)",
        "decimal(x)",
        "decimal(٢)",
        "list(int)"
      })
  void everythingElseIsNone(String text) {
    assertThat(FieldType.parse(text)).isNull();
  }

  // ---------------------------------------------------------------- values

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          string     | abc                    | "abc"
          string     | 1.50                   | "1.50"
          int        | 0                      | 0
          int        | -12                    | -12
          int        | -9223372036854775808   | -9223372036854775808
          double     | 1                      | 1.0
          double     | -1.5e3                 | -1500.0
          double     | .5                     | 0.5
          double     | 5.                     | 5.0
          bool       | true                   | true
          bool       | false                  | false
          time       | 2026-01-31T12:00:00Z   | "2026-01-31T12:00:00Z"
          time       | 1850-01-31T12:00+01:00 | "1850-01-31T11:00:00Z"
          decimal(2) | 1                      | 1.00
          decimal(2) | -.5                    | -0.50
          decimal(2) | 1.500                  | 1.50
          decimal(2) | 1e2                    | 100.00
          decimal(0) | 1.0                    | 1
          decimal(4) | -0                     | 0.0000
          """)
  void readsValuesFromText(String type, String text, String value) {
    assertThat(written(type(type).fromText(text))).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          int        | ``      | "" is no int: digits only, and a - before them
          int        | ` 1`    | " 1" has spaces around it (csv: {trim: true} takes them away)
          int        | 1.0     | "1.0" is no int: digits only, and a - before them
          int        | --1     | "--1" is no int: digits only, and a - before them
          int        | 99999999999999999999 | "99999999999999999999" does not fit into the 64 bits of an int
          double     | NaN     | "NaN" is no number
          double     | 1e999   | "1e999" is too large for a double
          double     | 1e-999  | "1e-999" is too small for a double
          double     | 1,5     | "1,5" is no number
          bool       | TRUE    | "TRUE" is no bool: true or false
          decimal(2) | 1.505   | 1.505 has more than 2 digits behind the point
          decimal(2) | 1,50    | "1,50" is no decimal(2): the point is a "."
          decimal(2)?| EUR     | "EUR" is no decimal(2)
          decimal(0) | 0.5     | 0.5 has more than 0 digits behind the point
          decimal(18)| 100000000000000000000 | 100000000000000000000 has too many digits: a decimal(18) has at most 20 before the point
          """)
  void refusesWhatDoesNotFitWithoutLosingAnyOfIt(String type, String text, String reason) {
    assertThatThrownBy(() -> type(type).fromText(text))
        .isInstanceOf(FailureException.class)
        .hasMessage(reason);
  }

  @Test
  void nullIsNullInJsonAndTheWordInText() {
    assertThat(json(type("string?"), "null")).isNull();
    assertThat(type("string?").fromText("null")).isEqualTo("null");
  }

  @Test
  void theZerosOfALongNumberAreNoReasonToReadItSlowly() {
    String zeros = "0".repeat(1_000_000);
    assertThatThrownBy(() -> type("decimal(2)").fromText(zeros + "1"))
        .isInstanceOf(FailureException.class)
        .hasMessageContaining("has too many digits for a decimal(2)");
  }

  @Test
  void decimalsAreWrittenWithAllTheirDigitsAndNoExponent() {
    assertThat(written(type("decimal(18)").fromText("1e-18"))).isEqualTo("0.000000000000000001");
    assertThat(written(type("decimal(0)").fromText("1e20"))).isEqualTo("100000000000000000000");
    assertThat(written(new BigDecimal("1E+3"))).isEqualTo("1000");
  }

  // ---------------------------------------------------------------- decimals, any

  @Property
  void aDecimalComesBackFromTextAndJsonAsItIs(
      @ForAll @BigRange(min = "-99999999999999999999", max = "99999999999999999999") @Scale(18)
          BigDecimal value,
      @ForAll @IntRange(max = 18) int scale) {
    BigDecimal fits = value.setScale(scale, java.math.RoundingMode.DOWN);
    FieldType type = type("decimal(" + scale + ")");
    Object read = type.fromText(fits.toPlainString());
    assertThat(read).isEqualTo(fits);
    assertThat(type.fromText(fits.toString())).isEqualTo(fits);
    assertThat(json(type, written(read))).isEqualTo(fits);
    assertThat(json(type, "\"" + fits.toPlainString() + "\"")).isEqualTo(fits);
  }

  @Property
  void aDecimalIsTheNumberThatWasWrittenOrRefused(
      @ForAll @Scale(20) BigDecimal value, @ForAll @IntRange(max = 18) int scale) {
    FieldType type = type("decimal(" + scale + ")");
    Object read;
    try {
      read = type.fromText(value.toString());
    } catch (FailureException e) {
      BigDecimal plain = value.stripTrailingZeros();
      assertThat(plain.scale() > scale || plain.precision() - plain.scale() > 38 - scale).isTrue();
      return;
    }
    assertThat((BigDecimal) read).isEqualByComparingTo(value);
    assertThat(((BigDecimal) read).scale()).isEqualTo(scale);
  }
}
