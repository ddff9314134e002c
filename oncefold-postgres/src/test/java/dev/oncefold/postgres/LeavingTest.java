package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.FAILED;
import static dev.oncefold.postgres.Bank.deposit;
import static dev.oncefold.postgres.Bank.withdraw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Output;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Outputs and refusals on their way from a batch to a sink. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LeavingTest {
  private Database database;
  private final MemorySink sink = new MemorySink();

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private static byte[] told(Emitted<Receipt> receipt) {
    if (receipt.value().cents() == 13) {
      throw new IllegalArgumentException("thirteen is not told");
    }
    return (receipt.id() + "=" + receipt.value().cents()).getBytes(StandardCharsets.UTF_8);
  }

  private Options<Account, Payment, Receipt> options() {
    return Options.<Account, Payment, Receipt>of(database.url(), "accounts")
        .sink(sink)
        .output(Output.DEFAULT, LeavingTest::told)
        .refusals(
            entry ->
                (entry.verdict() + " " + entry.key() + " " + entry.id() + " " + entry.reason())
                    .getBytes(StandardCharsets.UTF_8));
  }

  private void awaitValues(String lane, int count) {
    while (sink.values(lane).size() < count) {
      Thread.onSpinWait();
    }
  }

  @Test
  void outputsAndRefusalsLeaveInTheOrderOfTheEvents() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options(), Bank.fold()).claim("p0", "p1")) {
      teller.feed(
          "p0",
          deposit("e1", "alice", 10),
          withdraw("e2", "alice", 11),
          deposit("e1", "alice", 10),
          deposit(null, "alice", 1));
      teller.judge("p0", deposit("e3", "alice", 10)).close();
      teller.feed("p1", deposit("e/4", "bob", 5));
      teller.feed("p0", deposit("e5", "alice", 1));
      awaitValues("p0", 4);
      awaitValues("p1", 1);
    }
    assertThat(sink.values("p0"))
        .containsExactly(
            "bank/alice/e1/0=10",
            "refused REJECTED alice e2 insufficient funds",
            "bank/alice/p0@3/0=11",
            "bank/alice/e5/0=12");
    assertThat(sink.values("p1")).containsExactly("bank/bob/e%2F4/0=5");
    assertThat(database.query("select count(*) from oncefold.outbox")).containsExactly("0");
    assertThat(database.query("select count(*) from oncefold.refusals")).containsExactly("0");
  }

  @Test
  void whatCannotBeToldFailsAndLeavesNothing() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options(), Bank.fold()).claim("p0")) {
      assertThat(
              teller.feed(
                  "p0",
                  deposit("e1", "alice", 13),
                  deposit("e2", "half\ud800", 1),
                  deposit("e3", "alice", 1)))
          .containsExactly(FAILED, FAILED, APPLIED);
      awaitValues("p0", 3);
    }
    assertThat(sink.values("p0"))
        .satisfiesExactly(
            one -> assertThat(one).startsWith("refused FAILED alice e1").contains("thirteen"),
            two -> assertThat(two).startsWith("refused FAILED null p0@1").contains("U+D800"),
            three -> assertThat(three).isEqualTo("bank/alice/e3/0=1"));
    assertThat(database.query("select key || cents from accounts")).containsExactly("alice1");
  }

  /** It would be committed, and nothing behind it would ever leave. */
  @Test
  void whatTheSinkWouldNeverTakeFailsAndARefusalLeavesWithoutItsEvent() {
    sink.limit(64, "the size of an envelope");
    Options<Account, Payment, Receipt> options =
        options()
            .output(Output.DEFAULT, receipt -> new byte[receipt.value().cents() == 1000 ? 60 : 10])
            .refusals(
                entry ->
                    (entry.verdict() + (entry.value() == null ? " bare" : " whole: ".repeat(9)))
                        .getBytes(StandardCharsets.UTF_8));
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options, Bank.fold()).claim("p0")) {
      Teller<Account, Payment, Receipt>.Judged judged =
          teller.judge(
              "p0",
              deposit("e1", "alice", 1000),
              deposit("e2", "alice", 1),
              withdraw("e3", "alice", 9));
      judged.commit();
      assertThat(judged.verdicts)
          .satisfiesExactly(
              failed ->
                  assertThat(((Verdict.Failed<?, ?>) failed).reason())
                      .contains(
                          "a message of the output \"outputs\" would take 80 bytes, and the size of"
                              + " an envelope lets it have 64 at most"),
              applied -> assertThat(applied.kind()).isEqualTo(APPLIED),
              // Its verdict stays what it is, whatever becomes of its refusal.
              rejected -> assertThat(rejected.kind()).isEqualTo(Verdict.Kind.REJECTED));
      awaitValues("p0", 3);
    }
    assertThat(sink.values("p0"))
        .satisfiesExactly(
            failed -> assertThat(failed).isEqualTo("refused FAILED bare"),
            applied -> assertThat(applied).hasSize(10),
            rejected -> assertThat(rejected).isEqualTo("refused REJECTED bare"));
  }

  /** Nobody claims its partition any more, whose lane it waits in. */
  @Test
  void whatARetiredPartitionHasNotSentLeaves() throws SQLException {
    sink.at(
        step -> {
          throw new dev.oncefold.SinkException("away");
        });
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options(), Bank.fold()).claim("old-0")) {
      teller.feed("old-0", deposit("e1", "alice", 1));
      while (teller.store.trouble() == null) {
        Thread.onSpinWait();
      }
      assertThat(teller.store.trouble()).isEqualTo("away");
    }
    sink.at(step -> {});
    database.awaitSessions(0);
    try (Teller<Account, Payment, Receipt> teller = new Teller<>(options(), Bank.fold())) {
      teller.store.retire("old-0");
      awaitValues("old-0", 1);
      assertThat(teller.store.trouble()).isNull();
    }
    assertThat(sink.values("old-0")).containsExactly("bank/alice/e1/0=1");
  }

  @Test
  void withSharedKeysAllLeaveByOneLane() {
    try (Teller<Account, Payment, Receipt> one =
            new Teller<>(options().keys(Options.Keys.SHARED), Bank.fold()).claim("p0");
        Teller<Account, Payment, Receipt> two =
            new Teller<>(options().keys(Options.Keys.SHARED), Bank.fold()).claim("p1")) {
      for (int i = 1; i <= 5; i++) {
        one.feed("p0", deposit("a" + i, "alice", 1));
        two.feed("p1", deposit("b" + i, "alice", 1));
      }
      awaitValues("all", 10);
    }
    assertThat(sink.values("all"))
        .containsExactly(
            "bank/alice/a1/0=1",
            "bank/alice/b1/0=2",
            "bank/alice/a2/0=3",
            "bank/alice/b2/0=4",
            "bank/alice/a3/0=5",
            "bank/alice/b3/0=6",
            "bank/alice/a4/0=7",
            "bank/alice/b4/0=8",
            "bank/alice/a5/0=9",
            "bank/alice/b5/0=10");
  }

  @Test
  void aFullOutboxMakesBatchesWaitUntilTheyAreToStop() {
    sink.at(
        step -> {
          throw new dev.oncefold.SinkException("away");
        });
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options().outboxBytes(100), Bank.fold()).claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 1));
      teller.store.stopping();
      assertThatThrownBy(
              () -> {
                for (int i = 2; i < 10; i++) {
                  teller.feed("p0", deposit("e" + i, "alice", 1));
                }
              })
          .isInstanceOf(StoreException.Stopped.class)
          .hasMessageContaining("the outbox was full");
      assertThat(PostgresView.read(options(), Bank.fold(), null).counts().applied()).isLessThan(5);
    }
  }

  @Test
  void whatIsRoutedNeedsASink() {
    Options<Account, Payment, Receipt> lost =
        Options.<Account, Payment, Receipt>of(database.url(), "accounts")
            .output("outputs", LeavingTest::told);
    assertThatThrownBy(() -> PostgresStore.open(lost, Bank.fold()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no sink");
  }

  @Test
  void whatIsNoEventIsRefusedWithItsBytes() throws SQLException {
    Options<Account, Payment, Receipt> plain = Options.of(database.url(), "accounts");
    try (PostgresStore<Account, Payment, Receipt> store = PostgresStore.open(plain, Bank.fold())) {
      var claim = store.claim("p0");
      var to = new dev.oncefold.Position(1, 0);
      try (var batch = store.begin(claim, claim.position())) {
        Received<Payment> received =
            Received.undecodable(0, to, "no JSON", new byte[] {0, (byte) 0xff});
        batch.load(List.of(received));
        batch.add(
            received,
            new dev.oncefold.Verdict.Failed<>(dev.oncefold.Verdict.Cause.UNDECODABLE, "no JSON\0"));
        batch.commit(to, false).join();
      }
    }
    assertThat(
            database.query(
                "select failure || ' ' || reason || ' ' || encode(raw, 'hex') from"
                    + " oncefold.refusals"))
        .containsExactly("UNDECODABLE no JSON\ufffd 00ff");
    assertThat(PostgresView.read(plain, Bank.fold(), null).counts().failed()).isEqualTo(1);
  }

  /** A batch may be empty, and only move the position. */
  @Test
  void anEmptyBatchMovesThePosition() {
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options(), Bank.fold()).claim("p0")) {
      List<Event<Payment>> none = List.of();
      teller.feed("p0", none);
    }
    assertThat(PostgresView.read(options(), Bank.fold(), null).positions())
        .containsEntry("p0", new dev.oncefold.Position(0, 7));
  }
}
