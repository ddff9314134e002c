package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The long crash run: writes its figures into {@code docs/flink.md}. Only with {@code mvn -Pproof
 * verify}.
 */
@Tag("proof")
class CrashProofTest {
  private static final String BEGIN = "<!-- figures -->";
  private static final String END = "<!-- end of figures -->";

  private static final int EVENTS = 100_000;
  private static final int KEYS = 25_000;
  private static final int ROUNDS = 4;

  @TempDir Path directory;

  @Test
  void theFiguresOfTheProof() throws Exception {
    Path file = Path.of("..", "docs", "flink.md").toAbsolutePath().normalize();
    String text = Files.readString(file);
    int from = text.indexOf(BEGIN) + BEGIN.length();
    int to = text.indexOf(END);
    assertThat(to).as("the places of the figures in %s", file).isGreaterThan(from);

    CrashRig.Plan plan = new CrashRig.Plan(1, false, EVENTS, KEYS, ROUNDS);
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig = new CrashRig(plan, directory)) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
    assertThat(figures.keys()).isGreaterThanOrEqualTo(20_000);
    assertThat(figures.kills() * 300.0 / seconds).as("kills in 5 minutes").isGreaterThan(10);
    Files.writeString(
        file,
        text.substring(0, from)
            + "\n\n"
            + String.join("\n", page(plan, figures, seconds))
            + "\n\n"
            + text.substring(to));
  }

  private static List<String> page(CrashRig.Plan plan, Figures figures, long seconds) {
    List<String> page = new ArrayList<>();
    page.add(
        String.format(
            Locale.ROOT,
            "By `mvn -B -ntp -Pproof verify -pl oncefold-flink -am` on %s, Java %s, %s %s, %d"
                + " processors, seed %d, a job of two subtasks with a checkpoint every %d ms:",
            LocalDate.now(ZoneOffset.UTC),
            Runtime.version(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(),
            plan.seed(),
            CrashWorker.INTERVAL_MILLIS));
    page.add("");
    page.add(
        "| events | keys | not applied | commits | kills | inside an open commit | faults landed |"
            + " snapshots compared | seconds | verdict |");
    page.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    page.add(
        String.format(
            Locale.ROOT,
            "| %,d | %,d | %,d | %,d | %d | %d | %s | %,d | %d | PASS |",
            figures.counts().events(),
            figures.keys(),
            figures.counts().events() - figures.counts().applied(),
            figures.commits(),
            figures.kills(),
            figures.openCommits(),
            figures.landed().entrySet().stream()
                .map(fault -> fault.getKey() + " × " + fault.getValue())
                .collect(Collectors.joining(", ")),
            figures.snapshots(),
            seconds));
    page.add("");
    page.add(
        String.format(
            Locale.ROOT,
            "F1 is a task that throws, F2 a SIGKILL, F3 one in recovery, F8 a job paused before its"
                + " commit until another had gone on, F12 the broker killed, F13 re-sends, F14"
                + " another parallelism, F17 an update slower than its input. No failure in %d"
                + " kills: at 95 %% confidence fewer than %.1f %% do harm (3/n).",
            figures.kills(),
            300.0 / figures.kills()));
    return page;
  }
}
