package dev.oncefold.postgres;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The name of something in the database: only ever put into a statement {@link #quoted}.
 *
 * @param schema the schema it is in; null where the database looks for it by its search path
 * @param name the name as it is, case and all
 */
record Name(@Nullable String schema, String name) {
  private static final int MOST_BYTES = 63;

  Name {
    checked(name);
    if (schema != null) {
      checked(schema);
    }
  }

  static Name of(String name) {
    return new Name(null, name);
  }

  /** A table: {@code table} or {@code schema.table}. */
  static Name ofTable(String text) {
    int dot = text.indexOf('.');
    return dot < 0 ? of(text) : new Name(text.substring(0, dot), text.substring(dot + 1));
  }

  Name in(Name schemaOfIt) {
    return new Name(schemaOfIt.name, name);
  }

  private static void checked(String name) {
    String wrong = null;
    if (name.isBlank()) {
      wrong = "it is empty";
    } else if (!Text.isStorable(name)) {
      wrong = "it holds a NUL or half a surrogate pair";
    } else if (name.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      wrong = "it takes more than " + MOST_BYTES + " bytes, and PostgreSQL would cut it short";
    }
    if (wrong != null) {
      throw new IllegalArgumentException(
          "\"" + Text.shown(name) + "\" is no name for PostgreSQL: " + wrong);
    }
  }

  /** As it stands in a statement. */
  String quoted() {
    return (schema == null ? "" : quoted(Objects.requireNonNull(schema)) + '.') + quoted(name);
  }

  private static String quoted(String part) {
    return '"' + part.replace("\"", "\"\"") + '"';
  }

  /** As a person wrote it. */
  @Override
  public String toString() {
    return schema == null ? name : schema + '.' + name;
  }
}
