package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code state}: fields with their types and initial values.
 *
 * @param fields the fields
 * @param initial what a key starts from
 * @param rules a line for each field, for the text of the rules
 */
record StateSection(Fields fields, Row initial, Map<String, String> rules) {
  static @Nullable StateSection read(Form root, Problems problems) {
    Node node = root.get("state");
    if (!(node instanceof Node.Mapping mapping) || mapping.entries().isEmpty()) {
      problems.add(
          node == null ? root.where() : node,
          (node == null ? "state is missing: name" : "state names")
              + " each field with its type and what it starts from, such as"
              + " \"state: { balance: decimal(2) 0.00, payments: int 0 }\""
              + (node == null ? "" : ", and this is " + node.told()));
      return null;
    }
    Map<String, FieldType> types = new LinkedHashMap<>();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    Set<String> broken = new HashSet<>();
    Map<String, String> rules = new LinkedHashMap<>();
    for (Node.Entry entry : mapping.entries().values()) {
      String name = entry.key().text();
      broken.add(name);
      if (!Fields.isName(name)) {
        problems.add(entry.key(), notAName(name));
        continue;
      }
      if (!(entry.value() instanceof Node.Scalar scalar) || scalar.text().isBlank()) {
        problems.add(
            entry.value(),
            "a field of the state is a type and what it starts from, such as \"int 0\", and this is "
                + entry.value().told());
        continue;
      }
      String text = scalar.text().strip();
      int space = text.indexOf(' ');
      String typeText = space < 0 ? text : text.substring(0, space);
      FieldType type = FieldType.parse(typeText);
      if (type == null) {
        problems.add(scalar, unknownType(typeText));
        continue;
      }
      String initial = space < 0 ? "" : text.substring(space + 1).strip();
      try {
        values.put(name, initial(name, type, initial));
        types.put(name, type);
        rules.put(name, type + " " + (initial.isEmpty() ? "null" : initial));
        broken.remove(name);
      } catch (FailureException e) {
        problems.add(scalar, String.valueOf(e.getMessage()));
      }
    }
    if (types.isEmpty()) {
      return null;
    }
    Fields fields = Fields.of("State", types, broken);
    return new StateSection(fields, fields.rows().row(values.values().toArray()), rules);
  }

  static String notAName(String name) {
    return "\""
        + name
        + (Fields.isReserved(name)
            ? "\" is a word that expressions keep for themselves: take another name"
            : "\" is no name that expressions can use: take letters, digits and _, and no digit first");
  }

  static String unknownType(String text) {
    if (text.isEmpty()) {
      return "a type is missing: there is " + FieldType.ALL;
    }
    FieldType close = FieldType.parse(text.toLowerCase(Locale.ROOT).replaceAll("\\s", ""));
    String hint =
        switch (text.toLowerCase(Locale.ROOT)) {
          case "long", "integer", "bigint", "number" -> ": did you mean \"int\"?";
          case "text", "str", "varchar" -> ": did you mean \"string\"?";
          case "float", "real" -> ": did you mean \"double\", or \"decimal(2)\"?";
          case "boolean" -> ": did you mean \"bool\"?";
          case "decimal", "money", "numeric", "bigdecimal" ->
              ": a decimal says how many digits it has behind the point, such as decimal(2)";
          case "timestamp", "datetime", "date", "instant" -> ": did you mean \"time\"?";
          default ->
              close != null
                  ? ": did you mean \"" + close + "\"?"
                  : text.matches("decimal\\(.*\\)\\??")
                      ? ": a decimal has one number, how many digits stand behind the point, from 0 to "
                          + FieldType.MAX_SCALE
                      : ": there is " + FieldType.ALL;
        };
    return "\"" + text + "\" is no type" + hint;
  }

  private static @Nullable Object initial(String name, FieldType type, String text) {
    if (text.isEmpty() || text.equals("null")) {
      if (type.optional()) {
        return null;
      }
      if (type.kind() != FieldType.Kind.STRING || text.isEmpty()) {
        throw new FailureException(
            "what does "
                + name
                + " start from? Write '"
                + type
                + " "
                + switch (type.kind()) {
                  case STRING -> "\"\"";
                  case INT -> "0";
                  case DOUBLE -> "0.0";
                  case BOOL -> "false";
                  case TIME -> "1970-01-01T00:00:00Z";
                  case DECIMAL -> type.scale() == 0 ? "0" : "0." + "0".repeat(type.scale());
                }
                + "', or '"
                + type
                + "?' if it may be missing");
      }
    }
    boolean isQuoted =
        text.length() > 1
            && (text.charAt(0) == '"' || text.charAt(0) == '\'')
            && text.charAt(text.length() - 1) == text.charAt(0);
    String value = isQuoted ? text.substring(1, text.length() - 1) : text;
    try {
      return type.fromText(value);
    } catch (FailureException e) {
      // What helps with the fields of events is no help here.
      String reason = String.valueOf(e.getMessage()).replaceFirst("; declare it .*", "");
      throw new FailureException(name + " cannot start from " + text + ": " + reason);
    }
  }
}
