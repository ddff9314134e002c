package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.Verdict.Kind.REJECTED;
import static dev.oncefold.postgres.Bank.close;
import static dev.oncefold.postgres.Bank.deposit;
import static dev.oncefold.postgres.Bank.transfer;
import static dev.oncefold.postgres.Bank.withdraw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.RejudgeException;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SharedKeysTest {
  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private Options<Account, Payment, Receipt> options() {
    return Options.<Account, Payment, Receipt>of(database.url(), "accounts")
        .keys(Options.Keys.SHARED);
  }

  private Teller<Account, Payment, Receipt> teller() {
    return new Teller<>(options(), Bank.transfers());
  }

  private Map<String, Slot<Account>> slots() {
    return PostgresView.read(options(), Bank.transfers(), null).slots();
  }

  @Test
  void aKeyMayTurnUpInEveryPartition() {
    try (Teller<Account, Payment, Receipt> one = new Teller<>(options(), Bank.fold()).claim("p0");
        Teller<Account, Payment, Receipt> two = new Teller<>(options(), Bank.fold()).claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      two.feed("p1", deposit("e2", "alice", 10), deposit("e1", "alice", 10));
      one.feed("p0", withdraw("e3", "alice", 15), close("e4", "bob"));
      two.feed("p1", close("e5", "alice"), deposit("e6", "bob", 1));
      assertThat(one.feed("p0", deposit("e7", "alice", 2), deposit("e6", "bob", 1)))
          .containsExactly(APPLIED, DUPLICATE);
      assertThat(one.store.cache.size()).isZero();
    }
    assertThat(slots())
        .isEqualTo(
            Map.of(
                "alice",
                new Slot<>(new Account(2, 1), 1),
                "bob",
                new Slot<>(new Account(1, 1), 1)));
  }

  /**
   * While a batch waits for the row another one remembers the same id. A verdict that inserts
   * nothing, such as that of an update that throws on the new state, must not pass over it.
   */
  @Test
  void anIdThatIsRememberedDuringTheWaitForItsRowIsKnown() throws Exception {
    Fold<Account, Payment, Receipt> once =
        Bank.define()
            .update(
                (account, event) -> {
                  if (account.payments() > 1) {
                    throw new IllegalStateException("too much");
                  }
                  return Bank.rules(account, event);
                });
    try (Teller<Account, Payment, Receipt> one = new Teller<>(options(), once).claim("p0");
        Teller<Account, Payment, Receipt> two = new Teller<>(options(), once).claim("p1")) {
      // All ids so far are its own: it knows the newest table completely.
      one.feed("p0", deposit("e1", "alice", 10));
      CompletableFuture<List<Verdict.Kind>> waiting;
      try (Teller<Account, Payment, Receipt>.Judged first =
          two.judge("p1", deposit("e2", "alice", 10))) {
        waiting = CompletableFuture.supplyAsync(() -> one.feed("p0", deposit("e2", "alice", 10)));
        while (database
            .query("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
            .isEmpty()) {
          Thread.onSpinWait();
        }
        first.commit();
      }
      assertThat(waiting.get(30, TimeUnit.SECONDS)).containsExactly(DUPLICATE);
    }
  }

  /** Found by a crash run: or else the order of the commits is not that of the verdicts. */
  @Test
  void aRejectionThatRestsOnAnAbsentKeyComesBeforeTheKeyIsMade() throws Exception {
    try (Teller<Account, Payment, Receipt> one = new Teller<>(options(), Bank.fold()).claim("p0");
        Teller<Account, Payment, Receipt> two = new Teller<>(options(), Bank.fold()).claim("p1")) {
      CompletableFuture<List<Verdict.Kind>> making;
      try (Teller<Account, Payment, Receipt>.Judged rejecting =
          one.judge("p0", withdraw("e1", "alice", 5))) {
        making =
            CompletableFuture.supplyAsync(
                () -> two.feed("p1", deposit("e2", "alice", 10), withdraw("e3", "bob", 1)));
        while (database
            .query("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
            .isEmpty()) {
          assertThat(making).as("the maker waits for who found nothing").isNotDone();
        }
        rejecting.commit();
      }
      assertThat(making.get(30, TimeUnit.SECONDS)).containsExactly(APPLIED, REJECTED);
      assertThat(one.feed("p0", withdraw("e4", "alice", 5))).containsExactly(APPLIED);
    }
  }

  @Test
  void anEventOverSeveralKeysChangesAllOrNone() {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      assertThat(
              teller.feed(
                  "p0",
                  deposit("e1", "alice", 10),
                  transfer("e2", "alice", "bob", 4),
                  transfer("e3", "alice", "carol", 7),
                  transfer("e4", "bob", "carol", 1)))
          .containsExactly(APPLIED, APPLIED, REJECTED, APPLIED);
    }
    assertThat(slots())
        .isEqualTo(
            Map.of(
                "alice", new Slot<>(new Account(6, 2), 2),
                "bob", new Slot<>(new Account(3, 2), 2),
                "carol", new Slot<>(new Account(1, 1), 1)));
  }

  @Test
  void anEventOverSeveralKeysNeedsSharedKeys() {
    assertThatThrownBy(
            () ->
                PostgresStore.open(
                    Options.<Account, Payment, Receipt>of(database.url(), "accounts"),
                    Bank.transfers()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Keys.SHARED");
  }

  @Test
  void twoThatMakeTheSameKeyAtOnceAreOneAfterTheOther() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      try (Teller<Account, Payment, Receipt>.Judged first =
          one.judge("p0", deposit("e1", "alice", 10))) {
        two.feed("p1", deposit("e2", "alice", 1));
        assertThatThrownBy(first::commit).isInstanceOf(RejudgeException.class);
      }
      one.feed("p0", deposit("e1", "alice", 10));
    }
    assertThat(slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(11, 2), 2)));
  }

  @Test
  void aReadRowIsLockedUntilTheCommit() throws Exception {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      CompletableFuture<?> waiting;
      try (Teller<Account, Payment, Receipt>.Judged first =
          one.judge("p0", deposit("e2", "alice", 10))) {
        waiting =
            CompletableFuture.runAsync(() -> two.feed("p1", transfer("e3", "alice", "bob", 20)));
        while (database.query("select 1 from pg_locks where not granted").isEmpty()) {
          Thread.onSpinWait();
        }
        first.commit();
      }
      waiting.join();
      assertThat(two.rejudged).isZero();
    }
    assertThat(slots())
        .isEqualTo(
            Map.of(
                "alice", new Slot<>(new Account(0, 3), 3),
                "bob", new Slot<>(new Account(20, 1), 1)));
  }

  @Test
  void aDeadlockIsJudgedAgain() throws Exception {
    database.execute("alter database " + database.name() + " set deadlock_timeout = '20ms'");
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0");
        Connection other = DriverManager.getConnection(database.url());
        Statement statement = other.createStatement()) {
      teller.feed("p0", deposit("e1", "alice", 10));
      CompletableFuture<Void> waiting;
      try (Teller<Account, Payment, Receipt>.Judged batch =
          teller.judge("p0", deposit("e2", "alice", 1), deposit("e3", "bob", 1))) {
        statement.execute("set deadlock_timeout = '50s'");
        other.setAutoCommit(false);
        statement.execute("insert into accounts values ('bob', 100, 1, 1)");
        waiting =
            CompletableFuture.runAsync(
                () -> {
                  try {
                    statement.execute("update accounts set cents = cents where key = 'alice'");
                    other.commit();
                  } catch (SQLException e) {
                    throw new IllegalStateException(e);
                  }
                });
        while (database.query("select 1 from pg_locks where not granted").isEmpty()) {
          Thread.onSpinWait();
        }
        assertThatThrownBy(batch::commit)
            .isInstanceOf(RejudgeException.class)
            .hasMessageContaining("deadlock");
      }
      waiting.join();
      teller.feed("p0", deposit("e2", "alice", 1), deposit("e3", "bob", 1));
    }
    assertThat(slots())
        .isEqualTo(
            Map.of(
                "alice", new Slot<>(new Account(11, 2), 2),
                "bob", new Slot<>(new Account(101, 2), 2)));
  }

  @Test
  void transfersFromFourWorkersAtOnceKeepTheSum() throws Exception {
    List<String> keys = List.of("a", "b", "c", "d", "e", "f", "g", "h");
    try (Teller<Account, Payment, Receipt> teller = teller().claim("start")) {
      List<Event<Payment>> start = new ArrayList<>();
      keys.forEach(key -> start.add(deposit("start-" + key, key, 1000)));
      teller.feed("start", start);
    }
    List<CompletableFuture<Void>> workers = new ArrayList<>();
    for (int worker = 0; worker < 4; worker++) {
      String partition = "p" + worker;
      Random random = new Random(worker);
      workers.add(
          CompletableFuture.runAsync(
              () -> {
                try (Teller<Account, Payment, Receipt> teller = teller().claim(partition)) {
                  for (int batch = 0; batch < 25; batch++) {
                    List<Event<Payment>> events = new ArrayList<>();
                    for (int i = 0; i < 8; i++) {
                      String from = keys.get(random.nextInt(8));
                      String to = keys.get(random.nextInt(8));
                      if (!from.equals(to)) {
                        // Every second one is sent by two workers.
                        String id =
                            i % 2 == 0 ? partition + '-' + batch + '-' + i : batch + "-" + i;
                        events.add(transfer(id, from, to, random.nextInt(100)));
                      }
                    }
                    teller.feed(partition, events);
                  }
                }
              }));
    }
    workers.forEach(CompletableFuture::join);
    assertThat(slots().values().stream().mapToLong(slot -> slot.state().cents()).sum())
        .isEqualTo(8000);
    PostgresView<Account> view = PostgresView.read(options(), Bank.transfers(), null);
    assertThat(slots().values().stream().mapToLong(slot -> slot.state().payments()).sum())
        .isEqualTo(8 + 2 * (view.counts().applied() - 8));
    assertThat(database.query("select count(*) from oncefold.ids_1_1"))
        .containsExactly(String.valueOf(view.counts().applied() + view.counts().rejected()));
  }
}
