package dev.oncefold.postgres;

import dev.oncefold.Kernel;
import dev.oncefold.Remembered;
import dev.oncefold.SipHash;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;

/**
 * The remembered ids: a row each, under the keyed hash of (key, id), in tables of which only the
 * newest takes more. Exact: what two workers remember at once meets in the primary key.
 *
 * <p>Not thread-safe.
 */
final class Ids {
  /** The time of an id that is never forgotten. */
  static final long NO_TIME = Long.MAX_VALUE;

  private static final String REPLACING =
      " on conflict (hi, lo) do update set fingerprint = excluded.fingerprint, time ="
          + " excluded.time, rejected = excluded.rejected where t.time <= ?";

  private final Name schema;
  private final int fold;
  private final SipHash hash;
  private final Map<List<Integer>, String> finds = new HashMap<>();
  private boolean replaces;

  /** An id within its key, as it is looked up. */
  record Id(long hi, long lo) implements Comparable<Id> {
    @Override
    public int compareTo(Id other) {
      int by = Long.compare(hi, other.hi);
      return by != 0 ? by : Long.compare(lo, other.lo);
    }
  }

  /**
   * An id to be remembered.
   *
   * @param id the hash
   * @param time its event time, or {@link #NO_TIME}
   * @param remembered what is remembered of it
   */
  record Entry(Id id, long time, Remembered remembered) {}

  Ids(Name schema, int fold, long k0, long k1) {
    this.schema = schema;
    this.fold = fold;
    this.hash = new SipHash(k0, k1);
  }

  Id id(String key, String id) {
    hash.hash(key, id);
    return new Id(hash.hi(), hash.lo());
  }

  /** The name of an id table, quoted. */
  static String table(Name schema, int fold, int generation) {
    return Name.of("ids_" + fold + "_" + generation).in(schema).quoted();
  }

  /** Makes an id table. Every insert fills a page of the index at random, so pages stay full. */
  static void create(Connection connection, Name schema, int fold, int generation)
      throws SQLException {
    try (java.sql.Statement statement = connection.createStatement()) {
      statement.execute(
          "create table "
              + table(schema, fold, generation)
              + " (hi bigint not null, lo bigint not null, fingerprint bigint not null,"
              + " time bigint not null, rejected text, primary key (hi, lo))");
    }
  }

  /** Finds ids in all live tables; those of a time at or below the floor are forgotten. */
  Map<Id, Remembered> find(
      Connection connection, List<Integer> live, long floor, Collection<Id> ids)
      throws SQLException {
    Map<Id, Remembered> found = new HashMap<>();
    if (ids.isEmpty() || live.isEmpty()) {
      return found;
    }
    List<Id> sorted = sorted(ids);
    try (PreparedStatement statement =
        connection.prepareStatement(finds.computeIfAbsent(live, this::find))) {
      statement.setObject(1, longs(sorted, true));
      statement.setObject(2, longs(sorted, false));
      for (int i = 0; i < live.size(); i++) {
        statement.setLong(3 + i, floor);
      }
      try (ResultSet answer = statement.executeQuery()) {
        while (answer.next()) {
          found.put(
              new Id(answer.getLong(1), answer.getLong(2)),
              new Remembered(answer.getLong(3), answer.getString(4)));
        }
      }
    }
    return found;
  }

  private String find(List<Integer> live) {
    return live.stream()
        .map(
            generation ->
                "select t.hi, t.lo, t.fingerprint, t.rejected from u join "
                    + table(schema, fold, generation)
                    + " t on t.hi = u.h and t.lo = u.l where t.time > ?")
        .collect(
            Collectors.joining(
                " union all ",
                "with u as materialized (select * from unnest(?::bigint[], ?::bigint[]) as x(h, l)) ",
                ""));
  }

  /**
   * Adds ids to the newest table, by a plain INSERT: one that looks for rows in its way costs the
   * server twice as much. So it fails where one of the ids has a row already, be it one that is
   * forgotten; the next try then replaces such rows.
   *
   * @return false if not all could be added: then the batch is to be judged again, and the
   *     transaction is of no use any more
   */
  boolean insert(Connection connection, Head head, List<Entry> entries) throws SQLException {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort((a, b) -> a.id().compareTo(b.id()));
    List<Id> ids = sorted.stream().map(Entry::id).toList();
    String insert =
        "insert into "
            + table(schema, fold, head.live().get(head.live().size() - 1))
            + " as t select unnest(?::bigint[]), unnest(?::bigint[]), unnest(?::bigint[]),"
            + " unnest(?::bigint[]), unnest(?::text[])";
    try (PreparedStatement statement =
        connection.prepareStatement(replaces ? insert + REPLACING : insert)) {
      statement.setObject(1, longs(ids, true));
      statement.setObject(2, longs(ids, false));
      statement.setObject(
          3, sorted.stream().mapToLong(e -> e.remembered().fingerprint()).toArray());
      statement.setObject(4, sorted.stream().mapToLong(Entry::time).toArray());
      @Nullable String[] reasons = new @Nullable String[sorted.size()];
      for (int i = 0; i < reasons.length; i++) {
        reasons[i] = sorted.get(i).remembered().rejected();
      }
      statement.setArray(5, Arrays.texts(connection, reasons));
      if (replaces) {
        statement.setLong(6, head.floor() == Kernel.NO_FLOOR ? Long.MIN_VALUE : head.floor());
      }
      boolean all = statement.executeUpdate() == sorted.size();
      replaces = false;
      return all;
    } catch (SQLException e) {
      if (!PSQLState.UNIQUE_VIOLATION.getState().equals(e.getSQLState())) {
        throw e;
      }
      replaces = true;
      return false;
    }
  }

  private static List<Id> sorted(Collection<Id> ids) {
    List<Id> sorted = new ArrayList<>(ids);
    Collections.sort(sorted);
    return sorted;
  }

  private static long[] longs(List<Id> ids, boolean high) {
    return ids.stream().mapToLong(id -> high ? id.hi() : id.lo()).toArray();
  }
}
