package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Journal;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code submit} has answered survives SIGKILL, once; what it has not may be sent again. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SubmitKillTest {
  private static final int KEYS = 50;
  private static final int IN_FLIGHT = 200;

  @TempDir Path directory;

  /**
   * The state of a key.
   *
   * @param events how many events were applied
   * @param sum of their numbers
   */
  record Tally(long events, long sum) {}

  static Fold<Tally, Integer, Integer> tallies() {
    return Fold.of("tallies", Tally.class, Integer.class, Integer.class)
        .initially(new Tally(0, 0))
        .rememberingForever()
        .update(
            (tally, event) ->
                Outcome.accept(new Tally(tally.events() + 1, tally.sum() + event.value())));
  }

  static Event<Integer> event(int number) {
    return new Event<>("e-" + number, "key-" + number % KEYS, null, number);
  }

  /** Submits events from a number on, and prints the number of each that was answered. */
  static final class Submitter {
    private Submitter() {}

    public static void main(String[] args) {
      try (Journal<Tally, Integer, Integer> journal = Journal.open(Path.of(args[0]), tallies())) {
        Queue<CompletableFuture<?>> waiting = new ArrayDeque<>();
        for (int number = Integer.parseInt(args[1]); ; number++) {
          int submitted = number;
          waiting.add(
              journal
                  .submit(event(number))
                  .thenAccept(
                      verdict -> {
                        System.out.println(submitted + " " + verdict.kind());
                        System.out.flush();
                      }));
          if (waiting.size() > IN_FLIGHT) {
            waiting.remove().join();
          }
        }
      }
    }
  }

  @Test
  void everyAnsweredEventIsThereOnceAfterSigkill() throws IOException, InterruptedException {
    Random random = new Random(20_240);
    Set<Integer> sent = new HashSet<>();
    for (int life = 0; life < 4; life++) {
      Set<Integer> answered = submitUntilKilled(sent.size(), 1 + random.nextInt(3_000));
      try (Journal<Tally, Integer, Integer> journal =
          Journal.open(directory.resolve("journal"), tallies())) {
        Set<Integer> applied = appliedOnce(journal);
        assertThat(applied).containsAll(sent).containsAll(answered);
        assertStates(journal, applied);
        // Whoever got no answer sends again.
        int last = applied.stream().mapToInt(number -> number).max().orElseThrow() + IN_FLIGHT;
        List<CompletableFuture<Verdict<Tally, Integer>>> answers = new ArrayList<>();
        for (int number = 0; number <= last; number++) {
          answers.add(journal.submit(event(number)));
        }
        for (int number = 0; number <= last; number++) {
          assertThat(answers.get(number).join().kind())
              .as("event %d", number)
              .isEqualTo(applied.contains(number) ? Verdict.Kind.DUPLICATE : Verdict.Kind.APPLIED);
          sent.add(number);
        }
        assertStates(journal, sent);
      }
    }
  }

  /** The numbers of the events that the journal has applied, each once. */
  private static Set<Integer> appliedOnce(Journal<Tally, Integer, Integer> journal) {
    Set<Integer> applied = new HashSet<>();
    journal.history(
        entry -> {
          if (entry.verdict() == Verdict.Kind.APPLIED) {
            assertThat(applied.add(entry.value())).as("%s is applied once", entry.id()).isTrue();
          }
        });
    return applied;
  }

  private static void assertStates(Journal<Tally, Integer, Integer> journal, Set<Integer> applied) {
    Map<String, Tally> expected = new HashMap<>();
    for (int number : applied) {
      expected.merge(
          event(number).key(),
          new Tally(1, number),
          (one, other) -> new Tally(one.events() + other.events(), one.sum() + other.sum()));
    }
    Map<String, Tally> stored = new HashMap<>();
    journal.view().slots().forEach((key, slot) -> stored.put(key, slot.state()));
    assertThat(stored).isEqualTo(expected);
  }

  private Set<Integer> submitUntilKilled(int first, int enough)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Submitter.class.getName(),
                directory.resolve("journal").toString(),
                Integer.toString(first))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Set<Integer> answered = new HashSet<>();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ", -1);
        // A last line may be cut; whoever saw only a part of an answer has none.
        if (words.length == 2 && words[1].equals("APPLIED")) {
          answered.add(Integer.valueOf(words[0]));
        }
        if (answered.size() == enough) {
          process.toHandle().destroyForcibly();
        }
      }
    }
    assertThat(process.waitFor()).as("killed by SIGKILL").isEqualTo(128 + 9);
    assertThat(answered).hasSizeGreaterThanOrEqualTo(enough);
    return answered;
  }
}
