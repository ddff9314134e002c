package dev.oncefold.postgres;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.sql.Connection;
import java.sql.SQLException;

/** Shows on a beacon where a commit is, and waits there if the rig wants it. */
final class Watched extends CommitSteps {
  /** The commit waits before COMMIT is sent: all is written, and the position is locked. */
  static final long BEFORE_COMMIT = 1;

  /** The commit waits before anything is written: nothing is locked. */
  static final long BEFORE_POSITION = 2;

  private final Beacon beacon;

  Watched(Beacon beacon) {
    this.beacon = beacon;
  }

  @Override
  void write(Connection connection, Part position, Part results) throws SQLException {
    waitsAt(BEFORE_POSITION);
    try {
      super.write(connection, position, results);
    } catch (SQLException | RuntimeException e) {
      beacon.closed();
      throw e;
    }
  }

  @Override
  void commit(Connection connection) throws SQLException {
    waitsAt(BEFORE_COMMIT);
    beacon.set(Field.COMMIT, Beacon.WRITTEN);
    try {
      super.commit(connection);
    } finally {
      beacon.closed();
    }
  }

  private void waitsAt(long place) {
    if (beacon.get(Field.HOLD) == place) {
      beacon.begun();
    }
  }
}
