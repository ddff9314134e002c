package dev.oncefold.postgres;

import dev.oncefold.Counts;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Store;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The rows of a fold's partitions: the fence, the positions, the watermarks and the counts. */
final class Partitions {
  // With the number of the fold, and mixed with the name of its schema: held shared by each batch
  // from its beginning to its end, and
  // exclusively by whoever changes what all batches rest on.
  private static final int LOCK = 0x6f6e6368;
  private static final int ABSENT = 0x5a5a0000;
  private static final int ABSENT_LOCKS = 128;

  private final int fold;
  private final int lock;
  private final String expect;
  private final String anyCommit;
  private final String claim;
  private final String caughtUp;
  private final String overtaken;
  private final String begin;
  private final String find;
  private final String move;

  Partitions(Name schema, int fold) {
    this.fold = fold;
    this.lock = LOCK ^ schema.name().hashCode();
    String partitions = Name.of("partitions").in(schema).quoted();
    String folds = Name.of("folds").in(schema).quoted();
    String generations = Name.of("generations").in(schema).quoted();
    this.expect =
        "insert into "
            + partitions
            + " (fold, name) select ?, u.n from unnest(?::text[]) as u(n) on conflict do nothing";
    this.anyCommit = "select 1 from " + partitions + " where fold = ? and batch > 0 limit 1";
    this.claim =
        "update "
            + partitions
            + " set epoch = epoch + 1, unread = true where fold = ? and name = ?"
            + " returning epoch, position_offset, position_check";
    this.caughtUp =
        "update " + partitions + " set unread = false where fold = ? and name = ? and epoch = ?";
    this.overtaken =
        "select u.place from unnest(?::text[], ?::bigint[]) with ordinality as u(name, epoch,"
            + " place) left join "
            + partitions
            + " p on p.fold = ? and p.name = u.name where p.epoch is distinct from u.epoch";
    // The lock is a statement of its own: what is read in the same one would be as it was before
    // the wait.
    this.begin =
        """
        select pg_advisory_xact_lock_shared(%1$d, ?);
        select f.revision, f.floor, f.live, f.started, p.epoch, p.position_offset,
          p.position_check, p.batch, p.watermark, o.lagging, o.others, o.newest, o.least, o.greatest,
          g.closed, g.least
        from %2$s f join %3$s p on p.fold = f.id
        cross join lateral (
          select coalesce(bool_or(q.watermark is null) filter (where q.unread and q.name <> p.name),
              false) as lagging,
            min(q.watermark) filter (where q.unread and q.name <> p.name) as others,
            sum(q.ids)::bigint as newest, min(q.least_time) as least, max(q.greatest_time) as greatest
          from %3$s q where q.fold = f.id) o
        cross join lateral (
          select coalesce(sum(r.ids), 0)::bigint as closed, min(r.least_time) as least
          from %4$s r where r.fold = f.id and not r.gone) g
        where f.id = ? and p.name = ?
        """
            .formatted(lock, folds, partitions, generations);
    this.find =
        "select epoch, position_offset, position_check, batch, committed from "
            + partitions
            + " where fold = ? and name = ? for update";
    this.move =
        "update "
            + partitions
            + " set position_offset = ?, position_check = ?, batch = batch + 1, committed = epoch,"
            + " watermark = greatest(watermark, ?), unread = ?, ids = ids + ?, least_time ="
            + " least(least_time, ?), greatest_time = greatest(greatest_time, ?), applied = applied"
            + " + ?, rejected = rejected + ?, duplicates = duplicates + ?, conflicts = conflicts +"
            + " ?, expired = expired + ?, failed = failed + ?, outputs = outputs + ? where fold = ?"
            + " and name = ? and epoch = ? and position_offset = ? and position_check = ? and batch"
            + " = ? returning pg_current_xact_id()::text::bigint";
  }

  /** Makes the rows of partitions that have none: they count as unread. */
  void expect(Connection connection, List<String> names) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(expect)) {
      statement.setInt(1, fold);
      statement.setArray(2, Arrays.texts(connection, names.toArray(String[]::new)));
      statement.executeUpdate();
    }
  }

  /** Whether anything was ever committed. */
  boolean anyCommit(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(anyCommit)) {
      statement.setInt(1, fold);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next();
      }
    }
  }

  /** Mints an epoch. Waits for a commit of the one before. */
  Store.Claim claim(Connection connection, String name) throws SQLException {
    expect(connection, List.of(name));
    return Objects.requireNonNull(claimKnown(connection, name));
  }

  /** The same of a partition that was there before; null if there is none of the name. */
  Store.@Nullable Claim claimKnown(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(claim)) {
      statement.setInt(1, fold);
      statement.setString(2, name);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next()
            ? new Store.Claim(
                name, answer.getLong(1), new Position(answer.getLong(2), answer.getLong(3)))
            : null;
      }
    }
  }

  /** Notes that a partition is read to its end; false if the claim is not the newest any more. */
  boolean caughtUp(Connection connection, Store.Claim claim) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(caughtUp)) {
      statement.setInt(1, fold);
      statement.setString(2, claim.partition());
      statement.setLong(3, claim.epoch());
      return statement.executeUpdate() == 1;
    }
  }

  /** Those of some claims that are not the newest of their partitions. */
  List<Store.Claim> overtaken(Connection connection, Collection<Store.Claim> claims)
      throws SQLException {
    List<Store.Claim> found = new ArrayList<>();
    List<Store.Claim> asked = List.copyOf(claims);
    try (PreparedStatement statement = connection.prepareStatement(overtaken)) {
      statement.setArray(
          1,
          Arrays.texts(
              connection, asked.stream().map(Store.Claim::partition).toArray(String[]::new)));
      statement.setObject(2, asked.stream().mapToLong(Store.Claim::epoch).toArray());
      statement.setInt(3, fold);
      try (ResultSet answer = statement.executeQuery()) {
        while (answer.next()) {
          found.add(asked.get(answer.getInt(1) - 1));
        }
      }
    }
    return found;
  }

  /** Takes the lock that all batches share, and reads what a batch rests on. */
  @Nullable Head begin(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(begin)) {
      statement.setInt(1, fold);
      statement.setInt(2, fold);
      statement.setString(3, name);
      statement.execute();
      statement.getMoreResults();
      try (ResultSet answer = statement.getResultSet()) {
        return answer.next() ? head(answer) : null;
      }
    }
  }

  private static Head head(ResultSet answer) throws SQLException {
    Long floor = nullable(answer, 2);
    List<Integer> live = new ArrayList<>();
    for (Object generation : (Object[]) answer.getArray(3).getArray()) {
      live.add((Integer) generation);
    }
    return new Head(
        answer.getInt(1),
        floor == null ? Kernel.NO_FLOOR : floor,
        List.copyOf(live),
        nullable(answer, 4),
        answer.getLong(5),
        new Position(answer.getLong(6), answer.getLong(7)),
        answer.getLong(8),
        nullable(answer, 9),
        answer.getBoolean(10),
        nullable(answer, 11),
        answer.getLong(12),
        nullable(answer, 13),
        nullable(answer, 14),
        answer.getLong(15),
        nullable(answer, 16));
  }

  static @Nullable Long nullable(ResultSet answer, int place) throws SQLException {
    long value = answer.getLong(place);
    return answer.wasNull() ? null : value;
  }

  /**
   * Waits for batches that have found some of the same keys to be absent, and keeps others from
   * that until this transaction ends. Without it a rejection that rests on an absent key could be
   * committed after the batch that makes the key. Keys share a few locks, since a server has few.
   */
  void lockAbsent(Connection connection, Collection<String> keys) throws SQLException {
    SortedSet<Long> buckets = new TreeSet<>();
    for (String key : keys) {
      buckets.add((long) Math.floorMod(key.hashCode(), ABSENT_LOCKS));
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select pg_advisory_xact_lock(?, b) from (select u.b::int as b from"
                + " unnest(?::bigint[]) as u(b) order by 1) as sorted")) {
      statement.setInt(1, (lock ^ ABSENT) + fold);
      statement.setArray(2, connection.createArrayOf("int8", buckets.toArray(Long[]::new)));
      statement.execute();
    }
  }

  /** Keeps every batch of the fold out, and waits for those that have begun. */
  void exclude(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select pg_advisory_xact_lock(" + lock + ", ?)")) {
      statement.setInt(1, fold);
      statement.execute();
    }
  }

  /**
   * A partition as it stands.
   *
   * @param epoch the newest claim
   * @param position how far it is applied
   * @param batch how many commits it has had
   * @param committed the claim that made the last
   */
  record Standing(long epoch, Position position, long batch, long committed) {}

  /** How a partition stands once no commit of it is in flight. */
  @Nullable Standing standing(Connection connection, String name) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(find)) {
      statement.setInt(1, fold);
      statement.setString(2, name);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next()
            ? new Standing(
                answer.getLong(1),
                new Position(answer.getLong(2), answer.getLong(3)),
                answer.getLong(4),
                answer.getLong(5))
            : null;
      }
    }
  }

  /**
   * What a batch adds to its partition.
   *
   * @param to the position after it
   * @param unread whether there is more to read
   * @param watermark the greatest time Applied or Rejected, or null
   * @param ids how many ids it remembers
   * @param least their least time, or null
   * @param greatest their greatest time, or null
   * @param counts its events
   */
  record Move(
      Position to,
      boolean unread,
      @Nullable Long watermark,
      int ids,
      @Nullable Long least,
      @Nullable Long greatest,
      Counts counts) {}

  /**
   * Moves a position if it still is where the batch began, and its claim holds.
   *
   * @return the low half of the transaction's number, which the rows it writes have as their xmin;
   *     null if the position was not moved
   */
  @Nullable Integer move(
      Connection connection, Store.Claim claim, Position from, long batch, Move by)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(move)) {
      int i = 1;
      statement.setLong(i++, by.to().offset());
      statement.setLong(i++, by.to().check());
      set(statement, i++, by.watermark());
      statement.setBoolean(i++, by.unread());
      statement.setInt(i++, by.ids());
      set(statement, i++, by.least());
      set(statement, i++, by.greatest());
      statement.setLong(i++, by.counts().applied());
      statement.setLong(i++, by.counts().rejected());
      statement.setLong(i++, by.counts().duplicates());
      statement.setLong(i++, by.counts().conflicts());
      statement.setLong(i++, by.counts().expired());
      statement.setLong(i++, by.counts().failed());
      statement.setLong(i++, by.counts().outputs());
      statement.setInt(i++, fold);
      statement.setString(i++, claim.partition());
      statement.setLong(i++, claim.epoch());
      statement.setLong(i++, from.offset());
      statement.setLong(i++, from.check());
      statement.setLong(i, batch);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next() ? (int) answer.getLong(1) : null;
      }
    }
  }

  private static void set(PreparedStatement statement, int place, @Nullable Long value)
      throws SQLException {
    if (value == null) {
      statement.setNull(place, Types.BIGINT);
    } else {
      statement.setLong(place, value);
    }
  }
}
