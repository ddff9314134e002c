package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FailedEventException;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Outcome;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.Verdict;
import dev.oncefold.postgres.SqlUpdate.NoState;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A user's SQL applied exactly once: what stays of each event, and of each way to interrupt it. */
class SqlStoreTest {
  /** What the tests' SQL is to do. */
  record Order(String what, String item) {}

  /** What it answers. */
  record Receipt(String item) {}

  private final Database database = Database.create();
  private final AtomicInteger runs = new AtomicInteger();
  private final MemorySink sink = new MemorySink();

  SqlStoreTest() throws SQLException {
    database.execute(
        "create table stock (item text primary key check (item <> 'forbidden')); create table orders"
            + " (n serial, item text references stock deferrable initially deferred); insert into"
            + " stock values ('1'), ('2'), ('3'), ('4')");
  }

  private Options<NoState, Order, Receipt> options() {
    return Options.<Order, Receipt>ofSql(database.url()).idle(Duration.ofSeconds(30));
  }

  private static Fold.Builder<NoState, Order, Receipt> named() {
    return SqlStore.named("orders", Order.class, Receipt.class)
        .rememberingForever()
        .whenFailed(Fold.WhenFailed.REFUSE);
  }

  private SqlStore<Order, Receipt> open() {
    return SqlStore.open(options(), named(), this::order);
  }

  private Outcome<NoState, Receipt> order(Connection connection, Event<Order> event)
      throws SQLException {
    runs.incrementAndGet();
    Order order = event.value();
    try (PreparedStatement insert =
        connection.prepareStatement("insert into orders (item) values (?)")) {
      insert.setString(1, order.item());
      insert.executeUpdate();
    }
    switch (order.what()) {
      case "throw" -> throw new IllegalStateException("no such order");
      case "violate" -> execute(connection, "insert into stock values ('forbidden')");
      default -> {}
    }
    if (order.what().equals("reject")) {
      return Outcome.reject("sold out");
    }
    return SqlUpdate.accept(new Receipt(order.item()));
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static Event<Order> event(String id, String what, String item) {
    return new Event<>(id, "key", null, new Order(what, item));
  }

  private static Event<Order> buy(String id, String item) {
    return event(id, "buy", item);
  }

  private List<String> ordered() throws SQLException {
    return database.query("select item from orders order by n");
  }

  /** Outputs leave as soon as the commit is answered: it must not be lost after that. */
  @Test
  void theCommitWaitsForTheDiskWhateverTheSqlHasSet() throws Exception {
    List<String> committedUnder = new ArrayList<>();
    CommitSteps looking =
        new CommitSteps() {
          @Override
          void commit(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement();
                ResultSet answer = statement.executeQuery("show synchronous_commit")) {
              answer.next();
              committedUnder.add(answer.getString(1));
            }
            super.commit(connection);
          }
        };
    SqlUpdate<Order, Receipt> careless =
        (connection, event) -> {
          execute(
              connection,
              event.value().item().equals("1")
                  ? "set local synchronous_commit = off"
                  : "select set_config('synchronous_commit', 'off', false)");
          return order(connection, event);
        };
    try (SqlStore<Order, Receipt> store =
        SqlStore.open(options().batchSize(1), named(), careless, looking)) {
      run(store, buy("e1", "1"), buy("e2", "2"), buy("e3", "3"));
    }
    assertThat(committedUnder).containsExactly("on", "on", "on");
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  private static Counts run(SqlStore<Order, Receipt> store, Event<Order>... events)
      throws Exception {
    return runner(store, List.of(events)).run();
  }

  private static Runner<NoState, Order, Receipt> runner(
      SqlStore<Order, Receipt> store, List<Event<Order>> events) {
    return new Runner<>(store, store.fold(), List.of(new Listed("p", events)), Clock.systemUTC());
  }

  /** Events of one partition. */
  private static final class Listed implements Source<Order> {
    private final String name;
    private final List<Event<Order>> events;
    private int next;

    Listed(String name, List<Event<Order>> events) {
      this.name = name;
      this.events = events;
    }

    @Override
    public List<String> partitions() {
      return List.of(name);
    }

    @Override
    public void seek(String partition, Position position) {
      next = (int) position.offset();
    }

    @Override
    public @Nullable Polled<Order> poll(int max, Duration wait) {
      int from = next;
      next = Math.min(events.size(), from + max);
      List<Received<Order>> received = new ArrayList<>();
      for (int i = from; i < next; i++) {
        received.add(Received.of(i, new Position(i + 1, 0), events.get(i)));
      }
      return received.isEmpty()
          ? null
          : new Polled<>(name, new Position(from, 0), received, !ended());
    }

    @Override
    public boolean ended() {
      return next >= events.size();
    }

    @Override
    public void close() {}
  }

  // ---------------------------------------------------------------- what stays of an event

  @Test
  void anEventThatIsNotAppliedLeavesNothingAndTheOthersGoOn() throws Exception {
    try (SqlStore<Order, Receipt> store = open()) {
      Counts counts =
          run(
              store,
              buy("a", "1"),
              event("b", "throw", "2"),
              buy("c", "2"),
              event("d", "reject", "3"),
              event("e", "violate", "3"),
              buy("f", "3"),
              buy("g", "in no stock"),
              buy("h", "4"));
      assertThat(counts).isEqualTo(new Counts(4, 1, 0, 0, 0, 3, 4));
      assertThat(store.view().counts()).isEqualTo(counts);
      assertThat(store.view().positions()).containsEntry("p", new Position(8, 0));
    }
    assertThat(ordered()).containsExactly("1", "2", "3", "4");
    assertThat(
            database.query(
                "select id || ': ' || reason from oncefold.refusals order by record_offset"))
        .satisfiesExactly(
            b -> assertThat(b).startsWith("b: ").contains("no such order"),
            d -> assertThat(d).isEqualTo("d: sold out"),
            e -> assertThat(e).startsWith("e: ").contains("stock_item_check"),
            g -> assertThat(g).startsWith("g: ").contains("orders_item_fkey"));
  }

  @Test
  void aRunStopsBeforeAFailedEventWithAllBeforeItCommitted() throws Exception {
    try (SqlStore<Order, Receipt> store =
        SqlStore.open(options(), named().whenFailed(Fold.WhenFailed.STOP), this::order)) {
      List<Event<Order>> events = List.of(buy("a", "1"), buy("b", "in no stock"), buy("c", "3"));
      assertThatThrownBy(runner(store, events)::run)
          .isInstanceOf(FailedEventException.class)
          .hasMessageContaining("p@1")
          .hasMessageContaining("orders_item_fkey");
      assertThat(ordered()).containsExactly("1");
      assertThat(store.view().counts()).isEqualTo(new Counts(1, 0, 0, 0, 0, 0, 1));
      runner(store, events).refusing(List.of("p@1")).run();
      assertThat(ordered()).containsExactly("1", "3");
    }
  }

  @Test
  void aReSendIsNotRunAgain() throws Exception {
    try (SqlStore<Order, Receipt> store = open()) {
      run(
          store,
          buy("a", "1"),
          buy("a", "1"),
          event("b", "reject", "2"),
          event("b", "reject", "2"));
    }
    try (SqlStore<Order, Receipt> store = open()) {
      Runner<NoState, Order, Receipt> other =
          new Runner<>(
              store,
              store.fold(),
              List.of(
                  new Listed(
                      "another",
                      List.of(buy("a", "1"), event("b", "reject", "2"), buy("a", "other")))),
              Clock.systemUTC());
      assertThat(other.run()).isEqualTo(new Counts(0, 0, 2, 1, 0, 0, 0));
    }
    assertThat(runs).hasValue(2);
    assertThat(ordered()).containsExactly("1");
  }

  @Test
  void anEventWhoseOutputCannotBeWrittenLeavesNothing() throws Exception {
    Options<NoState, Order, Receipt> options =
        options()
            .sink(sink)
            .output(
                "outputs",
                emitted -> {
                  if (emitted.value().item().equals("2")) {
                    throw new IllegalStateException("no bytes for this one");
                  }
                  return emitted.value().item().getBytes(StandardCharsets.UTF_8);
                });
    CountDownLatch written = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals("written")) {
            written.countDown();
          }
        });
    try (SqlStore<Order, Receipt> store = SqlStore.open(options, named(), this::order)) {
      Counts counts =
          run(store, buy("a", "1"), buy("b", "2"), event("c", "reject", "3"), buy("d", "4"));
      assertThat(counts).isEqualTo(new Counts(2, 1, 0, 0, 0, 1, 2));
      written.await();
    }
    assertThat(ordered()).containsExactly("1", "4");
    assertThat(sink.values("p")).containsExactly("1", "4");
  }

  // ---------------------------------------------------------------- what interrupts a batch

  @Test
  void aBatchThatWasTakenOverCommitsNothing() throws Exception {
    try (SqlStore<Order, Receipt> next = open()) {
      SqlUpdate<Order, Receipt> slow =
          (connection, event) -> {
            Outcome<NoState, Receipt> outcome = order(connection, event);
            if (event.value().item().equals("2")) {
              run(next, buy("a", "1"), buy("b", "2"), buy("c", "3"));
            }
            return outcome;
          };
      try (SqlStore<Order, Receipt> zombie = SqlStore.open(options(), named(), slow)) {
        assertThatThrownBy(() -> run(zombie, buy("a", "1"), buy("b", "2")))
            .isInstanceOf(FencedException.class);
      }
      assertThat(ordered()).containsExactly("1", "2", "3");
      assertThat(next.view().counts().applied()).isEqualTo(3);
    }
  }

  /** Fails once, in the middle of a batch, after some of it was done. */
  private SqlUpdate<Order, Receipt> interruptedOnce(String sql) {
    AtomicInteger times = new AtomicInteger();
    return (connection, event) -> {
      Outcome<NoState, Receipt> outcome = order(connection, event);
      if (event.value().item().equals("2") && times.getAndIncrement() == 0) {
        try {
          execute(connection, sql);
        } catch (SQLException e) {
          return Outcome.reject("it thinks that it knows better");
        }
      }
      return outcome;
    };
  }

  @Test
  void aDeadlockOrALostConnectionIsNoVerdict() throws Exception {
    List<String> interruptions =
        List.of(
            "do $$ begin raise exception 'deadlock' using errcode = '40P01'; end $$",
            "select pg_terminate_backend(pg_backend_pid())");
    for (int i = 0; i < interruptions.size(); i++) {
      database.execute("truncate orders");
      runs.set(0);
      try (SqlStore<Order, Receipt> store =
          SqlStore.open(
              options(),
              SqlStore.named("orders" + i, Order.class, Receipt.class).rememberingForever(),
              interruptedOnce(interruptions.get(i)))) {
        Counts counts = run(store, buy("a", "1"), buy("b", "2"), buy("c", "3"));
        assertThat(counts).isEqualTo(new Counts(3, 0, 0, 0, 0, 0, 3));
      }
      assertThat(ordered()).containsExactly("1", "2", "3");
      assertThat(runs).as("the batch was judged again").hasValue(5);
    }
  }

  /**
   * The second of two that run the same event at once fails on what the first has done. That is no
   * fault of the event: it is a re-send, whatever its SQL says.
   */
  @ParameterizedTest
  @EnumSource(Fold.WhenFailed.class)
  void aReSendThatFailsOnWhatTheFirstHasJustDoneIsADuplicate(Fold.WhenFailed whenFailed)
      throws Exception {
    database.execute("create unique index on orders (item)");
    AtomicInteger times = new AtomicInteger();
    try (SqlStore<Order, Receipt> first = open()) {
      SqlUpdate<Order, Receipt> overtaken =
          (connection, event) -> {
            if (event.value().item().equals("2") && times.getAndIncrement() == 0) {
              Listed other = new Listed("another", List.of(buy("b", "2"), buy("c", "3")));
              new Runner<>(first, first.fold(), List.of(other), Clock.systemUTC()).run();
            }
            return order(connection, event);
          };
      try (SqlStore<Order, Receipt> second =
          SqlStore.open(options(), named().whenFailed(whenFailed), overtaken)) {
        Counts counts = run(second, buy("a", "1"), buy("b", "2"), buy("d", "4"));
        assertThat(counts).isEqualTo(new Counts(2, 0, 1, 0, 0, 0, 2));
        // What fails for another reason still does.
        if (whenFailed == Fold.WhenFailed.REFUSE) {
          assertThat(run(second, buy("a", "1"), buy("b", "2"), buy("d", "4"), buy("e", "4")))
              .isEqualTo(new Counts(0, 0, 0, 0, 0, 1, 0));
        }
      }
    }
    assertThat(ordered()).containsExactlyInAnyOrder("1", "2", "3", "4");
    assertThat(database.query("select id from oncefold.refusals where id <> 'e'")).isEmpty();
  }

  @Test
  void anInterruptionThatDoesNotEndStopsTheRun() throws Exception {
    SqlUpdate<Order, Receipt> update =
        (connection, event) -> {
          order(connection, event);
          execute(connection, "do $$ begin raise exception 'busy' using errcode = '40001'; end $$");
          return SqlUpdate.accept();
        };
    try (SqlStore<Order, Receipt> store = SqlStore.open(options(), named(), update)) {
      assertThatThrownBy(() -> run(store, buy("a", "1")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("times in a row nothing was committed")
          .hasMessageContaining("busy");
    }
    assertThat(ordered()).isEmpty();
  }

  @Test
  void aCommitWhoseAnswerIsLostIsReadAndNotRepeated() throws Exception {
    AtomicInteger commits = new AtomicInteger();
    CommitSteps lossy =
        new CommitSteps() {
          @Override
          void commit(Connection connection) throws SQLException {
            super.commit(connection);
            if (commits.getAndIncrement() == 0) {
              throw new SQLException("the answer is lost", "08006");
            }
          }
        };
    try (SqlStore<Order, Receipt> store =
        SqlStore.open(options().batchSize(2), named(), this::order, lossy)) {
      run(store, buy("a", "1"), buy("b", "2"), buy("c", "3"));
    }
    assertThat(ordered()).containsExactly("1", "2", "3");
    assertThat(runs).hasValue(3);
  }

  @Test
  void anUpdateThatEndsTheTransactionByAnUnguardedWayStopsTheRun() throws Exception {
    List<Connection> raw = new ArrayList<>();
    CommitSteps spying =
        new CommitSteps() {
          @Override
          void write(Connection connection, Part position, Part results) throws SQLException {
            raw.add(connection);
            super.write(connection, position, results);
          }
        };
    for (boolean last : List.of(true, false)) {
      raw.clear();
      SqlUpdate<Order, Receipt> update =
          (connection, event) -> {
            if (!raw.isEmpty() && !last) {
              raw.get(0).commit();
            }
            Outcome<NoState, Receipt> outcome = order(connection, event);
            if (!raw.isEmpty() && last) {
              raw.get(0).commit();
            }
            return outcome;
          };
      try (SqlStore<Order, Receipt> store =
          SqlStore.open(
              options().batchSize(1),
              SqlStore.named("last " + last, Order.class, Receipt.class).rememberingForever(),
              update,
              spying)) {
        assertThatThrownBy(() -> run(store, buy("a", "1"), buy("b", "2")))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("has ended the transaction of the batch");
      }
    }
  }

  // ---------------------------------------------------------------- what it is made of

  @Test
  void itsFoldRunsInItsStoreOnly() {
    try (SqlStore<Order, Receipt> store = open()) {
      Verdict<NoState, Receipt> verdict =
          new Kernel<>(store.fold())
              .judge(
                  buy("a", "1"), key -> null, (key, id) -> null, Kernel.NO_FLOOR, Kernel.NO_LIMIT);
      assertThat(verdict).isInstanceOf(Verdict.Failed.class);
      assertThat(verdict.toString()).contains("runs only in the batches of the SqlStore");
    }
    assertThat(runs).hasValue(0);
  }

  @Test
  void optionsOfTheOtherKindAreRefused() {
    assertThatThrownBy(
            () -> SqlStore.open(Options.of(database.url(), "states"), named(), this::order))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Options.ofSql(url)");
    assertThatThrownBy(
            () ->
                PostgresStore.open(options(), named().update((state, event) -> SqlUpdate.accept())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Options.of(url, table)");
  }
}
