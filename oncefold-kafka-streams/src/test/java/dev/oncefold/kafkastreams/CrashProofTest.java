package dev.oncefold.kafkastreams;

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
 * The long crash run: writes its figures into {@code docs/kafka-streams.md}. Only with {@code mvn
 * -Pproof verify}.
 */
@Tag("proof")
class CrashProofTest {
  private static final String BEGIN = "<!-- figures -->";
  private static final String END = "<!-- end of figures -->";

  private static final int EVENTS = 100_000;
  private static final int KEYS = 25_000;
  private static final int ROUNDS = 6;

  private final List<String> page = new ArrayList<>();
  private int kills;

  @TempDir Path directory;

  @Test
  void theFiguresOfTheProof() throws Exception {
    Path file = Path.of("..", "docs", "kafka-streams.md").toAbsolutePath().normalize();
    String text = Files.readString(file);
    int from = text.indexOf(BEGIN) + BEGIN.length();
    int to = text.indexOf(END);
    assertThat(to).as("the places of the figures in %s", file).isGreaterThan(from);
    page.add(
        String.format(
            Locale.ROOT,
            "By `mvn -B -ntp -Pproof verify -pl oncefold-kafka-streams -am` on %s, Java %s, %s %s,"
                + " %d processors, two instances with a standby for each task:",
            LocalDate.now(ZoneOffset.UTC),
            Runtime.version(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors()));
    page.add("");
    page.add(
        "| protocol | events | keys | not applied | commits | kills | inside an open commit | faults landed |"
            + " snapshots compared | seconds | verdict |");
    page.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    run(new CrashRig.Plan(1, CrashWorker.class, true, EVENTS, KEYS, ROUNDS, "classic"));
    run(new CrashRig.Plan(2, CrashWorker.class, true, EVENTS, KEYS, ROUNDS, "streams"));
    page.add("");
    page.add(
        String.format(
            Locale.ROOT,
            "F2 is a SIGKILL, F8 an instance paused in its commit until others have gone on,"
                + " F13 re-sends, F14 instances that join and die every second,"
                + " F15 a transaction that times out while its instance is paused. No failure in"
                + " %d kills: at 95 %% confidence fewer than %.1f %% do harm (3/n).",
            kills,
            300.0 / kills));
    Files.writeString(
        file,
        text.substring(0, from) + "\n\n" + String.join("\n", page) + "\n\n" + text.substring(to));
  }

  private void run(CrashRig.Plan plan) throws Exception {
    long begin = System.nanoTime();
    Figures figures;
    try (CrashRig rig =
        new CrashRig(plan, Files.createDirectory(directory.resolve(plan.protocol())))) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      figures = result.figures();
    }
    kills += figures.kills();
    page.add(
        String.format(
            Locale.ROOT,
            "| %s | %,d | %,d | %,d | %,d | %d | %d | %s | %,d | %d | PASS |",
            plan.protocol(),
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
            (System.nanoTime() - begin) / 1_000_000_000L));
  }
}
