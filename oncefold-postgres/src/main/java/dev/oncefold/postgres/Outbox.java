package dev.oncefold.postgres;

import dev.oncefold.Sink;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What a fold has committed and not yet sent: rows, each with the messages of one batch for one
 * lane, in the order of their commits.
 *
 * <p>The number of a row is taken in the batch's own transaction by changing the lane's row in the
 * table {@code lanes}; whoever wants the next number waits until that transaction is over. So a
 * lane's numbers follow its commits and have no gaps, and whoever sees a row sees all before it. A
 * sequence of the database gives numbers in the order in which they are asked for instead, and a
 * reader that goes by them passes over whoever commits late.
 *
 * <p>The low 23 bits of what the tables call {@code seq} are no number but a check on all that the
 * lane has ever sent: see {@link #next}. A sink's position therefore says both how many rows it has
 * and that they were these. Where a database that was put back to an earlier state goes on from
 * there, its rows do not follow from those that are out.
 *
 * <p>Safe for use by several threads, each with a connection of its own.
 */
final class Outbox {
  private static final int CHECK_BITS = 23;
  private static final long CHECK_MASK = (1L << CHECK_BITS) - 1;
  private static final long FACTOR = 6_364_137;
  private static final int LOCKS = 0x6f6e6365; // "once"

  /** What a row takes beside its payload, about, where room is counted. */
  static final int ROW_OVERHEAD = 64;

  private final int fold;
  private final int locks;
  private final String write;
  private final String standing;
  private final String rows;
  private final String delete;

  /**
   * The outbox of a fold.
   *
   * @param schema the schema of the bookkeeping tables, quoted
   * @param fold the fold's number in it
   */
  Outbox(String schema, int fold) {
    this.fold = fold;
    // Folds are numbered in each schema.
    this.locks = LOCKS ^ schema.hashCode();
    this.write =
        """
        with taken as (
          insert into %1$s.lanes as l (fold, lane, seq) values (?, ?, ?)
          on conflict (fold, lane) do update set seq =
            (((l.seq >> %2$d) + 1) << %2$d) | (((l.seq & %3$d) * %4$d + ?) & %3$d)
          returning fold, lane, seq)
        insert into %1$s.outbox (fold, lane, seq, payload)
        select fold, lane, seq, ? from taken returning seq
        """
            .formatted(schema, CHECK_BITS, CHECK_MASK, FACTOR);
    this.standing =
        """
        select coalesce(l.seq, 0), coalesce(p.epoch, 0), u.bytes
        from unnest(?::text[], ?::bigint[]) with ordinality as w(lane, position, place)
        left join %1$s.lanes l on l.fold = %3$d and l.lane = w.lane
        left join %1$s.partitions p on p.fold = %3$d and p.name = w.lane
        cross join lateral (
          select coalesce(sum(octet_length(payload) + %2$d), 0) as bytes from %1$s.outbox o
          where o.fold = %3$d and o.lane = w.lane and o.seq > w.position) u
        order by w.place
        """
            .formatted(schema, ROW_OVERHEAD, fold);
    this.rows =
        """
        select seq, payload from (
          select seq, payload,
            sum(octet_length(payload)) over (order by seq) - octet_length(payload) as before
          from %1$s.outbox where fold = ? and lane = ? and seq > ? order by seq limit ?) o
        where before < ? order by seq
        """
            .formatted(schema);
    this.delete =
        "delete from %s.outbox where fold = ? and lane = ? and seq <= ?".formatted(schema);
  }

  /** The statements that make the tables, within those of the schema. */
  static List<String> tables(String schema) {
    return List.of(
        """
        create table %1$s.lanes (
          fold integer not null references %1$s.folds on delete cascade,
          lane text not null,
          seq bigint not null,
          primary key (fold, lane)) with (fillfactor = 50)
        """
            .formatted(schema),
        """
        create table %1$s.outbox (
          fold integer not null references %1$s.folds on delete cascade,
          lane text not null,
          seq bigint not null,
          payload bytea not null,
          primary key (fold, lane, seq))
        """
            .formatted(schema),
        // To compress it takes four times as long as to write it.
        "alter table %s.outbox alter column payload set storage external".formatted(schema));
  }

  /**
   * The {@code seq} of a row that follows another: the number is one more, and the check covers the
   * payload and, through the check before it, all that was sent so far.
   */
  static long next(long seq, byte[] payload) {
    long check = ((seq & CHECK_MASK) * FACTOR + digest(payload)) & CHECK_MASK;
    return ((number(seq) + 1) << CHECK_BITS) | check;
  }

  private static long digest(byte[] payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload, 0, payload.length);
    return crc.getValue() & CHECK_MASK;
  }

  /** How many rows a lane has had up to one. */
  static long number(long seq) {
    return seq >> CHECK_BITS;
  }

  /**
   * Writes the messages of a batch, within its transaction. Let it be the last statement before the
   * commit: from here to its end no other batch of the lane gets past this point.
   *
   * @return the row's {@code seq}
   */
  long write(Connection connection, String lane, Parcel parcel) throws SQLException {
    byte[] payload = parcel.bytes();
    try (PreparedStatement statement = connection.prepareStatement(write)) {
      statement.setInt(1, fold);
      statement.setString(2, lane);
      statement.setLong(3, next(Sink.START, payload));
      statement.setLong(4, digest(payload));
      statement.setBytes(5, payload);
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        return answer.getLong(1);
      }
    }
  }

  /**
   * How a lane stands.
   *
   * @param seq the newest row ever committed to it; {@link Sink#START} where there was none
   * @param epoch the newest claim on the partition of that name; 0 where there is none
   * @param unsent how many bytes the rows behind the position take
   */
  record Standing(long seq, long epoch, long unsent) {}

  /** How lanes stand, all at one moment, in the order in which they are asked for. */
  List<Standing> standings(Connection connection, List<String> lanes, List<Long> positions)
      throws SQLException {
    Array names = connection.createArrayOf("text", lanes.toArray());
    Array numbers = connection.createArrayOf("bigint", positions.toArray());
    List<Standing> standings = new ArrayList<>(lanes.size());
    try (PreparedStatement statement = connection.prepareStatement(standing)) {
      statement.setArray(1, names);
      statement.setArray(2, numbers);
      try (ResultSet answer = statement.executeQuery()) {
        while (answer.next()) {
          standings.add(new Standing(answer.getLong(1), answer.getLong(2), answer.getLong(3)));
        }
      }
    }
    return standings;
  }

  /**
   * A row.
   *
   * @param seq its number and check
   * @param payload its messages, packed
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Row(long seq, byte[] payload) {}

  /** The first rows of a lane behind a position: as many as asked for, and one beyond the bytes. */
  List<Row> rows(Connection connection, String lane, long position, int most, long bytes)
      throws SQLException {
    List<Row> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(rows)) {
      statement.setInt(1, fold);
      statement.setString(2, lane);
      statement.setLong(3, position);
      statement.setInt(4, most);
      statement.setLong(5, bytes);
      try (ResultSet answer = statement.executeQuery()) {
        while (answer.next()) {
          found.add(new Row(answer.getLong(1), answer.getBytes(2)));
        }
      }
    }
    return found;
  }

  /** Deletes the rows of a lane up to a position, which a sink has; there may be none. */
  void delete(Connection connection, String lane, long position) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(delete)) {
      statement.setInt(1, fold);
      statement.setString(2, lane);
      statement.setLong(3, position);
      statement.executeUpdate();
    }
  }

  /** Takes the lock of the one relay of a fold, which the connection holds until it is closed. */
  boolean tryLock(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("select pg_try_advisory_lock(?, ?)")) {
      statement.setInt(1, locks);
      statement.setInt(2, fold);
      try (ResultSet answer = statement.executeQuery()) {
        answer.next();
        return answer.getBoolean(1);
      }
    }
  }
}
