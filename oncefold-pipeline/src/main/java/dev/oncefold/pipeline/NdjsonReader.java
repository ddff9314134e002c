package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads one JSON object a record. Fields that are not declared are passed over. */
final class NdjsonReader implements RowReader {
  private static final JsonFactory FACTORY = new JsonFactory();

  // What messages call a record.
  private final String what;
  private final Row.Type rows;
  private final List<Target> targets = new ArrayList<>();
  private final Level root = new Level();

  /** Where a value goes: to columns, mostly one, or a level further down. */
  private static final class Level {
    private final Map<String, Level> levels = new HashMap<>();
    private final List<Target> targets = new ArrayList<>();
  }

  /** A column of the row. */
  private record Target(int place, String field, FieldType type) {}

  /**
   * A reader.
   *
   * @param what what messages call a record: line
   * @param fields the declared fields
   * @param from where fields are found, by field: a name, or a JSON Pointer (RFC 6901)
   */
  NdjsonReader(String what, Fields fields, Map<String, String> from) {
    this.what = what;
    this.rows = fields.rows();
    fields
        .types()
        .forEach(
            (field, type) -> {
              Level level = root;
              for (String step : steps(from.getOrDefault(field, field))) {
                level = level.levels.computeIfAbsent(step, name -> new Level());
              }
              Target target = new Target(rows.place(field), field, type);
              level.targets.add(target);
              targets.add(target);
            });
  }

  /** The names of the objects on the way to a field, and its own. */
  static List<String> steps(String name) {
    if (!name.startsWith("/")) {
      return List.of(name);
    }
    List<String> steps = new ArrayList<>();
    for (String step : name.substring(1).split("/", -1)) {
      steps.add(step.replace("~1", "/").replace("~0", "~"));
    }
    return steps;
  }

  @Override
  public @Nullable Row read(byte[] bytes, int from, int length) throws IOException {
    if (isBlank(bytes, from, length)) {
      return null;
    }
    @Nullable Object[] values = new @Nullable Object[rows.columns().size()];
    boolean[] seen = new boolean[values.length];
    try (JsonParser json = FACTORY.createParser(bytes, from, length)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new FailureException(
            "the " + what + " is no JSON object: it begins with " + first(json));
      }
      object(json, root, values, seen);
      if (json.nextToken() != null) {
        throw new FailureException("more stands behind the JSON object: one object a " + what);
      }
    } catch (JsonProcessingException e) {
      int column = e.getLocation() == null ? 0 : e.getLocation().getColumnNr();
      throw new FailureException(
          "the "
              + what
              + " is no JSON: "
              + JsonMessages.told(e)
              + (column > 0 ? " (column " + column + ")" : ""));
    }
    for (Target target : targets) {
      if (values[target.place()] == null && !target.type().optional()) {
        throw new FailureException(
            target.field() + (seen[target.place()] ? " is null" : " is missing"));
      }
    }
    return rows.row(values);
  }

  private static boolean isBlank(byte[] bytes, int from, int length) {
    for (int i = from; i < from + length; i++) {
      if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r') {
        return false;
      }
    }
    return true;
  }

  private static String first(JsonParser json) throws IOException {
    return json.currentToken() == JsonToken.START_ARRAY
        ? "a list"
        : FieldType.quoted(json.getText());
  }

  private void object(JsonParser json, Level level, @Nullable Object[] values, boolean[] seen)
      throws IOException {
    String name;
    while ((name = json.nextFieldName()) != null) {
      Level below = level.levels.get(name);
      JsonToken token = json.nextToken();
      if (below == null) {
        json.skipChildren();
        continue;
      }
      if (!below.targets.isEmpty()) {
        for (Target target : below.targets) {
          value(json, target, values, seen);
        }
      } else if (token == JsonToken.START_OBJECT) {
        object(json, below, values, seen);
        continue;
      } else if (token != JsonToken.VALUE_NULL) {
        throw new FailureException(
            name + " is " + FieldType.told(token, json) + ", and fields are declared inside it");
      }
      json.skipChildren();
    }
  }

  private static void value(
      JsonParser json, Target target, @Nullable Object[] values, boolean[] seen)
      throws IOException {
    if (seen[target.place()]) {
      throw new FailureException(target.field() + " is there twice");
    }
    seen[target.place()] = true;
    try {
      values[target.place()] = target.type().fromJson(json);
    } catch (FailureException e) {
      throw new FailureException(target.field() + (isSentence(e) ? " " : ": ") + e.getMessage());
    }
  }

  /** Whether a reason goes on from the field's name. */
  private static boolean isSentence(FailureException e) {
    return String.valueOf(e.getMessage()).matches("(?s)(is|has) .*");
  }
}
