package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.journal.Entry;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The walk from sources into the journal. */
class RunnerTest {
  record Add(long amount) {}

  record Total(long sum) {}

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-01T12:00:00Z"), ZoneOffset.UTC);

  @TempDir Path directory;
  private Path data = Path.of("");

  @BeforeEach
  void name() {
    data = directory.resolve("data");
  }

  private static Fold<Total, Add, String> fold(Fold.WhenFailed whenFailed) {
    return Fold.of("totals", Total.class, Add.class, String.class)
        .initially(new Total(0))
        .remembering(Duration.ofDays(7))
        .whenFailed(whenFailed)
        .update(
            (total, event) -> {
              long amount = event.value().amount();
              if (amount == 13) {
                throw new IllegalStateException("13");
              } else if (amount == 14) {
                throw new LinkageError("a class is broken");
              }
              return amount < 0
                  ? Outcome.reject("negative")
                  : Outcome.accept(new Total(total.sum() + amount), event.key());
            });
  }

  private Journal<Total, Add, String> open(Fold<Total, Add, String> fold) {
    return Journal.open(data, fold, Options.defaults().clock(CLOCK));
  }

  /** Lines are "id key amount"; "-" is no id. */
  private static @Nullable Event<Add> decode(String line) {
    if (line.isEmpty()) {
      return null;
    }
    List<String> words = Arrays.asList(line.split(" ", -1));
    String id = words.get(0).equals("-") ? null : words.get(0);
    return new Event<>(id, words.get(1), CLOCK.instant(), new Add(Long.parseLong(words.get(2))));
  }

  private FileSource<Add> source(String name) {
    return FileSource.of(directory.resolve(name), RunnerTest::decode);
  }

  private void write(String name, String... lines) throws IOException {
    Files.writeString(directory.resolve(name), String.join("\n", lines) + "\n");
  }

  private static Counts run(
      Journal<Total, Add, String> journal, Fold<Total, Add, String> fold, Source<Add> source)
      throws InterruptedException {
    return new Runner<>(journal, fold, List.of(source), CLOCK).run();
  }

  private static Counts counts(
      long applied, long rejected, long duplicates, long conflicts, long failed) {
    return new Counts(applied, rejected, duplicates, conflicts, 0, failed, applied);
  }

  @Test
  void runsToTheEndAndGoesOnWhereItWas() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 5", "1 a 5", "1 a 6", "2 a -1", "", "- b 3");
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThat(run(journal, fold, source("in"))).isEqualTo(counts(2, 1, 1, 1, 0));
      assertThat(journal.counts()).isEqualTo(counts(2, 1, 1, 1, 0));
      assertThat(run(journal, fold, source("in"))).isEqualTo(Counts.NONE);
    }
    Files.writeString(directory.resolve("in"), "1 a 5\n3 a 1\n", StandardOpenOption.APPEND);
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThat(run(journal, fold, source("in"))).isEqualTo(counts(1, 0, 1, 0, 0));
      assertThat(journal.state("a")).isEqualTo(new Total(6));
      assertThat(journal.counts().events()).isEqualTo(7);
      assertThat(journal.positions().get("in")).isNotNull();
      assertThat(journal.positions().get("in").offset())
          .isEqualTo(Files.size(directory.resolve("in")));
    }
  }

  @Test
  void nothingIsLostFromTheCounts() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.REFUSE);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      lines.add(
          switch (i % 11) {
            case 3 -> i - 1 + " k" + (i - 1) % 7 + " 1";
            case 5 -> i + " k" + i % 7 + " -1";
            case 7 -> "not an event";
            case 9 -> i + " k" + i % 7 + " 13";
            default -> i + " k" + i % 7 + " 1";
          });
    }
    write("in", lines.toArray(String[]::new));
    try (Journal<Total, Add, String> journal = open(fold)) {
      Counts counts = run(journal, fold, source("in"));
      assertThat(counts.events()).isEqualTo(5000);
      assertThat(counts).isEqualTo(journal.counts());
      assertThat(List.of(counts.rejected(), counts.duplicates(), counts.failed()))
          .isEqualTo(List.of(455L, 455L, 908L));
      long sum = 0;
      for (int k = 0; k < 7; k++) {
        Total total = journal.state("k" + k);
        sum += total == null ? 0 : total.sum();
      }
      assertThat(sum).isEqualTo(counts.applied());
    }
  }

  // ---------------------------------------------------------------- failed events

  @Test
  void stopsBeforeAFailedEventAndTheNextRunStartsAtIt() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 5", "2 a 6", "3 a 13", "4 a 7");
    for (int attempt = 0; attempt < 2; attempt++) {
      try (Journal<Total, Add, String> journal = open(fold)) {
        Runner<Total, Add, String> runner =
            new Runner<>(journal, fold, List.of(source("in")), CLOCK);
        assertThatThrownBy(runner::run)
            .isInstanceOfSatisfying(
                FailedEventException.class,
                failed -> {
                  assertThat(failed.partition()).isEqualTo("in");
                  assertThat(failed.offset()).isEqualTo(12);
                  assertThat(failed.failure()).isEqualTo(Verdict.Cause.UPDATE);
                })
            .hasMessageContainingAll("in@12", "key \"a\"", "id \"3\"", "13", "everything before");
        assertThat(journal.state("a")).isEqualTo(new Total(11));
        assertThat(journal.counts()).isEqualTo(counts(2, 0, 0, 0, 0));
        assertThat(runner.counts().events()).isEqualTo(attempt == 0 ? 2 : 0);
      }
    }
    Fold<Total, Add, String> refusing = fold(Fold.WhenFailed.REFUSE);
    try (Journal<Total, Add, String> journal = open(refusing)) {
      assertThat(run(journal, refusing, source("in"))).isEqualTo(counts(1, 0, 0, 0, 1));
      assertThat(journal.state("a")).isEqualTo(new Total(18));
    }
  }

  @Test
  void stopsBeforeWhatCannotBeDecoded() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a x");
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThatThrownBy(() -> run(journal, fold, source("in")))
          .isInstanceOfSatisfying(
              FailedEventException.class,
              e -> assertThat(e.failure()).isEqualTo(Verdict.Cause.UNDECODABLE))
          .hasMessageContainingAll("in@0", "\"x\"");
      assertThat(journal.sequence()).isZero();
    }
  }

  @Test
  void stopsBeforeWhatCannotBeStored() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 5");
    try (Journal<Total, Add, String> journal = open(fold);
        FileSource<Add> source =
            FileSource.of(
                directory.resolve("in"),
                line -> new Event<>("\ud800", "a", CLOCK.instant(), new Add(1)))) {
      assertThatThrownBy(() -> run(journal, fold, source))
          .isInstanceOf(FailedEventException.class)
          .hasMessageContaining("in@0");
      assertThat(journal.sequence()).isZero();
      assertThat(journal.state("a")).isNull();
    }
  }

  @Test
  void refusedEventsReachTheRefusals() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.REFUSE);
    write("in", "1 a 5", "nonsense", "2 a 13", "3 a -1", "4 a 1");
    List<String> refused = new ArrayList<>();
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThat(run(journal, fold, source("in"))).isEqualTo(counts(2, 1, 0, 0, 2));
      journal.history(
          entry -> {
            if (entry.isRefusal()) {
              refused.add(line(entry));
            }
          });
    }
    assertThat(refused)
        .containsExactly(
            "in@6 UNDECODABLE nonsense", "2 UPDATE Add[amount=13]", "3 null Add[amount=-1]");
  }

  private static String line(Entry<Total, Add, String> entry) {
    byte[] raw = entry.raw();
    return entry.id()
        + " "
        + entry.failure()
        + " "
        + (raw == null
            ? String.valueOf(entry.value())
            : new String(raw, java.nio.charset.StandardCharsets.UTF_8));
  }

  @Test
  void anErrorPassesThroughAndNothingOfItsBatchIsKept() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.REFUSE);
    write("in", "1 a 5", "2 a 14");
    Journal<Total, Add, String> journal = open(fold);
    assertThatThrownBy(() -> run(journal, fold, source("in"))).isInstanceOf(LinkageError.class);
    assertThatThrownBy(journal::close).hasMessageContaining("given up half-way");
    try (Journal<Total, Add, String> again = open(fold)) {
      assertThat(again.sequence()).isZero();
      assertThat(again.state("a")).isNull();
    }
  }

  // ---------------------------------------------------------------- several, and stopping

  @Test
  void severalSourcesTakeTurns() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    String[] lines = new String[1500];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = i + " a 1";
    }
    write("one", lines);
    write("two", lines);
    List<String> batches = new ArrayList<>();
    try (Journal<Total, Add, String> journal = open(fold)) {
      Runner<Total, Add, String> runner =
          new Runner<>(
              journal,
              fold,
              List.of(source("one"), source("two")),
              CLOCK,
              Fold.WhenFailed.STOP,
              (polled, verdicts) -> batches.add(polled.partition()));
      assertThat(runner.run()).isEqualTo(counts(1500, 0, 1500, 0, 0));
      assertThat(journal.state("a")).isEqualTo(new Total(1500));
    }
    assertThat(batches).containsExactly("one", "two", "one", "two", "one", "two");
  }

  @Test
  void twoSourcesOfOneNameAreRefused() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 1");
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThatThrownBy(
              () -> new Runner<>(journal, fold, List.of(source("in"), source("in")), CLOCK).run())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"in\"");
    }
  }

  @Test
  void stopFinishesTheBatchInHand() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    String[] lines = new String[3000];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = "- a 1";
    }
    write("in", lines);
    try (Journal<Total, Add, String> journal = open(fold)) {
      List<Runner<Total, Add, String>> runners = new ArrayList<>();
      FileSource<Add> stopping =
          FileSource.of(
              directory.resolve("in"),
              line -> {
                runners.get(0).stop();
                return decode(line);
              });
      runners.add(new Runner<>(journal, fold, List.of(stopping), CLOCK));
      Counts counts = runners.get(0).run();
      assertThat(counts.applied()).isBetween(1L, 2999L);
      assertThat(journal.state("a")).isEqualTo(new Total(counts.applied()));
      assertThat(journal.counts()).isEqualTo(counts);
      assertThat(run(journal, fold, source("in")).applied()).isEqualTo(3000 - counts.applied());
    }
  }

  @Test
  void aNewerRunFencesAnOlderOne() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 1");
    try (Journal<Total, Add, String> journal = open(fold)) {
      FileSource<Add> following = source("in").following();
      Runner<Total, Add, String> old = new Runner<>(journal, fold, List.of(following), CLOCK);
      assertThat(old.step(Duration.ZERO)).isTrue();
      old.awaitCommits();
      assertThat(run(journal, fold, source("in"))).isEqualTo(Counts.NONE);
      Files.writeString(directory.resolve("in"), "2 a 1\n", StandardOpenOption.APPEND);
      assertThatThrownBy(() -> old.step(Duration.ZERO))
          .isInstanceOf(FencedException.class)
          .hasMessageContaining("\"in\"");
      following.close();
      assertThat(run(journal, fold, source("in"))).isEqualTo(counts(1, 0, 0, 0, 0));
    }
  }

  /** Lines that hold no event are never committed by themselves; the run goes on all the same. */
  @Test
  void followsAFileWithLinesThatAreNoEvents() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    Files.writeString(directory.resolve("in"), "\n\n");
    try (Journal<Total, Add, String> journal = open(fold);
        FileSource<Add> following = source("in").following()) {
      Runner<Total, Add, String> runner = new Runner<>(journal, fold, List.of(following), CLOCK);
      assertThat(runner.step(Duration.ZERO)).isFalse();
      Files.writeString(directory.resolve("in"), "1 a 1\n\n\n", StandardOpenOption.APPEND);
      assertThat(runner.step(Duration.ZERO)).isTrue();
      assertThat(runner.step(Duration.ZERO)).isFalse();
      Files.writeString(directory.resolve("in"), "2 a 1\n", StandardOpenOption.APPEND);
      assertThat(runner.step(Duration.ZERO)).isTrue();
      runner.awaitCommits();
      assertThat(journal.state("a")).isEqualTo(new Total(2));
    }
  }

  @Test
  void whatAfterCommitThrowsIsNotSwallowed() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    String[] lines = new String[1500];
    Arrays.fill(lines, "- a 1");
    write("in", lines);
    try (Journal<Total, Add, String> journal = open(fold)) {
      int[] batch = new int[1];
      Runner<Total, Add, String> runner =
          new Runner<>(
              journal,
              fold,
              List.of(source("in")),
              CLOCK,
              Fold.WhenFailed.STOP,
              (polled, verdicts) -> {
                if (batch[0]++ == 0) {
                  throw new IllegalStateException("told to nobody");
                }
              });
      assertThatThrownBy(runner::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("told to nobody");
    }
  }

  /** The events that a person has looked at are refused, and no others. */
  @Test
  void refusesTheFailedEventsAtTheNamedPositions() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("in", "1 a 5", "nonsense", "2 a 13", "3 a 6", "4 a 13", "5 a 7");
    List<String> refused = new ArrayList<>();
    try (Journal<Total, Add, String> journal = open(fold)) {
      // What does not fail is judged like any other event; a position of no event is no matter.
      List<String> looked = new ArrayList<>(List.of("in@0", "in@7", "in@99", "out@6"));
      Runner<Total, Add, String> first =
          new Runner<>(journal, fold, List.of(source("in")), CLOCK).refusing(looked);
      assertThatThrownBy(first::run)
          .isInstanceOfSatisfying(
              FailedEventException.class,
              failed -> {
                assertThat(failed.position()).isEqualTo("in@6");
                assertThat(failed.reason()).isEqualTo("Index 1 out of bounds for length 1");
                assertThat(failed.failure()).isEqualTo(Verdict.Cause.UNDECODABLE);
                looked.add(failed.position());
              })
          .hasMessageContainingAll("in@6", "Runner.refusing");
      looked.add("in@15");
      Runner<Total, Add, String> second =
          new Runner<>(journal, fold, List.of(source("in")), CLOCK).refusing(looked);
      assertThatThrownBy(second::run)
          .isInstanceOfSatisfying(
              FailedEventException.class,
              failed -> {
                assertThat(failed.position()).isEqualTo("in@28");
                assertThat(failed.reason()).endsWith("java.lang.IllegalStateException: 13");
              });
      assertThat(second.counts()).isEqualTo(counts(1, 0, 0, 0, 2));
      assertThat(journal.state("a")).isEqualTo(new Total(11));
      journal.history(
          entry -> {
            if (entry.isRefusal()) {
              refused.add(line(entry));
            }
          });
    }
    assertThat(refused).containsExactly("in@6 UNDECODABLE nonsense", "2 UPDATE Add[amount=13]");
  }

  /** The journal counts the events of {@code submit} under that name. */
  @Test
  void aSourceNamedLikeTheJournalsOwnIsRefused() throws Exception {
    Fold<Total, Add, String> fold = fold(Fold.WhenFailed.STOP);
    write("submit", "1 a 1");
    Event<Add> event = new Event<>("2", "a", CLOCK.instant(), new Add(2));
    try (Journal<Total, Add, String> journal = open(fold)) {
      assertThatThrownBy(() -> run(journal, fold, source("submit")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("\"submit\"", "Journal.submit", "FileSource.named");
      assertThat(journal.submit(event).join().kind()).isEqualTo(Verdict.Kind.APPLIED);
      assertThat(run(journal, fold, source("submit").named("file")))
          .isEqualTo(counts(1, 0, 0, 0, 0));
      assertThat(journal.submit(event).join().kind()).isEqualTo(Verdict.Kind.DUPLICATE);
      assertThat(journal.state("a")).isEqualTo(new Total(3));
    }
  }
}
