package dev.oncefold.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * How far a peer has come, seen from outside by what is committed: the same clock for all, whatever
 * process they run in.
 */
final class Marks implements AutoCloseable {
  /** How long without another mark until a peer counts as stuck. */
  private static final long STUCK = TimeUnit.MINUTES.toNanos(2);

  private final Peer peer;
  private final Connection connection;
  private final PreparedStatement select;
  private final long pause;

  Marks(Rig rig, Peer peer, long pauseNanos) throws SQLException {
    this.peer = peer;
    this.pause = pauseNanos;
    connection = rig.connect("&prepareThreshold=1");
    select =
        connection.prepareStatement(
            "SELECT " + peer.marks() + " FROM " + Rig.TABLE + " WHERE key = '" + Rig.MARK + "'");
  }

  /** Waits until at least so many marks can be seen, and tells how many. */
  long await(long marks) throws Exception {
    long begin = System.nanoTime();
    long seen = 0;
    for (; ; ) {
      try (ResultSet found = select.executeQuery()) {
        long now = found.next() ? found.getLong(1) : 0;
        if (now >= marks) {
          return now;
        }
        if (now != seen) {
          seen = now;
          begin = System.nanoTime();
        }
      }
      peer.check();
      if (System.nanoTime() - begin > STUCK) {
        throw new TimeoutException(
            peer.name() + " gets no further towards mark " + marks + ". " + peer.says());
      }
      LockSupport.parkNanos(pause);
    }
  }

  /** Waits until everything committed has left. */
  void awaitLeft() throws Exception {
    if (peer.leaving().isEmpty()) {
      return;
    }
    try (PreparedStatement leaving = connection.prepareStatement(peer.leaving())) {
      for (; ; ) {
        try (ResultSet found = leaving.executeQuery()) {
          if (found.next() && found.getLong(1) == 0) {
            return;
          }
        }
        peer.check();
        LockSupport.parkNanos(pause);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
