package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What happens where something would grow, wait for itself, or forget too much. */
class JournalBoundsTest {
  private final TestDisk disk = new TestDisk();

  /** All of its events in one poll. */
  private record AtOnce(List<Received<Bank.Payment>> events) implements Source<Bank.Payment> {
    @Override
    public List<String> partitions() {
      return List.of("p");
    }

    @Override
    public void seek(String partition, Position position) {
      events.subList(0, (int) position.offset()).clear();
    }

    @Override
    public @Nullable Polled<Bank.Payment> poll(int max, Duration wait) {
      if (events.isEmpty()) {
        return null;
      }
      List<Received<Bank.Payment>> all = List.copyOf(events);
      events.clear();
      return new Polled<>("p", new Position(all.get(0).offset(), 0), all, false);
    }

    @Override
    public boolean ended() {
      return events.isEmpty();
    }

    @Override
    public void close() {}
  }

  @Test
  void aBatchOfLargeEventsIsCommittedInParts() throws IOException, InterruptedException {
    List<Received<Bank.Payment>> events = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      Bank.Payment payment = new Bank.Payment("deposit", 1, "x".repeat(2 << 20));
      events.add(
          Received.of(i, new Position(i + 1, 0), new Event<>("e" + i, "k", Bank.NOW, payment)));
    }
    List<Integer> told = new ArrayList<>();
    Fold<Bank.Account, Bank.Payment, Bank.Receipt> fold = Bank.fold();
    try (var journal = Journal.open(disk, fold, Bank.OPTIONS, new Bank.ByHand())) {
      Runner<Bank.Account, Bank.Payment, Bank.Receipt> runner =
          new Runner<>(
              journal,
              fold,
              List.of(new AtOnce(events)),
              Bank.CLOCK,
              Fold.WhenFailed.STOP,
              (polled, verdicts) -> {
                assertThat(polled.events()).hasSameSizeAs(verdicts);
                told.add(verdicts.size());
              });
      assertThat(runner.step(Duration.ZERO)).isTrue();
      while (journal.write()) {}
      assertThat(journal.sequence()).isEqualTo(24);
      assertThat(journal.positions()).containsEntry("p", new Position(24, 0));
      assertThat(told).hasSizeGreaterThan(1);
      assertThat(told.stream().mapToInt(Integer::intValue).sum()).isEqualTo(24);
      try (Log.Cursor cursor = journal.log().cursor(0, journal.log().durable())) {
        while (cursor.next()) {
          assertThat(cursor.header().length()).isLessThan(2 * JournalBatch.MAX_RECORD);
        }
      }
    }
  }

  @Test
  void whatDependsOnAnAnswerCannotCloseTheJournal() {
    CountDownLatch depended = new CountDownLatch(1);
    Fold<Bank.Account, Bank.Payment, Bank.Receipt> fold =
        Bank.define()
            .update(
                (account, event) -> {
                  depended.await(); // so that the answer does not come before
                  return Bank.rules(account, event);
                });
    try (var journal = Journal.open(disk, fold, Bank.OPTIONS)) {
      CompletableFuture<Void> closing =
          journal.submit(Bank.deposit("1", "a", 5)).thenRun(journal::close);
      depended.countDown();
      assertThatThrownBy(closing::join).hasMessageContaining("Close it from another thread");
      assertThat(journal.submit(Bank.deposit("2", "a", 5)).join().kind().name())
          .isEqualTo("APPLIED");
    }
  }

  /** On the thread that judges: there the answer comes, too, where it is faster than its hearer. */
  @Test
  void anUpdateCannotCloseTheJournal() {
    AtomicReference<Runnable> close = new AtomicReference<>(() -> {});
    Fold<Bank.Account, Bank.Payment, Bank.Receipt> fold =
        Bank.define()
            .update(
                (account, event) -> {
                  Objects.requireNonNull(close.get()).run();
                  return Bank.rules(account, event);
                });
    try (var journal = Journal.open(disk, fold, Bank.OPTIONS)) {
      close.set(journal::close);
      assertThat(journal.submit(Bank.deposit("1", "a", 5)).join())
          .isInstanceOfSatisfying(
              Verdict.Failed.class,
              failed -> assertThat(failed.reason()).contains("Close it from another thread"));
      close.set(() -> {});
      assertThat(journal.submit(Bank.deposit("2", "a", 5)).join().kind().name())
          .isEqualTo("APPLIED");
    }
  }

  @Test
  void anotherChoiceOfIdsIsAChange() {
    try (var journal = Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Event<Bank.Payment> old =
          new Event<>(
              "old", "a", Bank.NOW.minus(Duration.ofDays(30)), new Bank.Payment("deposit", 5, ""));
      assertThat(Bank.settle(journal, old)).containsExactly("applied 5");
      assertThat(Bank.settle(journal, Bank.deposit("new", "a", 1))).containsExactly("applied 6");
      assertThat(Bank.settle(journal, old)).as("it was forgotten").containsExactly("expired");
    }
    Fold<Bank.Account, Bank.Payment, Bank.Receipt> forever =
        Bank.define().rememberingForever().update(Bank::rules);
    assertThatThrownBy(() -> Journal.open(disk, forever, Bank.OPTIONS, new Bank.ByHand()))
        .isInstanceOf(JournalException.OtherFold.class)
        .hasMessageContaining("remembers ids by the choice SPAN, this fold by FOREVER");
    try (var journal =
        Journal.open(disk, forever, Bank.OPTIONS.acceptingChange(), new Bank.ByHand())) {
      Event<Bank.Payment> old =
          new Event<>(
              "old", "a", Bank.NOW.minus(Duration.ofDays(30)), new Bank.Payment("deposit", 5, ""));
      // From the log it is known again, from a snapshot it is not, and the floor refuses it: either
      // way it is not applied twice.
      assertThat(Bank.settle(journal, old)).isSubsetOf("duplicate", "expired");
      assertThat(Bank.settle(journal, Bank.deposit("new", "a", 1))).containsExactly("duplicate");
    }
  }
}
