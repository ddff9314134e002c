package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.RejudgeException;
import dev.oncefold.Slot;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import dev.oncefold.sandbox.PostgresServer;
import dev.oncefold.verify.TcpProxy;
import dev.oncefold.verify.TcpProxy.Direction;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Connections that break, at the commit above all, and databases that go and come. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LostCommitTest {
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

  private Options<Account, Payment, Receipt> options() {
    return Options.of(database.server().jdbcUrl(database.name(), proxy.address()), "accounts");
  }

  private PostgresView<Account> view() {
    return PostgresView.read(Options.of(database.url(), "accounts"), Bank.fold(), null);
  }

  private interface Fault {
    void strike() throws Exception;
  }

  /** Strikes once, right before a commit is sent. */
  private static class AtCommit extends CommitSteps {
    private Fault fault;

    AtCommit(Fault fault) {
      this.fault = fault;
    }

    @Override
    void commit(Connection connection) throws SQLException {
      Fault once = fault;
      fault = () -> {};
      try {
        once.strike();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      super.commit(connection);
    }
  }

  private Teller<Account, Payment, Receipt> teller(CommitSteps steps) {
    return new Teller<>(PostgresStore.open(options(), Bank.fold(), steps), Bank.fold());
  }

  private static final Event<Payment> FIRST = deposit("e1", "alice", 10);
  private static final Event<Payment> NEXT = deposit("e2", "alice", 5);

  @Test
  void aCommitWhoseAnswerIsLostCounts() throws Exception {
    try (Teller<Account, Payment, Receipt> teller =
        teller(new AtCommit(() -> proxy.cut(Direction.REPLIES, 0))).claim("p0")) {
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        batch.commit();
      }
      assertThat(view().counts().events()).isEqualTo(1);
      assertThat(teller.feed("p0", FIRST, NEXT)).containsExactly(DUPLICATE, APPLIED);
      assertThat(teller.rejudged).isZero();
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(15, 2), 2)));
    assertThat(view().counts()).isEqualTo(new Counts(2, 0, 1, 0, 0, 0, 2));
  }

  @Test
  void aCommitThatNeverArrivedIsJudgedAgain() throws Exception {
    try (Teller<Account, Payment, Receipt> teller =
        teller(new AtCommit(() -> proxy.cut(Direction.REQUESTS, 0))).claim("p0")) {
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        assertThatThrownBy(batch::commit).isInstanceOf(RejudgeException.class);
      }
      assertThat(view().counts().events()).isZero();
      assertThat(teller.feed("p0", FIRST)).containsExactly(APPLIED);
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(10, 1), 1)));
    assertThat(view().counts().events()).isEqualTo(1);
  }

  @Test
  void aCommitStillInFlightIsWaitedFor() throws Exception {
    try (Teller<Account, Payment, Receipt> teller =
        teller(
                new AtCommit(
                    () ->
                        CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS)
                            .execute(proxy::reset)))
            .claim("p0")) {
      // The database works at the commit for a second.
      database.execute(
          "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1);"
              + " return null; end $$; create constraint trigger slow after insert on accounts"
              + " deferrable initially deferred for each row execute function slow()");
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        batch.commit();
      }
      assertThat(view().counts().events()).isEqualTo(1);
    }
  }

  @Test
  void aCommitWhoseAnswerIsLostToATakeoverIsFenced() throws Exception {
    try (Teller<Account, Payment, Receipt> other =
            new Teller<>(Options.of(database.url(), "accounts"), Bank.fold());
        Teller<Account, Payment, Receipt> teller =
            teller(
                new AtCommit(
                    () -> {
                      proxy.cut(Direction.REQUESTS, 0);
                      // Waits until the database has found out that the connection is gone.
                      CompletableFuture.delayedExecutor(0, TimeUnit.SECONDS)
                          .execute(() -> other.claim("p0").feed("p0", FIRST));
                    }))) {
      teller.claim("p0");
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        assertThatThrownBy(batch::commit)
            .isInstanceOfAny(FencedException.class, RejudgeException.class);
      }
      while (view().counts().events() == 0) {
        Thread.onSpinWait();
      }
      assertThatThrownBy(() -> teller.feed("p0", FIRST)).isInstanceOf(FencedException.class);
    }
    assertThat(view().slots()).isEqualTo(Map.of("alice", new Slot<>(new Account(10, 1), 1)));
  }

  @Test
  void aConnectionThatBreaksWhileJudgingIsMadeAgain() throws Exception {
    try (Teller<Account, Payment, Receipt> teller = teller(new CommitSteps()).claim("p0")) {
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        proxy.reset();
        assertThatThrownBy(batch::commit).isInstanceOf(RejudgeException.class);
      }
      assertThat(teller.feed("p0", FIRST)).containsExactly(APPLIED);
      proxy.reset();
      assertThat(teller.feed("p0", NEXT)).containsExactly(APPLIED);
      proxy.reset();
      teller.claim("p1");
    }
    assertThat(view().counts().events()).isEqualTo(2);
  }

  @Test
  void aBatchThatStandsStillTooLongIsJudgedAgain() throws Exception {
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options().idle(Duration.ofMillis(50)), Bank.fold()).claim("p0")) {
      try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", FIRST)) {
        while (!database
            .query("select 1 from pg_stat_activity where state = 'idle in transaction'")
            .isEmpty()) {
          Thread.onSpinWait();
        }
        assertThatThrownBy(batch::commit).isInstanceOf(RejudgeException.class);
      }
      assertThat(teller.feed("p0", FIRST)).containsExactly(APPLIED);
    }
  }

  @Test
  void aDatabaseThatIsKilledAndStartedIsGoneOnWith(@TempDir Path directory) throws Exception {
    try (PostgresServer server = PostgresServer.start(directory)) {
      Database killed = Database.on(server);
      Options<Account, Payment, Receipt> options = Options.of(killed.url(), "accounts");
      try (Teller<Account, Payment, Receipt> teller =
          new Teller<>(options, Bank.fold()).claim("p0")) {
        assertThat(teller.feed("p0", FIRST)).containsExactly(APPLIED);
        try (Teller<Account, Payment, Receipt>.Judged batch = teller.judge("p0", NEXT)) {
          server.kill();
          CompletableFuture<Void> started =
              CompletableFuture.runAsync(
                  () -> {
                    try {
                      server.start();
                    } catch (Exception e) {
                      throw new IllegalStateException(e);
                    }
                  });
          // It waits for the database.
          assertThatThrownBy(batch::commit).isInstanceOf(RejudgeException.class);
          started.join();
        }
        assertThat(teller.feed("p0", FIRST, NEXT)).containsExactly(DUPLICATE, APPLIED);
        server.kill();
        teller.store.stopping();
        assertThatThrownBy(() -> teller.feed("p0", NEXT))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("stopped while");
        server.start();
      }
      assertThat(PostgresView.read(options, Bank.fold(), null).slots())
          .isEqualTo(Map.of("alice", new Slot<>(new Account(15, 2), 2)));
    }
  }
}
