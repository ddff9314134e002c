package dev.oncefold.postgres;

import dev.oncefold.RejudgeException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection, made again where it is lost, and what the database's errors mean.
 *
 * <p>Used by one thread, but for {@link #stopping}.
 */
final class Session implements AutoCloseable {
  private static final int OLDEST_SERVER = 130_000;
  private static final long FIRST_BACK_OFF_MILLIS = 20;

  // Beside the classes 08 (connection) and 57P (the server goes down or comes up): too many
  // connections; what a transaction that stood still is ended with; writing where nothing may be
  // written, as on the old primary after a switch; and statements that a reset server has lost.
  private static final Set<String> LOST = Set.of("53300", "25P03", "25P04", "25006", "26000");
  // Serialization failure, deadlock, lock timeout, cancel, and a plan for a changed table.
  private static final Set<String> AGAIN = Set.of("40001", "40P01", "55P03", "57014", "0A000");

  /** What is to be done about an error of the database. */
  enum Trouble {
    /** The connection is gone, or of no use. */
    LOST,
    /** Once more, from a clean start. */
    AGAIN,
    /** Nothing that time mends. */
    FATAL
  }

  /** Something to be done in a transaction. */
  interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  /** Something to be done in a transaction that answers nothing. */
  interface Action {
    void on(Connection connection) throws SQLException;
  }

  private final Options<?, ?, ?> options;
  private final Properties properties = new Properties();
  private final CountDownLatch stop = new CountDownLatch(1);
  private @Nullable Connection open;

  Session(Options<?, ?, ?> options, String application) {
    this.options = options;
    properties.setProperty("ApplicationName", application);
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("connectTimeout", "10");
    // A network that swallows everything is found out too, but no wait for a lock is cut short
    // that the database itself would end.
    properties.setProperty("socketTimeout", String.valueOf(60 + 2 * options.idle().toSeconds()));
    // Every statement is prepared at its first use, and planned once: see PLANNING.
    properties.setProperty("prepareThreshold", "1");
    if (options.url().contains(",")) {
      properties.setProperty("targetServerType", "primary");
    }
    properties.putAll(options.properties());
    properties.setProperty("autosave", "never");
  }

  /**
   * Every statement of the store finds rows by an index, thousands by one array. The planner takes
   * an unknown array for ten elements long and a table that was empty at that time for small; with
   * another plan than index look-ups the time of a batch would one day grow with the table. JIT
   * would compile for longer than the statements run.
   */
  private static final String PLANNING =
      "set plan_cache_mode = force_generic_plan; set enable_seqscan = off;"
          + " set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off;"
          + " set enable_bitmapscan = off; set jit = off; set max_parallel_workers_per_gather = 0;";

  /** Connects now, or says why that is not possible. */
  void open() {
    try {
      connect();
    } catch (SQLException e) {
      throw new StoreException("cannot connect to " + where() + ": " + e.getMessage() + sure(e), e);
    }
  }

  private static String sure(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.startsWith("28")
        ? ". Look at user and password, and at pg_hba.conf of the server"
        : state.startsWith("08") ? ". Look at host and port, and whether the server runs" : "";
  }

  /** Where the database is, without what may be secret behind a question mark. */
  private String where() {
    int question = options.url().indexOf('?');
    return question < 0 ? options.url() : options.url().substring(0, question);
  }

  /** The open connection; one is made where there is none, however long that takes. */
  Connection connection() {
    long wait = FIRST_BACK_OFF_MILLIS;
    while (open == null) {
      try {
        return connect();
      } catch (SQLException e) {
        if (trouble(e) == Trouble.FATAL) {
          throw new StoreException("cannot connect to " + where() + ": " + e.getMessage(), e);
        }
        await(wait, e);
        wait = Math.min(2 * wait, options.longestBackOff().toMillis());
      }
    }
    return open;
  }

  private void await(long millis, SQLException why) {
    boolean stopped;
    try {
      stopped = stop.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopped = true;
    }
    if (stopped) {
      throw new StoreException.Stopped(
          "stopped while " + where() + " was away (" + why.getMessage() + ")", why);
    }
  }

  /** Makes a connection and keeps it. */
  Connection connect() throws SQLException {
    Connection made = new org.postgresql.Driver().connect(options.url(), properties);
    if (made == null) {
      throw new StoreException("pgjdbc does not take the URL " + where());
    }
    try {
      check(made);
      made.setAutoCommit(false);
    } catch (SQLException | RuntimeException e) {
      closeQuietly(made);
      throw e;
    }
    open = made;
    return made;
  }

  private void check(Connection made) throws SQLException {
    try (Statement statement = made.createStatement()) {
      try (ResultSet answer =
          statement.executeQuery(
              "select current_setting('server_version_num')::int, current_setting('fsync'),"
                  + " pg_is_in_recovery(), current_setting('server_encoding'),"
                  + " current_setting('synchronous_commit')")) {
        answer.next();
        refuse(
            answer.getInt(1) < OLDEST_SERVER,
            "is older than PostgreSQL 13: it has the version " + answer.getInt(1) / 10_000);
        refuse(
            answer.getString(2).equals("off"),
            "runs with fsync=off: what it answers as committed is lost when the machine stops."
                + " Turn fsync on");
        if (answer.getBoolean(3)) {
          // It may be the primary tomorrow; who opens the store is told at once.
          throw new SQLException(
              "it is a standby (in recovery), and only the primary can be written to", "57P03");
        }
        refuse(
            !answer.getString(4).equals("UTF8"),
            "has the encoding "
                + answer.getString(4)
                + ", which does not have every character: make a database with UTF8");
        if (!answer.getString(5).equals("remote_apply")) {
          statement.execute("set synchronous_commit = on");
        }
      }
      statement.execute(PLANNING);
      statement.execute(
          "set idle_in_transaction_session_timeout = "
              + options.idle().toMillis()
              + "; set statement_timeout = 0; set lock_timeout = 0; set default_transaction_isolation"
              + " = 'read committed'; set datestyle = 'ISO'; set timezone = 'UTC'");
    }
  }

  private void refuse(boolean wrong, String why) {
    if (wrong) {
      throw new StoreException("the database " + where() + " " + why);
    }
  }

  /** Tells what an error means. */
  static Trouble trouble(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    if (state.startsWith("08") || state.startsWith("57P") || LOST.contains(state)) {
      return Trouble.LOST;
    }
    return AGAIN.contains(state) ? Trouble.AGAIN : Trouble.FATAL;
  }

  /** Drops what the open transaction has done. Where that fails the connection goes with it. */
  void rollback() {
    if (open != null) {
      try {
        open.rollback();
      } catch (SQLException e) {
        discard();
      }
    }
  }

  /** Closes the connection: the next use makes another. */
  void discard() {
    if (open != null) {
      closeQuietly(open);
      open = null;
    }
  }

  private static void closeQuietly(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      // It was of no use any more.
    }
  }

  /**
   * Does something in a transaction of its own, again and again until it is committed. Where the
   * answer to a commit is lost it is done twice, so doing it twice must be no harm.
   */
  <T> T run(String what, Work<T> work) {
    for (int tries = 1; ; tries++) {
      Connection connection = connection();
      try {
        T done = work.on(connection);
        connection.commit();
        return done;
      } catch (SQLException e) {
        after(e);
        if (trouble(e) == Trouble.FATAL || tries >= PostgresStore.MOST_TRIES) {
          throw new StoreException(what + ": " + e.getMessage(), e);
        }
      } catch (RuntimeException e) {
        rollback();
        throw e;
      }
    }
  }

  /** As {@link #run}. */
  void perform(String what, Action action) {
    run(
        what,
        connection -> {
          action.on(connection);
          return true;
        });
  }

  /** Leaves the session usable after an error: with a connection, or with none. */
  void after(SQLException e) {
    if (trouble(e) == Trouble.LOST) {
      discard();
    } else {
      rollback();
    }
  }

  /** Leaves the session usable after an error, and says what became of the batch it hit. */
  RuntimeException dropped(String what, SQLException e) {
    after(e);
    return switch (trouble(e)) {
      case LOST -> {
        connection();
        yield new RejudgeException(what + ": the connection was lost: " + e.getMessage(), e);
      }
      case AGAIN -> new RejudgeException(what + ": " + e.getMessage(), e);
      case FATAL -> new StoreException(what + ": " + e.getMessage(), e);
    };
  }

  /** How many others have the database open under the name of this session. */
  long others(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select count(*) from pg_stat_activity where datname = current_database() and"
                    + " application_name = current_setting('application_name') and pid <>"
                    + " pg_backend_pid()")) {
      answer.next();
      return answer.getLong(1);
    }
  }

  /** From any thread: no waiting any more for a database that is away. */
  void stopping() {
    stop.countDown();
  }

  /** How long a transaction may stand still. */
  Duration idle() {
    return options.idle();
  }

  @Override
  public void close() {
    discard();
  }
}
