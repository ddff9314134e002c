package dev.oncefold.postgres;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel.Trace;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Writes down what a database went through, by what it holds and not by what the store says of
 * itself: a trigger on the table of the positions notes every claim and every commit in the
 * transaction that makes it. Commits that touch one key wait for each other there, so their order
 * is that of the notes.
 */
final class Onlooker {
  private static final String NOTES =
      """
      create table public.notes (
        n bigint generated always as identity primary key,
        partition text, before_offset bigint, after_offset bigint,
        before_epoch bigint, after_epoch bigint);
      create function public.note() returns trigger language plpgsql as $$
        begin
          if new.epoch <> old.epoch or new.position_offset <> old.position_offset then
            insert into public.notes
              (partition, before_offset, after_offset, before_epoch, after_epoch)
              values (new.name, old.position_offset, new.position_offset, old.epoch, new.epoch);
          end if;
          return new;
        end $$;
      create trigger note after update on oncefold.partitions
        for each row execute function public.note();
      """;

  private final String url;
  private final String table;
  private final Consumer<Observation> history;
  private final Snapshots<Trace> snapshots;
  private final Standing standing;
  private final Set<Long> seen = new HashSet<>();
  // All notes up to this one were seen.
  private long allSeen;
  private int claims;

  /** Who knows what stands in the input. */
  @FunctionalInterface
  interface Standing {
    /**
     * Tells the history all that stands in a partition before an offset, and was not told; waits
     * for what is known a moment later than it is read.
     */
    void tell(String partition, long to) throws InterruptedException;
  }

  Onlooker(String url, String table, Consumer<Observation> history, Standing standing) {
    this.standing = standing;
    this.url = url;
    this.table = table;
    this.history = history;
    this.snapshots = new Snapshots<>(Trace::text, history);
  }

  /** Begins to note; the bookkeeping tables are there. */
  void begin() throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(NOTES);
    }
  }

  /** Tells everything since the last look, as of one moment; answers the positions. */
  Map<String, Long> look() throws SQLException {
    try (Connection connection = DriverManager.getConnection(url)) {
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        notes(statement);
        Map<String, Long> positions = new TreeMap<>();
        Counts counts = positions(statement, positions);
        snapshots.observe(positions, counts, null, slots(statement));
        return positions;
      }
    }
  }

  private void notes(Statement statement) throws SQLException {
    // What was begun earlier and committed later has a smaller number: look at all that are new.
    try (ResultSet row =
        statement.executeQuery(
            "select n, partition, before_offset, after_offset, before_epoch, after_epoch"
                + " from public.notes where n > "
                + allSeen
                + " order by n")) {
      while (row.next()) {
        if (seen.add(row.getLong(1))) {
          note(row.getString(2), row.getLong(3), row.getLong(4), row.getLong(5), row.getLong(6));
        }
      }
    }
    while (seen.remove(allSeen + 1)) {
      allSeen++;
    }
  }

  private void note(String partition, long from, long to, long epochBefore, long epoch) {
    if (epoch != epochBefore) {
      claims++;
      history.accept(new Observation.Claimed(partition, epoch, to));
    }
    if (to != from) {
      try {
        standing.tell(partition, to);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      history.accept(new Observation.Commit(partition, from, to, epoch, null, null, 1, ""));
    }
  }

  /** How many rows of the outbox were not relayed yet. */
  long waiting() {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from oncefold.outbox")) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      return Long.MAX_VALUE; // the database is away
    }
  }

  /** How often a partition was claimed. */
  int claims() {
    return claims;
  }

  private Counts positions(Statement statement, Map<String, Long> positions) throws SQLException {
    Counts counts = Counts.NONE;
    try (ResultSet row =
        statement.executeQuery(
            "select name, position_offset, applied, rejected, duplicates, conflicts, expired,"
                + " failed, outputs from oncefold.partitions")) {
      while (row.next()) {
        positions.put(row.getString(1), row.getLong(2));
        counts =
            counts.plus(
                new Counts(
                    row.getLong(3),
                    row.getLong(4),
                    row.getLong(5),
                    row.getLong(6),
                    row.getLong(7),
                    row.getLong(8),
                    row.getLong(9)));
      }
    }
    return counts;
  }

  private Map<String, Slot<Trace>> slots(Statement statement) throws SQLException {
    Map<String, Slot<Trace>> slots = new HashMap<>();
    try (ResultSet row =
        statement.executeQuery(
            "select key, count, sum, last_seq, chain, oncefold_version from " + table)) {
      while (row.next()) {
        slots.put(
            row.getString(1),
            new Slot<>(
                new Trace(row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5)),
                row.getLong(6)));
      }
    }
    return slots;
  }
}
