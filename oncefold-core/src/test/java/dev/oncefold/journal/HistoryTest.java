package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The past, as the journal tells it. */
class HistoryTest {
  private final TestDisk disk = new TestDisk();

  private Journal<Account, Payment, Receipt> open(Options options) {
    return Journal.open(disk, Bank.withTransfers(), options, new Bank.ByHand());
  }

  private static List<String> told(Journal<Account, Payment, Receipt> journal, String key) {
    List<String> lines = new ArrayList<>();
    journal.history(key, entry -> lines.add(line(entry)));
    return lines;
  }

  private static String line(Entry<Account, Payment, Receipt> entry) {
    StringBuilder line = new StringBuilder();
    line.append(entry.sequence()).append(' ').append(entry.id()).append(' ');
    line.append(entry.verdict()).append(entry.reason() == null ? "" : " " + entry.reason());
    for (Entry.Change<Account> change : entry.changes()) {
      Slot<Account> slot = change.slot();
      line.append(' ').append(change.key()).append('=');
      line.append(slot == null ? "gone" : slot.state().cents() + "v" + slot.version());
    }
    for (Emitted<Receipt> output : entry.outputs()) {
      line.append(' ').append(output.id());
    }
    return line.toString();
  }

  @Test
  void tellsEveryEventOfAKey() {
    try (Journal<Account, Payment, Receipt> journal = open(Bank.OPTIONS)) {
      Bank.settle(
          journal,
          Bank.deposit("1", "a", 10),
          Bank.deposit("1", "a", 10),
          Bank.deposit("1", "a", 99),
          Bank.transfer("2", "a", "b", 4),
          Bank.transfer("3", "a", "b", 400),
          Bank.event("4", "c", "dance", 1),
          Bank.event("5", "b", "close", 0),
          new Event<>("6", "a", null, new Payment("deposit", 1, "")));
      assertThat(told(journal, "a"))
          .containsExactly(
              "1 1 APPLIED a=10v1 bank/a/1/0",
              "2 1 DUPLICATE",
              "3 1 CONFLICT",
              "4 2 APPLIED a=6v2 b=4v1 bank/a/2/0",
              "5 3 REJECTED insufficient funds",
              "8 6 FAILED the event has no time; ids are forgotten by event time, so"
                  + " every event with an id needs one");
      assertThat(told(journal, "b"))
          .containsExactly("4 2 APPLIED a=6v2 b=4v1 bank/a/2/0", "7 5 APPLIED b=gone");
      assertThat(told(journal, "c"))
          .containsExactly(
              "6 4 FAILED the update threw java.lang.IllegalArgumentException: no payment is a"
                  + " dance");
      assertThat(told(journal, "nobody")).isEmpty();
    }
  }

  @Test
  void anEntryHoldsTheEvent() {
    List<Entry<Account, Payment, Receipt>> entries = new ArrayList<>();
    try (Journal<Account, Payment, Receipt> journal = open(Bank.OPTIONS)) {
      Bank.settle(journal, Bank.deposit("1", "a", 10), Bank.event("2", "a", "withdraw", 99));
      Store.Claim claim = journal.claim("file");
      try (Store.Batch<Account, Payment, Receipt> batch = journal.begin(claim, claim.position())) {
        Event<Payment> event = new Event<>(null, "a", null, new Payment("deposit", 1, ""));
        batch.add(
            Received.of(77, new Position(99, 1), event),
            new Kernel<>(Bank.withTransfers())
                .judge(event, batch, batch, batch.floor(), Kernel.NO_LIMIT));
        batch.add(
            Received.undecodable(99, new Position(100, 1), "no JSON", new byte[] {1, 2}),
            new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, "no JSON"));
        var unused = batch.commit(new Position(100, 1), false);
      }
      while (journal.write()) {}
      journal.history(entries::add);
    }
    Entry<Account, Payment, Receipt> first = entries.get(0);
    assertThat(first.committed()).isEqualTo(Bank.NOW);
    assertThat(first.time()).isEqualTo(Bank.NOW);
    assertThat(first.foldVersion()).isEqualTo(1);
    assertThat(first.key()).isEqualTo("a");
    assertThat(first.ownId()).isTrue();
    assertThat(first.value()).isEqualTo(new Payment("deposit", 10, ""));
    assertThat(first.outputs())
        .containsExactly(new Emitted<>("bank/a/1/0", "outputs", "a", 1, new Receipt("a", 10)));
    assertThat(first.isRefusal()).isFalse();
    assertThat(entries.get(1).isRefusal()).isTrue();
    assertThat(entries.get(1).value()).isEqualTo(new Payment("withdraw", 99, ""));
    Entry<Account, Payment, Receipt> third = entries.get(2);
    assertThat(third.id()).isEqualTo("file@77");
    assertThat(third.ownId()).isFalse();
    assertThat(third.outputs().get(0).id()).isEqualTo("bank/a/file@77/0");
    Entry<Account, Payment, Receipt> fourth = entries.get(3);
    assertThat(fourth.failure()).isEqualTo(Verdict.Cause.UNDECODABLE);
    assertThat(fourth.key()).isNull();
    assertThat(fourth.raw()).isEqualTo(new byte[] {1, 2});
    assertThat(fourth.reason()).isEqualTo("no JSON");
    assertThat(fourth.isRefusal()).isTrue();
  }

  /** For every event of a random little life, the state as of it is what it was then. */
  @Test
  void asOfEveryEventIsWhatItWas() {
    Random random = new Random(4);
    Map<Long, Map<String, Slot<Account>>> then = new HashMap<>();
    Map<Long, Counts> countsThen = new HashMap<>();
    Options options = Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 13);
    for (int life = 0; life < 3; life++) {
      try (Journal<Account, Payment, Receipt> journal = open(options)) {
        for (int i = 0; i < 120; i++) {
          String key = "k" + random.nextInt(4);
          String id = "e" + random.nextInt(60);
          Event<Payment> event =
              switch (random.nextInt(6)) {
                case 0 -> Bank.event(id, key, "withdraw", 5);
                case 1 -> Bank.event(id, key, "close", 0);
                case 2 -> Bank.transfer(id, key, "k9", 3);
                default -> Bank.deposit(id, key, random.nextInt(4));
              };
          Bank.settle(journal, event);
          then.put(journal.sequence(), journal.view().slots());
          countsThen.put(journal.sequence(), journal.counts());
        }
        then.put(0L, Map.of());
        countsThen.put(0L, Counts.NONE);
        for (long sequence = 0; sequence <= journal.sequence(); sequence++) {
          View<Account> view = journal.asOf(sequence);
          assertThat(view.sequence()).isEqualTo(sequence);
          assertThat(view.slots()).as("as of %s", sequence).isEqualTo(then.get(sequence));
          assertThat(view.counts()).isEqualTo(countsThen.get(sequence));
        }
        long beyond = journal.sequence() + 1;
        assertThatThrownBy(() -> journal.asOf(beyond))
            .isInstanceOf(JournalException.class)
            .hasMessageContaining("there is no state as of " + beyond + " yet");
      }
    }
    assertThat(disk.names(".snapshot")).isNotEmpty();
  }

  /** Also where several events share a group. */
  @Test
  void tellsWhatIsBehindAnEventAcrossSegments() {
    String note = "n".repeat(2000);
    try (Journal<Account, Payment, Receipt> journal = open(Bank.OPTIONS.segmentBytes(1 << 16))) {
      for (int i = 0; i < 100; i++) {
        Bank.settle(journal, new Event<>("e" + i, "a", Bank.NOW, new Payment("deposit", 1, note)));
      }
      assertThat(disk.names(".log")).hasSizeGreaterThan(2);
      for (long after = 0; after <= 100; after++) {
        List<Long> behind = new ArrayList<>();
        journal.history(after, entry -> behind.add(entry.sequence()));
        assertThat(behind).isEqualTo(LongStream.rangeClosed(after + 1, 100).boxed().toList());
      }
    }
  }

  @Test
  void asOfAnEventWithinAGroup() {
    try (Journal<Account, Payment, Receipt> journal = open(Bank.OPTIONS)) {
      Bank.settle(
          journal,
          Bank.deposit("1", "a", 1),
          Bank.deposit("2", "a", 1),
          Bank.transfer("3", "a", "b", 2),
          Bank.deposit("4", "a", 1));
      assertThat(journal.asOf(2).slots()).isEqualTo(Map.of("a", new Slot<>(new Account(2, 2), 2)));
      assertThat(journal.asOf(3).slots())
          .isEqualTo(
              Map.of("a", new Slot<>(new Account(0, 3), 3), "b", new Slot<>(new Account(2, 1), 1)));
    }
  }

  @Test
  void withoutHistoryThePastIsRefused() {
    Options none = Bank.OPTIONS.history(Options.History.NONE);
    try (Journal<Account, Payment, Receipt> journal = open(none)) {
      Bank.settle(journal, Bank.deposit("1", "a", 1), Bank.deposit("1", "a", 1));
      refusesThePast(journal);
      assertThat(journal.state("a")).isEqualTo(new Account(1, 1));
    }
    // Kept from now on, it still does not reach back to the beginning.
    try (Journal<Account, Payment, Receipt> journal = open(Bank.OPTIONS)) {
      Bank.settle(journal, Bank.deposit("2", "a", 1), Bank.deposit("1", "a", 1));
      assertThat(journal.counts()).isEqualTo(Bank.counts(2, 0, 2, 0));
      refusesThePast(journal);
    }
    Fold<Account, Payment, Receipt> next = Bank.define().version(2).update(Bank::rules);
    assertThatThrownBy(() -> Rebuild.of(disk, next, Bank.OPTIONS))
        .isInstanceOf(JournalException.class)
        .hasMessageContaining("was kept without history");
    open(Bank.OPTIONS).close();
  }

  private static void refusesThePast(Journal<Account, Payment, Receipt> journal) {
    assertThatThrownBy(() -> journal.history(entry -> {}))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll("was kept without history", "Options.history");
    assertThatThrownBy(() -> journal.history("a", entry -> {}))
        .isInstanceOf(JournalException.class);
    assertThatThrownBy(() -> journal.asOf(1)).isInstanceOf(JournalException.class);
  }

  @Test
  void refusalsAreKeptWithoutHistoryToo() {
    TestDisk outside = new TestDisk();
    try (Journal<Account, Payment, Receipt> journal =
        open(Bank.OPTIONS.history(Options.History.NONE))) {
      FileSink<Account, Payment, Receipt> sink =
          FileSink.open(
              journal,
              outside,
              "refused",
              FileSink.refusals(journal, e -> e.verdict() + " " + e.key() + " " + e.value()),
              false);
      Bank.settle(
          journal,
          Bank.deposit("1", "a", 1),
          Bank.deposit("1", "a", 1),
          Bank.deposit("1", "a", 2),
          new Event<>("2", "a", Bank.NOW.plus(Duration.ofDays(3)), new Payment("deposit", 7, "")));
      sink.close();
    }
    assertThat(new String(outside.bytes("refused"), java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo(
            """
            CONFLICT a Payment[kind=deposit, cents=2, to=]
            FAILED a Payment[kind=deposit, cents=7, to=]
            """);
  }
}
