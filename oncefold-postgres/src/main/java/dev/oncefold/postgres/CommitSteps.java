package dev.oncefold.postgres;

import dev.oncefold.Position;
import dev.oncefold.Store;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a batch on which exactly once rests, each by itself: tests break them one by one.
 */
class CommitSteps {
  /** A part of what a batch writes. */
  interface Part {
    void write(Connection on) throws SQLException;
  }

  /** Whether a batch may be begun: its claim is the newest, and it starts where the last ended. */
  boolean holds(Store.Claim claim, Position from, long epoch, Position stored) {
    return claim.epoch() == epoch && from.equals(stored);
  }

  /** Writes all of a batch into one transaction, the position first: it is the fence. */
  void write(Connection connection, Part position, Part results) throws SQLException {
    position.write(connection);
    results.write(connection);
  }

  /** The commit point. */
  void commit(Connection connection) throws SQLException {
    connection.commit();
  }

  /** What became of a commit whose answer was lost. */
  enum Outcome {
    /** It is committed. */
    COMMITTED,
    /** Nothing of it is. */
    DROPPED,
    /** Somebody else has the partition. */
    FENCED
  }

  /**
   * Reads what became of a commit whose answer was lost, from the partition's row.
   *
   * @param standing the row, once no commit is in flight; null where there is none any more
   * @param batch how many commits the partition had before this one
   */
  Outcome outcome(
      Store.Claim claim,
      Position from,
      Position to,
      long batch,
      Partitions.@Nullable Standing standing) {
    if (standing == null) {
      return Outcome.FENCED;
    }
    if (standing.committed() == claim.epoch()
        && standing.batch() == batch + 1
        && standing.position().equals(to)) {
      return Outcome.COMMITTED;
    }
    return standing.epoch() == claim.epoch()
            && standing.batch() == batch
            && standing.position().equals(from)
        ? Outcome.DROPPED
        : Outcome.FENCED;
  }
}
