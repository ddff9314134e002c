package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.View;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.NotRunException;
import dev.oncefold.verify.SmallDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** F7: a process meets a disk that is really full, says so, and loses nothing. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FullDiskTest {
  private static final int EVENTS = 2_000;
  private static final int SIZE = 16 << 20;
  private static final int LEFT = 1 << 20;

  @TempDir Path directory;

  /**
   * The state of a key.
   *
   * @param events how many events were applied
   * @param last the last of them, with a long tail
   */
  record Seen(long events, String last) {
    static final Seen NONE = new Seen(0, "");
  }

  static Fold<Seen, String, String> fold() {
    return Fold.of("seen", Seen.class, String.class, String.class)
        .initially(Seen.NONE)
        .rememberingForever()
        .update((seen, event) -> Outcome.accept(new Seen(seen.events() + 1, event.value())));
  }

  private static Event<String> event(int number) {
    return new Event<>("e-" + number, "key", null, number + "x".repeat(1_000));
  }

  /** Submits all events, one after another, and shows how many were answered. */
  static final class Submitter {
    private Submitter() {}

    public static void main(String[] args) throws IOException {
      Beacon beacon = Beacon.at(Path.of(args[1]));
      try (Journal<Seen, String, String> journal = Journal.open(Path.of(args[0]), fold())) {
        for (int i = 0; i < EVENTS; i++) {
          journal.submit(event(i)).join();
          beacon.set(Field.COMMITTED, i + 1);
        }
      } catch (JournalException | CompletionException e) {
        Throwable told = e instanceof CompletionException ? e.getCause() : e;
        System.err.println(told == null ? e : told.getMessage());
        System.exit(1);
      }
    }
  }

  private SmallDisk disk() throws IOException, InterruptedException {
    try {
      return SmallDisk.at(directory.resolve("small"), SIZE);
    } catch (NotRunException e) {
      return Assumptions.abort("F7 on a real disk is not run: " + e.getMessage());
    }
  }

  private Child submit(Path journal) throws IOException, InterruptedException {
    String beacon = directory.resolve("beacon").toString();
    try (Child child =
        Child.start(
            Submitter.class,
            Child.shortLived(),
            directory.resolve("log"),
            journal.toString(),
            beacon)) {
      assertThat(child.awaitEnd(Duration.ofSeconds(60))).isTrue();
      return child;
    }
  }

  private static long assertRight(View<Seen> view) {
    long applied = view.counts().applied();
    Seen seen = view.state("key");
    assertThat(seen).isEqualTo(new Seen(applied, event((int) applied - 1).value()));
    return applied;
  }

  @Test
  void whoeverMeetsAFullDiskIsToldAndLosesNothing() throws IOException, InterruptedException {
    Beacon beacon = Beacon.at(directory.resolve("beacon"));
    try (SmallDisk disk = disk()) {
      Path journal = disk.directory().resolve("journal");
      disk.fill(LEFT);
      for (int life = 1; life <= 2; life++) {
        Child child = submit(journal);
        assertThat(child.exitCode()).as(child.lastWords()).isEqualTo(1);
        assertThat(child.lastWords())
            .contains(journal.toString(), "No space left", "the disk is full: make room");
        // What others see may end at the mark before the last answer: there was no room for one.
        assertThat(assertRight(Journal.view(journal, fold()))).isLessThan(EVENTS);
      }
      disk.makeRoom();
      long before;
      try (Journal<Seen, String, String> recovered = Journal.open(journal, fold())) {
        before = assertRight(recovered.view());
      }
      assertThat(beacon.get(Field.COMMITTED)).as("answered").isBetween(1L, before);
      assertThat(before).isLessThan(EVENTS);
      Child child = submit(journal);
      assertThat(child.exitCode()).as(child.lastWords()).isZero();
      View<Seen> end = Journal.view(journal, fold());
      assertThat(assertRight(end)).isEqualTo(EVENTS);
      assertThat(end.counts().duplicates())
          .as("everything is sent again, by each life")
          .isGreaterThanOrEqualTo(before);
    }
  }
}
