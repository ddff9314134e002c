package dev.oncefold.postgres;

import dev.oncefold.Fold;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The folds of a schema: how each is defined, and which changes of that are let through. A change
 * raises the fold's revision, and every batch looks at that: whoever opened the fold under another
 * definition commits nothing more.
 */
final class Registry {
  private static final String ACCEPT =
      " Keep the old definition, or accept the change (Options.acceptingChange): remembered verdicts"
          + " and states stay as they are, and other workers must be started anew.";

  /**
   * A fold as it is registered.
   *
   * @param target the table with its states, by schema and name; empty where there is none
   */
  record Registered(int id, int revision, long k0, long k1, String target) {}

  private record Stored(
      Registered registered,
      String keys,
      int version,
      String rules,
      String ids,
      String state,
      boolean hasIdTables) {}

  private final Name schema;
  private final String folds;

  Registry(Name schema) {
    this.schema = schema;
    this.folds = Name.of("folds").in(schema).quoted();
  }

  /** Finds a fold, or null where there is none of the name. */
  @Nullable Registered find(Connection connection, String fold) throws SQLException {
    Stored stored = stored(connection, fold);
    return stored == null ? null : stored.registered();
  }

  /**
   * Registers a fold, or compares it with what is registered.
   *
   * @param target the table of the states with its schema; null where there is none
   */
  Registered open(
      Connection connection, Fold<?, ?, ?> fold, Options<?, ?, ?> options, @Nullable Name target)
      throws SQLException {
    Stored stored = stored(connection, fold.name());
    if (stored == null) {
      insert(connection, fold, options, target);
      stored = Objects.requireNonNull(stored(connection, fold.name()));
    }
    String difference = difference(stored, fold, options, target);
    if (difference != null) {
      if (!options.acceptChange()) {
        throw new StoreException.OtherFold(difference + ACCEPT);
      }
      accept(connection, stored, fold, options, target);
      stored = Objects.requireNonNull(stored(connection, fold.name()));
    }
    if (fold.ids().kind() != Fold.Ids.Kind.NONE && !stored.hasIdTables()) {
      addIdTable(connection, stored.registered().id());
    }
    return stored.registered();
  }

  private @Nullable Stored stored(Connection connection, String fold) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select id, revision, k0, k1, target, keys, version, rules, ids, state, live <> '{}'"
                + " from "
                + folds
                + " where name = ?")) {
      statement.setString(1, fold);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next()
            ? new Stored(
                new Registered(
                    answer.getInt(1),
                    answer.getInt(2),
                    answer.getLong(3),
                    answer.getLong(4),
                    answer.getString(5)),
                answer.getString(6),
                answer.getInt(7),
                answer.getString(8),
                answer.getString(9),
                answer.getString(10),
                answer.getBoolean(11))
            : null;
      }
    }
  }

  private void insert(
      Connection connection, Fold<?, ?, ?> fold, Options<?, ?, ?> options, @Nullable Name target)
      throws SQLException {
    SecureRandom random = new SecureRandom();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "insert into "
                + folds
                + " (target, keys, version, rules, ids, state, event, output, name, k0, k1) values"
                + " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (name) do nothing")) {
      definition(statement, fold, options, target);
      statement.setString(9, fold.name());
      statement.setLong(10, random.nextLong());
      statement.setLong(11, random.nextLong());
      statement.executeUpdate();
    }
  }

  private static void definition(
      PreparedStatement statement,
      Fold<?, ?, ?> fold,
      Options<?, ?, ?> options,
      @Nullable Name target)
      throws SQLException {
    statement.setString(1, told(target));
    statement.setString(2, options.keys().name());
    statement.setInt(3, fold.version());
    statement.setString(4, Text.shown(fold.rules()));
    statement.setString(5, fold.ids().kind().name());
    statement.setString(6, fold.stateCodec().schema());
    statement.setString(7, fold.eventCodec().schema());
    statement.setString(8, fold.outputCodec().schema());
  }

  private static String told(@Nullable Name target) {
    return target == null ? "" : target.toString();
  }

  private static @Nullable String difference(
      Stored stored, Fold<?, ?, ?> fold, Options<?, ?, ?> options, @Nullable Name target) {
    String named = "the fold \"" + fold.name() + "\"";
    if (stored.version() != fold.version()) {
      return named
          + " is stored by its version "
          + stored.version()
          + "; this is version "
          + fold.version()
          + ".";
    }
    if (!stored.rules().isEmpty()
        && !fold.rules().isEmpty()
        && !stored.rules().lines().toList().equals(Text.shown(fold.rules()).lines().toList())) {
      return "the rules of "
          + named
          + " changed though its version "
          + fold.version()
          + " did not.";
    }
    if (!stored.ids().equals(fold.ids().kind().name())) {
      return named
          + " remembers ids by the choice "
          + stored.ids()
          + " so far, now by "
          + fold.ids().kind()
          + ". Ids that were forgotten, or never remembered, stay unknown: a re-send from before"
          + " may be applied again where the old choice was NONE.";
    }
    if (!stored.state().equals(fold.stateCodec().schema())) {
      return "the state of "
          + named
          + " was "
          + stored.state()
          + " so far, now it is "
          + fold.stateCodec().schema()
          + ". Columns of new fields are added to the table with the values of the initial state.";
    }
    if (!stored.registered().target().equals(told(target))) {
      return otherTable(fold.name(), stored.registered(), target)
          + " Only if it was renamed, go on with the new name.";
    }
    if (!stored.keys().equals(options.keys().name())) {
      return named
          + " runs with keys "
          + stored.keys()
          + " so far, now with "
          + options.keys()
          + ": all its workers must say the same.";
    }
    return null;
  }

  /** That a name stands for another table than the one with the states, and what to do. */
  static String otherTable(String fold, Registered registered, @Nullable Name target) {
    return "the fold \""
        + fold
        + "\" has its states in the table "
        + registered.target()
        + ", not in "
        + told(target)
        + ". Name it with its schema: a name alone is looked for where this user looks first.";
  }

  private void accept(
      Connection connection,
      Stored stored,
      Fold<?, ?, ?> fold,
      Options<?, ?, ?> options,
      @Nullable Name target)
      throws SQLException {
    int id = stored.registered().id();
    new Partitions(schema, id).exclude(connection);
    if (!stored.keys().equals(options.keys().name()) && hasUnsent(connection, id)) {
      throw new StoreException(
          "the fold \""
              + fold.name()
              + "\" has messages on their way to its sink that keys "
              + stored.keys()
              + " sends: run it so once more until all are sent, then change to "
              + options.keys());
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "update "
                + folds
                + " set target = ?, keys = ?, version = ?, rules = ?, ids = ?, state = ?, event ="
                + " ?, output = ?, revision = revision + 1 where id = ?")) {
      definition(statement, fold, options, target);
      statement.setInt(9, id);
      statement.executeUpdate();
    }
  }

  private boolean hasUnsent(Connection connection, int id) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select 1 from "
                    + Name.of("outbox").in(schema).quoted()
                    + " where fold = "
                    + id
                    + " limit 1")) {
      return answer.next();
    }
  }

  private void addIdTable(Connection connection, int id) throws SQLException {
    new Partitions(schema, id).exclude(connection);
    try (Statement statement = connection.createStatement()) {
      // Others who open the fold may have come first.
      if (statement.executeUpdate(
              "update " + folds + " set live = '{1}' where id = " + id + " and live = '{}'")
          == 1) {
        Ids.create(connection, schema, id, 1);
      }
    }
  }
}
