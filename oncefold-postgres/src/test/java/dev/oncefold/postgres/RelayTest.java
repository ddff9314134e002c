package dev.oncefold.postgres;

import static dev.oncefold.postgres.OutboxDatabase.claim;
import static dev.oncefold.postgres.OutboxDatabase.commit;
import static dev.oncefold.postgres.OutboxDatabase.execute;
import static dev.oncefold.postgres.OutboxDatabase.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.SinkException;
import dev.oncefold.postgres.Steps.Killed;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** What the relay promises, each step of it done by hand. */
class RelayTest {
  private static final Relay.Limits LIMITS =
      new Relay.Limits(
          2, 1 << 20, 1 << 20, Duration.ofDays(1), Duration.ofSeconds(1), Duration.ofSeconds(4));

  private int fold;
  private Outbox outbox;
  private MemorySink sink;
  private long nanos;
  private final List<Connection> connections = new ArrayList<>();

  RelayTest() throws SQLException {
    fold = OutboxDatabase.newFold();
    outbox = new Outbox(OutboxDatabase.SCHEMA, fold);
    sink = new MemorySink();
  }

  @AfterEach
  void disconnect() throws SQLException {
    for (Connection connection : connections) {
      connection.close();
    }
  }

  private void startOver() throws SQLException {
    disconnect();
    fold = OutboxDatabase.newFold();
    outbox = new Outbox(OutboxDatabase.SCHEMA, fold);
    sink = new MemorySink();
  }

  private Relay relay(Steps steps) {
    return relay(steps, null);
  }

  private Relay relay(Steps steps, @Nullable String shared) {
    return new Relay(
        outbox,
        sink,
        () -> {
          Connection connection = OutboxDatabase.connect();
          connections.add(connection);
          return Steps.telling(connection, steps);
        },
        LIMITS,
        () -> nanos,
        shared);
  }

  private Relay owner(String... partitions) throws SQLException {
    return owner(step -> {}, partitions);
  }

  private Relay owner(Steps steps, String... partitions) throws SQLException {
    Relay relay = relay(steps);
    for (String partition : partitions) {
      relay.claimed(partition, claim(fold, partition));
    }
    return relay;
  }

  private static void toTheEnd(Relay relay) {
    while (relay.round()) {}
  }

  private long rows() throws SQLException {
    return number("select count(*) from $.outbox where fold = " + fold);
  }

  // ---------------------------------------------------------------- order, once

  @Test
  void sendsWhatIsCommittedInOrderAndDeletesIt() throws SQLException {
    Relay relay = owner("p");
    toTheEnd(relay);
    commit(outbox, "p", "1", "2");
    commit(outbox, "p", "3");
    commit(outbox, "p", "4");
    commit(outbox, "other", "not mine");
    toTheEnd(relay);
    assertThat(sink.values("p")).containsExactly("1", "2", "3", "4");
    assertThat(sink.values("other")).isEmpty();
    assertThat(rows()).isEqualTo(1);

    commit(outbox, "p", "5");
    toTheEnd(relay);
    assertThat(sink.values("p")).containsExactly("1", "2", "3", "4", "5");
    assertThat(sink.openings("p")).isEqualTo(1);
    assertThat(relay.trouble()).isNull();
  }

  @Test
  void nothingOfABatchThatIsRolledBackIsSentAndItsNumberIsTakenByTheNext() throws SQLException {
    Relay relay = owner("p");
    long first = commit(outbox, "p", "1");
    try (Connection connection = OutboxDatabase.connect()) {
      connection.setAutoCommit(false);
      outbox.write(connection, "p", OutboxDatabase.parcel("never"));
      toTheEnd(relay);
      connection.rollback();
    }
    long second = commit(outbox, "p", "2");
    toTheEnd(relay);
    assertThat(sink.values("p")).containsExactly("1", "2");
    assertThat(Outbox.number(second)).isEqualTo(Outbox.number(first) + 1);
  }

  @Test
  void killedBetweenAnyTwoStepsNothingIsSkippedOrSentTwice() throws SQLException {
    int deaths;
    int steps = 0;
    do {
      startOver();
      deaths = 0;
      for (int life = 1; life <= 3; life++) {
        commit(outbox, "p", life + "a", life + "b");
        commit(outbox, "q", life + "q");
        commit(outbox, "p", life + "c");
        commit(outbox, "p", life + "d");
        Steps killer = Steps.killingAfter(steps);
        sink.at(killer);
        try {
          toTheEnd(owner(killer, "p", "q"));
        } catch (Killed e) {
          deaths++;
        }
      }
      sink.at(step -> {});
      toTheEnd(owner("p", "q"));
      assertThat(sink.values("p"))
          .as("killed after %d steps", steps)
          .containsExactly("1a", "1b", "1c", "1d", "2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d");
      assertThat(sink.values("q")).containsExactly("1q", "2q", "3q");
      assertThat(rows()).isZero();
      steps++;
    } while (deaths > 0);
    assertThat(steps).isGreaterThan(20);
  }

  @Test
  void whoCommitsLateIsNotPassedOver() throws Exception {
    Relay relay = relay(step -> {}, "all");
    toTheEnd(relay);
    late(
        relay::round,
        (connection, value) -> outbox.write(connection, "all", OutboxDatabase.parcel(value)));
    assertThat(sink.values("all")).containsExactly("early", "late");
  }

  @Test
  void aRelayThatGoesByTheNumbersOfASequencePassesOverWhoCommitsLate() throws Exception {
    execute("create table $.broken (seq bigserial primary key, value text)");
    BySequence broken = new BySequence();
    late(
        broken,
        (connection, value) -> {
          try (PreparedStatement insert =
              connection.prepareStatement(
                  "insert into outbox.broken (value) values ('" + value + "')")) {
            insert.executeUpdate();
          }
        });
    assertThat(broken.sent).containsExactly("late");
  }

  /** A batch of a worker. */
  private interface Write {
    void write(Connection connection, String value) throws SQLException;
  }

  /**
   * Two workers: the first writes first and commits only when the second has committed, or when it
   * is seen that the second waits for it.
   */
  private static void late(Rounds relay, Write write) throws Exception {
    try (Connection early = OutboxDatabase.connect();
        Connection late = OutboxDatabase.connect()) {
      early.setAutoCommit(false);
      late.setAutoCommit(false);
      int pid = late.unwrap(PGConnection.class).getBackendPID();
      write.write(early, "early");
      CompletableFuture<Void> second =
          CompletableFuture.runAsync(
              () -> {
                try {
                  write.write(late, "late");
                  late.commit();
                } catch (SQLException e) {
                  throw new CompletionException(e);
                }
              });
      String waiting = "select count(*) from pg_locks where not granted and pid = " + pid;
      while (!second.isDone() && number(waiting) == 0) {
        Thread.onSpinWait();
      }
      while (relay.round()) {}
      early.commit();
      second.get(10, TimeUnit.SECONDS);
      while (relay.round()) {}
    }
  }

  /** A step of a relay. */
  private interface Rounds {
    boolean round() throws SQLException;
  }

  /** Broken on purpose: polls for numbers behind the greatest it has sent. */
  private static final class BySequence implements Rounds {
    private final List<String> sent = new ArrayList<>();
    private long position;

    @Override
    public boolean round() throws SQLException {
      try (Connection connection = OutboxDatabase.connect();
          PreparedStatement statement =
              connection.prepareStatement(
                  "select seq, value from outbox.broken where seq > "
                      + position
                      + " order by seq");
          ResultSet rows = statement.executeQuery()) {
        boolean any = false;
        while (rows.next()) {
          position = rows.getLong(1);
          sent.add(rows.getString(2));
          any = true;
        }
        return any;
      }
    }
  }

  // ---------------------------------------------------------------- owners

  /** Folds have the same numbers in each schema, and do not wait for each other's relays. */
  @Test
  void theLockOfAFoldIsOfItsSchema() throws SQLException {
    try (Connection one = OutboxDatabase.connect();
        Connection other = OutboxDatabase.connect()) {
      assertThat(new Outbox("\"a\"", 1).tryLock(one)).isTrue();
      assertThat(new Outbox("\"a\"", 1).tryLock(other)).isFalse();
      assertThat(new Outbox("\"b\"", 1).tryLock(other)).isTrue();
    }
  }

  @Test
  void aRelayThatWasTakenOverIsFencedAndLeavesTheLaneAlone() throws SQLException {
    Relay old = owner("p");
    commit(outbox, "p", "1");
    toTheEnd(old);
    Relay next = owner("p");
    toTheEnd(next);
    commit(outbox, "p", "2");
    toTheEnd(old);
    assertThat(sink.values("p")).containsExactly("1");
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(old);
    toTheEnd(next);
    assertThat(sink.values("p")).containsExactly("1", "2");
    assertThat(sink.openings("p")).as("the old one did not open it again").isEqualTo(2);
    assertThat(next.trouble()).isNull();
  }

  @Test
  void pausedAnywhereWhileAnotherTakesOverItSendsNothingTwiceAndRaisesNoAlarm()
      throws SQLException {
    int paused;
    int at = 0;
    do {
      startOver();
      int pauseAt = at;
      AtomicInteger passed = new AtomicInteger();
      List<Relay> next = new ArrayList<>();
      List<String> committed = new ArrayList<>();
      Steps taking =
          step -> {
            if (passed.getAndIncrement() == pauseAt) {
              try {
                next.add(owner("p"));
                commit(outbox, "p", "taken over");
                committed.add("taken over");
                toTheEnd(next.get(0));
              } catch (SQLException e) {
                throw new AssertionError(e);
              }
            }
          };
      Relay old = owner(taking, "p");
      sink.at(taking);
      for (String value : List.of("1", "2")) {
        commit(outbox, "p", value);
        committed.add(value);
        toTheEnd(old);
      }
      // Both go on, the zombie first, until neither waits for anything.
      for (int i = 0; i < 4; i++) {
        nanos += LIMITS.mostBackOff().toNanos();
        toTheEnd(old);
        next.forEach(RelayTest::toTheEnd);
      }
      paused = next.size();
      assertThat(sink.values("p")).as("paused after %d steps", at).isEqualTo(committed);
      old.check();
      for (Relay relay : next) {
        relay.check();
        assertThat(relay.trouble()).isNull();
      }
      at++;
    } while (paused > 0);
    assertThat(at).isGreaterThan(10);
  }

  @Test
  void whatSeemsMissingToWhoWasTakenOverIsNoAlarm() throws SQLException {
    Relay old = owner("p");
    toTheEnd(old);
    Relay next = owner("p");
    commit(outbox, "p", "1");
    toTheEnd(next);
    toTheEnd(old);
    old.check();
    assertThat(old.trouble()).contains("somebody else has opened the lane \"p\"");
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(old);
    commit(outbox, "p", "2");
    toTheEnd(next);
    assertThat(sink.values("p")).containsExactly("1", "2");
    assertThat(sink.openings("p")).isEqualTo(2);
  }

  @Test
  void aLaneGivenUpIsSentByTheNextOwnerFromWhereItWas() throws SQLException {
    Relay first = owner("p");
    commit(outbox, "p", "1");
    toTheEnd(first);
    first.released("p");
    commit(outbox, "p", "2");
    toTheEnd(first);
    assertThat(sink.values("p")).containsExactly("1");
    toTheEnd(owner("p"));
    assertThat(sink.values("p")).containsExactly("1", "2");
  }

  @Test
  void oneLaneOfAllIsSentByWhoHoldsTheLockUntilItsConnectionIsGone() throws SQLException {
    Relay first = relay(step -> {}, "all");
    Relay second = relay(step -> {}, "all");
    toTheEnd(first);
    commit(outbox, "all", "1");
    toTheEnd(second);
    assertThat(sink.openings("all")).isEqualTo(1);
    toTheEnd(first);
    first.close();
    commit(outbox, "all", "2");
    toTheEnd(second);
    assertThat(sink.values("all")).containsExactly("1", "2");
    assertThat(sink.openings("all")).isEqualTo(2);
  }

  @Test
  void whoLostTheLockWithItsConnectionDoesNotGoOn() throws SQLException {
    Relay first = relay(step -> {}, "all");
    Relay second = relay(step -> {}, "all");
    toTheEnd(first);
    connections.get(0).close();
    toTheEnd(second);
    commit(outbox, "all", "1");
    toTheEnd(first);
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(first);
    nanos += LIMITS.mostBackOff().toNanos();
    toTheEnd(first);
    assertThat(sink.values("all")).isEmpty();
    assertThat(sink.openings("all")).as("it did not open the lane again").isEqualTo(2);
    toTheEnd(second);
    assertThat(sink.values("all")).containsExactly("1");
  }

  // ---------------------------------------------------------------- failures that pass

  @Test
  void aSinkThatFailsAnywhereIsTriedAgainAndTroubleIsToldUntilItIsOver() throws SQLException {
    for (String failing : List.of("open p", "opened p", "write", "written")) {
      for (RuntimeException failure :
          List.of(new SinkException("no broker"), new IllegalStateException("no broker"))) {
        startOver();
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger failures = new AtomicInteger(3);
        sink.at(
            step -> {
              if (step.equals(failing)) {
                tries.incrementAndGet();
                if (failures.getAndDecrement() > 0) {
                  throw failure;
                }
              }
            });
        Relay relay = owner("p");
        // More than one write: one that fails after all was written is not tried again.
        for (String value : List.of("1", "2", "3", "4", "5", "6", "7", "8")) {
          commit(outbox, "p", value);
        }
        toTheEnd(relay);
        assertThat(relay.trouble()).contains("no broker");
        toTheEnd(relay);
        assertThat(tries).as("it waits before it tries again").hasValue(1);
        nanos += LIMITS.leastBackOff().toNanos();
        toTheEnd(relay);
        assertThat(relay.trouble()).contains("no broker");
        nanos += LIMITS.leastBackOff().toNanos();
        toTheEnd(relay);
        assertThat(tries).as("it waits longer every time").hasValue(2);
        for (int i = 0; i < 3; i++) {
          nanos += LIMITS.mostBackOff().toNanos();
          toTheEnd(relay);
        }
        assertThat(relay.trouble()).isNull();
        relay.check();
        assertThat(sink.values("p"))
            .as("failing at %s", failing)
            .containsExactly("1", "2", "3", "4", "5", "6", "7", "8");
        assertThat(rows()).isZero();
      }
    }
  }

  @Test
  void aLaneThatFailsHoldsUpNoOther() throws SQLException {
    sink.at(
        step -> {
          if (step.equals("open p")) {
            throw new SinkException("no such topic");
          }
        });
    Relay relay = owner("p", "q");
    commit(outbox, "p", "1");
    commit(outbox, "q", "2");
    toTheEnd(relay);
    assertThat(sink.values("q")).containsExactly("2");
    assertThat(relay.trouble()).isEqualTo("no such topic");
  }

  @Test
  void aConnectionLostAtAnyStatementIsMadeAgain() throws SQLException {
    boolean lost;
    int at = 0;
    do {
      startOver();
      AtomicInteger left = new AtomicInteger(at);
      Steps losing =
          step -> {
            if (left.getAndDecrement() == 0) {
              terminate(connections.get(connections.size() - 1));
            }
          };
      Relay relay = owner(losing, "p");
      commit(outbox, "p", "1");
      commit(outbox, "p", "2");
      toTheEnd(relay);
      commit(outbox, "p", "3");
      toTheEnd(relay);
      lost = left.get() < 0;
      if (relay.trouble() != null) {
        assertThat(relay.trouble()).contains("cannot work with the database");
      }
      // The loss may be noticed only now.
      toTheEnd(relay);
      nanos += LIMITS.leastBackOff().toNanos();
      toTheEnd(relay);
      assertThat(relay.trouble()).isNull();
      assertThat(sink.values("p")).as("lost at step %d", at).containsExactly("1", "2", "3");
      assertThat(sink.openings("p")).isEqualTo(1);
      assertThat(rows()).isZero();
      at++;
    } while (lost);
    assertThat(at).isGreaterThan(8);
  }

  private static void terminate(Connection connection) {
    try {
      int pid = connection.unwrap(PGConnection.class).getBackendPID();
      number("select pg_terminate_backend(" + pid + ", 10000)::int");
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aDatabaseThatIsAwayIsTriedAgain() throws SQLException {
    AtomicInteger tries = new AtomicInteger();
    Relay relay =
        new Relay(
            outbox,
            sink,
            () -> {
              if (tries.incrementAndGet() < 3) {
                throw new SQLException("connection refused");
              }
              Connection connection = OutboxDatabase.connect();
              connections.add(connection);
              return connection;
            },
            LIMITS,
            () -> nanos,
            null);
    relay.claimed("p", claim(fold, "p"));
    commit(outbox, "p", "1");
    toTheEnd(relay);
    toTheEnd(relay);
    assertThat(tries).hasValue(1);
    assertThat(relay.trouble()).contains("connection refused");
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(relay);
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(relay);
    assertThat(tries).hasValue(2);
    nanos += LIMITS.leastBackOff().toNanos();
    toTheEnd(relay);
    assertThat(sink.values("p")).containsExactly("1");
    assertThat(relay.trouble()).isNull();
  }

  // ---------------------------------------------------------------- what does not fit together

  private void assertStops(Relay relay, String... says) {
    toTheEnd(relay);
    assertThatThrownBy(relay::check)
        .isInstanceOf(SinkException.class)
        .hasMessageContainingAll(says);
    assertThatThrownBy(() -> relay.awaitRoom(Duration.ZERO)).hasMessageContainingAll(says);
    assertThat(relay.trouble()).contains(says);
    List<String> before = sink.values("p");
    nanos += LIMITS.mostBackOff().toNanos();
    toTheEnd(relay);
    assertThat(sink.values("p")).as("nothing more is sent").isEqualTo(before);
  }

  @Test
  void rowsThatSomebodyDeletedAreNotSkipped() throws SQLException {
    Relay relay = owner("p");
    commit(outbox, "p", "1");
    toTheEnd(relay);
    long second = commit(outbox, "p", "2");
    commit(outbox, "p", "3");
    execute("delete from $.outbox where fold = " + fold + " and seq = " + second);
    assertStops(
        relay, "the batches 2 to 2 of the lane \"p\"", "neither in the sink nor in the outbox");
    assertThat(sink.values("p")).containsExactly("1");
    assertStops(owner("p"), "the batches 2 to 2 of the lane \"p\"");
  }

  @Test
  void theNewestRowsThatSomebodyDeletedAreNotSkipped() throws SQLException {
    commit(outbox, "p", "1");
    commit(outbox, "p", "2");
    execute("delete from $.outbox where fold = " + fold);
    assertStops(owner("p"), "the batches 1 to 2 of the lane \"p\"");
  }

  @Test
  void aSinkThatLostItsPositionDoesNotSkipWhatItNeverHad() throws SQLException {
    commit(outbox, "p", "1");
    toTheEnd(owner("p"));
    sink = new MemorySink();
    commit(outbox, "p", "2");
    assertStops(owner("p"), "the batches 1 to 1 of the lane \"p\"", "Give it the name it had");
  }

  @Test
  void aDatabasePutBackToBeforeWhatWasSentStops() throws SQLException {
    Relay relay = owner("p");
    long first = commit(outbox, "p", "1");
    commit(outbox, "p", "2");
    commit(outbox, "p", "3");
    toTheEnd(relay);
    execute("update $.lanes set seq = " + first + " where fold = " + fold);
    assertStops(
        relay, "the sink has 3 batches of the lane \"p\"", "has committed only 1", "failover");
    assertStops(owner("p"), "the sink has 3 batches", "has committed only 1");
  }

  @Test
  void aDatabaseThatWentOnFromBeforeWhatWasSentIsFoundOut() throws SQLException {
    for (List<String> others :
        List.of(List.of("2", "another 3"), List.of("another 2", "3", "4"), List.of("2, 3"))) {
      startOver();
      long first = commit(outbox, "p", "1");
      commit(outbox, "p", "2");
      commit(outbox, "p", "3");
      toTheEnd(owner("p"));
      execute("update $.lanes set seq = " + first + " where fold = " + fold);
      for (String other : others) {
        commit(outbox, "p", other);
      }
      commit(outbox, "p", "5");
      assertStops(
          owner("p"), others.size() == 1 ? "has" : "does not follow from what the sink has");
      assertThat(sink.values("p")).containsExactly("1", "2", "3");
    }
  }

  @Test
  void aDatabaseThatCommittedAgainWhatWasSentGoesOn() throws SQLException {
    long first = commit(outbox, "p", "1");
    commit(outbox, "p", "2");
    toTheEnd(owner("p"));
    execute("update $.lanes set seq = " + first + " where fold = " + fold);
    commit(outbox, "p", "2");
    commit(outbox, "p", "3");
    toTheEnd(owner("p"));
    assertThat(sink.values("p")).containsExactly("1", "2", "3");
    assertThat(rows()).isZero();
  }

  @Test
  void aRowThatWasEditedIsNotSent() throws SQLException {
    commit(outbox, "p", "1");
    execute(
        "update $.outbox set payload = set_byte(payload, 5, get_byte(payload, 5) # 1) where fold = "
            + fold);
    assertStops(owner("p"), "the batch 1 of the lane \"p\" does not follow");
    assertThat(sink.values("p")).isEmpty();
  }

  @Test
  void aRowOfANewerVersionIsNotSent() throws SQLException {
    byte[] payload = {9};
    execute(
        "insert into $.lanes values (%1$d, 'p', %2$d);insert into $.outbox values (%1$d, 'p', %2$d, '\\x09')"
            .formatted(fold, Outbox.next(0, payload)));
    assertStops(owner("p"), "the batch 1 of the lane \"p\" cannot be read", "A newer version");
  }

  // ---------------------------------------------------------------- bounds

  @Test
  void rowsAreReadInBoundedPieces() throws SQLException {
    for (int i = 0; i < 5; i++) {
      commit(outbox, "p", "x".repeat(1000));
    }
    try (Connection connection = OutboxDatabase.connect()) {
      assertThat(outbox.rows(connection, "p", 0, 100, 1)).hasSize(1);
      assertThat(outbox.rows(connection, "p", 0, 100, 3000)).hasSize(2);
      assertThat(outbox.rows(connection, "p", 0, 4, 1 << 20)).hasSize(4);
      assertThat(outbox.rows(connection, "p", 0, 100, 1 << 20)).hasSize(5);
    }
  }

  @Test
  void thereIsRoomAgainWhenTheSinkHasTakenWhatWasTooMuch() throws Exception {
    sink.at(
        step -> {
          throw new SinkException("away");
        });
    Relay relay = owner("p");
    toTheEnd(relay);
    String much = "x".repeat(200_000);
    for (int i = 0; i < 3; i++) {
      assertThat(relay.awaitRoom(Duration.ZERO)).as("batch %d", i).isTrue();
      commit(outbox, "p", much);
      relay.committed(OutboxDatabase.parcel(much).size());
    }
    assertThat(relay.awaitRoom(Duration.ZERO)).isFalse();
    toTheEnd(relay);
    assertThat(relay.awaitRoom(Duration.ofMillis(1))).isFalse();
    // Another process finds what this one has left.
    Relay next = owner("p");
    toTheEnd(next);
    assertThat(next.awaitRoom(Duration.ZERO)).isFalse();

    sink.at(step -> {});
    nanos += LIMITS.mostBackOff().toNanos();
    toTheEnd(next);
    assertThat(next.awaitRoom(Duration.ZERO)).isTrue();
    assertThat(sink.values("p")).hasSize(3);
  }
}
