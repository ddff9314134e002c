package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.CONFLICT;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.Verdict.Kind.FAILED;
import static dev.oncefold.Verdict.Kind.REJECTED;
import static dev.oncefold.postgres.Bank.close;
import static dev.oncefold.postgres.Bank.deposit;
import static dev.oncefold.postgres.Bank.withdraw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Position;
import dev.oncefold.RejudgeException;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class PostgresStoreTest {
  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private Options<Account, Payment, Receipt> options() {
    return Options.of(database.url(), "accounts");
  }

  private Teller<Account, Payment, Receipt> teller() {
    return new Teller<>(options(), Bank.fold());
  }

  private PostgresView<Account> view() {
    return PostgresView.read(options(), Bank.fold(), null);
  }

  @Test
  void allOfABatchIsInTheDatabaseAndNothingElse() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      assertThat(
              teller.feed(
                  "p0",
                  deposit("e1", "alice", 10),
                  deposit("e2", "bob", 5),
                  deposit("e1", "alice", 10),
                  deposit("e1", "alice", 11),
                  withdraw("e3", "bob", 9),
                  new Event<>("e4", "bob", Bank.day(1), new Payment("boom", 0, null))))
          .containsExactly(APPLIED, APPLIED, DUPLICATE, CONFLICT, REJECTED, FAILED);
      assertThat(teller.feed("p0", deposit("e1", "alice", 10), withdraw("e3", "bob", 9)))
          .containsExactly(DUPLICATE, DUPLICATE);
      assertThat(teller.feed("p0", withdraw("e5", "alice", 3))).containsExactly(APPLIED);
    }
    PostgresView<Account> view = view();
    assertThat(view.slots())
        .isEqualTo(
            Map.of(
                "alice",
                new Slot<>(new Account(7, 2), 2),
                "bob",
                new Slot<>(new Account(5, 1), 1)));
    assertThat(view.counts()).isEqualTo(new Counts(3, 1, 3, 1, 0, 1, 3));
    assertThat(view.positions()).isEqualTo(Map.of("p0", new Position(9, 7)));
    assertThat(
            database.query(
                "select verdict || ' ' || record_offset || ' ' || key || ' ' || id || ' ' ||"
                    + " coalesce(reason, '-') || ' ' || event from oncefold.refusals order by"
                    + " record_offset"))
        .containsExactly(
            "CONFLICT 3 alice e1 - {\"kind\":\"deposit\",\"cents\":11,\"to\":null}",
            "REJECTED 4 bob e3 insufficient funds"
                + " {\"kind\":\"withdraw\",\"cents\":9,\"to\":null}",
            "FAILED 5 bob e4 the update threw java.lang.IllegalStateException: boom"
                + " {\"kind\":\"boom\",\"cents\":0,\"to\":null}");
  }

  @Test
  void aRestartGoesOnWhereItWas() {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 10));
    }
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      assertThat(teller.positions).isEqualTo(Map.of("p0", new Position(1, 7)));
      assertThat(teller.feed("p0", deposit("e1", "alice", 10), deposit("e2", "alice", 1)))
          .containsExactly(DUPLICATE, APPLIED);
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(11, 2), 2)));
  }

  @Test
  void aDeletedKeyComesBackFromTheInitialState() {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 10), deposit("e2", "bob", 1));
      teller.feed("p0", close("e3", "alice"), deposit("e4", "carol", 1), close("e5", "carol"));
      assertThat(view().slots()).containsOnlyKeys("bob");
      teller.feed("p0", deposit("e6", "alice", 3), close("e7", "bob"), deposit("e8", "bob", 2));
    }
    assertThat(view().slots())
        .isEqualTo(
            Map.of(
                "alice",
                new Slot<>(new Account(3, 1), 1),
                "bob",
                new Slot<>(new Account(2, 1), 1)));
  }

  @Test
  void whatIsNotCommittedIsNowhere() {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 10));
      teller.judge("p0", deposit("e2", "alice", 10), withdraw("e3", "alice", 100)).close();
      assertThat(view().counts().events()).isEqualTo(1);
      assertThat(teller.feed("p0", deposit("e2", "alice", 1))).containsExactly(APPLIED);
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(11, 2), 2)));
  }

  // ---------------------------------------------------------------- what is given up

  /** A bound on what would otherwise be silence for ever; one commit in between begins anew. */
  @Test
  void aHundredDroppedBatchesInARowStopTheRunAndTellWhy() {
    AtomicInteger left = new AtomicInteger(PostgresStore.MOST_TRIES - 1);
    CommitSteps dropping =
        new CommitSteps() {
          @Override
          void commit(Connection connection) throws SQLException {
            if (left.getAndDecrement() > 0) {
              throw new SQLException("somebody is always first", "40001");
            }
            super.commit(connection);
          }
        };
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(PostgresStore.open(options(), Bank.fold(), dropping), Bank.fold())) {
      teller.claim("p0");
      assertThat(teller.feed("p0", deposit("e1", "alice", 10))).containsExactly(APPLIED);
      assertThat(teller.rejudged).isEqualTo(PostgresStore.MOST_TRIES - 1);
      left.set(Integer.MAX_VALUE);
      assertThatThrownBy(() -> teller.feed("p0", deposit("e2", "alice", 10)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("100 times in a row nothing was committed")
          .hasMessageContaining("\"p0\"")
          .hasMessageContaining("somebody is always first")
          .hasMessageContaining("Options.batchSize");
      assertThat(teller.rejudged).isEqualTo(2 * (PostgresStore.MOST_TRIES - 1));
    }
    assertThat(view().counts().applied()).isEqualTo(1);
  }

  // ---------------------------------------------------------------- the fence

  /**
   * By no batch: nothing comes. A claim that was late would hold the floor, and the lane, for ever.
   */
  @Test
  void whoReadsNothingFindsOutThatAnotherHasClaimedThePartition() throws SQLException {
    try (Teller<Account, Payment, Receipt> owner = teller().claim("p0", "p1");
        Teller<Account, Payment, Receipt> late = teller()) {
      owner.claims.values().forEach(owner.store::caughtUp);
      late.claim("p0");
      Store.Claim old = Objects.requireNonNull(owner.claims.get("p0"));
      assertThat(owner.store.overtaken(owner.claims.values())).containsExactly(old);
      assertThatThrownBy(() -> owner.store.caughtUp(old))
          .isInstanceOf(FencedException.class)
          .hasMessageContaining("\"p0\"");
      assertThat(database.query("select name from oncefold.partitions where unread"))
          .containsExactly("p0");
      owner.claim("p0");
      owner.claims.values().forEach(owner.store::caughtUp);
      assertThat(late.store.overtaken(late.claims.values())).hasSize(1);
      assertThat(database.query("select 1 from oncefold.partitions where unread")).isEmpty();
    }
  }

  @Test
  void aZombieWokenBeforeItsCommitCommitsNothing() {
    try (Teller<Account, Payment, Receipt> zombie = teller().claim("p0");
        Teller<Account, Payment, Receipt> owner = teller()) {
      zombie.feed("p0", deposit("e1", "alice", 10));
      try (Teller<Account, Payment, Receipt>.Judged asleep =
          zombie.judge("p0", deposit("e2", "alice", 1))) {
        owner.claim("p0").feed("p0", deposit("e2", "alice", 1));
        assertThatThrownBy(asleep::commit)
            .isInstanceOf(FencedException.class)
            .hasMessageContaining("p0");
      }
      assertThatThrownBy(() -> zombie.feed("p0", deposit("e3", "alice", 1)))
          .isInstanceOf(FencedException.class)
          .hasMessageContaining("claim 2 has taken it over");
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(11, 2), 2)));
    assertThat(view().counts().events()).isEqualTo(2);
  }

  @Test
  void aZombieIsFencedAlsoWhereTheNewOwnerHasNotCommitted() {
    try (Teller<Account, Payment, Receipt> zombie = teller().claim("p0");
        Teller<Account, Payment, Receipt> owner = teller()) {
      try (Teller<Account, Payment, Receipt>.Judged asleep =
          zombie.judge("p0", deposit("e1", "alice", 1))) {
        owner.claim("p0");
        assertThatThrownBy(asleep::commit).isInstanceOf(FencedException.class);
      }
      assertThat(owner.feed("p0", deposit("e1", "alice", 1))).containsExactly(APPLIED);
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(1, 1), 1)));
  }

  @Test
  void aStoredPositionBehindMemoryIsNotPassedOver() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 10));
      teller.feed("p0", deposit("e2", "alice", 10));
      // As after a switch to a replica that had not got the last commit.
      database.execute("update oncefold.partitions set position_offset = 1, batch = 1");
      assertThatThrownBy(() -> teller.feed("p0", deposit("e3", "alice", 10)))
          .isInstanceOf(FencedException.class)
          .hasMessageContaining("Position[offset=1");
    }
  }

  // ---------------------------------------------------------------- a key in two partitions

  @Test
  void aKeyInTwoPartitionsOfTwoWorkersIsDetected() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10), deposit("e2", "bob", 10));
      two.feed("p1", deposit("e3", "alice", 10));
      assertThatThrownBy(() -> one.feed("p0", deposit("e4", "bob", 1), deposit("e5", "alice", 10)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("the key \"alice\"")
          .hasMessageContaining("Keys.SHARED");
    }
    assertThat(view().slots())
        .isEqualTo(
            Map.of(
                "alice", new Slot<>(new Account(20, 2), 2),
                "bob", new Slot<>(new Account(10, 1), 1)));
  }

  @Test
  void aKeyInTwoPartitionsOfOneWorkerIsDetected() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0", "p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      one.feed("p1", deposit("e2", "alice", 10));
      assertThatThrownBy(() -> one.feed("p0", deposit("e3", "alice", 10)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("alice");
    }
  }

  @Test
  void aKeyInTwoPartitionsIsDetectedThroughDeletionAndComingBack() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      two.feed("p1", close("e2", "alice"));
      two.feed("p1", deposit("e3", "alice", 7));
      assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(7, 1), 1)));
      assertThatThrownBy(() -> one.feed("p0", deposit("e4", "alice", 10)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("alice");
    }
  }

  @Test
  void aKeyInTwoPartitionsIsDetectedWhereOneDeletesIt() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      two.feed("p1", deposit("e3", "alice", 7));
      assertThatThrownBy(() -> one.feed("p0", close("e4", "alice")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("alice");
      assertThat(view().slots()).containsOnlyKeys("alice");
    }
  }

  @Test
  void aKeyInTwoPartitionsIsDetectedWhereBothMakeIt() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      try (Teller<Account, Payment, Receipt>.Judged first =
          one.judge("p0", deposit("e1", "alice", 10))) {
        two.feed("p1", deposit("e2", "alice", 10));
        assertThatThrownBy(first::commit)
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("alice");
      }
    }
  }

  @Test
  void aRejectionDoesNotRestOnARowThatAnotherPartitionHasChanged() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10));
      two.feed("p1", deposit("e2", "alice", 90));
      assertThatThrownBy(() -> one.feed("p0", withdraw("e3", "alice", 50)))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("alice");
    }
  }

  @Test
  void whatLeavesMemoryIsReadAgain() {
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options().cachedKeys(2), Bank.fold()).claim("p0")) {
      for (int round = 0; round < 3; round++) {
        for (String key : List.of("a", "b", "c", "d")) {
          teller.feed("p0", deposit(key + round, key, 1));
          assertThat(teller.store.cache.size()).isLessThanOrEqualTo(2);
        }
      }
    }
    assertThat(view().slots().values()).containsOnly(new Slot<>(new Account(3, 3), 3));
  }

  // ---------------------------------------------------------------- ids

  @Test
  void anIdIsKnownInEveryPartition() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      one.feed("p0", deposit("e1", "alice", 10), withdraw("e2", "alice", 50));
      assertThat(
              two.feed(
                  "p1",
                  deposit("e1", "alice", 10),
                  deposit("e1", "alice", 11),
                  withdraw("e2", "alice", 50)))
          .containsExactly(DUPLICATE, CONFLICT, DUPLICATE);
    }
  }

  @Test
  void anIdThatTwoWorkersJudgeAtOnceIsAppliedOnce() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      try (Teller<Account, Payment, Receipt>.Judged first =
          one.judge("p0", withdraw("e1", "alice", 10))) {
        assertThat(two.feed("p1", withdraw("e1", "alice", 10))).containsExactly(REJECTED);
        assertThatThrownBy(first::commit).isInstanceOf(RejudgeException.class);
      }
      assertThat(one.feed("p0", withdraw("e1", "alice", 10))).containsExactly(DUPLICATE);
    }
  }

  @Test
  void onlyWhatWasCommittedIsRemembered() {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      teller.judge("p0", deposit("e1", "alice", 10)).close();
      assertThat(teller.feed("p0", deposit("e1", "alice", 10))).containsExactly(APPLIED);
    }
  }
}
