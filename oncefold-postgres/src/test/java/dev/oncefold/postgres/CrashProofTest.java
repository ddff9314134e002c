package dev.oncefold.postgres;

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
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The long crash runs: writes their figures into {@code docs/kafka-postgres.md}. Only with {@code
 * mvn -Pproof verify}.
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
    Path file = Path.of("..", "docs", "kafka-postgres.md").toAbsolutePath().normalize();
    String text = Files.readString(file);
    int from = text.indexOf(BEGIN) + BEGIN.length();
    int to = text.indexOf(END);
    assertThat(to).as("the places of the figures in %s", file).isGreaterThan(from);
    page.add(
        String.format(
            Locale.ROOT,
            "By `mvn -B -ntp -Pproof verify -pl oncefold-postgres -am` on %s, Java %s, %s %s, %d processors:",
            LocalDate.now(ZoneOffset.UTC),
            Runtime.version(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors()));
    page.add("");
    page.add(
        "| keys | protocol | events | keys | not applied | kills | inside an open commit | faults landed | snapshots compared | seconds | verdict |");
    page.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    run(
        "one",
        new CrashRig.Plan(1, false, Map.of("group.protocol", "classic"), EVENTS, KEYS, ROUNDS));
    run(
        "two",
        new CrashRig.Plan(2, true, Map.of("group.protocol", "consumer"), EVENTS, KEYS, ROUNDS));
    page.add("");
    page.add(
        String.format(
            Locale.ROOT,
            "F2 is a SIGKILL, F8 a worker paused until others own its partitions, F9 an answer to COMMIT that is lost, F10 a COMMIT that arrives after its sender's death, F12 the database or the broker killed, F13 re-sends, F14 workers that join and die every second. No failure in %d kills: at 95 %% confidence fewer than %.1f %% do harm (3/n).",
            kills,
            300.0 / kills));
    Files.writeString(
        file,
        text.substring(0, from) + "\n\n" + String.join("\n", page) + "\n\n" + text.substring(to));
  }

  private void run(String name, CrashRig.Plan plan) throws Exception {
    long begin = System.nanoTime();
    try (CrashRig rig = new CrashRig(plan, Files.createDirectory(directory.resolve(name)))) {
      Result result = rig.run();
      assertThat(result).isInstanceOf(Result.Pass.class);
      Figures figures = result.figures();
      kills += figures.kills();
      StringBuilder landed = new StringBuilder();
      figures
          .landed()
          .forEach(
              (fault, times) ->
                  landed
                      .append(landed.length() == 0 ? "" : ", ")
                      .append(fault)
                      .append(" × ")
                      .append(times));
      page.add(
          String.format(
              Locale.ROOT,
              "| %s | %s | %,d | %,d | %,d | %d | %d | %s | %,d | %d | PASS |",
              plan.shared() ? "shared" : "owned",
              plan.consumer().get("group.protocol"),
              figures.counts().events(),
              figures.keys(),
              figures.counts().events() - figures.counts().applied(),
              figures.kills(),
              figures.openCommits(),
              landed,
              figures.snapshots(),
              (System.nanoTime() - begin) / 1_000_000_000L));
    }
  }
}
