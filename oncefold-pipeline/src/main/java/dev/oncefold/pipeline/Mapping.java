package dev.oncefold.pipeline;

import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Makes an event of a row: its id, key and time. Immutable and safe for use by several threads.
 *
 * @param variables the fields of the event
 * @param id the id, or null where the position is the id
 * @param key the key
 * @param time the time or the text it is read from; null where events have none
 * @param pattern how the text is read, or null where {@code time} is a time
 * @param parts what is named of a topic's record besides its value; null where the source has no
 *     such records
 */
record Mapping(
    Variables variables,
    @Nullable Expression id,
    Expression key,
    @Nullable Expression time,
    @Nullable TimePattern pattern,
    @Nullable RecordParts parts) {
  /**
   * The event of a row.
   *
   * @throws FailureException if it has no id, key or time
   */
  Event<Row> event(Row row) {
    return event(row, variables.new Scope(row));
  }

  /**
   * The event of a row that was read from a topic's record.
   *
   * @throws FailureException if it has no id, key or time
   */
  Event<Row> event(Row row, TopicRecord record) {
    return event(
        row,
        parts == null ? variables.new Scope(row) : variables.new Scope(row, parts.row(record)));
  }

  private Event<Row> event(Row row, Variables.Scope scope) {
    String ownId = id == null ? null : text(id, scope, "id");
    return new Event<>(ownId, key(key, scope), time(scope), row);
  }

  private @Nullable Instant time(Variables.Scope scope) {
    if (time == null) {
      return null;
    }
    Object value = time.required(scope);
    if (pattern == null) {
      return (Instant) value;
    }
    try {
      return pattern.parse((String) value);
    } catch (FailureException e) {
      throw new FailureException("time: " + e.getMessage());
    }
  }

  static String key(Expression key, Variables.Scope scope) {
    return text(key, scope, "key");
  }

  private static String text(Expression expression, Variables.Scope scope, String what) {
    String text = (String) expression.required(scope);
    if (text.isEmpty()) {
      throw new FailureException("the " + what + " is empty");
    }
    return text;
  }
}
