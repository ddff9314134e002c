package dev.oncefold.pipeline;

import dev.cel.common.CelOptions;
import dev.cel.runtime.CelFunctionBinding;
import dev.cel.runtime.CelStandardFunctions;
import dev.cel.runtime.RuntimeEquality;
import dev.cel.runtime.RuntimeHelpers;
import dev.oncefold.FailureException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * CEL's own functions, but for those whose answers would be wrong or hard to understand here. CEL
 * takes two decimals for numbers that it does not know, which are never equal to it; it cuts off
 * what stands behind the point; and what it says of a text that is no number is Java's word.
 */
final class Standard {
  private static final Set<String> REPLACED =
      Set.of(
          "EQUALS",
          "NOT_EQUALS",
          "DOUBLE_TO_INT64",
          "STRING_TO_INT64",
          "STRING_TO_DOUBLE",
          "STRING_TO_TIMESTAMP");

  private Standard() {}

  /** Those that stay. */
  static CelStandardFunctions functions() {
    return CelStandardFunctions.newBuilder()
        .filterFunctions((function, overload) -> !REPLACED.contains(overload.toString()))
        .build();
  }

  /** What takes the place of the others. */
  static List<CelFunctionBinding> bindings(CelOptions options) {
    RuntimeEquality equality = RuntimeEquality.create(RuntimeHelpers.create(), options);
    return List.of(
        CelFunctionBinding.from(
            "equals", Object.class, Object.class, (a, b) -> equal(a, b, equality)),
        CelFunctionBinding.from(
            "not_equals", Object.class, Object.class, (a, b) -> !equal(a, b, equality)),
        CelFunctionBinding.from("double_to_int64", Double.class, Standard::whole),
        CelFunctionBinding.from(
            "string_to_int64", String.class, text -> FieldType.INT.fromText(text)),
        CelFunctionBinding.from(
            "string_to_double", String.class, text -> FieldType.DOUBLE.fromText(text)),
        CelFunctionBinding.from("string_to_timestamp", String.class, FieldType::timeOf));
  }

  private static boolean equal(Object a, Object b, RuntimeEquality equality) {
    if (a instanceof BigDecimal one && b instanceof BigDecimal other) {
      return one.compareTo(other) == 0;
    } else if (a instanceof List<?> one && b instanceof List<?> other) {
      boolean same = one.size() == other.size();
      for (int i = 0; same && i < one.size(); i++) {
        same = equal(one.get(i), other.get(i), equality);
      }
      return same;
    } else if (a instanceof Map<?, ?> one && b instanceof Map<?, ?> other) {
      return one.size() == other.size()
          && one.entrySet().stream()
              .allMatch(
                  entry -> {
                    Object found = other.get(entry.getKey());
                    return found != null && equal(entry.getValue(), found, equality);
                  });
    }
    return equality.objectEquals(a, b);
  }

  private static long whole(double value) {
    long whole = (long) value;
    if (whole != value || whole == Long.MAX_VALUE) {
      throw new FailureException(
          value + " is no int: round(x, 0, \"HALF_UP\") first, or it is too large");
    }
    return whole;
  }
}
