package dev.oncefold.postgres;

import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.RejudgeException;
import dev.oncefold.Store;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import dev.oncefold.verify.TcpProxy;
import dev.oncefold.verify.TcpProxy.Direction;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Each step on which exactly once rests, broken by itself, and the effect that it has then. Only
 * positions protect in these folds: what a step lets through is applied, and no id hides it.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class BrokenStoresTest {
  private static final Fold<Account, Payment, Receipt> FOLD =
      Bank.define().rememberingNoIds().update(Bank::rules);
  private static final Event<Payment> EVENT = deposit("e1", "alice", 10);

  private Database database;
  private TcpProxy proxy;

  @BeforeEach
  void aDatabaseBehindAProxy() throws Exception {
    database = Database.create();
    proxy = TcpProxy.to(database.server().address());
  }

  @AfterEach
  void close() {
    proxy.close();
  }

  private Teller<Account, Payment, Receipt> teller(CommitSteps steps) {
    Options<Account, Payment, Receipt> options =
        Options.<Account, Payment, Receipt>of(
                database.server().jdbcUrl(database.name(), proxy.address()), "accounts")
            // Whatever else would notice is taken away.
            .cachedKeys(0);
    return new Teller<>(PostgresStore.open(options, FOLD, steps), FOLD);
  }

  /** How often the one event of ten cents was applied. */
  private long timesApplied() {
    Options<Account, Payment, Receipt> options = Options.of(database.url(), "accounts");
    var slot = PostgresView.read(options, FOLD, null).slots().get("alice");
    return slot == null ? 0 : slot.state().cents() / 10;
  }

  /** A zombie that wakes between two batches. */
  private long afterAZombieBetweenBatches(CommitSteps steps) {
    try (Teller<Account, Payment, Receipt> zombie = teller(steps).claim("p0");
        Teller<Account, Payment, Receipt> owner = teller(steps).claim("p0")) {
      owner.feed("p0", EVENT);
      try {
        zombie.feed("p0", EVENT);
      } catch (FencedException e) {
        // As it should be.
      }
    }
    return timesApplied();
  }

  /** A zombie that judged before the takeover's commit, and wakes after it. */
  private long afterAZombieBeforeItsCommit(CommitSteps steps) {
    try (Teller<Account, Payment, Receipt> zombie = teller(steps).claim("p0");
        Teller<Account, Payment, Receipt> owner = teller(steps)) {
      // Of another key: rows do not meet.
      try (Teller<Account, Payment, Receipt>.Judged asleep =
          zombie.judge("p0", deposit("e0", "zombie", 1), EVENT)) {
        owner.claim("p0").feed("p0", deposit("e0", "owner", 1), deposit("x", "bob", 1));
        asleep.commit();
      } catch (FencedException e) {
        // As it should be.
      }
    }
    return timesApplied();
  }

  private long afterALostAnswer(CommitSteps steps) {
    try (Teller<Account, Payment, Receipt> teller = teller(steps).claim("p0")) {
      teller.feed("p0", EVENT);
    }
    return timesApplied();
  }

  private class LosingTheAnswer extends CommitSteps {
    private boolean lost;

    @Override
    void commit(Connection connection) throws SQLException {
      if (!lost) {
        lost = true;
        proxy.cut(Direction.REPLIES, 0);
      }
      super.commit(connection);
    }
  }

  @Test
  void aZombieBetweenBatchesIsStoppedByTheStoreAsItIs() {
    assertThat(afterAZombieBetweenBatches(new CommitSteps())).isEqualTo(1);
  }

  @Test
  void aLostAnswerIsFoundByTheStoreAsItIs() {
    assertThat(afterALostAnswer(new LosingTheAnswer())).isEqualTo(1);
  }

  @Test
  void aZombieBeforeItsCommitIsStoppedByTheStoreAsItIs() {
    assertThat(afterAZombieBeforeItsCommit(new CommitSteps())).isZero();
  }

  @Test
  void withoutAFenceAZombieApplies() {
    assertThat(
            afterAZombieBetweenBatches(
                new CommitSteps() {
                  @Override
                  boolean holds(Store.Claim claim, Position from, long epoch, Position stored) {
                    return true;
                  }

                  @Override
                  boolean compares() {
                    return false;
                  }
                }))
        .isEqualTo(2);
  }

  @Test
  void aPositionWrittenWithoutComparingLetsAZombieCommit() {
    assertThat(
            afterAZombieBeforeItsCommit(
                new CommitSteps() {
                  @Override
                  boolean compares() {
                    return false;
                  }
                }))
        .isEqualTo(1);
  }

  @Test
  void aPositionSavedApartFromTheResultsAppliesTwice() {
    CommitSteps apart =
        new CommitSteps() {
          private boolean crashed;

          @Override
          void write(Connection connection, Part position, Part results) throws SQLException {
            results.write();
            connection.commit();
            if (!crashed) {
              crashed = true;
              proxy.reset();
            }
            position.write();
          }
        };
    try (Teller<Account, Payment, Receipt> teller = teller(apart).claim("p0")) {
      teller.feed("p0", EVENT);
    }
    assertThat(timesApplied()).isEqualTo(2);
  }

  @Test
  void aBlindRetryAfterALostAnswerAppliesTwice() {
    CommitSteps blind =
        new LosingTheAnswer() {
          @Override
          boolean holds(Store.Claim claim, Position from, long epoch, Position stored) {
            return claim.epoch() == epoch;
          }

          @Override
          boolean compares() {
            return false;
          }

          @Override
          Outcome outcome(
              Store.Claim claim,
              Position from,
              Position to,
              long batch,
              Partitions.@Nullable Standing standing) {
            return Outcome.DROPPED;
          }
        };
    assertThat(afterALostAnswer(blind)).isEqualTo(2);
  }

  /** The compare-and-set alone stops it too, but then what is committed is not gone on from. */
  @Test
  void aBlindRetryIsCaughtByThePosition() {
    CommitSteps blind =
        new LosingTheAnswer() {
          @Override
          Outcome outcome(
              Store.Claim claim,
              Position from,
              Position to,
              long batch,
              Partitions.@Nullable Standing standing) {
            return Outcome.DROPPED;
          }
        };
    try (Teller<Account, Payment, Receipt> teller = teller(blind).claim("p0")) {
      try {
        teller.feed("p0", EVENT);
      } catch (FencedException | RejudgeException e) {
        assertThat(e).isInstanceOf(FencedException.class);
      }
    }
    assertThat(timesApplied()).isEqualTo(1);
  }
}
