package dev.oncefold.pipeline;

import dev.cel.common.exceptions.CelDivideByZeroException;
import dev.cel.common.exceptions.CelNumericOverflowException;
import dev.cel.common.exceptions.CelOverloadNotFoundException;
import dev.cel.common.values.NullValue;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.oncefold.FailureException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A checked expression, ready to be evaluated again and again. Safe for use by several threads. */
final class Expression {
  private static final Pattern INDEX =
      Pattern.compile("(?:[Ii]ndex out of \\w+: |Range )(-?\\d+|\\[.*?\\))");

  private final String where;
  private final String text;
  private final FieldType wanted;
  private final List<Variables.Variable> uses;
  // Taken without asking CEL.
  private final Variables.@Nullable Variable direct;
  private final CelRuntime.Program program;
  private final List<Hint> hints;

  /**
   * An expression.
   *
   * @param where what it is for, as reasons name it: {@code set balance (accounts.yaml:14)}
   * @param text the expression in its normal form, the same however it is spaced
   * @param wanted the type of its values
   * @param uses the variables in it
   * @param direct the one variable that is all of it, or null
   * @param hints what it tells of the values that it expects
   */
  Expression(
      String where,
      String text,
      FieldType wanted,
      List<Variables.Variable> uses,
      Variables.@Nullable Variable direct,
      CelRuntime.Program program,
      List<Hint> hints) {
    this.where = where;
    this.text = text;
    this.wanted = wanted;
    this.uses = uses;
    this.direct = direct;
    this.program = program;
    this.hints = hints;
  }

  String text() {
    return text;
  }

  /** The variable that is all of the expression, or null. */
  Variables.@Nullable Variable direct() {
    return direct;
  }

  /** The variables in it. */
  List<Variables.Variable> uses() {
    return uses;
  }

  List<Hint> hints() {
    return hints;
  }

  /** Evaluates it to a value that is there. */
  Object required(Variables.Scope scope) {
    Object value = eval(scope);
    if (value == null) {
      throw failed("is null");
    }
    return value;
  }

  /**
   * Evaluates it.
   *
   * @return the value, or null where the type may be missing
   * @throws FailureException if it has no value
   */
  @Nullable Object eval(Variables.Scope scope) {
    Object value;
    if (direct != null) {
      value = scope.value(direct);
    } else {
      try {
        value = program.eval(scope);
      } catch (CelEvaluationException e) {
        throw failed(reason(e, scope));
      }
    }
    if (value == null || value == NullValue.NULL_VALUE) {
      if (!wanted.optional()) {
        throw failed(direct == null ? "is null" : direct.name() + " is missing");
      }
      return null;
    }
    if (value instanceof Double number && !Double.isFinite(number)) {
      throw failed("is " + number + ", which is no number");
    }
    return value;
  }

  private String reason(CelEvaluationException e, Variables.Scope scope) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof FailureException) {
        return String.valueOf(cause.getMessage());
      } else if (cause instanceof CelDivideByZeroException) {
        return "division by zero";
      } else if (cause instanceof CelNumericOverflowException) {
        return "the result does not fit into the 64 bits of an int";
      } else if (cause instanceof CelOverloadNotFoundException
          || String.valueOf(cause.getMessage()).startsWith("Expected boolean value")) {
        for (Variables.Variable variable : uses) {
          if (scope.value(variable) == null) {
            return variable.name()
                + " is missing: coalesce("
                + variable.name()
                + ", …) says what to take instead";
          }
        }
      }
    }
    String message = String.valueOf(e.getMessage());
    if (message.toLowerCase(Locale.ROOT).contains("iteration")) {
      return "its exists, all, map or filter go round more than "
          + Expressions.MAX_ROUNDS
          + " times for one event";
    }
    Matcher index = INDEX.matcher(message);
    if (index.find()) {
      return "there is nothing at " + index.group(1) + ": it is too short for that";
    } else if (message.contains("error parsing regexp: ")) {
      return "the pattern is no regular expression: "
          + message.replaceFirst("(?s).*error parsing regexp: ", "");
    }
    return message.replaceFirst("^(evaluation error( at <input>:\\d+)?: )*(\\w+ failure: )?", "");
  }

  private FailureException failed(String reason) {
    return new FailureException(where + ": " + reason);
  }
}
