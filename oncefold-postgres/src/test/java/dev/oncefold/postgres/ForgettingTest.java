package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.Verdict.Kind.EXPIRED;
import static dev.oncefold.postgres.Bank.day;
import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Verdict;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ForgettingTest {
  private Database database;
  private Fold<Account, Payment, Receipt> fold = Bank.fold();

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private Options<Account, Payment, Receipt> options() {
    return Options.of(database.url(), "accounts");
  }

  private Teller<Account, Payment, Receipt> teller() {
    return new Teller<>(options(), fold);
  }

  private List<String> tables() throws SQLException {
    return database.query(
        "select tablename from pg_tables where schemaname = 'oncefold' and tablename like 'ids%'"
            + " order by length(tablename), tablename");
  }

  /** In all tables; with one question, since each is a connection of its own. */
  private long ids() throws SQLException {
    return database
        .query(
            tables().stream()
                .map(table -> "select hi from oncefold." + table)
                .collect(Collectors.joining(" union all ")))
        .size();
  }

  @Test
  void idsAreKnownAcrossTablesAndForgottenWithTheFloor() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      for (int day = 0; day <= 6; day++) {
        assertThat(teller.feed("p0", deposit("e" + day, "alice", 1, day))).containsExactly(APPLIED);
      }
      assertThat(tables().size()).isGreaterThan(2);
      for (int day = 0; day <= 6; day++) {
        assertThat(teller.feed("p0", deposit("e" + day, "alice", 1, day)))
            .containsExactly(DUPLICATE);
      }
      for (int day = 7; day <= 40; day++) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
        assertThat(tables()).hasSizeLessThan(8);
        // Within the span nothing is forgotten, whatever happened to the tables.
        for (int back = 0; back < 7; back++) {
          assertThat(teller.feed("p0", deposit("e" + (day - back), "alice", 1, day - back)))
              .containsExactly(DUPLICATE);
        }
      }
      assertThat(tables()).doesNotContain("ids_1_1");
      assertThat(ids()).isLessThan(14);
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 1), deposit("new", "alice", 1, 1)))
          .containsExactly(EXPIRED, EXPIRED);
    }
    try (Teller<Account, Payment, Receipt> again = teller().claim("p0", "p1")) {
      assertThat(again.feed("p1", deposit("e1", "alice", 1, 1))).containsExactly(EXPIRED);
      assertThat(again.feed("p1", deposit("e40", "alice", 1, 40))).containsExactly(DUPLICATE);
    }
  }

  @Test
  void aForgottenIdThatComesBackWithALaterTimeIsNew() throws SQLException {
    fold = Bank.define().remembering(Duration.ofDays(100)).update(Bank::rules);
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e0", "alice", 1, 0));
      teller.feed("p0", deposit("e1", "alice", 1, 100));
      // It comes late, into a table that is far from being closed when it is forgotten.
      assertThat(teller.feed("p0", deposit("late", "alice", 1, 5))).containsExactly(APPLIED);
      teller.feed("p0", deposit("e2", "alice", 1, 113));
      assertThat(
              database.query(
                  "select '" + day(13).toEpochMilli() + "' = floor::text from" + " oncefold.folds"))
          .containsExactly("t");
      String newest = tables().get(tables().size() - 1);
      assertThat(database.query("select count(*) from oncefold." + newest)).containsExactly("2");
      assertThat(teller.feed("p0", deposit("late", "alice", 1, 5))).containsExactly(EXPIRED);
      assertThat(teller.feed("p0", deposit("late", "alice", 1, 113))).containsExactly(APPLIED);
      assertThat(teller.feed("p0", deposit("late", "alice", 1, 113))).containsExactly(DUPLICATE);
      assertThat(database.query("select count(*) from oncefold." + newest)).containsExactly("2");
    }
  }

  @Test
  void aPartitionThatLagsHoldsTheFloor() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0", "p1")) {
      try (Teller<Account, Payment, Receipt>.Judged batch =
          teller.judge("p1", deposit("b1", "bob", 1, 10))) {
        batch.commit(true);
      }
      for (int day = 10; day <= 60; day++) {
        teller.feed("p0", deposit("a" + day, "alice", 1, day));
      }
      assertThat(database.query("select floor from oncefold.folds")).containsExactly("null");
      assertThat(teller.feed("p0", deposit("a10", "alice", 1, 10))).containsExactly(DUPLICATE);
      assertThat(teller.feed("p1", deposit("b2", "bob", 1, 11))).containsExactly(APPLIED);
      // That was its last.
      teller.feed("p0", deposit("a61", "alice", 1, 61));
      assertThat(teller.feed("p0", deposit("a10", "alice", 1, 10))).containsExactly(EXPIRED);
    }
  }

  @Test
  void aBacklogDrainedPartitionByPartitionExpiresNothing() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller()) {
      teller.store.expect(List.of("p0", "p1", "p2"));
      teller.claim("p0", "p1", "p2");
      for (String partition : List.of("p0", "p1", "p2")) {
        for (int day = 1; day <= 30; day++) {
          boolean last = day == 30;
          try (Teller<Account, Payment, Receipt>.Judged batch =
              teller.judge(partition, deposit(partition + day, partition, 1, day))) {
            batch.commit(!last);
            assertThat(batch.verdicts).hasOnlyElementsOfType(Verdict.Applied.class);
          }
        }
      }
      assertThat(database.query("select floor from oncefold.folds"))
          .containsExactly(String.valueOf(day(23).toEpochMilli()));
    }
  }

  @Test
  void aPartitionNobodyHasReadYetHoldsTheFloor() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller()) {
      teller.store.expect(List.of("p0", "p1"));
      teller.claim("p0");
      for (int day = 1; day <= 60; day += 10) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
      }
      assertThat(database.query("select floor from oncefold.folds")).containsExactly("null");
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 1))).containsExactly(DUPLICATE);
      teller.claim("p1").store.caughtUp(Objects.requireNonNull(teller.claims.get("p1")));
      teller.feed("p0", deposit("e61", "alice", 1, 61));
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 1))).containsExactly(EXPIRED);
    }
  }

  /**
   * Its source was given another name, or its topic is gone: nobody will ever read it to its end.
   */
  @Test
  void aRetiredPartitionHoldsTheFloorNoLonger() throws SQLException {
    try (Teller<Account, Payment, Receipt> before = teller().claim("old-0")) {
      before.feed("old-0", deposit("e0", "bob", 1, 1));
      before.claim("old-0"); // and killed before it has read anything
      before.store.expect(List.of("old-1"));
    }
    database.awaitSessions(0);
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      for (int day = 1; day <= 60; day += 10) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
      }
      assertThat(teller.store.view(List.of()).unread()).containsExactly("old-0", "old-1");
      try (Teller<Account, Payment, Receipt> other = teller().claim("p1")) {
        assertThatThrownBy(() -> teller.store.retire("old-0"))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("\"old-0\" is not retired: 1 other worker of the fold \"bank\"");
        other.claims.values().forEach(other.store::caughtUp);
      }
      assertThat(teller.store.view(List.of()).unread()).containsExactly("old-0", "old-1");
      assertThatThrownBy(() -> teller.store.retire("older-0"))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("has no partition \"older-0\"");
      database.awaitSessions(1);
      teller.store.retire("old-0");
      teller.feed("p0", deposit("e61", "alice", 1, 61));
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 1))).containsExactly(DUPLICATE);
      teller.store.retire("old-1");
      teller.feed("p0", deposit("e62", "alice", 1, 62));
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 1))).containsExactly(EXPIRED);
      // It is no grave: who has events of it after all goes on where it was.
      assertThat(teller.claim("old-0").positions.get("old-0")).isEqualTo(new Position(1, 7));
      assertThat(teller.store.view(List.of()).unread()).containsExactly("old-0");
    }
  }

  @Test
  void aBoundOnTheCountForgetsTheOldest() throws SQLException {
    fold = Bank.define().remembering(Duration.ofDays(3650)).atMost(40).update(Bank::rules);
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      for (int day = 1; day <= 200; day++) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
        assertThat(ids()).isLessThanOrEqualTo(41);
      }
      assertThat(
              teller.feed(
                  "p0",
                  deposit("e1", "alice", 1, 1),
                  deposit("e100", "alice", 1, 100),
                  deposit("e200", "alice", 1, 200),
                  deposit("e201", "alice", 1, 200),
                  deposit("e175", "alice", 1, 175)))
          .containsExactly(EXPIRED, EXPIRED, DUPLICATE, APPLIED, DUPLICATE);
    }
  }

  @Test
  void aTableThatSomebodyReadsIsDroppedLater() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0");
        Connection reader = DriverManager.getConnection(database.url());
        Statement statement = reader.createStatement()) {
      teller.feed("p0", deposit("e0", "alice", 1, 0));
      reader.setAutoCommit(false);
      statement.execute("select * from oncefold.ids_1_1");
      for (int day = 1; day <= 20; day++) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
      }
      assertThat(tables()).contains("ids_1_1");
      assertThat(teller.feed("p0", deposit("e0", "alice", 1, 0))).containsExactly(EXPIRED);
      reader.commit();
      for (int day = 21; day <= 30; day++) {
        teller.feed("p0", deposit("e" + day, "alice", 1, day));
      }
      assertThat(tables()).doesNotContain("ids_1_1");
    }
  }

  @Test
  void forEverNothingIsForgottenAndWithNoIdsNothingIsKept() throws SQLException {
    fold = Bank.define().rememberingForever().update(Bank::rules);
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 1, 0));
      teller.feed("p0", deposit("e2", "alice", 1, 10_000));
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 0))).containsExactly(DUPLICATE);
      assertThat(tables()).containsExactly("ids_1_1");
    }
    database = Database.create();
    fold = Bank.define().rememberingNoIds().update(Bank::rules);
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 1, 0));
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 0))).containsExactly(APPLIED);
      assertThat(tables()).isEmpty();
    }
  }

  @Test
  void twoWorkersForgetAtTheSameTime() throws SQLException {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      for (int day = 1; day <= 30; day++) {
        one.feed("p0", deposit("a" + day, "alice", 1, day));
        assertThat(two.feed("p1", deposit("b" + day, "bob", 1, day))).containsExactly(APPLIED);
        assertThat(two.feed("p1", deposit("a" + day, "alice", 1, day))).containsExactly(DUPLICATE);
      }
      assertThat(tables()).hasSizeLessThan(8);
      Instant floor =
          Instant.ofEpochMilli(
              Long.parseLong(database.query("select floor from oncefold.folds").get(0)));
      assertThat(floor).isBetween(day(22), day(23));
    }
  }
}
