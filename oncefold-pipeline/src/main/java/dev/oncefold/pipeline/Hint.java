package dev.oncefold.pipeline;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an expression tells of the values of a variable: one that it is compared with, or that its
 * text is read as something else.
 *
 * @param variable the variable
 * @param literal a value that it is compared with; null where it is none
 * @param type what its text is read as; null where it is compared
 * @param pattern the pattern by which its text is read as a time; null without one
 */
record Hint(
    Variables.Variable variable,
    @Nullable Object literal,
    @Nullable FieldType type,
    @Nullable TimePattern pattern) {
  private static final Set<String> COMPARISONS =
      Set.of(
          "_==_",
          "_!=_",
          "_<_",
          "_<=_",
          "_>_",
          "_>=_",
          "@in",
          "contains",
          "startsWith",
          "endsWith");

  /** The hints of an expression. */
  static List<Hint> of(CelAbstractSyntaxTree ast, Variables variables) {
    List<Hint> hints = new ArrayList<>();
    walk(ast.getExpr(), ast, variables, hints);
    return hints;
  }

  private static void walk(
      CelExpr expr, CelAbstractSyntaxTree ast, Variables variables, List<Hint> to) {
    switch (expr.getKind()) {
      case CALL -> {
        List<CelExpr> arguments = arguments(expr);
        if (COMPARISONS.contains(expr.call().function())) {
          compared(arguments, ast, variables, to);
        } else {
          read(expr.call().function(), arguments, ast, variables, to);
        }
        arguments.forEach(argument -> walk(argument, ast, variables, to));
      }
      case LIST -> expr.list().elements().forEach(one -> walk(one, ast, variables, to));
      case COMPREHENSION -> {
        walk(expr.comprehension().iterRange(), ast, variables, to);
        walk(expr.comprehension().loopStep(), ast, variables, to);
      }
      default -> {
        // nothing is compared in it
      }
    }
  }

  private static List<CelExpr> arguments(CelExpr call) {
    List<CelExpr> all = new ArrayList<>();
    call.call().target().ifPresent(all::add);
    all.addAll(call.call().args());
    return all;
  }

  private static void compared(
      List<CelExpr> arguments, CelAbstractSyntaxTree ast, Variables variables, List<Hint> to) {
    for (CelExpr argument : arguments) {
      Variables.Variable variable = variable(argument, ast, variables);
      if (variable != null) {
        for (CelExpr other : arguments) {
          literals(other).forEach(literal -> to.add(new Hint(variable, literal, null, null)));
        }
      }
    }
  }

  /** The variable that an expression is, or is made of by a function of it alone. */
  private static Variables.@Nullable Variable variable(
      CelExpr expr, CelAbstractSyntaxTree ast, Variables variables) {
    CelReference reference = ast.getReferenceMap().get(expr.id());
    if (expr.getKind() != CelExpr.ExprKind.Kind.CALL) {
      return reference == null ? null : variables.find(reference.name());
    }
    List<CelExpr> arguments = arguments(expr);
    return arguments.size() == 1 ? variable(arguments.get(0), ast, variables) : null;
  }

  private static List<Object> literals(CelExpr expr) {
    List<Object> literals = new ArrayList<>();
    switch (expr.getKind()) {
      case CONSTANT -> {
        CelConstant constant = expr.constant();
        switch (constant.getKind()) {
          case STRING_VALUE -> literals.add(constant.stringValue());
          case INT64_VALUE -> literals.add(constant.int64Value());
          case DOUBLE_VALUE -> literals.add(constant.doubleValue());
          default -> {
            // both bools come anyway
          }
        }
      }
      case LIST -> expr.list().elements().forEach(one -> literals.addAll(literals(one)));
      case CALL -> {
        // decimal("10.00"), as the macro leaves it, and -5
        List<CelExpr> arguments = arguments(expr);
        if (arguments.size() == 1 && arguments.get(0).getKind() == CelExpr.ExprKind.Kind.CONSTANT) {
          literals.addAll(literals(arguments.get(0)));
        }
      }
      default -> {
        // no literal
      }
    }
    return literals;
  }

  private static void read(
      String function,
      List<CelExpr> arguments,
      CelAbstractSyntaxTree ast,
      Variables variables,
      List<Hint> to) {
    Variables.Variable variable =
        arguments.isEmpty() ? null : variable(arguments.get(0), ast, variables);
    if (variable == null || variable.type().kind() != FieldType.Kind.STRING) {
      return;
    }
    if (function.equals("parseTime") && arguments.size() == 3) {
      List<Object> how = literals(arguments.get(1));
      how.addAll(literals(arguments.get(2)));
      if (how.size() == 2) {
        TimePattern pattern =
            TimePattern.of(String.valueOf(how.get(0)), String.valueOf(how.get(1)));
        to.add(new Hint(variable, null, FieldType.TIME, pattern));
      }
      return;
    }
    FieldType type =
        function.startsWith("toDecimal_")
            ? FieldType.parse("decimal(" + function.substring("toDecimal_".length()) + ")")
            : switch (function) {
              case "int" -> FieldType.INT;
              case "double" -> FieldType.DOUBLE;
              case "bool" -> FieldType.BOOL;
              case "timestamp" -> FieldType.TIME;
              default -> null;
            };
    if (type != null) {
      to.add(new Hint(variable, null, type, null));
    }
  }
}
