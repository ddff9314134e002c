package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** What the SQL of one event leaves behind, and what it may not do to the batch. */
class EventSavepointTest {
  private Connection connection;
  private EventSavepoint events;

  EventSavepointTest() throws SQLException {
    connection = OutboxDatabase.connect();
    events = new EventSavepoint(connection, event -> false);
  }

  @BeforeEach
  void tables() throws SQLException {
    events.end();
    execute(
        "drop table if exists child, parent; create table parent (id int primary key, name text"
            + " unique deferrable); create table child (id int primary key, parent int references"
            + " parent deferrable initially deferred)");
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("set enable_seqscan = off");
    }
    events = new EventSavepoint(connection, event -> false);
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private static void execute(String sql) throws SQLException {
    try (Connection connection = OutboxDatabase.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static SqlUpdate<String, String> sql(String sql) {
    return (connection, event) -> {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
      return SqlUpdate.accept();
    };
  }

  private static SqlUpdate<String, String> parent(int id) {
    return sql("insert into parent values (" + id + ", 'p" + id + "')");
  }

  private void apply(SqlUpdate<String, String> update) throws Exception {
    if (events.run(update, new Event<>("id", "key", null, "value")) instanceof Outcome.Accepted) {
      events.keep();
    }
  }

  private ThrowingCallable applying(SqlUpdate<String, String> update) {
    return () -> apply(update);
  }

  private List<Integer> committed() throws SQLException {
    events.end();
    connection.commit();
    List<Integer> ids = new ArrayList<>();
    try (Connection other = OutboxDatabase.connect();
        Statement statement = other.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select id from parent union all select id from child order by 1")) {
      while (rows.next()) {
        ids.add(rows.getInt(1));
      }
    }
    return ids;
  }

  // ---------------------------------------------------------------- what stays

  @Test
  void whatIsNotAcceptedLeavesNothingAndTheOthersGoOn() throws Exception {
    apply(parent(1));
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  parent(2).apply(connection, event);
                  throw new IllegalStateException("no");
                }))
        .hasMessage("no");
    apply(parent(3));
    apply(
        (connection, event) -> {
          parent(4).apply(connection, event);
          return Outcome.reject("no");
        });
    apply(
        (connection, event) -> {
          parent(5).apply(connection, event);
          return none();
        });
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  parent(6).apply(connection, event);
                  throw new StackOverflowError();
                }))
        .isInstanceOf(StackOverflowError.class);
    apply(parent(7));
    assertThat(committed()).containsExactly(1, 3, 7);
  }

  @SuppressWarnings("NullAway") // as users do
  private static Outcome<SqlUpdate.NoState, String> none() {
    return null;
  }

  @Test
  void anAcceptedEventThatIsNotKeptLeavesNothing() throws Exception {
    apply(parent(1));
    events.run(parent(2), new Event<>("id", "key", null, "value"));
    apply(parent(3));
    events.run(parent(4), new Event<>("id", "key", null, "value"));
    events.drop();
    events.run(parent(5), new Event<>("id", "key", null, "value"));
    assertThat(committed()).containsExactly(1, 3);
  }

  @Test
  void aViolatedConstraintIsTheEventsOwnFault() throws Exception {
    apply(parent(1));
    assertThatThrownBy(applying(parent(1))).hasMessageContaining("parent_pkey");
    apply(parent(2));
    assertThat(events.trouble()).isNull();
    assertThat(committed()).containsExactly(1, 2);
  }

  @Test
  void aFailedStatementDoomsTheEventThoughTheUpdateCatchesIt() throws Exception {
    apply(parent(1));
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  parent(2).apply(connection, event);
                  assertThatThrownBy(() -> parent(1).apply(connection, event))
                      .isInstanceOf(SQLException.class);
                  return SqlUpdate.accept();
                }))
        .isInstanceOf(FailureException.class)
        .hasMessageContaining("use a savepoint around the statement");
    apply(
        (connection, event) -> {
          assertThatThrownBy(() -> parent(1).apply(connection, event))
              .isInstanceOf(SQLException.class);
          return Outcome.reject("there already");
        });
    apply(
        (connection, event) -> {
          parent(3).apply(connection, event);
          Savepoint savepoint = connection.setSavepoint();
          assertThatThrownBy(() -> parent(1).apply(connection, event))
              .isInstanceOf(SQLException.class);
          connection.rollback(savepoint);
          return SqlUpdate.accept();
        });
    assertThat(committed()).containsExactly(1, 3);
  }

  @Test
  void whatIsCheckedAtTheCommitIsCheckedWithTheEvent() throws Exception {
    apply(parent(1));
    for (int round = 1; round <= 3; round++) {
      int id = 10 * round;
      // The child first: until the update returns nothing is checked, in every event anew.
      apply(
          sql(
              "insert into child values ("
                  + id
                  + ", "
                  + id
                  + ")"
                  + ";insert into parent values ("
                  + id
                  + ")"));
      assertThatThrownBy(applying(sql("insert into child values (99, 99)")))
          .hasMessageContaining("child_parent_fkey");
    }
    assertThatThrownBy(
            applying(
                sql(
                    "set constraints all deferred; insert into parent values (40, 'p'), (41, 'p')")))
        .hasMessageContaining("parent_name_key");
    assertThatThrownBy(
            applying(
                sql("insert into parent values (50, 'p'); insert into parent values (51, 'p')")))
        .as("what is checked at once stays so")
        .hasMessageContaining("parent_name_key");
    assertThat(committed()).containsExactly(1, 10, 10, 20, 20, 30, 30);
  }

  // ---------------------------------------------------------------- whose fault it is

  @ParameterizedTest
  @ValueSource(
      strings = {"40P01", "40001", "08006", "57P01", "25P03", "53100", "53200", "58030", "XX000"})
  void anErrorThatIsNoFaultOfTheEventIsTroubleOfTheBatch(String state) throws Exception {
    String raise = "do $$ begin raise exception 'deep' using errcode = '" + state + "'; end $$";
    assertThatThrownBy(applying(sql(raise))).hasMessageContaining("deep");
    assertThat(events.trouble()).hasMessageContaining("deep");
    assertThatThrownBy(applying(parent(1))).hasMessageContaining("deep");
  }

  @Test
  void itIsTroubleThoughTheUpdateCatchesIt() throws Exception {
    String raise = "do $$ begin raise exception 'deep' using errcode = '40P01'; end $$";
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  assertThatThrownBy(() -> sql(raise).apply(connection, event))
                      .isInstanceOf(SQLException.class);
                  return Outcome.reject("rather not");
                }))
        .hasMessageContaining("deep");
    assertThat(events.trouble()).isNotNull();
  }

  @Test
  void aLostConnectionIsTroubleOfTheBatch() throws Exception {
    int pid = connection.unwrap(PGConnection.class).getBackendPID();
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  execute("select pg_terminate_backend(" + pid + ", 10000)");
                  return parent(1).apply(connection, event);
                }))
        .isInstanceOf(SQLException.class);
    assertThat(events.trouble()).isNotNull();
  }

  @Test
  void aPlanOfATableThatWasAlteredIsNoFaultOfTheEvent() throws Exception {
    events.end();
    connection.commit();
    AtomicReference<PreparedStatement> kept = new AtomicReference<>();
    connection.unwrap(PGConnection.class).setPrepareThreshold(1);
    SqlUpdate<String, String> select =
        (connection, event) -> {
          try (PreparedStatement statement = connection.prepareStatement("select * from parent")) {
            kept.set(statement);
            statement.executeQuery().close();
          }
          return SqlUpdate.accept();
        };
    events = new EventSavepoint(connection, event -> false);
    apply(select);
    apply(select);
    events.end();
    connection.commit();
    execute("alter table parent add column more int");
    events = new EventSavepoint(connection, event -> false);
    assertThatThrownBy(applying(select)).hasMessageContaining("cached plan");
    assertThat(events.trouble()).hasMessageContaining("cached plan");
  }

  @Test
  void aTimeoutOfItsOwnIsTheEventsFault() throws Exception {
    apply(parent(1));
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  parent(2).apply(connection, event);
                  try (Statement statement = connection.createStatement()) {
                    statement.setQueryTimeout(1);
                    statement.execute("select pg_sleep(100)");
                  }
                  return SqlUpdate.accept();
                }))
        .hasMessageContaining("canceling statement");
    assertThatThrownBy(applying(sql("set local statement_timeout = 10; select pg_sleep(100)")))
        .hasMessageContaining("statement timeout");
    apply(parent(3));
    assertThat(events.trouble()).isNull();
    assertThat(committed()).containsExactly(1, 3);
  }

  // ---------------------------------------------------------------- what is refused

  @ParameterizedTest
  @ValueSource(
      strings = {
        "commit",
        "COMMIT AND CHAIN",
        "end",
        "rollback",
        "abort",
        "begin",
        "start transaction",
        "rollback to savepoint oncefold_event",
        "release oncefold_event",
        "savepoint mine",
        "prepare transaction 'x'",
        "set transaction isolation level serializable",
        "set session characteristics as transaction read only",
        "set search_path to nowhere",
        "reset all",
        "discard all",
        " /* a /* nested */ one */ -- and\n commit",
        "select 1; commit",
        "insert into parent values (9, 'it''s; not over'); COMMIT -- now",
      })
  void whatEndsTheTransactionOrOutlivesItIsRefusedInSql(String statement) throws Exception {
    apply(parent(1));
    assertThatThrownBy(applying(sql(statement))).hasMessageContaining("is refused");
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  try (PreparedStatement prepared = connection.prepareStatement(statement)) {
                    prepared.execute();
                  }
                  return SqlUpdate.accept();
                }))
        .hasMessageContaining("is refused");
    assertThatThrownBy(
            applying(
                (connection, event) -> {
                  try (Statement batch = connection.createStatement()) {
                    batch.addBatch(statement);
                    batch.executeBatch();
                  }
                  return SqlUpdate.accept();
                }))
        .hasMessageContaining("is refused");
    apply(parent(2));
    assertThat(committed()).containsExactly(1, 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select 'commit; rollback'",
        "set local lock_timeout = 1000",
        "set constraints all immediate",
        "prepare mine as select 1; deallocate mine",
        "do $$ begin perform 1; end $$",
        "select \"commit\" from (select 1 as \"commit\") as begin",
        "select $q$; commit; $q$ -- ; commit",
        "",
      })
  void whatDoesNotIsNot(String statement) throws Exception {
    apply(parent(1));
    apply(sql(statement));
    assertThat(committed()).containsExactly(1);
  }

  /** A call of a method of the connection. */
  private interface Call {
    void on(Connection connection) throws SQLException;
  }

  @Test
  void whatEndsTheTransactionOrOutlivesItIsRefusedInCalls() throws Exception {
    apply(parent(1));
    List<Call> calls =
        List.of(
            Connection::commit,
            Connection::rollback,
            Connection::close,
            c -> c.setAutoCommit(true),
            c -> c.setReadOnly(true),
            c -> c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE),
            c -> c.setSchema("public"),
            c -> c.setCatalog("postgres"),
            c -> c.setHoldability(ResultSet.HOLD_CURSORS_OVER_COMMIT),
            c -> c.setClientInfo("ApplicationName", "mine"),
            c -> c.setNetworkTimeout(Runnable::run, 1),
            c -> c.abort(Runnable::run),
            c -> c.unwrap(PGConnection.class),
            c -> c.getMetaData().getConnection().commit(),
            c -> c.createStatement().getConnection().commit(),
            c -> c.prepareStatement("select 1").getConnection().commit(),
            c -> c.prepareCall("select 1").unwrap(Statement.class),
            c ->
                c.createStatement()
                    .executeQuery("select 1")
                    .getStatement()
                    .getConnection()
                    .commit());
    for (Call call : calls) {
      assertThatThrownBy(
              applying(
                  (connection, event) -> {
                    call.on(connection);
                    return SqlUpdate.accept();
                  }))
          .hasMessageContaining("is refused");
    }
    apply(parent(2));
    assertThat(connection.isClosed()).isFalse();
    assertThat(committed()).containsExactly(1, 2);
  }

  @Test
  void whatTheUpdateKeepsIsOfNoUseAfterwards() throws Exception {
    List<AutoCloseable> kept = new ArrayList<>();
    apply(
        (connection, event) -> {
          kept.add(connection);
          kept.add(connection.prepareStatement("insert into parent values (5, 'p5')"));
          return SqlUpdate.accept();
        });
    assertThatThrownBy(() -> ((Connection) kept.get(0)).createStatement())
        .hasMessageContaining("outside the call of the update");
    assertThatThrownBy(() -> ((PreparedStatement) kept.get(1)).execute())
        .hasMessageContaining("outside the call of the update");
    kept.get(1).close();
    assertThat(committed()).isEmpty();
  }

  @Test
  void theSqlIsPlannedAsTheServerIsSetAndNotAsTheStoreIs() throws Exception {
    List<String> setting = new ArrayList<>();
    apply(
        (connection, event) -> {
          try (Statement statement = connection.createStatement();
              ResultSet answer = statement.executeQuery("show enable_seqscan")) {
            answer.next();
            setting.add(answer.getString(1));
          }
          return SqlUpdate.accept();
        });
    assertThat(setting).containsExactly("on");
    events.end();
    connection.commit();
    try (Statement statement = connection.createStatement();
        ResultSet answer = statement.executeQuery("show enable_seqscan")) {
      answer.next();
      assertThat(answer.getString(1)).isEqualTo("off");
    }
  }
}
