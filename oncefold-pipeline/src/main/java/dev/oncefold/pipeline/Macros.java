package dev.oncefold.pipeline;

import com.google.common.collect.ImmutableList;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.values.NullValue;
import dev.cel.parser.CelMacro;
import dev.cel.parser.CelMacroExprFactory;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What is written as a function and is turned into another expression before types are checked. An
 * argument that must be a literal, such as the scale of a decimal, is taken up here, and wrong ones
 * are told here.
 */
final class Macros {
  private Macros() {}

  /** The macros. */
  static List<CelMacro> all() {
    return List.of(
        CelMacro.newGlobalMacro("has", 1, Macros::has),
        CelMacro.newGlobalMacro("decimal", 1, Macros::literal),
        scaled("toDecimal", 2, 1),
        scaled("round", 3, 1),
        scaled("multiply", 4, 2),
        scaled("divide", 4, 2),
        CelMacro.newGlobalMacro("parseTime", 3, (make, target, all) -> pattern(make, all, true)),
        CelMacro.newGlobalMacro("formatTime", 3, (make, target, all) -> pattern(make, all, false)));
  }

  /** {@code has(event.note)} is {@code event.note != null}. */
  private static Optional<CelExpr> has(
      CelMacroExprFactory make, CelExpr target, ImmutableList<CelExpr> arguments) {
    return Optional.of(
        make.newGlobalCall(
            "_!=_", arguments.get(0), make.newConstant(CelConstant.ofValue(NullValue.NULL_VALUE))));
  }

  /** {@code decimal("10.00")}: the text says the scale. */
  private static Optional<CelExpr> literal(
      CelMacroExprFactory make, CelExpr target, ImmutableList<CelExpr> arguments) {
    CelExpr argument = arguments.get(0);
    String text =
        constant(argument, CelConstant.Kind.STRING_VALUE) ? argument.constant().stringValue() : "";
    if (!text.matches("[+-]?\\d+(\\.\\d+)?")) {
      return Optional.of(
          make.reportError(
              "decimal(…) takes a text such as \"10.00\", whose digits behind the point are the"
                  + " scale; for other values there is toDecimal(value, 2)"));
    }
    int point = text.indexOf('.');
    int scale = point < 0 ? 0 : text.length() - point - 1;
    if (scale > FieldType.MAX_SCALE || new BigDecimal(text).precision() > FieldType.MAX_DIGITS) {
      return Optional.of(make.reportError("the decimal " + text + " has too many digits"));
    }
    return Optional.of(make.newGlobalCall("decimal_" + scale, argument));
  }

  /** A function whose name takes up one of its arguments, the scale. */
  private static CelMacro scaled(String name, int count, int place) {
    return CelMacro.newGlobalMacro(
        name,
        count,
        (make, target, arguments) -> {
          CelExpr scale = arguments.get(place);
          long n =
              constant(scale, CelConstant.Kind.INT64_VALUE) ? scale.constant().int64Value() : -1;
          if (n < 0 || n > FieldType.MAX_SCALE) {
            return Optional.of(
                make.reportError(
                    name
                        + "() wants to know how many digits stay behind the point, a number from 0 to "
                        + FieldType.MAX_SCALE));
          }
          List<CelExpr> rest = new ArrayList<>(arguments);
          rest.remove(place);
          if (place < arguments.size() - 1) {
            CelExpr mode = rest.get(rest.size() - 1);
            if (!constant(mode, CelConstant.Kind.STRING_VALUE)
                || Arrays.stream(RoundingMode.values())
                    .filter(known -> known != RoundingMode.UNNECESSARY)
                    .noneMatch(known -> known.name().equals(mode.constant().stringValue()))) {
              return Optional.of(
                  make.reportError(
                      name
                          + "() wants to know how to round: \"HALF_UP\", \"HALF_EVEN\", \"HALF_DOWN\","
                          + " \"UP\", \"DOWN\", \"CEILING\" or \"FLOOR\""));
            }
          }
          return Optional.of(make.newGlobalCall(name + "_" + n, rest));
        });
  }

  /** Checks a pattern and a zone that are literals while the file is loaded. */
  private static Optional<CelExpr> pattern(
      CelMacroExprFactory make, List<CelExpr> arguments, boolean reads) {
    if (constant(arguments.get(1), CelConstant.Kind.STRING_VALUE)
        && constant(arguments.get(2), CelConstant.Kind.STRING_VALUE)) {
      try {
        TimePattern made =
            new TimePattern(
                arguments.get(1).constant().stringValue(),
                arguments.get(2).constant().stringValue(),
                TimePattern.BASE);
        if (reads) {
          made.reading();
        }
      } catch (IllegalArgumentException e) {
        return Optional.of(make.reportError(String.valueOf(e.getMessage())));
      }
    }
    return Optional.empty();
  }

  private static boolean constant(CelExpr expr, CelConstant.Kind kind) {
    return expr.getKind() == CelExpr.ExprKind.Kind.CONSTANT && expr.constant().getKind() == kind;
  }
}
