package dev.oncefold.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes the user's table where it is not there, and compares it with what the fold needs. */
final class TableCheck {
  /** A column as it is in the database. */
  private record Found(
      String type, boolean notNull, boolean filled, boolean generated, boolean exact) {}

  private final Table<?> table;

  TableCheck(Table<?> table) {
    this.table = table;
  }

  /** Whether there is a relation of the name. */
  boolean exists(Connection connection) throws SQLException {
    return oid(connection) != null;
  }

  private @Nullable Long oid(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select to_regclass(?)::oid::bigint")) {
      statement.setString(1, table.name().quoted());
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        return Partitions.nullable(answer, 1);
      }
    }
  }

  /**
   * The table with the schema that it was found in. The name alone may be another table for another
   * user, or tomorrow.
   */
  Name resolved(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid ="
                    + " c.relnamespace where c.oid = "
                    + oid(connection))) {
      answer.next();
      return new Name(answer.getString(1), answer.getString(2));
    }
  }

  /**
   * Makes the table. Keys are compared by their bytes, which is quick and the same everywhere; room
   * is left in each page, so that a changed row stays in it and no index changes.
   */
  void create(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "create table "
              + table.name().quoted()
              + " ("
              + table.key().quoted()
              + " text collate \"C\" primary key"
              + table.columns().columns().stream()
                  .map(c -> ", " + definition(c))
                  .collect(Collectors.joining())
              + ", "
              + Table.VERSION
              + " bigint not null) with (fillfactor = 70)");
    }
  }

  private static String definition(Columns.Column column) {
    return Name.of(column.name()).quoted()
        + ' '
        + column.type().sql()
        + (column.mayBeNull() ? "" : " not null");
  }

  /**
   * Adds the columns that are not there; existing rows get the values of the initial state.
   *
   * @param initial the values of the initial state
   */
  void addColumns(Connection connection, @Nullable Object[] initial) throws SQLException {
    Map<String, Found> found = columns(connection);
    List<Columns.Column> columns = table.columns().columns();
    for (int i = 0; i < columns.size(); i++) {
      Columns.Column column = columns.get(i);
      if (found.containsKey(column.name())) {
        continue;
      }
      String start = "alter table " + table.name().quoted();
      String name = Name.of(column.name()).quoted();
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            start
                + " add column "
                + definition(column)
                + " default "
                + literal(connection, column, initial, i));
        statement.execute(start + " alter column " + name + " drop default");
      }
    }
  }

  private static String literal(
      Connection connection, Columns.Column column, @Nullable Object[] initial, int place)
      throws SQLException {
    List<@Nullable Object[]> row = new ArrayList<>();
    row.add(initial);
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select quote_nullable((?::" + column.type().sql() + "[])[1]::text)")) {
      statement.setArray(1, Arrays.column(connection, column.type(), row, place));
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        return answer.getString(1) + "::" + column.type().sql();
      }
    }
  }

  /**
   * Compares.
   *
   * @throws StoreException which tells every difference
   */
  void check(Connection connection) throws SQLException {
    List<String> wrong = new ArrayList<>();
    String kind = kind(connection);
    if (!kind.equals("r")) {
      wrong.add("it is no ordinary table");
    }
    Map<String, Found> found = columns(connection);
    compare(new Columns.Column(table.key().name(), Columns.Type.TEXT, false), found, wrong);
    Found key = found.remove(table.key().name());
    if (key != null && !key.exact()) {
      wrong.add(
          quoted(table.key().name())
              + " has a collation under which different texts are equal: give it collate \"C\"");
    }
    if (key != null && !isUnique(connection)) {
      wrong.add(
          quoted(table.key().name())
              + " is neither the primary key nor has it a unique index of its own");
    }
    for (Columns.Column column : table.columns().columns()) {
      compare(column, found, wrong);
      found.remove(column.name());
    }
    compare(new Columns.Column(Table.VERSION, Columns.Type.BIGINT, false), found, wrong);
    found.remove(Table.VERSION);
    found.forEach(
        (name, column) -> {
          if (column.notNull() && !column.filled()) {
            wrong.add(
                quoted(name)
                    + " must not be null, and no field of the state fills it: drop it, or give it a"
                    + " default");
          }
        });
    if (!wrong.isEmpty()) {
      throw new StoreException(
          "the table "
              + table.name()
              + " is not as the fold needs it:\n- "
              + String.join("\n- ", wrong)
              + "\nChange the table, or name another one, which is made then");
    }
  }

  private static void compare(
      Columns.Column wanted, Map<String, Found> columns, List<String> wrong) {
    Found found = columns.get(wanted.name());
    String name = quoted(wanted.name());
    if (found == null) {
      wrong.add("there is no column " + name + " " + wanted.type().sql());
      return;
    }
    if (!found.type().equals(wanted.type().sql())) {
      wrong.add(name + " is " + found.type() + ", not " + wanted.type().sql());
    }
    if (found.generated()) {
      wrong.add(name + " is generated, and cannot be written");
    }
    if (wanted.mayBeNull() && found.notNull()) {
      wrong.add(name + " must not be null, and the state may have none: drop its not null");
    }
  }

  private static String quoted(String name) {
    return '"' + name + '"';
  }

  private String kind(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select relkind::text from pg_class where oid = " + oid(connection))) {
      answer.next();
      return answer.getString(1);
    }
  }

  private Map<String, Found> columns(Connection connection) throws SQLException {
    Map<String, Found> columns = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
                    + " a.atthasdef or a.attidentity <> '', a.attgenerated <> '' or a.attidentity ="
                    + " 'a', coalesce(c.collisdeterministic, true) from pg_attribute a left join"
                    + " pg_collation c on c.oid = a.attcollation where a.attnum > 0 and not"
                    + " a.attisdropped and a.attrelid = "
                    + oid(connection))) {
      while (answer.next()) {
        columns.put(
            answer.getString(1),
            new Found(
                answer.getString(2),
                answer.getBoolean(3),
                answer.getBoolean(4),
                answer.getBoolean(5),
                answer.getBoolean(6)));
      }
    }
    return columns;
  }

  private boolean isUnique(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum ="
                + " i.indkey[0] where i.indrelid = ? and a.attname = ? and i.indisunique and"
                + " i.indimmediate and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null and"
                + " i.indexprs is null")) {
      statement.setObject(1, oid(connection), java.sql.Types.BIGINT);
      statement.setString(2, table.key().name());
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next();
      }
    }
  }
}
