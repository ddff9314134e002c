package dev.oncefold.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Stream;

/**
 * The bookkeeping tables, in a schema of their own. A version is never changed once it is released:
 * what comes after is another step.
 */
final class Migrations {
  private static final int LOCK = 0x6f6e6367;

  private final Name schema;
  private final List<List<String>> steps;

  Migrations(Name schema) {
    this(
        schema,
        List.of(
            Stream.of(first(schema.quoted()), Outbox.tables(schema.quoted()))
                .flatMap(List::stream)
                .toList()));
  }

  Migrations(Name schema, List<List<String>> steps) {
    this.schema = schema;
    this.steps = steps;
  }

  /**
   * What the tables mean:
   *
   * <ul>
   *   <li>{@code folds}: one row a fold. {@code revision} rises with every change of the
   *       definition, and whoever began under another one is turned away. {@code live} numbers the
   *       id tables {@code ids_<fold>_<n>} that are looked into, the newest last; {@code started}
   *       is the greatest watermark at the time when that one was made.
   *   <li>{@code partitions}: how far each partition is applied, who may go on, and its part of the
   *       counts. {@code batch} counts its commits, {@code committed} is the epoch of the last one.
   *       {@code ids} and the least and greatest time tell of the ids that it put into the newest
   *       id table.
   *   <li>{@code generations}: the same of the id tables that take no more; those that are {@code
   *       gone} are looked into no more, and dropped as soon as nobody else reads them.
   *   <li>{@code lanes} and {@code outbox}: see {@link Outbox}.
   *   <li>{@code refusals}: for people; nothing reads it, and rows may be deleted at will.
   * </ul>
   */
  private static List<String> first(String schema) {
    return List.of(
        """
        create table %s.folds (
          id integer generated always as identity primary key,
          name text not null unique,
          target text not null,
          keys text not null,
          version integer not null,
          rules text not null,
          ids text not null,
          state text not null,
          event text not null,
          output text not null,
          revision integer not null default 1,
          k0 bigint not null,
          k1 bigint not null,
          floor bigint,
          live integer[] not null default '{}',
          started bigint)
        """
            .formatted(schema),
        """
        create table %1$s.partitions (
          fold integer not null references %1$s.folds on delete cascade,
          name text not null,
          epoch bigint not null default 0,
          position_offset bigint not null default 0,
          position_check bigint not null default 0,
          batch bigint not null default 0,
          committed bigint not null default 0,
          watermark bigint,
          unread boolean not null default true,
          ids bigint not null default 0,
          least_time bigint,
          greatest_time bigint,
          applied bigint not null default 0,
          rejected bigint not null default 0,
          duplicates bigint not null default 0,
          conflicts bigint not null default 0,
          expired bigint not null default 0,
          failed bigint not null default 0,
          outputs bigint not null default 0,
          primary key (fold, name)) with (fillfactor = 25)
        """
            .formatted(schema),
        """
        create table %1$s.generations (
          fold integer not null references %1$s.folds on delete cascade,
          generation integer not null,
          ids bigint not null,
          least_time bigint,
          greatest_time bigint,
          gone boolean not null default false,
          primary key (fold, generation))
        """
            .formatted(schema),
        """
        create table %1$s.refusals (
          fold integer not null references %1$s.folds on delete cascade,
          partition text not null,
          record_offset bigint not null,
          verdict text not null,
          failure text,
          reason text,
          key text,
          id text,
          time timestamptz,
          event text,
          raw bytea,
          committed timestamptz not null default now())
        """
            .formatted(schema),
        "create index on %s.refusals (fold, partition, record_offset)".formatted(schema));
  }

  /**
   * Brings the tables to this version, within the connection's transaction. Only one does it at a
   * time; the others wait.
   *
   * @throws StoreException if a newer version made them
   */
  void run(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "select pg_advisory_xact_lock(" + LOCK + ", " + schema.name().hashCode() + ")");
      if (!exists(connection)) {
        if (!has(connection, "select 1 from pg_namespace where nspname = ?")) {
          statement.execute("create schema " + schema.quoted());
        }
        statement.execute("create table " + table() + " (version integer not null)");
        statement.execute("insert into " + table() + " values (0)");
      }
      int version = version(connection);
      if (version > steps.size()) {
        throw new StoreException(
            "the schema \""
                + schema
                + "\" has the version "
                + version
                + ", and this program knows versions up to "
                + steps.size()
                + ": a newer one made it. Run that, or use another schema");
      }
      for (List<String> step : steps.subList(version, steps.size())) {
        for (String sql : step) {
          statement.execute(sql);
        }
      }
      if (version < steps.size()) {
        statement.execute("update " + table() + " set version = " + steps.size());
      }
    }
  }

  /** Whether the tables are there at all. */
  boolean exists(Connection connection) throws SQLException {
    return has(
        connection, "select 1 from pg_tables where schemaname = ? and tablename = 'version'");
  }

  int version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet answer = statement.executeQuery("select version from " + table())) {
      return answer.next() ? answer.getInt(1) : 0;
    }
  }

  private String table() {
    return Name.of("version").in(schema).quoted();
  }

  private boolean has(Connection connection, String query) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setString(1, schema.name());
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next();
      }
    }
  }
}
