package dev.oncefold.pipeline;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.CelValidationResult;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelReference;
import dev.cel.common.types.CelKind;
import dev.cel.common.types.CelType;
import dev.cel.common.types.NullableType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerBuilder;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.extensions.CelExtensions;
import dev.cel.parser.CelStandardMacro;
import dev.cel.parser.CelUnparserFactory;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compiles the expressions of a file: parses them, checks their types, and tells what is wrong. */
final class Expressions {
  /**
   * How often the comprehensions of one expression may go round for one event, those inside others
   * included. Without a bound two of them over one long text take minutes.
   */
  static final int MAX_ROUNDS = 100_000;

  private static final CelOptions OPTIONS =
      CelOptions.current()
          .comprehensionMaxIterations(MAX_ROUNDS)
          .populateMacroCalls(true)
          .enableHeterogeneousNumericComparisons(true)
          // Headers of a topic's records are mostly called as record.headers.`event-id` is.
          .enableQuotedIdentifierSyntax(true)
          .build();

  private final Variables variables;
  private final Problems problems;
  private final CelCompiler compiler;
  private final CelRuntime runtime;
  private final ExpressionMessages messages;

  Expressions(Variables variables, Problems problems) {
    this.variables = variables;
    this.problems = problems;
    Functions functions = new Functions();
    CelCompilerBuilder builder =
        CelCompilerFactory.standardCelCompilerBuilder()
            .setOptions(OPTIONS)
            .setStandardMacros(
                CelStandardMacro.ALL,
                CelStandardMacro.EXISTS,
                CelStandardMacro.EXISTS_ONE,
                CelStandardMacro.FILTER,
                CelStandardMacro.MAP,
                CelStandardMacro.MAP_FILTER)
            .addMacros(Macros.all())
            .addLibraries(CelExtensions.strings())
            .addFunctionDeclarations(functions.declarations());
    for (Variables.Variable variable : variables.all()) {
      builder.addVar(variable.name(), variable.type().celType());
    }
    this.compiler = builder.build();
    this.runtime =
        CelRuntimeFactory.plannerRuntimeBuilder()
            .setOptions(OPTIONS)
            .addLibraries(CelExtensions.strings())
            .setStandardFunctions(Standard.functions())
            .addFunctionBindings(functions.bindings())
            .addFunctionBindings(Standard.bindings(OPTIONS))
            .build();
    this.messages = new ExpressionMessages(variables, functions);
  }

  /**
   * Compiles an expression.
   *
   * @param what what it is for: {@code set balance}
   * @param wanted the type its value must have; null for any that can be written as JSON
   * @return null where it is wrong; then the problem is told
   */
  @Nullable Expression compile(Node node, String what, @Nullable FieldType wanted) {
    if (!(node instanceof Node.Scalar scalar) || scalar.text().isBlank()) {
      problems.add(node, what + " is an expression, and this is " + node.told());
      return null;
    }
    if (variables.hasBroken(scalar.text())) {
      return null; // told where the field is declared
    }
    CelValidationResult result = compiler.compile(scalar.text());
    CelAbstractSyntaxTree ast;
    try {
      ast = result.getAst();
    } catch (CelValidationException e) {
      // The first is what is wrong; more of them mostly follow from it.
      tell(scalar, what, e.getErrors().get(0));
      return null;
    }
    String wrong = messages.wrong(ast);
    if (!wrong.isEmpty()) {
      problems.add(scalar.textLine(), scalar.textColumn(), what + ": " + wrong);
      return null;
    }
    CelType type = ast.getResultType();
    FieldType found = fieldType(type, wanted);
    if (found == null) {
      problems.add(
          scalar.textLine(),
          scalar.textColumn(),
          what
              + (wanted == null
                  ? " is "
                      + messages.article(type)
                      + "; only a string, int, double, bool, time or decimal can be emitted"
                  : " is "
                      + messages.article(wanted)
                      + ", and the expression is "
                      + messages.article(type)
                      + messages.conversion(type, wanted)));
      return null;
    }
    return expression(scalar, what, ast, found);
  }

  private @Nullable Expression expression(
      Node.Scalar scalar, String what, CelAbstractSyntaxTree ast, FieldType type) {
    Set<Variables.Variable> uses = new LinkedHashSet<>();
    for (CelReference reference : ast.getReferenceMap().values()) {
      Variables.Variable variable = variables.find(reference.name());
      if (variable != null) {
        uses.add(variable);
      }
    }
    CelReference whole = ast.getReferenceMap().get(ast.getExpr().id());
    Variables.Variable direct =
        whole == null || ast.getExpr().getKind() == CelExpr.ExprKind.Kind.CALL
            ? null
            : variables.find(whole.name());
    try {
      return new Expression(
          what + " (" + problems.fileName() + ":" + scalar.line() + ")",
          normal(scalar.text(), ast),
          type,
          new ArrayList<>(uses),
          direct,
          runtime.createProgram(ast),
          Hint.of(ast, variables));
    } catch (CelEvaluationException e) {
      problems.add(scalar, what + " cannot be compiled: " + e.getMessage());
      return null;
    }
  }

  /** The text as CEL would write it, so that spaces and line ends make no difference. */
  private static String normal(String text, CelAbstractSyntaxTree ast) {
    try {
      return CelUnparserFactory.newUnparser().unparse(ast).strip();
    } catch (RuntimeException e) {
      return text.strip().replaceAll("\\s+", " ");
    }
  }

  /** The field's type that a value of an expression has, if it is the wanted one. */
  private static @Nullable FieldType fieldType(CelType type, @Nullable FieldType wanted) {
    if (type.kind() == CelKind.NULL_TYPE) {
      return wanted != null && wanted.optional() ? wanted : null;
    }
    CelType plain = type instanceof NullableType nullable ? nullable.targetType() : type;
    FieldType found =
        switch (plain.kind()) {
          case STRING -> new FieldType(FieldType.Kind.STRING, 0, true);
          case INT -> new FieldType(FieldType.Kind.INT, 0, true);
          case DOUBLE -> new FieldType(FieldType.Kind.DOUBLE, 0, true);
          case BOOL -> new FieldType(FieldType.Kind.BOOL, 0, true);
          case TIMESTAMP -> new FieldType(FieldType.Kind.TIME, 0, true);
          case OPAQUE ->
              plain.name().equals("decimal") && !plain.parameters().isEmpty()
                  ? FieldType.parse("decimal(" + plain.parameters().get(0).name() + ")?")
                  : null;
          default -> null;
        };
    if (found == null || wanted == null) {
      return found;
    }
    return found.kind() == wanted.kind() && found.scale() == wanted.scale() ? wanted : null;
  }

  private void tell(Node.Scalar scalar, String what, CelIssue issue) {
    int line = scalar.textLine();
    int column = scalar.textColumn();
    int at = ExpressionMessages.column(issue, scalar.text());
    if (scalar.verbatim() && at >= 0) {
      line += Math.max(0, issue.getSourceLocation().getLine() - 1);
      // Expressions are text: a column counts code points, as editors do.
      column += at;
    }
    problems.add(line, column, what + ": " + messages.told(issue, scalar.text()));
  }
}
