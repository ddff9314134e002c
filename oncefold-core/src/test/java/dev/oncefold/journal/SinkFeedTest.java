package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Bank.Account;
import dev.oncefold.journal.Bank.Payment;
import dev.oncefold.journal.Bank.Receipt;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a journal gives to a sink, over crashes of either. */
class SinkFeedTest {
  private static final Map<String, Function<Emitted<Receipt>, byte[]>> RECEIPTS =
      Map.of("outputs", emitted -> bytes(emitted.key() + "=" + emitted.value().cents()));
  private final TestDisk disk = new TestDisk();
  private final Lanes sink = new Lanes();
  @TempDir Path directory;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] refusal(Entry<Account, Payment, Receipt> entry) {
    return bytes(entry.id() + " " + entry.reason());
  }

  private Journal<Account, Payment, Receipt> open() {
    return open(disk, Bank.OPTIONS);
  }

  private static Journal<Account, Payment, Receipt> open(TestDisk disk, Options options) {
    return Journal.open(disk, Bank.fold(), options, new Bank.ByHand());
  }

  private SinkFeed<Account, Payment, Receipt> feed(Journal<Account, Payment, Receipt> journal) {
    return SinkFeed.byHand(journal, "feed", sink, RECEIPTS, SinkFeedTest::refusal);
  }

  /** A sink in memory that fails when it is told to. */
  private static final class Lanes implements Sink {
    final Map<String, List<Message>> written = new HashMap<>();
    final Map<String, Long> positions = new HashMap<>();
    final Map<String, Lane> open = new HashMap<>();
    Limit limit = Limit.NONE;
    int opened;
    int writes;
    @Nullable RuntimeException failsBefore;
    @Nullable RuntimeException failsAfter;

    synchronized List<String> values(String lane) {
      return written.getOrDefault(lane, List.of()).stream()
          .map(each -> new String(each.value(), StandardCharsets.UTF_8))
          .toList();
    }

    @Override
    public boolean takes(@Nullable String output) {
      return output == null || output.equals("outputs");
    }

    @Override
    public Limit limit(@Nullable String output) {
      return limit;
    }

    @Override
    public synchronized Lane open(String name) {
      if (failsBefore != null) {
        throw failsBefore;
      }
      opened++;
      Lane lane =
          new Lane() {
            @Override
            public long position() {
              return positions.getOrDefault(name, START);
            }

            @Override
            public void write(List<Message> messages, long position) {
              synchronized (Lanes.this) {
                if (open.get(name) != this) {
                  throw new FencedException(name + " is open elsewhere");
                }
                if (failsBefore != null) {
                  throw failsBefore;
                }
                assertThat(position).isGreaterThan(position());
                written.computeIfAbsent(name, n -> new ArrayList<>()).addAll(messages);
                positions.put(name, position);
                writes++;
                if (failsAfter != null) {
                  RuntimeException thrown = failsAfter;
                  failsAfter = null;
                  throw thrown;
                }
              }
            }

            @Override
            public void close() {
              synchronized (Lanes.this) {
                open.remove(name, this);
              }
            }
          };
      open.put(name, lane);
      return lane;
    }

    @Override
    public void close() {}
  }

  @Test
  void givesOutputsAndRefusalsInOrderWithKeyIdAndPosition() {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      try (SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
        assertThat(sink.positions).isEmpty();
        Bank.settle(
            journal,
            Bank.deposit("p1", "ann", 5),
            Bank.event("p2", "bob", "withdraw", 1),
            Bank.deposit("p1", "ann", 5),
            Bank.deposit("p3", "ann", 2));
        while (feed.step()) {}
        assertThat(sink.values("feed")).containsExactly("ann=5", "p2 insufficient funds", "ann=7");
        assertThat(sink.positions).containsEntry("feed", 4L);
        List<Sink.Message> written = sink.written.getOrDefault("feed", List.of());
        assertThat(written)
            .extracting(Sink.Message::output)
            .containsExactly("outputs", null, "outputs");
        assertThat(written).extracting(Sink.Message::key).containsExactly("ann", "bob", "ann");
        assertThat(written)
            .extracting(Sink.Message::id)
            .containsExactly("bank/ann/p1/0", "bank/refusal/2", "bank/ann/p3/0");
        assertThat(sink.writes).isEqualTo(1);
        assertThat(feed.step()).isFalse();
        // Nothing that goes there: nothing is written.
        Bank.settle(journal, Bank.deposit("p1", "ann", 5));
        while (feed.step()) {}
        assertThat(sink.writes).isEqualTo(1);
      }
    }
  }

  /** It would be committed, and nothing behind it would ever leave. */
  @Test
  void whatTheSinkWouldNeverTakeFailsAndARefusalLeavesWithoutItsEvent() {
    sink.limit = new Sink.Limit(40, "the size of an envelope");
    try (Journal<Account, Payment, Receipt> journal = open()) {
      try (SinkFeed<Account, Payment, Receipt> feed =
          SinkFeed.byHand(
              journal,
              "feed",
              sink,
              Map.of("outputs", emitted -> bytes("!".repeat((int) emitted.value().cents()))),
              entry ->
                  bytes(entry.verdict() + (entry.value() == null ? " bare" : " all".repeat(9))))) {
        CompletableFuture<Verdict<Account, Receipt>> failed =
            journal.submit(Bank.deposit("p1", "ann", 1000));
        Bank.settle(journal, Bank.deposit("p2", "ann", 5), Bank.event("p3", "bob", "withdraw", 1));
        assertThat(((Verdict.Failed<?, ?>) failed.join()).reason())
            .contains(
                "a message of the output \"outputs\" would take 1,016 bytes, and the size of an"
                    + " envelope lets it have 40 at most");
        while (feed.step()) {}
        assertThat(sink.values("feed")).containsExactly("FAILED bare", "!!!!!", "REJECTED bare");
        // A key that alone is too much is left out, too.
        Bank.settle(journal, Bank.event("p3", "bob".repeat(2000), "withdraw", 1));
        while (feed.step()) {}
        assertThat(sink.written.getOrDefault("feed", List.of()))
            .last()
            .extracting(Sink.Message::key)
            .isEqualTo("");
      }
      // Who feeds it no more forbids nothing.
      Bank.settle(journal, Bank.deposit("p4", "ann", 1000));
      assertThat(journal.counts().applied()).isEqualTo(2);
      assertThat(journal.counts().rejected()).isEqualTo(2);
    }
  }

  @Test
  void afterACrashTheSinkSaysWhatItHas() {
    TestDisk crashed;
    Map<String, Long> positions;
    try (Journal<Account, Payment, Receipt> journal = open();
        SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
      Bank.settle(journal, Bank.deposit("p1", "ann", 1), Bank.deposit("p2", "ann", 1));
      while (feed.step()) {}
      Bank.settle(journal, Bank.deposit("p3", "ann", 1));
      crashed = disk.copy();
      positions = Map.copyOf(sink.positions);
    }
    // Back to what was there at the crash.
    sink.positions.putAll(positions);
    sink.written.computeIfPresent("feed", (lane, all) -> new ArrayList<>(all.subList(0, 2)));
    try (Journal<Account, Payment, Receipt> journal = open(crashed, Bank.OPTIONS)) {
      assertThat(journal.sink("feed"))
          .as("nothing of the writes was recorded")
          .isEqualTo(new Memory.SinkPosition(0, 0, 0));
      try (SinkFeed<Account, Payment, Receipt> again = feed(journal)) {
        while (again.step()) {}
      }
      assertThat(sink.values("feed")).containsExactly("ann=1", "ann=2", "ann=3");
    }
    try (Journal<Account, Payment, Receipt> journal = open(crashed, Bank.OPTIONS);
        SinkFeed<Account, Payment, Receipt> again = feed(journal)) {
      assertThat(journal.sink("feed")).extracting(Memory.SinkPosition::length).isEqualTo(3L);
      Bank.settle(journal, Bank.deposit("p4", "ann", 1));
      while (again.step()) {}
      assertThat(sink.values("feed")).containsExactly("ann=1", "ann=2", "ann=3", "ann=4");
    }
  }

  @Test
  void aWriteThatFailedIsWrittenOnceWhetherItCameThroughOrNot() throws Exception {
    try (Journal<Account, Payment, Receipt> journal =
            Journal.open(directory, Bank.fold(), Options.defaults().clock(Bank.OPTIONS.clock()));
        SinkFeed<Account, Payment, Receipt> feed =
            SinkFeed.start(journal, "feed", sink, RECEIPTS, null)) {
      for (int i = 1; i <= 30; i++) {
        synchronized (sink) {
          if (i % 5 == 0) {
            sink.failsBefore = new SinkException("away");
          } else if (i % 3 == 0) {
            sink.failsAfter = new SinkException("came through");
          }
        }
        journal.submit(Bank.deposit("p" + i, "ann", 1)).join();
        if (i % 5 == 0) {
          await(() -> feed.trouble() != null);
          assertThat(sink.values("feed")).hasSize(i - 1);
        }
        synchronized (sink) {
          sink.failsBefore = null;
        }
        int count = i;
        await(() -> sink.values("feed").size() >= count);
      }
      await(() -> feed.trouble() == null);
      assertThat(feed.hasFailed()).isFalse();
    }
    List<String> expected = new ArrayList<>();
    for (int i = 1; i <= 30; i++) {
      expected.add("ann=" + i);
    }
    assertThat(sink.values("feed")).isEqualTo(expected);
    assertThat(sink.opened).isGreaterThan(10);
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(Condition condition) throws InterruptedException {
    long begin = System.nanoTime();
    while (!condition.holds()) {
      assertThat(System.nanoTime() - begin).isLessThan(30_000_000_000L);
      Thread.sleep(1);
    }
  }

  @Test
  void aFencedLaneIsTakenOverAgain() throws Exception {
    try (Journal<Account, Payment, Receipt> journal =
            Journal.open(directory, Bank.fold(), Options.defaults().clock(Bank.OPTIONS.clock()));
        SinkFeed<Account, Payment, Receipt> feed =
            SinkFeed.start(journal, "feed", sink, RECEIPTS, null)) {
      sink.open("feed");
      journal.submit(Bank.deposit("p1", "ann", 1)).join();
      await(() -> sink.values("feed").size() == 1);
      assertThat(sink.opened).isEqualTo(3);
      await(() -> feed.trouble() == null);
    }
    assertThat(sink.values("feed")).containsExactly("ann=1");
  }

  @Test
  void closingSaysWhatCouldNotBeWritten() {
    Journal<Account, Payment, Receipt> journal =
        Journal.open(directory, Bank.fold(), Options.defaults().clock(Bank.OPTIONS.clock()));
    try (journal) {
      SinkFeed<Account, Payment, Receipt> feed =
          SinkFeed.start(journal, "feed", sink, RECEIPTS, null);
      synchronized (sink) {
        sink.failsBefore = new SinkException("the sink is away");
      }
      journal.submit(Bank.deposit("p1", "ann", 1)).join();
      assertThatThrownBy(feed::close)
          .isInstanceOf(SinkException.class)
          .hasMessageContaining("away");
      feed.close();
    }
    sink.failsBefore = null;
    try (Journal<Account, Payment, Receipt> again =
            Journal.open(directory, Bank.fold(), Options.defaults().clock(Bank.OPTIONS.clock()));
        SinkFeed<Account, Payment, Receipt> feed =
            SinkFeed.start(again, "feed", sink, RECEIPTS, null)) {
      assertThat(feed.hasFailed()).isFalse();
    }
    assertThat(sink.values("feed")).containsExactly("ann=1");
  }

  @Test
  void whatTheSinkHasNotPassedIsKept() {
    Options small = Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 17).retainBytes(0);
    try (Journal<Account, Payment, Receipt> journal = open(disk, small)) {
      try (SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
        send(journal, 0, 8000);
        assertThat(journal.goesBackToItsBeginning()).isTrue();
        while (feed.step()) {}
        assertThat(sink.values("feed")).hasSize(8000);
      }
      send(journal, 8000, 16000);
      assertThat(journal.goesBackToItsBeginning()).isFalse();
      try (SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
        while (feed.step()) {}
        assertThat(sink.values("feed")).hasSize(16000).doesNotHaveDuplicates();
      }
      assertThatThrownBy(() -> SinkFeed.byHand(journal, "late", sink, RECEIPTS, null))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("Options.retainBytes");
    }
  }

  /** One key each, so that each output differs. */
  private static void send(Journal<Account, Payment, Receipt> journal, int from, int to) {
    for (int i = from; i < to; i++) {
      var unused = journal.submit(Bank.deposit("payment-" + i, "account-" + i, 1));
      if (i % 100 == 99) {
        Bank.judge(journal);
        while (journal.write()) {}
      }
    }
  }

  @Test
  void aSinkOfAnotherJournalOrWithAnotherPositionIsRefused() {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      sink.positions.put("feed", 3L);
      assertThatThrownBy(() -> feed(journal))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("up to event 3 of another journal");
      assertThat(sink.open).isEmpty();
      sink.positions.clear();

      try (SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
        Bank.settle(journal, Bank.deposit("p1", "ann", 1), Bank.deposit("p2", "ann", 1));
        while (feed.step()) {}
      }
      while (journal.write()) {}
      sink.positions.put("feed", 1L);
      assertThatThrownBy(() -> feed(journal))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("up to event 1, but those up to 2");
      sink.positions.put("feed", 9L);
      assertThatThrownBy(() -> feed(journal))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("up to event 9, but the journal has only 2");
    }
  }

  @Test
  void whatTheSinkDoesNotTakeAndASecondFeedAreRefused() {
    try (Journal<Account, Payment, Receipt> journal = open()) {
      assertThatThrownBy(
              () -> SinkFeed.byHand(journal, "feed", sink, Map.of("more", e -> bytes("")), null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the output \"more\"");
      try (SinkFeed<Account, Payment, Receipt> feed = feed(journal)) {
        assertThat(feed.trouble()).isNull();
        assertThatThrownBy(() -> feed(journal))
            .isInstanceOf(JournalException.class)
            .hasMessageContaining("open already");
      }
    }
  }

  @Test
  void anEncodingThatFailsStopsTheFeedForGood() throws Exception {
    CountDownLatch thrown = new CountDownLatch(1);
    try (Journal<Account, Payment, Receipt> journal =
        Journal.open(directory, Bank.fold(), Options.defaults().clock(Bank.OPTIONS.clock()))) {
      SinkFeed<Account, Payment, Receipt> feed =
          SinkFeed.start(
              journal,
              "feed",
              sink,
              Map.of(
                  "outputs",
                  emitted -> {
                    thrown.countDown();
                    throw new IllegalStateException("no bytes for " + emitted.id());
                  }),
              null);
      journal.submit(Bank.deposit("p1", "ann", 1)).join();
      thrown.await();
      await(feed::hasFailed);
      assertThatThrownBy(feed::close)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("no bytes for");
    }
  }
}
