package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.FailureException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What expressions can call, each with its edges. */
class FunctionsTest {
  private static final String ROWS =
      """
      # decimals: the same scale, and one value has one form
      event.a == event.b                                  => true
      event.a == decimal("1.50")                          => true
      event.a != decimal("1.5000")                        => there is no != for decimal(2) and decimal(4)
      toDecimal("1.5", 2) == decimal("1.50")              => true
      toDecimal("1.5", 2) in [decimal("1.50")]            => true
      event.a in [decimal("1.49"), event.b]               => true
      event.a in [decimal("1.49")]                        => false
      {"x": event.a} == {"x": decimal("1.50")}            => true
      event.a < decimal("1.51")                           => true
      event.a <= event.b                                  => true
      event.a > decimal("1.49")                           => true
      event.a >= decimal("1.51")                          => false
      decimal("-0.00") == decimal("0.00")                 => true
      event.a + decimal("0.50")                           => 2.00
      event.a - decimal("2.00")                           => -0.50
      -event.a                                            => -1.50
      event.a * 3                                         => 4.50
      3 * event.a                                         => 4.50
      event.a * -1                                        => -1.50
      event.a * 0                                         => 0.00
      abs(-event.a)                                       => 1.50
      min(event.a, decimal("1.49"))                       => 1.49
      max(event.a, decimal("1.49"))                       => 1.50
      string(event.a)                                     => "1.50"
      string(toDecimal("1E+3", 0))                        => "1000"
      double(event.a)                                     => 1.5
      int(decimal("7"))                                   => 7
      int(decimal("7.00"))                                => 7
      int(decimal("9223372036854775807"))                 => 9223372036854775807
      int(decimal("9223372036854775808"))                 => ! 9223372036854775808 is no int: round it first, or it is too large
      decimal("+1.5")                                     => 1.5
      decimal("007.50")                                   => 7.50
      decimal("99999999999999999999999999999999999999")   => 99999999999999999999999999999999999999
      # scales and rounding
      toDecimal(7, 2)                                     => 7.00
      toDecimal(event.a, 4)                               => 1.5000
      toDecimal(event.a, 0)                               => ! 1.50 has more than 0 digits behind the point
      toDecimal(decimal("1.00"), 0)                       => 1
      toDecimal(9223372036854775807, 18)                  => 9223372036854775807.000000000000000000
      toDecimal(1000000000000000000 * 9, 18) * 10         => 90000000000000000000.000000000000000000
      round(decimal("0.005"), 2, "HALF_UP")               => 0.01
      round(decimal("-0.005"), 2, "HALF_UP")              => -0.01
      round(decimal("0.005"), 2, "HALF_DOWN")             => 0.00
      round(decimal("0.005"), 2, "HALF_EVEN")             => 0.00
      round(decimal("0.015"), 2, "HALF_EVEN")             => 0.02
      round(decimal("0.001"), 2, "UP")                    => 0.01
      round(decimal("0.009"), 2, "DOWN")                  => 0.00
      round(decimal("-0.001"), 2, "CEILING")              => 0.00
      round(decimal("-0.001"), 2, "FLOOR")                => -0.01
      round(decimal("0.001"), 2, "UNNECESSARY")           => round() wants to know how to round
      round(0.125, 2, "HALF_EVEN")                        => 0.12
      round(0.1, 18, "HALF_UP")                           => 0.100000000000000006
      round(1e30, 2, "HALF_UP")                           => 1000000000000000019884624838656.00
      round(1e300, 2, "HALF_UP")                          => ! the number has too many digits: a decimal(2) has at most 36 before the point
      round(1.0 / 0.0, 2, "HALF_UP")                      => ! Infinity is no number that a decimal can hold
      multiply(event.a, decimal("0.333"), 2, "HALF_UP")   => 0.50
      multiply(decimal("99999999999999999999"), decimal("99999999999999999999"), 0, "DOWN") => ! 9999999999999999999800000000000000000001 has too many digits: a decimal(0) has at most 38 before the point
      divide(decimal("1.00"), 3, 4, "HALF_UP")            => 0.3333
      divide(decimal("2.00"), decimal("3"), 2, "HALF_UP") => 0.67
      divide(event.a, decimal("0.0"), 2, "HALF_UP")       => ! division by zero
      divide(event.a, 0, 2, "HALF_UP")                    => ! division by zero
      # ints and doubles
      abs(-7)                                             => 7
      abs(-9223372036854775807 - 1)                       => ! abs(-9223372036854775808) does not fit into an int
      abs(-0.5)                                           => 0.5
      min(2, 3)                                           => 2
      max(2, 3)                                           => 3
      min(-0.5, 0.5)                                      => -0.5
      max("a", "b")                                       => "b"
      min(event.at, parseTime("19991231", "yyyyMMdd", "UTC")) => 1999-12-31T00:00:00Z
      7 / 2                                               => 3
      -7 % 3                                              => -1
      int("-7")                                           => -7
      int(7.0)                                            => 7
      int(7.9)                                            => ! 7.9 is no int: round(x, 0, "HALF_UP") first, or it is too large
      [event.a] == [event.b]                              => true
      double("1e3")                                       => 1000.0
      "12".isInt()                                        => there is no isInt() for string
      isInt("12")                                         => true
      isInt("-12")                                        => true
      isInt("9223372036854775807")                        => true
      isInt("9223372036854775808")                        => false
      isInt("")                                           => false
      isInt("+12")                                        => true
      isInt("00000000000000000000012")                    => true
      isInt(" 12")                                        => false
      isInt("1.0")                                        => false
      isInt("١٢")                                         => false
      # what may be missing
      has(event.none)                                     => false
      has(event.some)                                     => true
      has(event.noDecimal)                                => false
      coalesce(event.none, 7)                             => 7
      coalesce(event.some, 7)                             => 5
      coalesce(event.noDecimal, decimal("0.00"))          => 0.00
      coalesce(event.noText, "")                          => ""
      coalesce(event.noTime, event.at)                    => 2026-01-31T12:00:00Z
      coalesce(event.noBool, true)                        => true
      coalesce(event.noDecimal, decimal("0.0"))           => there is no coalesce() for decimal(2), decimal(1)
      event.none == null                                  => true
      event.noDecimal == null                             => true
      event.none == 5                                     => false
      event.some == 5                                     => true
      !has(event.none) || event.none > 3                  => true
      has(event.none) && event.none > 3                   => false
      # texts
      " a b ".trim()                                      => "a b"
      "ÄbC".lower()                                       => "äbc"
      "äbc".upper()                                       => "ÄBC"
      "straße".upper()                                    => "STRASSE"
      "abc".contains("b")                                 => true
      "a,b".split(",").size()                             => 2
      "abc".substring(1)                                  => "bc"
      "a-b".replace("-", "")                              => "ab"
      size("💶")                                          => 1
      # times
      parseTime("930101", "yyMMdd", "UTC")                => 1993-01-01T00:00:00Z
      parseTime("2026-07-01 12:00", "yyyy-MM-dd HH:mm", "Europe/Prague") => 2026-07-01T10:00:00Z
      formatTime(event.at, "yyyy-MM", "UTC")              => "2026-01"
      formatTime(event.at, "yyyy-MM-dd HH", "Asia/Tokyo") => "2026-01-31 21"
      millisOf(event.at)                                  => 1769860800000
      timeOfMillis(0)                                     => 1970-01-01T00:00:00Z
      timeOfMillis(-1)                                    => 1969-12-31T23:59:59.999Z
      millisOf(timeOfMillis(9223372036854775807))         => 9223372036854775807
      event.at + duration("1h")                           => 2026-01-31T13:00:00Z
      event.at.getFullYear()                              => 2026
      event.at > parseTime("20260131", "yyyyMMdd", "UTC") => true
      string(event.at)                                    => "2026-01-31T12:00:00Z"
      """;

  static List<String> rows() {
    return ROWS.lines().filter(row -> !row.startsWith("#")).toList();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void everyFunctionGivesItsValueOrSaysWhyNot(String row) {
    String[] parts = row.split(" +=> ", 2);
    assertThat(told(parts[0])).isEqualTo(parts[1]);
  }

  private static FieldType type(String text) {
    return Objects.requireNonNull(FieldType.parse(text));
  }

  private static String told(String expression) {
    Map<String, FieldType> types = new LinkedHashMap<>();
    types.put("a", type("decimal(2)"));
    types.put("b", type("decimal(2)"));
    types.put("at", type("time"));
    types.put("some", type("int?"));
    types.put("none", type("int?"));
    types.put("noDecimal", type("decimal(2)?"));
    types.put("noText", type("string?"));
    types.put("noTime", type("time?"));
    types.put("noBool", type("bool?"));
    Fields fields = Fields.of("Event", types, Set.of());
    Variables variables = new Variables().add("event", fields);
    Problems problems = new Problems("p.yaml");
    Expression compiled =
        new Expressions(variables, problems)
            .compile(new Node.Scalar(1, 1, expression, 1, 1, true), "it", null);
    if (compiled == null) {
      String message = problems.exception().problems().get(0).message();
      return message.replaceFirst("^it: ", "").replaceFirst(": .*", "");
    }
    try {
      Object value =
          compiled.eval(
              variables
              .new Scope(
                  fields
                      .rows()
                      .row(
                          type("decimal(2)").fromText("1.50"),
                          type("decimal(2)").fromText("1.5"),
                          Instant.parse("2026-01-31T12:00:00Z"),
                          5L,
                          null,
                          null,
                          null,
                          null,
                          null)));
      return value instanceof String
          ? "\"" + value + "\""
          : value instanceof BigDecimal decimal ? decimal.toPlainString() : String.valueOf(value);
    } catch (FailureException e) {
      return "! " + String.valueOf(e.getMessage()).replaceFirst("^it \\(p.yaml:1\\): ", "");
    }
  }
}
