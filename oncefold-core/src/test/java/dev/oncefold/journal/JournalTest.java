package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Outcome;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the journal promises while it is open. */
class JournalTest {
  record Purse(long cents) {}

  record Money(String kind, long cents) {}

  /** The example of the README. */
  @Test
  void theExample(@TempDir Path data) {
    Fold<Purse, Money, String> purses =
        Fold.of("purses", Purse.class, Money.class, String.class)
            .initially(new Purse(0))
            .remembering(Duration.ofDays(7))
            .update(
                (purse, event) -> {
                  Money m = event.value();
                  if (m.kind().equals("withdraw") && purse.cents() < m.cents()) {
                    return Outcome.reject("insufficient funds");
                  }
                  long cents = purse.cents() + (m.kind().equals("withdraw") ? -1 : 1) * m.cents();
                  return Outcome.accept(new Purse(cents), event.key() + " has " + cents);
                });
    Instant now = Instant.now();
    try (Journal<Purse, Money, String> journal = Journal.open(data, purses)) {
      Event<Money> first = new Event<>("p-1", "alice", now, new Money("deposit", 5));
      assertThat(journal.submit(first).join())
          .isInstanceOfSatisfying(
              Verdict.Applied.class,
              applied -> {
                assertThat(applied.state()).isEqualTo(new Purse(5));
                assertThat(applied.outputs().toString()).contains("alice has 5");
              });
      assertThat(journal.submit(first).join()).isEqualTo(new Verdict.Duplicate<>(null));
      assertThat(journal.state("alice")).isEqualTo(new Purse(5));
    }
    try (Journal<Purse, Money, String> journal = Journal.open(data, purses)) {
      assertThat(journal.state("alice")).isEqualTo(new Purse(5));
      assertThat(journal.submit(new Event<>("p-1", "alice", now, new Money("deposit", 5))).join())
          .isEqualTo(new Verdict.Duplicate<>(null));
    }
  }

  // ---------------------------------------------------------------- what is committed is shown

  @Test
  void whatIsJudgedButNotWrittenIsInvisible() {
    TestDisk disk = new TestDisk();
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.withTransfers(), Bank.OPTIONS, new Bank.ByHand())) {
      assertThat(Bank.settle(journal, Bank.deposit("1", "alice", 10), Bank.deposit("1", "bob", 5)))
          .containsExactly("applied 10", "applied 5");
      View<Account> before = journal.view();
      CompletableFuture<Verdict<Account, Receipt>> answer =
          journal.submit(Bank.transfer("2", "alice", "bob", 4));
      CompletableFuture<Verdict<Account, Receipt>> closing =
          journal.submit(Bank.event("3", "bob", "close", 0));
      Bank.judge(journal);

      assertThat(answer).isNotDone();
      assertThat(closing).isNotDone();
      assertThat(journal.state("alice")).isEqualTo(new Account(10, 1));
      assertThat(journal.slot("bob")).isEqualTo(new Slot<>(new Account(5, 1), 1));
      assertThat(journal.view()).isEqualTo(before);
      assertThat(journal.counts()).isEqualTo(Bank.counts(2, 0, 0, 0));
      assertThat(journal.sequence()).isEqualTo(2);
      assertThat(journal.positions().get("submit")).isEqualTo(new Position(2, 0));
      assertThat(sequences(journal)).containsExactly(1L, 2L);
      assertThatThrownBy(() -> journal.asOf(3)).isInstanceOf(JournalException.class);

      assertThat(journal.write()).isTrue();
      assertThat(answer).isCompletedWithValueMatching(v -> Bank.told(v).equals("applied 6"));
      assertThat(closing).isCompletedWithValueMatching(v -> Bank.told(v).equals("applied null"));
      assertThat(journal.slot("alice")).isEqualTo(new Slot<>(new Account(6, 2), 2));
      assertThat(journal.state("bob")).isNull();
      assertThat(journal.counts()).isEqualTo(new Counts(4, 0, 0, 0, 0, 0, 3));
      assertThat(journal.sequence()).isEqualTo(4);
      assertThat(journal.positions().get("submit")).isEqualTo(new Position(4, 0));
      assertThat(sequences(journal)).containsExactly(1L, 2L, 3L, 4L);
      assertThat(journal.asOf(3).slots()).containsOnlyKeys("alice", "bob");
      assertThat(before.slots()).as("a view does not move").containsOnlyKeys("alice", "bob");
      assertThat(journal.write()).isFalse();
    }
  }

  private static List<Long> sequences(Journal<Account, Payment, Receipt> journal) {
    List<Long> sequences = new java.util.ArrayList<>();
    journal.history(entry -> sequences.add(entry.sequence()));
    return sequences;
  }

  /** Judging sees what was judged before, written or not. */
  @Test
  void aResendIsRecognisedBeforeTheFirstIsWritten() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(new TestDisk(), Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      var first = journal.submit(Bank.deposit("1", "alice", 10));
      Bank.judge(journal);
      var second = journal.submit(Bank.deposit("1", "alice", 10));
      var third = journal.submit(Bank.event("2", "alice", "withdraw", 10));
      Bank.judge(journal);
      while (journal.write()) {}
      assertThat(Bank.told(first.join())).isEqualTo("applied 10");
      assertThat(Bank.told(second.join())).isEqualTo("duplicate");
      assertThat(Bank.told(third.join())).isEqualTo("applied 0");
      assertThat(journal.counts()).isEqualTo(Bank.counts(2, 0, 1, 0));
    }
  }

  @Test
  void aDeletedKeyStartsAnew() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(new TestDisk(), Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Bank.settle(journal, Bank.deposit("1", "a", 10), Bank.deposit("2", "a", 10));
      assertThat(journal.slot("a")).isEqualTo(new Slot<>(new Account(20, 2), 2));
      Bank.settle(journal, Bank.event("3", "a", "close", 0), Bank.event("4", "b", "close", 0));
      assertThat(journal.slot("a")).isNull();
      assertThat(journal.view().slots()).isEmpty();
      assertThat(Bank.settle(journal, Bank.deposit("1", "a", 10))).containsExactly("duplicate");
      Bank.settle(journal, Bank.deposit("5", "a", 7));
      assertThat(journal.slot("a")).isEqualTo(new Slot<>(new Account(7, 1), 1));
      // Deleted and made again within one group, and while the group before is not written.
      Bank.settle(
          journal,
          Bank.event("6", "a", "close", 0),
          Bank.deposit("7", "a", 3),
          Bank.event("8", "a", "close", 0),
          Bank.deposit("9", "a", 4));
      assertThat(journal.slot("a")).isEqualTo(new Slot<>(new Account(4, 1), 1));
    }
  }

  @Test
  void everyEventIsInExactlyOneCount() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(new TestDisk(), Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Event<Payment> old =
          new Event<>("9", "a", Bank.NOW.plus(Duration.ofDays(2)), new Payment("deposit", 1, ""));
      assertThat(
              Bank.settle(
                  journal,
                  Bank.deposit("1", "a", 10),
                  Bank.deposit("1", "a", 10),
                  Bank.deposit("1", "a", 11),
                  Bank.event("2", "a", "withdraw", 99),
                  Bank.event("2", "a", "withdraw", 99),
                  Bank.event("3", "a", "dance", 1),
                  old))
          .containsExactly(
              "applied 10",
              "duplicate",
              "conflict",
              "rejected insufficient funds",
              "duplicate insufficient funds",
              "failed UPDATE",
              "failed AHEAD_OF_CLOCK");
      assertThat(journal.counts()).isEqualTo(new Counts(1, 1, 2, 1, 0, 2, 1));
      assertThat(journal.counts().events()).isEqualTo(journal.sequence()).isEqualTo(7);
    }
  }

  // ---------------------------------------------------------------- the lock

  @Test
  void aSecondOpenIsRefusedAndTheFirstGoesOn(@TempDir Path data) {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(data, Bank.fold(), Bank.OPTIONS)) {
      assertThatThrownBy(() -> Journal.open(data, Bank.fold(), Bank.OPTIONS))
          .isInstanceOf(JournalException.class)
          .hasMessageContainingAll("is open elsewhere", data.resolve("lock").toString());
      assertThatThrownBy(() -> Journal.rebuild(data, Bank.fold(), Bank.OPTIONS))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("is open elsewhere");
      assertThat(Bank.told(journal.submit(Bank.deposit("1", "a", 1)).join()))
          .isEqualTo("applied 1");
    }
    Journal.open(data, Bank.fold(), Bank.OPTIONS).close();
  }

  @Test
  void aRefusedOpenLeavesTheLockFree(@TempDir Path data) {
    Journal.open(data, Bank.fold(), Bank.OPTIONS).close();
    Fold<Account, Payment, Receipt> other = Bank.define().version(2).update(Bank::rules);
    assertThatThrownBy(() -> Journal.open(data, other)).isInstanceOf(JournalException.class);
    Journal.open(data, Bank.fold(), Bank.OPTIONS).close();
  }

  @Test
  void aFileIsNoDirectory(@TempDir Path data) throws Exception {
    Path file = Files.writeString(data.resolve("file"), "x");
    assertThatThrownBy(() -> Journal.open(file, Bank.fold()))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll(file.toString(), "cannot hold a journal");
  }

  // ---------------------------------------------------------------- the fence

  @Test
  void anOlderClaimIsFenced() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(new TestDisk(), Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Store.Claim old = journal.claim("p");
      Store.Claim now = journal.claim("p");
      assertThat(now.epoch()).isGreaterThan(old.epoch());
      assertThatThrownBy(() -> journal.begin(old, Position.START))
          .isInstanceOf(FencedException.class)
          .hasMessageContainingAll("\"p\"", "claimed again");
      Position next = commit(journal, now, Position.START, "1");
      assertThatThrownBy(() -> journal.begin(now, Position.START))
          .isInstanceOf(FencedException.class)
          .hasMessageContaining("is applied up to " + next);
      assertThatThrownBy(() -> journal.begin(now, new Position(next.offset(), 99)))
          .isInstanceOf(FencedException.class);
      commit(journal, now, next, "2");
    }
  }

  @Test
  void epochsOutliveTheProcess() {
    TestDisk disk = new TestDisk();
    long epoch;
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      journal.claim("p");
      Store.Claim claim = journal.claim("p");
      epoch = claim.epoch();
      commit(journal, claim, Position.START, "1");
    }
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Store.Claim claim = journal.claim("p");
      assertThat(claim.epoch()).isGreaterThan(epoch);
      assertThat(claim.position()).isEqualTo(new Position(1, 7));
    }
  }

  @Test
  void aBatchGivenUpHalfWayStopsTheJournal() {
    TestDisk disk = new TestDisk();
    Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand());
    Bank.settle(journal, Bank.deposit("1", "a", 1));
    var pending = journal.submit(Bank.deposit("2", "a", 1));
    Bank.judge(journal);
    Store.Claim claim = journal.claim("p");
    try (Store.Batch<Account, Payment, Receipt> batch = journal.begin(claim, Position.START)) {
      add(batch, "3");
    }
    assertThat(Bank.failure(pending)).hasMessageContaining("given up half-way");
    assertThatThrownBy(() -> journal.begin(claim, Position.START))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("given up half-way");
    assertThat(journal.write()).isFalse();
    assertThatThrownBy(journal::close).isInstanceOf(JournalException.class);
    try (Journal<Account, Payment, Receipt> again =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      assertThat(again.state("a")).isEqualTo(new Account(1, 1));
      assertThat(again.sequence()).isEqualTo(1);
    }
  }

  /** Whoever closes a batch that is committed leaves that of another thread alone. */
  @Test
  void aBatchOfAnotherThreadIsNotGivenUp() throws Exception {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(new TestDisk(), Bank.fold(), Bank.OPTIONS)) {
      Store.Claim p = journal.claim("p");
      Store.Claim q = journal.claim("q");
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      CompletableFuture<Position> other;
      try (Store.Batch<Account, Payment, Receipt> batch = journal.begin(p, Position.START)) {
        add(batch, "1");
        var unused = batch.commit(new Position(1, 7), false);
        other =
            CompletableFuture.supplyAsync(
                () -> {
                  try (var its = journal.begin(q, Position.START)) {
                    begun.countDown();
                    SubmitTest.await(goOn);
                    add(its, "2");
                    return its.commit(new Position(1, 7), false).join();
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
        begun.await();
      } finally {
        goOn.countDown();
      }
      assertThat(other.join()).isEqualTo(new Position(1, 7));
      assertThat(journal.sequence()).isEqualTo(2);
    }
  }

  /** Closing a journal that has failed still lets the group that is being written answer. */
  @Test
  void closeWaitsForTheGroupThatIsBeingWritten() throws Exception {
    TestDisk disk = new TestDisk();
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Journal<Account, Payment, Receipt> journal = Journal.open(disk, Bank.fold(), Bank.OPTIONS);
    disk.before(
        (operation, name) -> {
          if (operation.equals("write")) {
            writing.countDown();
            SubmitTest.await(goOn);
          }
        });
    Store.Claim claim = journal.claim("p");
    CompletableFuture<Position> committed;
    try (Store.Batch<Account, Payment, Receipt> batch = journal.begin(claim, Position.START)) {
      add(batch, "1");
      committed = batch.commit(new Position(1, 7), false);
    }
    writing.await();
    journal.begin(claim, new Position(1, 7)).close();
    Thread closing = new Thread(() -> assertThatThrownBy(journal::close).isNotNull());
    closing.start();
    while (closing.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    goOn.countDown();
    closing.join();
    assertThat(committed).isDone();
  }

  private static Position commit(
      Journal<Account, Payment, Receipt> journal, Store.Claim claim, Position from, String id) {
    Position to = new Position(from.offset() + 1, 7);
    CompletableFuture<Position> committed;
    try (Store.Batch<Account, Payment, Receipt> batch = journal.begin(claim, from)) {
      add(batch, id);
      committed = batch.commit(to, false);
    }
    assertThat(committed).isNotDone();
    while (journal.write()) {}
    assertThat(committed).isCompletedWithValue(to);
    return to;
  }

  private static void add(Store.Batch<Account, Payment, Receipt> batch, String id) {
    Event<Payment> event = Bank.deposit(id, "a", 1);
    batch.add(
        Received.of(0, new Position(1, 7), event),
        new Kernel<>(Bank.fold()).judge(event, batch, batch, batch.floor(), Kernel.NO_LIMIT));
  }

  @Test
  void aDiskThatBreaksBeforeTheEndIsMarkedIsToldByClose() {
    TestDisk disk = new TestDisk();
    Journal<Account, Payment, Receipt> journal = Journal.open(disk, Bank.fold(), Bank.OPTIONS);
    disk.failing("write", "", "No space left on device");
    assertThatThrownBy(journal::close)
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("could not be marked")
        .hasMessageContaining("make room");
  }
}
