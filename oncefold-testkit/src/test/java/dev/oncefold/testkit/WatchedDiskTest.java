package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Disk;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the beacon shows as an open commit is one. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class WatchedDiskTest {
  private static final Instant TIME = Instant.parse("2024-01-01T00:00:00Z");

  @TempDir Path directory;

  private Journal<Long, Long, Long> opened(Beacon beacon) throws IOException {
    Disk disk = new WatchedDisk(Disk.at(directory.resolve("journal")), beacon);
    return Journal.open(disk, sums(), Options.defaults());
  }

  private static Fold<Long, Long, Long> sums() {
    return Fold.of("sums", Long.class, Long.class, Long.class)
        .initially(0L)
        .rememberingForever()
        .update((sum, event) -> Outcome.accept(sum + event.value()));
  }

  private static Event<Long> deposit(String id) {
    return new Event<>(id, "alice", TIME, 100L);
  }

  @Test
  void eachCommitIsCountedAndClosedBeforeItIsAnswered() throws IOException {
    Beacon beacon = Beacon.at(directory.resolve("beacon"));
    try (Journal<Long, Long, Long> journal = opened(beacon)) {
      assertThat(beacon.get(Field.COMMITS)).as("making a journal commits no event").isZero();
      for (int i = 1; i <= 20; i++) {
        journal.submit(deposit("d-" + i)).join();
        assertThat(beacon.get(Field.COMMIT)).isEqualTo(Beacon.CLOSED);
        assertThat(beacon.get(Field.COMMITS)).isEqualTo(i);
      }
    }
    assertThat(beacon.get(Field.COMMITS)).as("closing commits no event").isEqualTo(20);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "500, 1", "999, 1", "1000, 2"})
  void aCommitThatIsHeldIsOpen(long hold, long commit) throws IOException {
    Beacon beacon = Beacon.at(directory.resolve("beacon"));
    try (Journal<Long, Long, Long> journal = opened(beacon)) {
      journal.submit(deposit("d-1")).join();
      beacon.set(Field.HOLD, hold);
      CompletableFuture<Verdict<Long, Long>> answer = journal.submit(deposit("d-2"));
      while (beacon.get(Field.COMMIT) == Beacon.CLOSED) {
        Thread.onSpinWait();
      }
      assertThat(beacon.get(Field.COMMIT)).isEqualTo(commit);
      assertThat(answer).isNotDone();
      assertThat(journal.sequence()).isEqualTo(1);
      beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
      assertThat(answer.join()).isInstanceOf(Verdict.Applied.class);
      assertThat(beacon.get(Field.COMMIT)).isEqualTo(Beacon.CLOSED);
    }
    assertThat(Journal.view(directory.resolve("journal"), sums()).state("alice")).isEqualTo(200);
  }
}
