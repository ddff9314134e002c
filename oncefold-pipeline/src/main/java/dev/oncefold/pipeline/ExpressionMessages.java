package dev.oncefold.pipeline;

import dev.cel.common.CelFunctionDecl;
import dev.cel.common.CelIssue;
import dev.cel.common.types.CelType;
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
          "found no matching overload for '([^']*)' applied to '(.*?)' \\(candidates.*",
          Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final List<String> STANDARD =
      List.of(
          "size",
          "matches",
          "contains",
          "startsWith",
          "endsWith",
          "string",
          "int",
          "double",
          "bool",
          "timestamp",
          "duration",
          "has",
          "decimal",
          "toDecimal",
          "round",
          "multiply",
          "divide",
          "charAt",
          "indexOf",
          "lastIndexOf",
          "join",
          "replace",
          "split",
          "substring",
          "trim",
          "lowerAscii",
          "upperAscii",
          "getFullYear",
          "getMonth",
          "getDate",
          "getDayOfMonth",
          "getDayOfWeek",
          "getDayOfYear",
          "getHours",
          "getMinutes",
          "getSeconds",
          "exists",
          "all");

  /** Functions that take a fixed number of arguments, some of them literals. */
  private static final Map<String, String> CALLS =
      Map.of(
          "has", "has(event.note)",
          "decimal", "decimal(\"10.00\")",
          "toDecimal", "toDecimal(x, 2)",
          "round", "round(x, 2, \"HALF_UP\")",
          "multiply", "multiply(x, y, 2, \"HALF_UP\")",
          "divide", "divide(x, y, 2, \"HALF_UP\")");

  private final Variables variables;
  private final Set<String> functions = new TreeSet<>(STANDARD);

  ExpressionMessages(Variables variables, Functions functions) {
    this.variables = variables;
    for (CelFunctionDecl function : functions.declarations()) {
      if (NAME.matcher(function.name()).matches() && !function.name().contains("_")) {
        this.functions.add(function.name());
      }
    }
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
    if (message.startsWith("mismatched input")
        || message.startsWith("extraneous input")
        || message.startsWith("no viable alternative")
        || message.startsWith("token recognition error")
        || message.contains("missing ")) {
      String shown = message.replaceAll(" expecting \\{.*", "").replace("<EOF>", "the end");
      return "this is no expression: "
          + shown
          + (text.contains(" and ") || text.contains(" or ")
              ? "; \"and\" is &&, \"or\" is ||"
              : text.contains("=") && !text.contains("==") && !text.matches("(?s).*[<>!]=.*")
                  ? "; equal is =="
                  : "");
    }
    return message;
  }

  /** What stands at the place of an issue. */
  private static String rest(CelIssue issue, String text) {
    String[] lines = text.split("\n", -1);
    int line = issue.getSourceLocation().getLine() - 1;
    int column = issue.getSourceLocation().getColumn();
    return line >= 0 && line < lines.length && column >= 0 && column <= lines[line].length()
        ? lines[line].substring(column)
        : "";
  }

  private String undeclared(String name, String rest) {
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
      String call = CALLS.get(name);
      return call != null
          ? name + "() is called as " + call
          : "there is no function " + name + "()" + Form.likely(name, functions);
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
      return "the state cannot be seen here, only the event: "
          + String.join(", ", variables.rows());
    }
    return "there is no \""
        + name
        + "\": fields begin with "
        + String.join(" or ", variables.rows().stream().map(row -> row + ".").toList())
        + ", and a text stands in quotes";
  }

  private String overload(String function, List<String> types) {
    String operator = function.replace("_", "").replaceFirst("^@", "");
    if (function.equals("_?_:_") && types.size() == 3) {
      return types.get(0).equals("bool")
          ? "the two sides of ?: are of different types, "
              + types.get(1)
              + " and "
              + types.get(2)
              + hint(types.get(1), types.get(2))
          : "what stands before the ? must be a bool, and it is " + types.get(0);
    }
    if (function.startsWith("_") && types.size() == 2) {
      if (types.contains("null_type")) {
        String other = types.get(types.get(0).equals("null_type") ? 1 : 0);
        return "a value of type "
            + other
            + " is never null: only fields declared with a \"?\" may be missing";
      }
      String rounding = rounding(operator, types);
      return "there is no "
          + operator
          + " for "
          + types.get(0)
          + " and "
          + types.get(1)
          + (rounding.isEmpty() ? hint(types.get(0), types.get(1)) : rounding);
    }
    if (function.startsWith("_") || operator.startsWith("!") || operator.startsWith("-")) {
      return "there is no " + operator + " for " + String.join(" and ", types);
    }
    String name = function.replaceFirst("_\\d+$", "");
    return name
        + "() takes no "
        + (types.isEmpty() ? "empty list of arguments" : String.join(", ", types))
        + (name.equals("toDecimal") && types.contains("double")
            ? ": write " + CALLS.get("round")
            : "");
  }

  /** How decimals are multiplied and divided. */
  private static String rounding(String operator, List<String> types) {
    boolean areDecimals = types.stream().allMatch(type -> type.startsWith("decimal"));
    if (operator.equals("*") && areDecimals) {
      return ": write " + CALLS.get("multiply");
    } else if (operator.equals("/") && types.get(0).startsWith("decimal")) {
      return ": write " + CALLS.get("divide");
    }
    return "";
  }

  /** How two types that do not go together can. */
  private static String hint(String a, String b) {
    boolean hasDecimal = a.startsWith("decimal") || b.startsWith("decimal");
    String decimal = a.startsWith("decimal") ? a : b;
    String other = a.startsWith("decimal") ? b : a;
    if (hasDecimal && other.startsWith("decimal")) {
      return ": toDecimal(x, n) gives a decimal more digits, round(x, n, \"HALF_UP\") fewer";
    } else if (hasDecimal && (other.equals("int") || other.equals("double"))) {
      return ": write " + example(decimal) + ", or toDecimal(x, " + scale(decimal) + ") of an int";
    } else if (Set.of(a, b).equals(Set.of("int", "double"))) {
      return ": write 1.0 instead of 1, or double(x)";
    } else if (a.equals("string") || b.equals("string")) {
      return ": string(x) makes a text of a value; int(x), double(x), toDecimal(x, 2) read one";
    }
    return "";
  }

  private static String scale(String decimal) {
    return decimal.replaceAll("\\D", "");
  }

  private static String example(String decimal) {
    int scale = Integer.parseInt("0" + scale(decimal));
    return "decimal(\"1" + (scale == 0 ? "" : "." + "0".repeat(scale)) + "\")";
  }

  /** What to do where an expression has another type than is wanted. */
  String conversion(CelType type, FieldType wanted) {
    String found = told(type);
    if (found.equals("null_type") || found.equals("null")) {
      return ": declare it with a \"?\" if it may be missing";
    }
    FieldType plain = new FieldType(wanted.kind(), wanted.scale(), false);
    String given = hint(found, plain.toString());
    return plain.kind() == FieldType.Kind.BOOL ? "" : given;
  }

  String article(FieldType type) {
    return article(new FieldType(type.kind(), type.scale(), false).toString());
  }

  String article(CelType type) {
    return article(told(type));
  }

  private static String article(String name) {
    return (name.startsWith("int") ? "an " : name.equals("null") ? "" : "a ") + name;
  }

  String told(CelType type) {
    return told(dev.cel.common.types.CelTypes.format(type));
  }

  private static List<String> types(String list) {
    String inner = list.replaceFirst("^.*?\\((.*)\\)$", "$1");
    // "a.(b, c)" is a method of a: its receiver comes first.
    if (list.contains(".(")) {
      inner = list.substring(0, list.indexOf(".(")) + ", " + inner;
    }
    return inner.isBlank()
        ? List.of()
        : Arrays.stream(inner.split(", ", -1)).map(ExpressionMessages::told).toList();
  }

  private static String told(String type) {
    return type.replace("google.protobuf.Timestamp", "time")
        .replace("google.protobuf.Duration", "duration")
        .replaceAll("wrapper\\((\\w+)\\)", "$1")
        .replace("null_type", "null_type");
  }
}
