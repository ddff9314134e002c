package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/**
 * The long run of the proof: writes its figures into {@code docs/proof.md}. Only with {@code mvn
 * -Pproof verify}.
 */
@Tag("proof")
class ProofPageTest {
  private static final String SEEDS = "oncefold.simulation.seeds";

  private FiguresPage page;

  /** 100,000 deposits, withdrawals and re-sends over some 25,000 keys, a few of them hot. */
  static class Moves implements Subject<Trace, Moves.Amount, Trace> {
    private static final int EVENTS = 100_000;
    private static final int KEYS = 25_000;

    record Amount(long seq, long cents) {}

    @Override
    public Fold<Trace, Amount, Trace> fold() {
      return Fold.of("moves", Trace.class, Amount.class, Trace.class)
          .initially(Trace.NONE)
          .remembering(Duration.ofDays(7))
          .update(
              (trace, event) -> {
                if (trace.sum() + event.value().cents() < 0) {
                  return Outcome.reject("insufficient funds");
                }
                Trace next =
                    trace.after(
                        String.valueOf(event.id()), event.value().seq(), event.value().cents());
                return Outcome.accept(next, next);
              });
    }

    @Override
    public List<Event<Amount>> events() {
      SplittableRandom random = new SplittableRandom(1);
      Instant begin = Instant.parse("2026-01-01T00:00:00Z");
      List<Event<Amount>> events = new ArrayList<>();
      for (int i = 0; i < EVENTS; i++) {
        if (i > 0 && random.nextInt(12) == 0) {
          int back = random.nextInt(4) == 0 ? random.nextInt(i) : random.nextInt(Math.min(i, 50));
          Event<Amount> again = events.get(i - 1 - back);
          Amount amount =
              random.nextInt(4) == 0
                  ? new Amount(again.value().seq(), again.value().cents() + 1)
                  : again.value();
          events.add(new Event<>(again.id(), again.key(), again.time(), amount));
        } else {
          int key = random.nextInt(4) == 0 ? random.nextInt(50) : random.nextInt(KEYS);
          events.add(
              new Event<>(
                  "m-" + i,
                  "k-" + key,
                  begin.plusSeconds(20L * i),
                  new Amount(i, random.nextInt(100) - 20)));
        }
      }
      return events;
    }
  }

  @BeforeEach
  void page() throws IOException {
    page = new FiguresPage(Path.of("..", "docs", "proof.md"), "oncefold-testkit", "");
  }

  @Test
  void theFiguresOfTheProof() throws Exception {
    crashes();
    simulation();
    broken();
    conformance();
    page.publish();
  }

  private void heading(String title) {
    page.add("");
    page.add("### " + title);
    page.add("");
  }

  private void crashes() throws IOException, InterruptedException {
    heading("Crash runs of real processes");
    page.add(
        "| seed | events | keys | re-sends | kills | inside an open commit | other faults landed |"
            + " recovery points compared | seconds | verdict |");
    page.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    int kills = 0;
    for (long seed = 1; seed <= 3; seed++) {
      long begin = System.nanoTime();
      Verification.Report report =
          Verification.of(Moves.class).seed(seed).kills(70).pauses(6).run().orFail();
      long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();
      Figures figures = report.result().figures();
      kills += figures.kills();
      page.add(
          String.format(
              Locale.ROOT,
              "| %d | %,d | %,d | %,d | %d | %d | %s | %d | %d | PASS |",
              seed,
              figures.counts().events(),
              figures.keys(),
              figures.counts().duplicates()
                  + figures.counts().conflicts()
                  + figures.counts().expired(),
              figures.kills(),
              figures.openCommits(),
              others(figures.landed()),
              figures.snapshots(),
              seconds));
    }
    page.add("");
    page.add(
        String.format(
            Locale.ROOT,
            "No failure in %d kills: at 95 %% confidence fewer than %.1f %% of kills do harm (3/n).",
            kills,
            300.0 / kills));
  }

  private static String others(Map<String, Integer> landed) {
    List<String> others = new ArrayList<>();
    landed.forEach(
        (fault, times) -> {
          if (!fault.equals("F2")) {
            others.add(fault + " × " + times);
          }
        });
    return String.join(", ", others);
  }

  private void simulation() throws Exception {
    heading("Simulation");
    String before = System.getProperty(SEEDS);
    System.setProperty(SEEDS, System.getProperty("oncefold.proof.seeds", "30000"));
    try {
      told("Simulation: ", dev.oncefold.journal.Proofs.SIMULATION)
          .forEach(line -> page.add(line + "."));
    } finally {
      if (before == null) {
        System.clearProperty(SEEDS);
      } else {
        System.setProperty(SEEDS, before);
      }
    }
  }

  private void broken() throws Exception {
    heading("Broken engines, each caught by the checker");
    page.add("| broken engine | what the checker says |");
    page.add("| --- | --- |");
    List<Class<?>> tests = new ArrayList<>(dev.oncefold.journal.Proofs.BROKEN);
    tests.add(BrokenToysTest.class);
    for (Class<?> test : tests) {
      told("Broken engine, ", test)
          .forEach(
              line ->
                  page.add(
                      "| "
                          + line.replaceFirst(": |, (?=survives)", " | ")
                              .replaceFirst(" after 1 seeds$", " with the first seed")
                          + " |"));
    }
  }

  private void conformance() {
    heading("Conformance suite");
    page.add("| engine | claims | passed | failed | skipped |");
    page.add("| --- | --- | --- | --- | --- |");
    suite("embedded, killed by SIGKILL", EmbeddedConformanceTest.class);
    suite("embedded, on a simulated disk that loses power", InProcessConformanceTest.class);
  }

  private void suite(String engine, Class<? extends ConformanceSuite> suite) {
    Events tests = SuiteRun.all(suite);
    page.add(
        String.format(
            Locale.ROOT,
            "| %s | %d | %d | %d | %d |",
            engine,
            SuiteRun.count(),
            tests.succeeded().count(),
            tests.failed().count(),
            tests.skipped().count()));
    assertThat(tests.succeeded().count()).isEqualTo(SuiteRun.count());
  }

  /** Runs a test of the build, and answers what it says of itself. */
  private static List<String> told(String beginning, Class<?> test) throws IOException {
    PrintStream out = System.out;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (PrintStream heard = new PrintStream(said, true, StandardCharsets.UTF_8)) {
      System.setOut(heard);
      EngineTestKit.engine("junit-jupiter")
          .enableImplicitConfigurationParameters(true)
          .selectors(selectClass(test))
          .execute()
          .testEvents()
          .assertStatistics(statistics -> statistics.failed(0).skipped(0).aborted(0));
    } finally {
      System.setOut(out);
    }
    return said.toString(StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith(beginning))
        .map(line -> line.substring(beginning.length()))
        .sorted()
        .toList();
  }
}
