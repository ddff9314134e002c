package dev.oncefold.pipeline;

import static dev.cel.common.CelFunctionDecl.newFunctionDeclaration;
import static dev.cel.common.CelOverloadDecl.newGlobalOverload;
import static dev.cel.common.CelOverloadDecl.newMemberOverload;

import com.google.common.collect.ImmutableList;
import dev.cel.common.CelFunctionDecl;
import dev.cel.common.types.CelType;
import dev.cel.common.types.NullableType;
import dev.cel.common.types.OpaqueType;
import dev.cel.common.types.SimpleType;
import dev.cel.common.types.TypeParamType;
import dev.cel.common.values.NullValue;
import dev.cel.runtime.CelFunctionBinding;
import dev.oncefold.FailureException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * What expressions can call beyond CEL's own: decimals, and what is missing for events. All of it
 * is without effects and gives the same result for the same arguments.
 *
 * <p>A decimal's scale is part of its type. So functions that make one take the scale as a literal,
 * and a macro puts it into the function's name, where the type checker sees it.
 */
final class Functions {
  private static final CelType DECIMAL = OpaqueType.create("decimal", TypeParamType.create("N"));
  private static final CelType ANY_DECIMAL =
      OpaqueType.create("decimal", TypeParamType.create("M"));
  private static final CelType STRING = SimpleType.STRING;
  private static final CelType INT = SimpleType.INT;
  private static final CelType DOUBLE = SimpleType.DOUBLE;
  private static final CelType BOOL = SimpleType.BOOL;
  private static final CelType TIME = SimpleType.TIMESTAMP;

  private final List<CelFunctionDecl> declarations = new ArrayList<>();
  private final List<CelFunctionBinding> bindings = new ArrayList<>();

  Functions() {
    decimals();
    order();
    texts();
    times();
    // Of each type on its own: a type parameter would let a text stand in for an int.
    for (CelType type : List.of(STRING, INT, DOUBLE, BOOL, TIME, DECIMAL)) {
      String id = "coalesce_" + type.name().replaceAll("\\W", "_");
      CelType first = type == DECIMAL ? type : NullableType.create(type);
      declarations.add(
          newFunctionDeclaration("coalesce", newGlobalOverload(id, type, first, type)));
      bind2(id, Object.class, Object.class, (a, b) -> a instanceof NullValue ? b : a);
    }
  }

  List<CelFunctionDecl> declarations() {
    return declarations;
  }

  List<CelFunctionBinding> bindings() {
    return bindings;
  }

  // ---------------------------------------------------------------- decimals

  private void decimals() {
    infix("_+_", "add_decimal", BigDecimal::add);
    infix("_-_", "subtract_decimal", BigDecimal::subtract);
    declarations.add(
        newFunctionDeclaration(
            "_*_",
            newGlobalOverload("multiply_decimal_int", DECIMAL, DECIMAL, INT),
            newGlobalOverload("multiply_int_decimal", DECIMAL, INT, DECIMAL)));
    bind2("multiply_decimal_int", BigDecimal.class, Long.class, Functions::times);
    bind2("multiply_int_decimal", Long.class, BigDecimal.class, (n, d) -> times(d, n));
    declarations.add(
        newFunctionDeclaration("-_", newGlobalOverload("negate_decimal", DECIMAL, DECIMAL)));
    bind1("negate_decimal", BigDecimal.class, BigDecimal::negate);
    compare("_<_", "less_decimal", c -> c < 0);
    compare("_<=_", "less_equals_decimal", c -> c <= 0);
    compare("_>_", "greater_decimal", c -> c > 0);
    compare("_>=_", "greater_equals_decimal", c -> c >= 0);
    declarations.add(
        newFunctionDeclaration("string", newGlobalOverload("decimal_to_string", STRING, DECIMAL)));
    bind1("decimal_to_string", BigDecimal.class, BigDecimal::toPlainString);
    declarations.add(
        newFunctionDeclaration("double", newGlobalOverload("decimal_to_double", DOUBLE, DECIMAL)));
    bind1("decimal_to_double", BigDecimal.class, BigDecimal::doubleValue);
    declarations.add(
        newFunctionDeclaration("int", newGlobalOverload("decimal_to_int", INT, DECIMAL)));
    bind1("decimal_to_int", BigDecimal.class, Functions::toInt);
    for (int n = 0; n <= FieldType.MAX_SCALE; n++) {
      ofScale(n);
    }
  }

  private void ofScale(int n) {
    CelType made = FieldType.decimal(n);
    FieldType type = new FieldType(FieldType.Kind.DECIMAL, n, false);
    String name = "decimal_" + n;
    declarations.add(newFunctionDeclaration(name, newGlobalOverload(name, made, STRING)));
    bind1(name, String.class, type::decimalOf);
    name = "toDecimal_" + n;
    declarations.add(
        newFunctionDeclaration(
            name,
            newGlobalOverload(name + "_string", made, STRING),
            newGlobalOverload(name + "_int", made, INT),
            newGlobalOverload(name + "_decimal", made, ANY_DECIMAL)));
    bind1(name + "_string", String.class, type::decimalOf);
    bind1(name + "_int", Long.class, i -> FieldType.fitting(BigDecimal.valueOf(i), n));
    bind1(name + "_decimal", BigDecimal.class, d -> FieldType.fitting(d, n));
    name = "round_" + n;
    declarations.add(
        newFunctionDeclaration(
            name,
            newGlobalOverload(name + "_decimal", made, ANY_DECIMAL, STRING),
            newGlobalOverload(name + "_double", made, DOUBLE, STRING)));
    bind2(name + "_decimal", BigDecimal.class, String.class, (d, mode) -> rounded(d, n, mode));
    bind2(
        name + "_double",
        Double.class,
        String.class,
        (d, mode) -> rounded(new BigDecimal(finite(d)), n, mode));
    name = "multiply_" + n;
    declarations.add(
        newFunctionDeclaration(name, newGlobalOverload(name, made, DECIMAL, ANY_DECIMAL, STRING)));
    bind3(
        name, BigDecimal.class, BigDecimal.class, (a, b, mode) -> rounded(a.multiply(b), n, mode));
    name = "divide_" + n;
    declarations.add(
        newFunctionDeclaration(
            name,
            newGlobalOverload(name + "_decimal", made, DECIMAL, ANY_DECIMAL, STRING),
            newGlobalOverload(name + "_int", made, DECIMAL, INT, STRING)));
    bind3(
        name + "_decimal",
        BigDecimal.class,
        BigDecimal.class,
        (a, b, mode) -> divided(a, b, n, mode));
    bind3(
        name + "_int",
        BigDecimal.class,
        Long.class,
        (a, b, mode) -> divided(a, BigDecimal.valueOf(b), n, mode));
  }

  private void infix(String operator, String id, BinaryOperator<BigDecimal> with) {
    declarations.add(
        newFunctionDeclaration(operator, newGlobalOverload(id, DECIMAL, DECIMAL, DECIMAL)));
    bind2(id, BigDecimal.class, BigDecimal.class, (a, b) -> bounded(with.apply(a, b)));
  }

  private void compare(String operator, String id, Function<Integer, Boolean> holds) {
    declarations.add(
        newFunctionDeclaration(operator, newGlobalOverload(id, BOOL, DECIMAL, DECIMAL)));
    bind2(id, BigDecimal.class, BigDecimal.class, (a, b) -> holds.apply(a.compareTo(b)));
  }

  private static BigDecimal times(BigDecimal decimal, long n) {
    return bounded(decimal.multiply(BigDecimal.valueOf(n)));
  }

  private static BigDecimal bounded(BigDecimal result) {
    if (result.precision() > FieldType.MAX_DIGITS) {
      throw new FailureException("the result has more than " + FieldType.MAX_DIGITS + " digits");
    }
    return result;
  }

  private static BigDecimal rounded(BigDecimal value, int scale, String mode) {
    return FieldType.fitting(value.setScale(scale, mode(mode)), scale);
  }

  private static BigDecimal divided(BigDecimal a, BigDecimal b, int scale, String mode) {
    if (b.signum() == 0) {
      throw new FailureException("division by zero");
    }
    return FieldType.fitting(a.divide(b, scale, mode(mode)), scale);
  }

  private static RoundingMode mode(String name) {
    return RoundingMode.valueOf(name);
  }

  private static double finite(double value) {
    if (!Double.isFinite(value)) {
      throw new FailureException(value + " is no number that a decimal can hold");
    }
    return value;
  }

  private static long toInt(BigDecimal value) {
    try {
      return value.longValueExact();
    } catch (ArithmeticException e) {
      throw new FailureException(
          value.toPlainString() + " is no int: round it first, or it is too large");
    }
  }

  // ---------------------------------------------------------------- min, max, abs

  private void order() {
    List<CelType> types = List.of(INT, DOUBLE, STRING, TIME, DECIMAL);
    List<Class<? extends Comparable<?>>> classes =
        List.of(Long.class, Double.class, String.class, Instant.class, BigDecimal.class);
    List<String> names = List.of("int", "double", "string", "time", "decimal");
    for (int i = 0; i < types.size(); i++) {
      CelType type = types.get(i);
      String of = names.get(i);
      declarations.add(
          newFunctionDeclaration("min", newGlobalOverload("min_" + of, type, type, type)));
      declarations.add(
          newFunctionDeclaration("max", newGlobalOverload("max_" + of, type, type, type)));
      least(of, classes.get(i));
    }
    declarations.add(
        newFunctionDeclaration(
            "abs",
            newGlobalOverload("abs_int", INT, INT),
            newGlobalOverload("abs_double", DOUBLE, DOUBLE),
            newGlobalOverload("abs_decimal", DECIMAL, DECIMAL)));
    bind1("abs_int", Long.class, Functions::abs);
    bind1("abs_double", Double.class, d -> Math.abs(d));
    bind1("abs_decimal", BigDecimal.class, BigDecimal::abs);
  }

  @SuppressWarnings("unchecked")
  private void least(String of, Class<? extends Comparable<?>> type) {
    bind2("min_" + of, type, type, (a, b) -> ((Comparable<Object>) a).compareTo(b) <= 0 ? a : b);
    bind2("max_" + of, type, type, (a, b) -> ((Comparable<Object>) a).compareTo(b) >= 0 ? a : b);
  }

  private static long abs(long value) {
    if (value == Long.MIN_VALUE) {
      throw new FailureException("abs(" + value + ") does not fit into an int");
    }
    return Math.abs(value);
  }

  // ---------------------------------------------------------------- texts and times

  private void texts() {
    text("lower", text -> text.toLowerCase(Locale.ROOT));
    text("upper", text -> text.toUpperCase(Locale.ROOT));
    declarations.add(newFunctionDeclaration("isInt", newGlobalOverload("is_int", BOOL, STRING)));
    bind1("is_int", String.class, Functions::isInt);
  }

  private void text(String name, Function<String, String> with) {
    declarations.add(
        newFunctionDeclaration(name, newMemberOverload("string_" + name, STRING, STRING)));
    bind1("string_" + name, String.class, with::apply);
  }

  private static boolean isInt(String text) {
    try {
      FieldType.INT.fromText(text);
      return true;
    } catch (FailureException e) {
      return false;
    }
  }

  private void times() {
    declarations.add(
        newFunctionDeclaration(
            "parseTime", newGlobalOverload("parse_time", TIME, STRING, STRING, STRING)));
    bind3("parse_time", String.class, String.class, Functions::parseTime);
    declarations.add(
        newFunctionDeclaration(
            "formatTime", newGlobalOverload("format_time", STRING, TIME, STRING, STRING)));
    bind3("format_time", Instant.class, String.class, Functions::formatTime);
    declarations.add(
        newFunctionDeclaration("timeOfMillis", newGlobalOverload("time_of_millis", TIME, INT)));
    bind1("time_of_millis", Long.class, Instant::ofEpochMilli);
    declarations.add(newFunctionDeclaration("millisOf", newGlobalOverload("millis_of", INT, TIME)));
    bind1("millis_of", Instant.class, Instant::toEpochMilli);
  }

  private static Instant parseTime(String text, String pattern, String zone) {
    return TimePattern.of(pattern, zone).parse(text);
  }

  private static String formatTime(Instant time, String pattern, String zone) {
    return TimePattern.of(pattern, zone).format(time);
  }

  // ---------------------------------------------------------------- bindings

  private interface Of2<A, B> {
    Object apply(A a, B b);
  }

  private interface Of3<A, B> {
    Object apply(A a, B b, String third);
  }

  @SuppressWarnings("Immutable") // what is bound has no state; only its type does not say so
  private <A> void bind1(String id, Class<A> a, Function<A, Object> with) {
    bindings.add(CelFunctionBinding.from(id, a, x -> Variables.plain(with.apply(x))));
  }

  @SuppressWarnings("Immutable") // what is bound has no state; only its type does not say so
  private <A, B> void bind2(String id, Class<A> a, Class<B> b, Of2<A, B> with) {
    bindings.add(CelFunctionBinding.from(id, a, b, (x, y) -> Variables.plain(with.apply(x, y))));
  }

  @SuppressWarnings("Immutable") // what is bound has no state; only its type does not say so
  private <A, B> void bind3(String id, Class<A> a, Class<B> b, Of3<A, B> with) {
    bindings.add(
        CelFunctionBinding.from(
            id,
            ImmutableList.of(a, b, String.class),
            all -> Variables.plain(with.apply(a.cast(all[0]), b.cast(all[1]), (String) all[2]))));
  }
}
