package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One lane as the relay sees it: opened at its sink or not, and what is wrong with it.
 *
 * <p>Used by the relay's thread alone.
 */
final class RelayLane {
  private final String name;
  private final Outbox outbox;
  private final Sink sink;
  private final Relay.Limits limits;
  private Sink.@Nullable Lane open;
  // Whether rows that the sink has may still stand in the outbox.
  private boolean leftovers;
  private long backOff;
  private long notBefore;
  private @Nullable String trouble;
  private @Nullable SinkException stopped;

  RelayLane(String name, Outbox outbox, Sink sink, Relay.Limits limits) {
    this.name = name;
    this.outbox = outbox;
    this.sink = sink;
    this.limits = limits;
  }

  String name() {
    return name;
  }

  boolean isOpen() {
    return open != null;
  }

  /** How far the sink is known to be; {@link Sink#START} while it is not open. */
  long position() {
    return open == null ? Sink.START : open.position();
  }

  /** What is wrong with it for now, or null. */
  @Nullable String trouble() {
    return trouble;
  }

  /** Why nothing more is sent on it for good, or null. */
  @Nullable SinkException stopped() {
    return stopped;
  }

  /** Whether it waits before it tries the sink again. */
  boolean waits(long now) {
    return stopped != null || (open == null && backOff > 0 && now - notBefore < 0);
  }

  /** How long it waits, in nanoseconds. */
  long waitsFor(long now) {
    return Math.max(0, notBefore - now);
  }

  /**
   * Goes one step on: opens the lane, or sends the next rows and deletes them. Call it only for who
   * holds the lane.
   *
   * @param standing how the lane stands, read while the lane was open if it is open now
   * @return whether there is, or may be, more to do
   */
  boolean advance(Connection connection, Outbox.Standing standing, long now) throws SQLException {
    try {
      Sink.Lane lane = open;
      if (lane == null) {
        open = sink.open(name);
        leftovers = true;
        return true;
      }
      return send(lane, connection, standing);
    } catch (FencedException e) {
      failed(
          "somebody else has opened the lane \""
              + name
              + "\" of the sink: "
              + e.getMessage()
              + ". If this comes again and again, two stores use one sink under the same name",
          now);
    } catch (SinkException e) {
      failed(String.valueOf(e.getMessage()), now);
    } catch (RuntimeException e) {
      failed("the lane \"" + name + "\" of the sink failed: " + e, now);
    }
    return false;
  }

  private boolean send(Sink.Lane lane, Connection connection, Outbox.Standing standing)
      throws SQLException {
    long position = lane.position();
    boolean more = standing.seq() != position;
    if (more) {
      List<Outbox.Row> rows =
          outbox.rows(connection, name, position, limits.rows(), limits.bytes());
      String wrong = wrong(position, standing.seq(), rows);
      if (wrong != null) {
        // Who can still write has had the lane all the time. If not, others may have sent and
        // deleted what seems to be missing, and this is no more than the news that they did.
        lane.write(List.of(), position);
        stop(wrong);
        return false;
      }
      List<Sink.Message> messages = unpacked(rows);
      if (messages == null) {
        return false;
      }
      position = rows.get(rows.size() - 1).seq();
      lane.write(messages, position);
      leftovers = true;
    }
    if (leftovers) {
      outbox.delete(connection, name, position);
      leftovers = false;
    }
    backOff = 0;
    trouble = null;
    return more;
  }

  /** Whether the rows follow from what the sink has: what is wrong otherwise. */
  private @Nullable String wrong(long position, long newest, List<Outbox.Row> rows) {
    long sent = Outbox.number(position);
    long committed = Outbox.number(newest);
    if (committed < sent) {
      return "the sink has "
          + sent
          + " batches of the lane \""
          + name
          + "\", but the database has committed only "
          + committed
          + ": it was put back to an earlier state, by a failover or from a copy, after outputs had"
          + " left it, or the sink belongs to another database. Go on with the database that has"
          + " all of them, or give both a fresh start under another name of the sink";
    }
    if (committed == sent) {
      return other(sent);
    }
    long before = position;
    for (Outbox.Row row : rows) {
      long number = Outbox.number(row.seq());
      if (number > Outbox.number(before) + 1) {
        return missing(before, number - 1);
      }
      if (row.seq() != Outbox.next(before, row.payload())) {
        return other(number);
      }
      before = row.seq();
    }
    return rows.isEmpty() ? missing(position, committed) : null;
  }

  private String missing(long position, long last) {
    return "the batches "
        + (Outbox.number(position) + 1)
        + " to "
        + last
        + " of the lane \""
        + name
        + "\" are neither in the sink nor in the outbox: somebody deleted rows of the outbox, or the"
        + " positions of the sink, or the sink has another name than before. Give it the name it"
        + " had. To begin anew with a sink that has nothing, stop all workers and delete the fold's"
        + " rows from the bookkeeping tables \"lanes\" and \"outbox\": what those hold is not sent";
  }

  private String other(long number) {
    return "the batch "
        + number
        + " of the lane \""
        + name
        + "\" does not follow from what the sink has: the database was put back to an earlier state,"
        + " by a failover or from a copy, after outputs had left it, and has gone on from there; or"
        + " the sink belongs to another database; or a row of the outbox was edited. Go on with the"
        + " database that has what was sent, or give both a fresh start under another name of the"
        + " sink";
  }

  private @Nullable List<Sink.Message> unpacked(List<Outbox.Row> rows) {
    List<Sink.Message> messages = new ArrayList<>();
    for (Outbox.Row row : rows) {
      try {
        messages.addAll(Parcel.read(row.payload()));
      } catch (CodecException e) {
        stop(
            "the batch "
                + Outbox.number(row.seq())
                + " of the lane \""
                + name
                + "\" cannot be read: "
                + e.getMessage()
                + ". A newer version wrote it: let that one run");
        return null;
      }
    }
    return messages;
  }

  private void stop(String wrong) {
    trouble = wrong;
    stopped = new SinkException(wrong);
    close();
  }

  private void failed(String message, long now) {
    trouble = message;
    long least = limits.leastBackOff().toNanos();
    backOff = Math.min(limits.mostBackOff().toNanos(), Math.max(least, 2 * backOff));
    notBefore = now + backOff;
    close();
  }

  /** Closes the lane at its sink; it can be opened again. */
  void close() {
    Sink.Lane lane = open;
    open = null;
    if (lane != null) {
      try {
        lane.close();
      } catch (RuntimeException e) {
        if (trouble == null) {
          trouble = "the lane \"" + name + "\" of the sink could not be closed: " + e;
        }
      }
    }
  }
}
