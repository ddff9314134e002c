package dev.oncefold.postgres;

import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Arrays as parameters; those of primitives pgjdbc takes as they are. */
final class Arrays {
  private Arrays() {}

  static Array texts(Connection connection, @Nullable String[] values) throws SQLException {
    return connection.createArrayOf("text", values);
  }

  /** The values that rows have at one place, as an array of a column's type. */
  static Array column(
      Connection connection, Columns.Type type, List<@Nullable Object[]> rows, int place)
      throws SQLException {
    @Nullable Object[] values =
        switch (type) {
          case BIGINT -> new @Nullable Long[rows.size()];
          case DOUBLE -> new @Nullable Double[rows.size()];
          case BOOLEAN -> new @Nullable Boolean[rows.size()];
          default -> new @Nullable String[rows.size()];
        };
    for (int i = 0; i < values.length; i++) {
      Object value = rows.get(i)[place];
      values[i] =
          value == null
              ? null
              : switch (type) {
                case NUMERIC -> ((java.math.BigDecimal) value).toPlainString();
                case TIMESTAMPTZ -> Times.text((java.time.Instant) value);
                default -> value;
              };
    }
    String name =
        switch (type) {
          case BIGINT -> "int8";
          case DOUBLE -> "float8";
          case BOOLEAN -> "bool";
          case NUMERIC -> "numeric";
          case TEXT -> "text";
          case TIMESTAMPTZ -> "timestamptz";
          case JSONB -> "jsonb";
        };
    return connection.createArrayOf(name, values);
  }
}
