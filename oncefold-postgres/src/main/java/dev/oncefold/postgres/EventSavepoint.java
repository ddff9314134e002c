package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.Outcome;
import dev.oncefold.RejudgeException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * Runs a user's SQL for the events of one batch, each behind a savepoint, so that an event that is
 * not accepted leaves nothing behind.
 *
 * <p>The savepoint stays until the event is added to the batch, since an output may turn out to be
 * one that cannot be written. After an error that is no fault of the event, {@link #trouble} has
 * it, and the batch must be dropped.
 */
final class EventSavepoint {
  // What the store plans by is for its own statements; the user's are planned as the server is set.
  private static final String BEGIN =
      """
      set local plan_cache_mode to default; set local enable_seqscan to default;
      set local enable_hashjoin to default; set local enable_mergejoin to default;
      set local enable_material to default; set local enable_bitmapscan to default;
      set local jit to default; set local max_parallel_workers_per_gather to default;
      select string_agg(distinct name, ', ') filter (where can and does), count(*) from (
        select quote_ident(n.nspname) || '.' || quote_ident(c.conname) as name,
          bool_and(c.condeferrable) as can, bool_or(c.condeferred) as does
        from pg_constraint c join pg_namespace n on n.oid = c.connamespace
        where has_schema_privilege(n.oid, 'usage')
        group by 1 having bool_or(c.condeferrable)) as found
      """;
  // The user's SQL may have its own savepoints, but none of this name.
  private final String name = "oncefold_" + UUID.randomUUID().toString().replace('-', '_');
  private final String save = "savepoint " + name;
  private final String keep = "release savepoint " + name;
  private final String drop = "rollback to savepoint " + name + "; " + keep;

  // Whatever the user's SQL has set: outputs may leave as soon as the commit is answered.
  private static final String DURABLE =
      "select set_config('synchronous_commit', case current_setting('synchronous_commit')"
          + " when 'remote_apply' then 'remote_apply' else 'on' end, true)";

  /** Whether another transaction has remembered an event by now. */
  interface Known {
    boolean byNow(Event<?> event) throws SQLException;
  }

  // No such savepoint; no transaction.
  private static final Set<String> ENDED = Set.of("3B001", "25P01");

  private final Known known;
  private final BaseConnection connection;
  private final UserConnection user;
  private final Statement statement;
  // Checks what would be checked at the commit only, and puts the constraints back; or empty.
  private final String check;
  private boolean open; // whether there is a savepoint
  private boolean kept; // whether it only waits to be released
  private @Nullable Exception trouble;

  /**
   * For the batch that has a connection.
   *
   * @param known where an update fails it may be for what the same event has done in another
   *     partition since its id was looked up: then there is {@link #trouble} too
   */
  EventSavepoint(Connection connection, Known known) throws SQLException {
    this.known = known;
    this.connection = connection.unwrap(BaseConnection.class);
    this.user = new UserConnection(connection);
    this.statement = connection.createStatement();
    this.check = begin();
  }

  private String begin() throws SQLException {
    boolean rows = statement.execute(BEGIN);
    while (!rows) {
      rows = statement.getMoreResults();
    }
    try (ResultSet answer = statement.getResultSet()) {
      answer.next();
      if (answer.getLong(2) == 0) {
        return "";
      }
      String deferred = answer.getString(1);
      return "set constraints all immediate"
          + (deferred == null ? "" : "; set constraints " + deferred + " deferred");
    }
  }

  /** What became of the batch, if it is to be dropped: nothing that is an event's fault. */
  @Nullable Exception trouble() {
    return trouble;
  }

  /** Runs the update for an event. What was not accepted is undone when this returns. */
  <E, O> Outcome<SqlUpdate.NoState, O> run(SqlUpdate<E, O> update, Event<E> event)
      throws Exception {
    try {
      return saved(update, event);
    } catch (Exception e) {
      if (trouble == null) {
        lookAgain(event, e);
      }
      throw e;
    }
  }

  private void lookAgain(Event<?> event, Exception failure) {
    try {
      if (known.byNow(event)) {
        trouble =
            new RejudgeException(
                "another batch has just remembered an event of this one, on which its SQL failed",
                failure);
      }
    } catch (SQLException e) {
      trouble = e;
    }
  }

  private <E, O> Outcome<SqlUpdate.NoState, O> saved(SqlUpdate<E, O> update, Event<E> event)
      throws Exception {
    List<String> before = new ArrayList<>();
    if (trouble != null) {
      throw trouble;
    }
    if (open) {
      before.add(kept ? keep : drop);
    }
    before.add(save);
    sql(String.join("; ", before));
    open = true;
    kept = false;
    boolean accepted = false;
    try {
      Outcome<SqlUpdate.NoState, O> outcome = called(update, event);
      boolean done = outcome instanceof Outcome.Accepted;
      if (done && !check.isEmpty()) {
        statement.execute(check);
      }
      accepted = done;
      return outcome;
    } catch (SQLException e) {
      noteIfNoFault(e);
      throw e;
    } finally {
      if (!accepted) {
        drop();
      }
    }
  }

  private <E, O> Outcome<SqlUpdate.NoState, O> called(SqlUpdate<E, O> update, Event<E> event)
      throws Exception {
    Outcome<SqlUpdate.NoState, O> outcome;
    try {
      outcome = update.apply(user.give(), event);
    } finally {
      user.takeBack();
      SQLException noFault = user.noFault();
      if (noFault != null) {
        noteIfNoFault(noFault);
      }
    }
    if (trouble != null) {
      throw trouble;
    }
    if (outcome instanceof Outcome.Accepted
        && connection.getTransactionState() == TransactionState.FAILED) {
      throw new FailureException(
          "a statement of the update failed, which undoes the event, and the update accepted it all"
              + " the same: let the exception through, or use a savepoint around the statement");
    }
    return outcome;
  }

  private void noteIfNoFault(SQLException e) {
    if (trouble == null && UserConnection.isNoFault(e)) {
      trouble = e;
    }
  }

  /** The event that ran last is in the batch: what it did stays. */
  void keep() {
    kept = open;
  }

  /** Undoes what the event that ran last did. */
  void drop() throws SQLException {
    if (open && !kept && trouble == null) {
      sql(drop);
      open = false;
    }
  }

  /** Undoes what is not kept, and lets go of the savepoint: the batch is about to be committed. */
  void end() throws SQLException {
    drop();
    if (open) {
      sql(keep);
      open = false;
    }
    sql(DURABLE);
    statement.close();
  }

  private void sql(String sql) throws SQLException {
    try {
      statement.execute(sql);
    } catch (SQLException e) {
      // Only the connection or the transaction as a whole can be to blame.
      if (trouble == null) {
        trouble = ENDED.contains(String.valueOf(e.getSQLState())) ? ended(e) : e;
      }
      throw e;
    }
  }

  private static StoreException ended(SQLException e) {
    return new StoreException(
        "the update has ended the transaction of the batch, by a way that is not guarded. What it"
            + " committed has no position: find that way and close it",
        e);
  }
}
