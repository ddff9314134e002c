package dev.oncefold.pipeline;

import dev.cel.common.types.OpaqueType;
import dev.cel.common.values.NullValue;
import dev.cel.common.values.OpaqueValue;
import dev.cel.runtime.CelVariableResolver;
import dev.oncefold.Row;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What expressions can name: the fields of some rows, such as {@code event.amount}. Each is one
 * variable to CEL, found at a place of a row: no objects between them, and no maps of fields.
 */
final class Variables {
  /**
   * A variable.
   *
   * @param name its whole name, with the point in it
   * @param row which of the rows has it
   * @param place the place in that row
   * @param type its type
   */
  record Variable(String name, int row, int place, FieldType type) {}

  private static final FieldType TIME = new FieldType(FieldType.Kind.TIME, 0, false);

  private final Map<String, Variable> byName = new LinkedHashMap<>();
  private final Map<String, Fields> rows = new LinkedHashMap<>();

  /** Adds the fields of a row. */
  Variables add(String row, Fields fields) {
    int at = rows.size();
    rows.put(row, fields);
    fields
        .types()
        .forEach(
            (field, type) -> {
              String name = row + "." + field;
              byName.put(name, new Variable(name, at, fields.rows().place(field), type));
            });
    return this;
  }

  /** Adds the event's time, as it is read from the event, in a row of its own behind all others. */
  Variables addTime() {
    byName.put("time", new Variable("time", rows.size(), 0, TIME));
    return this;
  }

  /** Adds what is named of a topic's record, in a row behind those before. */
  Variables addRecord(RecordParts parts) {
    int at = rows.size();
    // For messages: the fields are not found by it.
    rows.put(RecordParts.NAME, RecordParts.FIELDS);
    parts.variables(at).forEach(variable -> byName.put(variable.name(), variable));
    return this;
  }

  Collection<Variable> all() {
    return byName.values();
  }

  @Nullable Variable find(String name) {
    return byName.get(name);
  }

  /** The fields of a row by its name, or null where there is no such row. */
  @Nullable Fields fields(String row) {
    return rows.get(row);
  }

  /** Whether a text has a field in it whose declaration is wrong. */
  boolean hasBroken(String text) {
    for (Map.Entry<String, Fields> row : rows.entrySet()) {
      for (String field : row.getValue().broken()) {
        if (Pattern.compile("\\b" + row.getKey() + "\\s*\\.\\s*" + Pattern.quote(field) + "\\b")
            .matcher(text)
            .find()) {
          return true;
        }
      }
    }
    return false;
  }

  Collection<String> rows() {
    return rows.keySet();
  }

  /**
   * A value that CEL takes as it is. A bare one it holds against every kind of container first, on
   * the way in and again on the way out, which was a fifth of the time of an event.
   */
  static Object plain(Object value) {
    return new Plain(value);
  }

  @SuppressWarnings("Immutable") // the values of rows are
  private static final class Plain extends OpaqueValue {
    private static final OpaqueType TYPE = OpaqueType.create("value");
    private final Object value;

    Plain(Object value) {
      this.value = value;
    }

    @Override
    public Object value() {
      return value;
    }

    @Override
    public OpaqueType celType() {
      return TYPE;
    }
  }

  /** The values of one event and its states while they are judged. Not thread-safe. */
  final class Scope implements CelVariableResolver {
    private final Row[] values;

    /** The rows, in the order in which they were added. */
    Scope(Row... values) {
      this.values = values;
    }

    @Override
    public Optional<Object> find(String name) {
      Variable variable = byName.get(name);
      if (variable == null) {
        return Optional.empty();
      }
      Object value = value(variable);
      return Optional.of(value == null ? NullValue.NULL_VALUE : plain(value));
    }

    @Nullable Object value(Variable variable) {
      return values[variable.row()].at(variable.place());
    }

    Row row(int at) {
      return values[at];
    }

    void set(int at, Row row) {
      values[at] = row;
    }
  }
}
