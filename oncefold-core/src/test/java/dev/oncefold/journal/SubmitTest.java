package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Verdict;
import dev.oncefold.Verdict.Cause;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Events given to the journal directly: always answered, after the commit, or told why not. */
class SubmitTest {
  private final TestDisk disk = new TestDisk();

  private Journal<Account, Payment, Receipt> open() {
    return Journal.open(disk, Bank.fold(), Bank.OPTIONS);
  }

  @Test
  void isAnsweredAfterTheCommit() {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      for (int i = 1; i <= 200; i++) {
        // Whoever is told of a verdict finds it in the state.
        Account seen =
            journal
                .submit(Bank.deposit("p-" + i, "a", 1))
                .thenApply(verdict -> journal.slot("a"))
                .thenApply(slot -> slot == null ? new Account(-1, -1) : slot.state())
                .join();
        assertThat(seen.cents()).isGreaterThanOrEqualTo(i);
      }
    }
  }

  @Test
  void manyEventsShareASync() throws Exception {
    CountDownLatch submitted = new CountDownLatch(1);
    int threads = 8;
    int each = 250;
    List<CompletableFuture<Verdict<Account, Receipt>>> answers = new ArrayList<>();
    try (Journal<Account, Payment, Receipt> journal = open()) {
      disk.syncs.set(0);
      // The disk is slow: the first sync ends only when every event was submitted.
      disk.before(
          (operation, name) -> {
            if (operation.equals("sync") && name.endsWith(".log")) {
              await(submitted);
            }
          });
      List<Thread> submitters = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        String key = "k" + t;
        Thread thread =
            new Thread(
                () -> {
                  for (int i = 0; i < each; i++) {
                    var answer = journal.submit(Bank.deposit("p-" + i, key, 1));
                    synchronized (answers) {
                      answers.add(answer);
                    }
                  }
                });
        submitters.add(thread);
        thread.start();
      }
      for (Thread thread : submitters) {
        thread.join();
      }
      submitted.countDown();
      for (var answer : answers) {
        assertThat(answer.join().kind()).isEqualTo(Verdict.Kind.APPLIED);
      }
      assertThat(answers).hasSize(threads * each);
      assertThat(disk.syncs.get()).isBetween(1, 20);
      for (int t = 0; t < threads; t++) {
        assertThat(journal.state("k" + t)).isEqualTo(new Account(each, each));
      }
    }
  }

  static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  // ---------------------------------------------------------------- bounds

  @Test
  void waitsWhileTooManyWait() throws Exception {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS.queue(2), new Bank.ByHand())) {
      var first = journal.submit(Bank.deposit("1", "a", 1));
      var unused = journal.submit(Bank.deposit("2", "a", 1));
      CompletableFuture<CompletableFuture<Verdict<Account, Receipt>>> third =
          new CompletableFuture<>();
      Thread waiting = new Thread(() -> third.complete(journal.submit(Bank.deposit("3", "a", 1))));
      waiting.start();
      while (waiting.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      assertThat(third).isNotDone();
      Bank.judge(journal);
      waiting.join();
      Bank.judge(journal);
      while (journal.write()) {}
      assertThat(Bank.told(first.join())).isEqualTo("applied 1");
      assertThat(Bank.told(third.join().join())).isEqualTo("applied 3");
    }
  }

  @Test
  void aBatchWaitsForTheDiskOnceAGroupIsFull() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS.groupBytes(1), new Bank.ByHand())) {
      var first = journal.submit(Bank.deposit("1", "a", 1));
      Bank.judge(journal);
      assertThat(first).isNotDone();
      var second = journal.submit(Bank.deposit("2", "a", 1));
      Bank.judge(journal);
      assertThat(first).as("written before the second batch began").isDone();
      assertThat(second).isNotDone();
      assertThat(journal.state("a")).isEqualTo(new Account(1, 1));
    }
  }

  // ---------------------------------------------------------------- closing

  @Test
  void closeAnswersEverything() {
    List<CompletableFuture<Verdict<Account, Receipt>>> answers = new ArrayList<>();
    Journal<Account, Payment, Receipt> journal = open();
    for (int i = 0; i < 3000; i++) {
      answers.add(journal.submit(Bank.deposit("p-" + i, "k" + i % 7, 1)));
    }
    journal.close();
    assertThat(answers).allMatch(answer -> answer.isDone() && !answer.isCompletedExceptionally());
    try (Journal<Account, Payment, Receipt> again = open()) {
      assertThat(again.counts()).isEqualTo(Bank.counts(3000, 0, 0, 0));
    }
  }

  @Test
  void aClosedJournalRefuses() {
    Journal<Account, Payment, Receipt> journal = open();
    journal.submit(Bank.deposit("1", "a", 1)).join();
    journal.close();
    journal.close();
    assertThatThrownBy(() -> journal.submit(Bank.deposit("2", "a", 1)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("the journal is closed");
    assertThatThrownBy(() -> journal.claim("p"))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("is closed");
    assertThat(journal.state("a")).isEqualTo(new Account(1, 1));
  }

  @Test
  void anInterruptedSubmitterIsToldThatNothingWasTaken() {
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(disk, Bank.fold(), Bank.OPTIONS, new Bank.ByHand())) {
      Thread.currentThread().interrupt();
      try {
        assertThatThrownBy(() -> journal.submit(Bank.deposit("1", "a", 1)))
            .isInstanceOf(JournalException.class)
            .hasMessageContaining("the event was not taken");
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
      Bank.judge(journal);
      assertThat(journal.write()).isFalse();
    }
  }

  // ---------------------------------------------------------------- failing

  @Test
  void anErrorStopsTheJournal() {
    Journal<Account, Payment, Receipt> journal = open();
    journal.submit(Bank.deposit("1", "a", 1)).join();
    var broken = journal.submit(Bank.event("2", "a", "halt", 1));
    assertThat(broken.handle((verdict, failure) -> failure).join())
        .isInstanceOf(JournalException.class)
        // Told by the batch that was given up, or by the thread that judged: whoever is first.
        .hasMessageContaining("stopped");
    assertThatThrownBy(() -> journal.submit(Bank.deposit("3", "a", 1)))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("stopped");
    assertThatThrownBy(journal::close)
        .isInstanceOf(JournalException.class)
        .hasSuppressedException(new LinkageError("a class is broken"));
    journal.close();
    try (Journal<Account, Payment, Receipt> again = open()) {
      assertThat(again.counts()).isEqualTo(Bank.counts(1, 0, 0, 0));
      assertThat(Bank.told(again.submit(Bank.deposit("3", "a", 1)).join())).isEqualTo("applied 2");
    }
  }

  @Test
  void aFailedEventIsAnsweredAndTheNextOneJudged() {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      assertThat(journal.submit(Bank.event("1", "a", "dance", 1)).join())
          .isEqualTo(
              new Verdict.Failed<Account, Receipt>(
                  Cause.UPDATE,
                  "the update threw java.lang.IllegalArgumentException: no payment is a dance"));
      assertThat(Bank.told(journal.submit(Bank.deposit("1", "a", 1)).join()))
          .isEqualTo("applied 1");
    }
  }

  // ---------------------------------------------------------------- what cannot be stored

  record Text(String text) {}

  private static final String LONE = "\ud800";
  private static final String LARGE = "x".repeat(JournalBatch.MAX_RECORD);

  /** The key says what the update does with the event's text. */
  private static final Fold<Text, Text, String> TEXTS =
      Fold.of("texts", Text.class, Text.class, String.class)
          .initially(new Text(""))
          .rememberingForever()
          .update(
              (state, event) -> {
                String text = event.value().text();
                return switch (event.key()) {
                  case "lone state" -> Outcome.accept(new Text(LONE));
                  case "large state" -> Outcome.accept(new Text(LARGE));
                  case "lone output" -> Outcome.accept(new Text("x"), "fine", LONE);
                  case "large output" -> Outcome.accept(new Text("x"), LARGE);
                  case "lone name" ->
                      Outcome.<Text, String>accept(new Text("x")).emit(LONE, "output");
                  case "lone reason" -> Outcome.reject(LONE);
                  case "large reason" -> Outcome.reject(LARGE);
                  case "lone failure" -> throw new IllegalStateException(LONE);
                  case "large failure" -> throw new IllegalStateException(LARGE);
                  default -> Outcome.accept(new Text(text), text);
                };
              });

  @Test
  void whatCannotBeStoredFails() {
    List<Event<Text>> events = new ArrayList<>();
    for (String key :
        List.of(
            "lone state",
            "large state",
            "lone output",
            "large output",
            "lone name",
            "lone reason",
            "large reason",
            "lone failure",
            "large failure")) {
      events.add(new Event<>("t", key, null, new Text("fine")));
    }
    events.add(new Event<>("t", "lone event", null, new Text(LONE)));
    events.add(new Event<>("t", "large event", null, new Text(LARGE)));
    events.add(new Event<>(LONE, "lone id", null, new Text("fine")));
    events.add(new Event<>(LARGE, "large id", null, new Text("fine")));
    events.add(new Event<>("t", LONE, null, new Text("fine")));
    events.add(new Event<>(null, LONE, null, new Text("fine")));
    for (Options.History history : Options.History.values()) {
      TestDisk fresh = new TestDisk();
      Options options = Bank.OPTIONS.history(history);
      try (Journal<Text, Text, String> journal = Journal.open(fresh, TEXTS, options)) {
        for (Event<Text> event : events) {
          assertThat(journal.submit(event).join())
              .as("%s, history %s", event.key(), history)
              .isInstanceOfSatisfying(
                  Verdict.Failed.class, f -> assertThat(f.cause()).isEqualTo(Cause.UPDATE));
          assertThat(journal.state(event.key())).isNull();
        }
        // None of them is remembered, and the journal goes on.
        assertThat(
                journal.submit(new Event<>("t", "lone id", null, new Text("fine"))).join().kind())
            .isEqualTo(Verdict.Kind.APPLIED);
      }
      try (Journal<Text, Text, String> journal = Journal.open(fresh, TEXTS, options)) {
        assertThat(journal.counts().failed()).isEqualTo(events.size());
        assertThat(journal.counts().applied()).isEqualTo(1);
        assertThat(journal.view().slots()).containsOnlyKeys("lone id");
      }
    }
  }

  @Test
  void aRecordOfNearlySixteenMebibytesIsStored() {
    Text large = new Text("x".repeat(5_000_000));
    try (Journal<Text, Text, String> journal = Journal.open(disk, TEXTS, Bank.OPTIONS)) {
      assertThat(journal.submit(new Event<>("t", "k", null, large)).join().kind())
          .isEqualTo(Verdict.Kind.APPLIED);
    }
    try (Journal<Text, Text, String> journal = Journal.open(disk, TEXTS, Bank.OPTIONS)) {
      assertThat(journal.state("k")).isEqualTo(large);
    }
  }
}
