package dev.oncefold.pipeline;

import dev.oncefold.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Fields with their types, and the rows that hold them.
 *
 * @param types the types by name, in order
 * @param rows the type of the rows
 * @param broken names that were declared wrongly, which has been told: nothing more is said of them
 */
record Fields(Map<String, FieldType> types, Row.Type rows, Set<String> broken) {
  private static final Set<String> RESERVED =
      Set.of(
          "as",
          "break",
          "const",
          "continue",
          "else",
          "false",
          "for",
          "function",
          "if",
          "import",
          "in",
          "let",
          "loop",
          "namespace",
          "null",
          "package",
          "return",
          "true",
          "var",
          "void",
          "while");

  static Fields of(String name, Map<String, FieldType> types, Set<String> broken) {
    List<Row.Column> columns = new ArrayList<>();
    types.forEach(
        (field, type) -> columns.add(new Row.Column(field, type.javaType(), type.optional())));
    return new Fields(new LinkedHashMap<>(types), new Row.Type(name, columns), Set.copyOf(broken));
  }

  /** Whether the language of expressions has the word for itself. */
  static boolean isReserved(String text) {
    return RESERVED.contains(text);
  }

  /** Whether expressions can name it. */
  static boolean isName(String text) {
    return text.matches("[A-Za-z_][A-Za-z0-9_]*") && !RESERVED.contains(text);
  }
}
