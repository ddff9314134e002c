package dev.oncefold.pipeline;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelFunctionDecl;
import dev.cel.common.CelIssue;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.ast.CelReference;
import dev.cel.common.types.CelKind;
import dev.cel.common.types.CelType;
import dev.cel.common.types.CelTypes;
import dev.cel.common.types.SimpleType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says what CEL complains about in the words of the pipeline file. */
final class ExpressionMessages {
  private static final Pattern UNDECLARED =
      Pattern.compile("undeclared reference to '([^']*)'.*", Pattern.DOTALL);
  private static final Pattern NO_OVERLOAD =
      Pattern.compile(
          "found no matching overload for '([^']*)' applied to '(.*?)'(?: \\(candidates.*)?",
          Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern TOKEN = Pattern.compile("'(.*)'", Pattern.DOTALL);
  private static final Pattern TOO_LARGE = Pattern.compile("For input string: \"([^\"]*)\".*");
  private static final String STANDARD =
      "size matches contains startsWith endsWith string int double bool timestamp duration charAt"
          + " indexOf lastIndexOf join replace split substring trim getFullYear getMonth getDate"
          + " getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds exists all";
  // How those are called that take a literal: CEL does not know them unless called so.
  private static final Map<String, String> CALLS =
      Map.of(
          "has", "has(event.note)",
          "decimal", "decimal(\"10.00\")",
          "toDecimal", "toDecimal(x, 2)",
          "round", "round(x, 2, \"HALF_UP\")",
          "multiply", "multiply(a, b, 2, \"HALF_UP\")",
          "divide", "divide(a, b, 2, \"HALF_UP\")");
  // What other languages call it.
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "toLowerCase", "lower",
          "toUpperCase", "upper",
          "toString", "string",
          "parseInt", "int",
          "toInt", "int",
          "len", "size",
          "length", "size",
          "strip", "trim",
          "ifnull", "coalesce",
          "isnull", "has");

  private final Variables variables;
  private final Set<String> functions = new TreeSet<>(List.of(STANDARD.split(" ")));

  ExpressionMessages(Variables variables, Functions functions) {
    this.variables = variables;
    for (CelFunctionDecl function : functions.declarations()) {
      if (NAME.matcher(function.name()).matches() && !function.name().contains("_")) {
        this.functions.add(function.name());
      }
    }
    this.functions.addAll(CALLS.keySet());
  }

  /** What is wrong with an expression that CEL takes; empty where nothing is. */
  String wrong(CelAbstractSyntaxTree ast) {
    for (CelType type : ast.getTypeMap().values()) {
      if (isUnknown(type)) {
        return "values of different types stand in one list or map, or dyn() hides one";
      }
    }
    return neverNull(ast, ast.getExpr());
  }

  private static boolean isUnknown(CelType type) {
    return type.kind() == CelKind.DYN
        || (type.kind() != CelKind.OPAQUE
            && type.parameters().stream().anyMatch(ExpressionMessages::isUnknown));
  }

  /** CEL compares decimals with null, required ones too. */
  private String neverNull(CelAbstractSyntaxTree ast, CelExpr expr) {
    if (expr.getKind() != CelExpr.ExprKind.Kind.CALL) {
      return "";
    }
    List<CelExpr> arguments = expr.call().args();
    String function = expr.call().function();
    if (function.equals("_==_") || function.equals("_!=_")) {
      for (int i = 0; i < 2; i++) {
        CelReference one = ast.getReferenceMap().get(arguments.get(i).id());
        Variables.Variable variable = one == null ? null : variables.find(one.name());
        if (variable != null
            && !variable.type().optional()
            && ast.getTypeMap().get(arguments.get(1 - i).id()) == SimpleType.NULL_TYPE) {
          return never(variable.type().toString());
        }
      }
    }
    return arguments.stream()
        .map(argument -> neverNull(ast, argument))
        .filter(wrong -> !wrong.isEmpty())
        .findFirst()
        .orElse("");
  }

  private static String never(String type) {
    return "this is "
        + article(type)
        + " that is always there, so has() and null say nothing: only a field declared with a"
        + " \"?\" may be missing";
  }

  /** The column of an issue, in code points: of a function, where its name begins. */
  static int column(CelIssue issue, String text) {
    int column = issue.getSourceLocation().getColumn();
    String[] lines = text.split("\n", -1);
    int line = issue.getSourceLocation().getLine() - 1;
    if (line < 0 || line >= lines.length) {
      return column;
    }
    int[] points = lines[line].codePoints().toArray();
    if (column >= 0 && column < points.length && points[column] == '(') {
      while (column > 0
          && (points[column - 1] == '_' || Character.isLetterOrDigit(points[column - 1]))) {
        column--;
      }
    }
    return column;
  }

  String told(CelIssue issue, String text) {
    String message = issue.getMessage();
    Matcher undeclared = UNDECLARED.matcher(message);
    if (undeclared.matches()) {
      return undeclared(undeclared.group(1), rest(issue, text));
    }
    Matcher overload = NO_OVERLOAD.matcher(message);
    if (overload.matches()) {
      return overload(overload.group(1), types(overload.group(2)));
    }
    Matcher large = TOO_LARGE.matcher(message);
    if (large.matches()) {
      return "the number " + large.group(1) + " does not fit into the 64 bits of an int";
    } else if (message.startsWith("reserved identifier: ")) {
      String word = message.substring("reserved identifier: ".length());
      return "\""
          + word
          + "\" is a word that expressions keep for themselves"
          + (word.equals("if") ? ": a choice is written condition ? a : b" : "");
    } else if (message.contains("does not support field selection")) {
      return "only event and the state have fields: what stands before this \".\" is a value";
    }
    return syntax(message, text);
  }

  private static String syntax(String message, String text) {
    Matcher quoted =
        TOKEN.matcher(message.replaceAll("(?s) expecting .*", "").replace("<EOF>", ""));
    String token = quoted.find() ? quoted.group(1).strip() : "";
    if (message.startsWith("token recognition error")) {
      return token.startsWith("=")
          ? "a \"=\" alone compares nothing: equal is =="
          : token.startsWith("\"") || token.startsWith("'")
              ? "a text begins here, and the quote at its end is missing"
              : "“”„‘’«»".contains(token)
                  ? "the quotes around a text are straight ones, \" or '"
                  : "\"" + token + "\" means nothing in an expression";
    } else if (message.startsWith("missing ")) {
      return "a " + token.replaceFirst("'.*", "").strip() + " is missing here";
    } else if (!message.startsWith("mismatched input")
        && !message.startsWith("extraneous input")
        && !message.startsWith("no viable alternative")) {
      return message;
    }
    return (token.isEmpty()
            ? "the expression ends too early"
            : "\"" + token + "\" does not belong here")
        + (token.equals("and") ? ": \"and\" is &&" : "")
        + (token.equals("or") ? ": \"or\" is ||" : "")
        + (text.strip().matches("(?s)(.*[^.\\w])?not\\s+[\\w(].*") ? ": \"not\" is !" : "");
  }

  /** What stands at the place of an issue. */
  private static String rest(CelIssue issue, String text) {
    String[] lines = text.split("\n", -1);
    int line = issue.getSourceLocation().getLine() - 1;
    int column = column(issue, text);
    return line >= 0
            && line < lines.length
            && column >= 0
            && column <= lines[line].codePointCount(0, lines[line].length())
        ? lines[line].substring(lines[line].offsetByCodePoints(0, column))
        : "";
  }

  private String undeclared(String name, String rest) {
    if (name.equals(RecordParts.NAME)) {
      return record(rest);
    }
    Fields fields = variables.fields(name);
    if (fields != null) {
      Matcher field = Pattern.compile(name + "\\s*\\.\\s*([A-Za-z_0-9]+)").matcher(rest);
      return field.lookingAt()
          ? name
              + " has no field \""
              + field.group(1)
              + "\""
              + Form.likely(field.group(1), fields.types().keySet())
          : "\""
              + name
              + "\" alone is no value: name a field of it, such as "
              + name
              + "."
              + fields.types().keySet().stream().findFirst().orElse("…");
    }
    if (rest.startsWith("(")
        || Pattern.compile(Pattern.quote(name) + "\\s*\\(").matcher(rest).lookingAt()) {
      return function(name);
    }
    for (String row : variables.rows()) {
      if (variables.find(row + "." + name) != null) {
        return "there is no \""
            + name
            + "\": did you mean "
            + row
            + "."
            + name
            + ", or the text \""
            + name
            + "\" in quotes?";
      }
    }
    if (name.equals("state")) {
      return variables.rows().size() == 1
          ? "the state cannot be seen here, only the event"
          : "which state? The keys of this event have one each: "
              + String.join(
                  ", ", variables.rows().stream().filter(row -> !row.equals("event")).toList());
    }
    return "there is no \""
        + name
        + "\": fields begin with "
        + String.join(" or ", variables.rows().stream().map(row -> row + ".").toList())
        + ", and a text stands in quotes";
  }

  private String record(String rest) {
    if (variables.fields(RecordParts.NAME) == null) {
      return "there is no \"record\" here: only the section event sees the record of a topic; what the"
          + " rules need stands in its value";
    }
    Matcher part = Pattern.compile("record\\s*\\.\\s*([A-Za-z_0-9]+)").matcher(rest);
    return part.lookingAt() && part.group(1).equals("headers")
        ? "which header? Name it, such as record.headers.trace, or record.headers.`event-id` with"
            + " backticks where it is no plain word"
        : "a record has record.key, record.time and its headers, such as record.headers.trace";
  }

  private String function(String name) {
    if (CALLS.containsKey(name)) {
      return name + "() takes other arguments: " + CALLS.get(name);
    } else if (name.equals("now")) {
      return "there is no function now(): the same event must give the same result again, so its"
          + " time is one of its own fields";
    } else if (ELSEWHERE.containsKey(name)) {
      return "there is no function " + name + "(): did you mean \"" + ELSEWHERE.get(name) + "\"?";
    }
    String likely = Form.likely(name, functions);
    return "there is no function " + name + "()" + (likely.contains("did you mean") ? likely : "");
  }

  private String overload(String function, List<String> types) {
    String operator = function.replace("_", "").replaceFirst("^@", "");
    if (function.equals("_?_:_") && types.size() == 3) {
      return types.get(0).equals("bool")
          ? "the two sides of ?: are of different types, "
              + types.get(1)
              + " and "
              + types.get(2)
              + Conversions.hint(types.get(1), types.get(2))
          : "what stands before the ? must be a bool, and it is " + types.get(0);
    }
    if (operator.equals("in")) {
      return "behind \"in\" stands a list of values of one type, such as [\"a\", \"b\"]; whether a text is"
          + " in another says event.note.contains(\"a\")";
    }
    if (function.startsWith("_") && types.size() == 2) {
      if (types.contains("null")) {
        return never(types.get(types.get(0).equals("null") ? 1 : 0));
      }
      String both = types.get(0) + " and " + types.get(1);
      boolean isDecimal = types.get(0).startsWith("decimal");
      if (isDecimal && operator.equals("/")) {
        return "there is no / for " + both + ", since it would round: " + CALLS.get("divide");
      } else if (isDecimal && operator.equals("*")) {
        return "there is no * for "
            + both
            + ", since it would round: "
            + (types.get(1).startsWith("decimal")
                ? CALLS.get("multiply")
                : "make a decimal of the double first, " + CALLS.get("round"));
      }
      return "there is no "
          + operator
          + " for "
          + types.get(0)
          + " and "
          + types.get(1)
          + Conversions.hint(types.get(0), types.get(1));
    }
    if (function.startsWith("_") || operator.startsWith("!") || operator.startsWith("-")) {
      return "there is no " + operator + " for " + String.join(" and ", types);
    }
    String name = function.replaceFirst("_\\d+$", "");
    if (name.equals("round") && types.contains("int")) {
      return "an int needs no rounding: " + CALLS.get("toDecimal") + " makes a decimal of it";
    }
    return "there is no "
        + name
        + "() for "
        + (types.isEmpty() ? "nothing" : String.join(", ", types))
        + (name.equals("toDecimal") && types.contains("double")
            ? ", since it would round: " + CALLS.get("round")
            : "");
  }

  /** What to do where an expression has another type than is wanted. */
  String conversion(CelType type, FieldType wanted) {
    String found = told(type);
    if (found.equals("null")) {
      return ": declare it with a \"?\" if it may be missing";
    }
    String made =
        wanted.kind() == FieldType.Kind.BOOL
            ? "compare it with something, such as x == 1"
            : found.startsWith("list") || found.startsWith("map")
                ? ""
                : Conversions.made(
                    found, new FieldType(wanted.kind(), wanted.scale(), false).toString());
    return made.isEmpty() ? "" : ": " + made;
  }

  String article(FieldType type) {
    return article(new FieldType(type.kind(), type.scale(), false).toString());
  }

  String article(CelType type) {
    return article(told(type));
  }

  private static String article(String name) {
    return (name.equals("null") ? "" : name.startsWith("int") ? "an " : "a ") + name;
  }

  String told(CelType type) {
    return told(CelTypes.format(type)).replaceFirst("^(list|map)\\(.*", "$1");
  }

  private static List<String> types(String list) {
    String inner = list.replaceFirst("^.*?\\((.*)\\)$", "$1");
    // "a.(b, c)" is a method of a: its receiver comes first.
    if (list.contains(".(")) {
      inner = list.substring(0, list.indexOf(".(")) + ", " + inner;
    }
    return inner.isBlank()
        ? List.of()
        : Arrays.stream(inner.split(", "))
            .filter(type -> !type.isEmpty())
            .map(ExpressionMessages::told)
            .toList();
  }

  private static String told(String type) {
    return type.replace("google.protobuf.Timestamp", "time")
        .replace("google.protobuf.Duration", "duration")
        .replaceAll("wrapper\\((\\w+)\\)", "$1")
        .replace("null_type", "null");
  }
}
