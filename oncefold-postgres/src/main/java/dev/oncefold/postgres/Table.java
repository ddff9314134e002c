package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Slot;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The user's table: reads slots, and writes those of a batch in one statement of each kind.
 *
 * <p>What is changed must still be the row that was read: of the same {@code oncefold_version}, and
 * written by the same transaction ({@code xmin}). A key that was deleted and made anew has the same
 * versions again, but never the same transaction.
 *
 * @param <S> the type of one key's state
 */
final class Table<S> {
  static final String VERSION = "oncefold_version";

  private final Name name;
  private final Name key;
  private final Columns<S> columns;
  private final String find;
  private final String findToChange;
  private final String all;
  private final String update;
  private final String insert;
  private final String delete;
  private final String unchanged;
  private final String taken;

  Table(Name name, Name key, Columns<S> columns) {
    this.name = name;
    this.key = key;
    this.columns = columns;
    for (Columns.Column column : columns.columns()) {
      if (column.name().equals(key.name()) || column.name().equals(VERSION)) {
        throw new IllegalArgumentException(
            "the state has a field \""
                + column.name()
                + "\", as the store's own column is called: "
                + (column.name().equals(VERSION)
                    ? "rename the field"
                    : "rename the field, or the key column (Options.keyColumn)"));
      }
    }
    String t = name.quoted();
    String k = key.quoted();
    String read =
        "select " + k + ", " + VERSION + ", xmin::text" + each(c -> ", " + read(c)) + " from " + t;
    this.find = read + " where " + k + " = any(?)";
    this.findToChange = find + " order by " + k + " for update";
    this.all = read + " order by " + k;
    String match = "t." + k + " = u.k and t." + VERSION + " = u.v and t.xmin = u.x";
    this.update =
        "update "
            + t
            + " t set "
            + VERSION
            + " = u.n"
            + each(c -> ", " + quoted(c) + " = u." + quoted(c))
            // In the list of a SELECT it takes the server less than in FROM, where each array
            // becomes
            // a table first.
            + " from (select unnest(?::text[]) as k, unnest(?::bigint[]) as v, unnest(?::int[]) as x,"
            + " unnest(?::bigint[]) as n"
            + each(c -> ", unnest(?::" + c.type().sql() + "[]) as " + quoted(c))
            + ") as u where "
            + match;
    this.insert =
        "insert into "
            + t
            + " ("
            + k
            + ", "
            + VERSION
            + each(c -> ", " + quoted(c))
            + ") select unnest(?::text[]), unnest(?::bigint[])"
            + each(c -> ", unnest(?::" + c.type().sql() + "[])")
            + " on conflict ("
            + k
            + ") do nothing";
    String keys = " unnest(?::text[], ?::bigint[], ?::int[]) as u(k, v, x) ";
    this.delete = "delete from " + t + " t using" + keys + "where " + match;
    this.unchanged =
        "select count(*) from (select 1 from"
            + keys
            + "join "
            + t
            + " t on "
            + match
            + " for share of t) as same";
    this.taken =
        "select u.k from unnest(?::text[]) as u(k) left join "
            + t
            + " t on t."
            + k
            + " = u.k where t."
            + k
            + " is null or t.xmin <> ? limit 1";
  }

  /** The same table under its full name. */
  Table<S> called(Name full) {
    return new Table<>(full, key, columns);
  }

  private String each(java.util.function.Function<Columns.Column, String> text) {
    return columns.columns().stream().map(text).collect(Collectors.joining());
  }

  private static String quoted(Columns.Column column) {
    return Name.of(column.name()).quoted();
  }

  private static String read(Columns.Column column) {
    return column.type() == Columns.Type.TIMESTAMPTZ ? quoted(column) + "::text" : quoted(column);
  }

  Name name() {
    return name;
  }

  Name key() {
    return key;
  }

  Columns<S> columns() {
    return columns;
  }

  /** Receives a row. */
  interface Visitor<S> {
    void row(String key, Slot<S> slot, int xmin);
  }

  /** Reads the rows of some keys, and locks them where they are to be changed. */
  void find(Connection connection, Collection<String> keys, boolean lock, Visitor<S> visitor)
      throws SQLException {
    if (keys.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = connection.prepareStatement(lock ? findToChange : find)) {
      statement.setArray(1, Arrays.texts(connection, keys.toArray(String[]::new)));
      read(statement, visitor);
    }
  }

  /** Reads every row, in the order of the keys. */
  void all(Connection connection, Visitor<S> visitor) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(all)) {
      statement.setFetchSize(1000);
      read(statement, visitor);
    }
  }

  private void read(PreparedStatement statement, Visitor<S> visitor) throws SQLException {
    try (ResultSet answer = statement.executeQuery()) {
      int width = columns.columns().size();
      while (answer.next()) {
        String key = answer.getString(1);
        @Nullable Object[] values = new @Nullable Object[width];
        try {
          for (int i = 0; i < width; i++) {
            values[i] = value(answer, 4 + i, columns.columns().get(i).type());
          }
          visitor.row(
              key,
              new Slot<>(columns.state(values), answer.getLong(2)),
              (int) Long.parseLong(answer.getString(3)));
        } catch (RuntimeException e) {
          throw new StoreException(
              "the row of the key \""
                  + key
                  + "\" in the table "
                  + name
                  + " holds no state: "
                  + e.getMessage()
                  + ". Was it edited by hand? Mend the row",
              e);
        }
      }
    }
  }

  private static @Nullable Object value(ResultSet answer, int place, Columns.Type type)
      throws SQLException {
    Object value =
        switch (type) {
          case BIGINT -> (Object) answer.getLong(place);
          case NUMERIC -> answer.getBigDecimal(place);
          case TEXT, JSONB, TIMESTAMPTZ -> answer.getString(place);
          case BOOLEAN -> (Object) answer.getBoolean(place);
          case DOUBLE -> (Object) answer.getDouble(place);
        };
    if (value == null || answer.wasNull()) {
      return null;
    }
    return type == Columns.Type.TIMESTAMPTZ ? Times.read((String) value) : value;
  }

  /** Changes rows that are there; answers how many were still as they were read. */
  int update(Connection connection, List<Cell<S>> cells) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(update)) {
      int next = asRead(statement, connection, cells);
      statement.setObject(next++, newVersions(cells));
      values(statement, next, connection, cells);
      return statement.executeUpdate();
    }
  }

  /** Adds rows; answers for how many of them there was none. */
  int insert(Connection connection, List<Cell<S>> cells) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      statement.setArray(1, keys(connection, cells));
      statement.setObject(2, newVersions(cells));
      values(statement, 3, connection, cells);
      return statement.executeUpdate();
    }
  }

  /** Deletes rows; answers how many were still as they were read. */
  int delete(Connection connection, List<Cell<S>> cells) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(delete)) {
      asRead(statement, connection, cells);
      return statement.executeUpdate();
    }
  }

  /**
   * Counts the rows that are still as they were read, and keeps them so to the transaction's end.
   */
  int unchanged(Connection connection, List<Cell<S>> cells) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(unchanged)) {
      asRead(statement, connection, cells);
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        return answer.getInt(1);
      }
    }
  }

  /** One of the keys whose row the transaction has not written; null where it has written all. */
  @Nullable String taken(Connection connection, List<Cell<S>> cells, int xid) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(taken)) {
      statement.setArray(1, keys(connection, cells));
      statement.setInt(2, xid);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next() ? answer.getString(1) : null;
      }
    }
  }

  private int asRead(PreparedStatement statement, Connection connection, List<Cell<S>> cells)
      throws SQLException {
    statement.setArray(1, keys(connection, cells));
    statement.setObject(2, cells.stream().mapToLong(cell -> cell.readVersion).toArray());
    statement.setObject(3, cells.stream().mapToInt(cell -> cell.xmin).toArray());
    return 4;
  }

  private java.sql.Array keys(Connection connection, List<Cell<S>> cells) throws SQLException {
    return Arrays.texts(connection, cells.stream().map(cell -> cell.key).toArray(String[]::new));
  }

  private static <S> long[] newVersions(List<Cell<S>> cells) {
    return cells.stream().mapToLong(Cell::version).toArray();
  }

  private void values(
      PreparedStatement statement, int first, Connection connection, List<Cell<S>> cells)
      throws SQLException {
    List<@Nullable Object[]> rows = new ArrayList<>(cells.size());
    for (Cell<S> cell : cells) {
      rows.add(cell.values);
    }
    for (int i = 0; i < columns.columns().size(); i++) {
      statement.setArray(
          first + i, Arrays.column(connection, columns.columns().get(i).type(), rows, i));
    }
  }

  /** A state's values, and about how many bytes they take. */
  @Nullable Object[] values(S state) {
    return columns.values(state);
  }

  /** About how many bytes some values take. */
  static long size(@Nullable Object[] values) {
    long size = 0;
    for (Object value : values) {
      size += value instanceof String text ? text.length() : 8;
    }
    return size;
  }

  /** Says that a key cannot be one. */
  static void checkKey(String key) {
    Text.checked("the key", key);
    // A character has three bytes at most, and most keys are short.
    int bytes = key.length() <= MOST_KEY / 3 ? 0 : key.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MOST_KEY) {
      throw new CodecException(
          "a key of "
              + bytes
              + " bytes is longer than "
              + MOST_KEY
              + ", the most that an index takes");
    }
  }

  // What an entry of a B-tree holds, but for its head.
  private static final int MOST_KEY = 2600;
}
