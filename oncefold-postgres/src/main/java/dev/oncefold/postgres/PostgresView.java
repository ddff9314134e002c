package dev.oncefold.postgres;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The committed content of a fold in PostgreSQL at one moment. Immutable; read without claiming
 * anything, so that workers go on meanwhile.
 *
 * @param counts the verdicts of all events so far
 * @param positions how far each input partition was applied
 * @param unread the partitions that have, or may have, more to read: the floor waits for each
 * @param floor the greatest event time (epoch milliseconds) whose ids may have been forgotten; null
 *     where there is none
 * @param slots what is stored for each key that was asked for, in the order of the keys
 * @param <S> the type of one key's state
 */
public record PostgresView<S>(
    Counts counts,
    Map<String, Position> positions,
    Set<String> unread,
    @Nullable Long floor,
    Map<String, Slot<S>> slots) {

  /**
   * Reads a fold, whatever version of it is stored, as long as the table has the columns that its
   * states need. All of it is of one moment.
   *
   * @param options where it is
   * @param fold the fold
   * @param keys the keys whose states are read; null for all
   * @param <S> the type of one key's state
   * @return what is committed
   * @throws StoreException if the database cannot be reached, or there is no such fold
   */
  public static <S> PostgresView<S> read(
      Options<S, ?, ?> options, Fold<S, ?, ?> fold, @Nullable List<String> keys) {
    Table<S> table = PostgresStore.table(options, fold);
    try (Session session = new Session(options, "oncefold state of " + fold.name())) {
      session.open();
      return session.run(
          "cannot read the fold \"" + fold.name() + "\"",
          connection -> {
            try (PreparedStatement statement =
                connection.prepareStatement(
                    "set transaction isolation level repeatable read, read only")) {
              statement.execute();
            }
            Registry.Registered registered =
                new Migrations(options.schema()).exists(connection)
                    ? new Registry(options.schema()).find(connection, fold.name())
                    : null;
            if (registered == null) {
              throw new StoreException(
                  "nothing is stored of the fold \""
                      + fold.name()
                      + "\" in the schema "
                      + options.schema()
                      + ": run it first");
            }
            if (table != null) {
              TableCheck check = new TableCheck(table);
              Name target = check.exists(connection) ? check.resolved(connection) : table.name();
              if (!registered.target().equals(target.toString())) {
                throw new StoreException(Registry.otherTable(fold.name(), registered, target));
              }
            }
            return read(options.schema(), registered.id(), table, connection, keys);
          });
    }
  }

  private static <S> PostgresView<S> read(
      Name schema,
      int fold,
      @Nullable Table<S> table,
      Connection connection,
      @Nullable List<String> keys)
      throws SQLException {
    Counts counts = Counts.NONE;
    Map<String, Position> positions = new LinkedHashMap<>();
    Set<String> unread = new LinkedHashSet<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select name, position_offset, position_check, applied, rejected, duplicates,"
                + " conflicts, expired, failed, outputs, unread from "
                + Name.of("partitions").in(schema).quoted()
                + " where fold = ? order by name")) {
      statement.setInt(1, fold);
      try (ResultSet answer = statement.executeQuery()) {
        while (answer.next()) {
          positions.put(answer.getString(1), new Position(answer.getLong(2), answer.getLong(3)));
          if (answer.getBoolean(11)) {
            unread.add(answer.getString(1));
          }
          counts =
              counts.plus(
                  new Counts(
                      answer.getLong(4),
                      answer.getLong(5),
                      answer.getLong(6),
                      answer.getLong(7),
                      answer.getLong(8),
                      answer.getLong(9),
                      answer.getLong(10)));
        }
      }
    }
    Long floor;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select floor from " + Name.of("folds").in(schema).quoted() + " where id = ?")) {
      statement.setInt(1, fold);
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        floor = Partitions.nullable(answer, 1);
      }
    }
    Map<String, Slot<S>> slots = new LinkedHashMap<>();
    if (table != null && keys == null) {
      table.all(connection, (key, slot, xmin) -> slots.put(key, slot));
    } else if (table != null && keys != null) {
      List<String> storable = keys.stream().filter(Text::isStorable).toList();
      table.find(connection, storable, false, (key, slot, xmin) -> slots.put(key, slot));
    }
    return new PostgresView<>(counts, positions, unread, floor, slots);
  }
}
