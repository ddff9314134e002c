package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Evaluates expressions over one event, and tells what comes as the reference does. */
final class Evaluation {
  private final Variables variables;
  private final Row event;

  /**
   * Over an event.
   *
   * @param types the types of its fields
   * @param json the event
   */
  Evaluation(Map<String, String> types, String json) throws Exception {
    Map<String, FieldType> parsed = new LinkedHashMap<>();
    types.forEach((name, type) -> parsed.put(name, FieldType.parse(type)));
    Fields fields = Fields.of("Event", parsed, Set.of());
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    event =
        Objects.requireNonNull(
            new NdjsonReader("line", fields, Map.of()).read(bytes, 0, bytes.length));
    variables = new Variables().add("event", fields);
  }

  /** The value as JSON, or why there is none. */
  String of(String text) {
    Problems problems = new Problems("x.yaml");
    Node.Scalar node = new Node.Scalar(1, 1, text, 1, 1, true);
    Expression expression = new Expressions(variables, problems).compile(node, "x", null);
    if (expression == null) {
      return "Not loaded: "
          + problems.exception().problems().get(0).message().replaceFirst("^x:? ?", "");
    }
    StringBuilder value = new StringBuilder();
    try {
      Json.write(expression.eval(variables.new Scope(event)), value);
    } catch (FailureException e) {
      return "Failed: " + String.valueOf(e.getMessage()).replaceFirst("^x \\(x.yaml:1\\): ", "");
    }
    return value.toString();
  }
}
