package dev.oncefold.pipeline;

import java.util.Set;

/** Advice on how a value of one type becomes one of another, for messages. */
final class Conversions {
  private Conversions() {}

  /** How two types that do not go together can. */
  static String hint(String a, String b) {
    boolean hasDecimal = a.startsWith("decimal") || b.startsWith("decimal");
    String decimal = a.startsWith("decimal") ? a : b;
    String other = a.startsWith("decimal") ? b : a;
    if (hasDecimal && other.startsWith("decimal")) {
      return ": toDecimal(x, n) gives a decimal more digits, round(x, n, \"HALF_UP\") fewer";
    } else if (hasDecimal && !other.equals("bool") && !other.equals("time")) {
      return ": " + made(other, decimal);
    } else if (Set.of(a, b).equals(Set.of("int", "double"))) {
      return ": write 1.0 instead of 1, or double(x)";
    } else if (Set.of(a, b).equals(Set.of("string", "int"))
        || Set.of(a, b).equals(Set.of("string", "double"))) {
      String number = a.equals("string") ? b : a;
      return ": string(x) makes a text of a number, " + number + "(x) a number of a text";
    } else if (Set.of(a, b).equals(Set.of("string", "time"))) {
      return ": " + made("string", "time");
    }
    return "";
  }

  /** How a value of one type is made of another; empty where there is no way. */
  static String made(String of, String wanted) {
    if (wanted.startsWith("decimal")) {
      return switch (of) {
        case "int" ->
            "write " + example(wanted) + ", or toDecimal(x, " + scale(wanted) + ") of an int";
        case "double" ->
            "write "
                + example(wanted)
                + ", or round(x, "
                + scale(wanted)
                + ", \"HALF_UP\") of a double";
        case "string" -> "toDecimal(x, " + scale(wanted) + ") reads a text";
        default ->
            of.startsWith("decimal")
                ? "toDecimal(x, n) gives a decimal more digits, round(x, n, \"HALF_UP\") fewer"
                : "";
      };
    }
    return switch (wanted) {
      case "int" ->
          of.equals("time")
              ? "millisOf(x) are its milliseconds since 1970"
              : of.startsWith("decimal")
                  ? "int(round(x, 0, \"HALF_UP\")) makes an int of it"
                  : of.equals("string")
                      ? "int(x) reads a text"
                      : "int(round(x, 0, \"HALF_UP\")) makes an int of it";
      case "double" -> "double(x) makes a double of it";
      case "string" ->
          of.equals("time")
              ? "formatTime(x, \"yyyy-MM-dd\", \"UTC\") writes a time"
              : "string(x) makes a text of it";
      case "time" ->
          of.equals("string")
              ? "parseTime(x, \"yyyy-MM-dd\", \"UTC\") reads a text"
              : of.equals("int") ? "timeOfMillis(x) takes milliseconds since 1970" : "";
      default -> "";
    };
  }

  private static String scale(String decimal) {
    return decimal.replaceAll("\\D", "");
  }

  private static String example(String decimal) {
    int scale = Integer.parseInt("0" + scale(decimal));
    return "decimal(\"1" + (scale == 0 ? "" : "." + "0".repeat(scale)) + "\")";
  }
}
