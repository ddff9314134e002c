package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.YAML;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run that is killed again and again leaves what one run leaves. The file grows from life to
 * life, by whole lines or not, so that none can get ahead of its kill.
 */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class RunKillTest {
  private static final int KILLS = 20;
  private static final int EVENTS_OF_A_LIFE = 1_200;

  /** Of the 60 KB and more that a life writes to its output. */
  private static final int MOST_OUTPUT_OF_A_LIFE = 40_000;

  private static final long SEED = 20_260;
  private static final String REFUSING = YAML.replace("failed: stop", "failed: refuse");

  @TempDir Path undisturbed;
  @TempDir Path killed;

  @Test
  void twentyKillsLeaveWhatOneRunLeaves() throws IOException, InterruptedException {
    Random random = new Random(SEED);
    byte[] events = events(random, EVENTS_OF_A_LIFE * KILLS);
    Accounts once = Accounts.in(undisturbed).pipeline(REFUSING);
    Files.write(once.path("payments.ndjson"), events);
    assertThat(once.oncefold("run").exitCode()).isZero();

    Accounts often = Accounts.in(killed).pipeline(REFUSING);
    Path input = often.path("payments.ndjson");
    Path log = often.path("log");
    Files.write(input, new byte[0]);
    int written = 0;
    for (int life = 1; life <= KILLS; life++) {
      int more = (int) ((long) events.length * life / KILLS);
      append(input, events, written, more);
      written = more;
      long enough = size(often) + random.nextInt(MOST_OUTPUT_OF_A_LIFE);
      boolean early = life % 4 == 0;
      try (RunningChild run =
          RunningChild.start(
              log, "run", often.path("accounts.yaml").toString(), "--follow", "--json")) {
        if (early) {
          // It has opened the journal, and reads what the life before left there.
          run.await(() -> holds(often.path("data/lock"), run.number()));
        } else {
          run.await(() -> size(often) > enough);
        }
        run.kill();
      }
    }
    assertThat(Files.readString(log)).as("none came to its end, seed %d", SEED).isEmpty();
    Command last = often.oncefold("run");
    assertThat(last.err()).isEmpty();
    assertThat(last.out()).contains("goes on behind line ");

    assertThat(often.read("receipts.ndjson")).isEqualTo(once.read("receipts.ndjson"));
    assertThat(refused(often)).isEqualTo(refused(once));
    assertThat(often.oncefold("state").out()).isEqualTo(once.oncefold("state").out());
    assertThat(total(last.out())).isEqualTo(total(once.oncefold("run").out()));
    assertThat(often.read("receipts.ndjson").lines().count()).isGreaterThan(10_000);
    assertThat(often.read("refused.ndjson"))
        .contains("\"rejected\"", "\"conflict\"", "\"expired\"", "\"failed\"");
  }

  /**
   * The refusals without the floor that an expired event met: floors rise at the ends of batches,
   * and where those are depends on how much of the file was there.
   */
  private static String refused(Accounts accounts) {
    return accounts
        .read("refused.ndjson")
        .replaceAll("ids up to [^ ]+ may have been forgotten", "ids may have been forgotten");
  }

  /** What stands in the column "in total". */
  private static List<String> total(String out) {
    return out.lines()
        .filter(line -> line.matches("  .* [\\d,]+ +[\\d,]+"))
        .map(line -> line.substring(0, 15) + line.substring(line.lastIndexOf(' ')))
        .toList();
  }

  private static void append(Path file, byte[] bytes, int from, int to) throws IOException {
    ByteArrayOutputStream part = new ByteArrayOutputStream();
    part.write(bytes, from, to - from);
    Files.write(file, part.toByteArray(), StandardOpenOption.APPEND);
  }

  private static long size(Accounts accounts) {
    return accounts.path("receipts.ndjson").toFile().length();
  }

  private static boolean holds(Path lock, long process) {
    try {
      return Files.exists(lock) && Files.readString(lock).strip().equals(Long.toString(process));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Payments with everything in them that can become of one. */
  private static byte[] events(Random random, int count) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int chance = random.nextInt(100);
      String again =
          lines.isEmpty()
              ? ""
              : lines.get(lines.size() - 1 - random.nextInt(lines.size() > 50 ? 50 : 1));
      if (chance < 4 && !again.isEmpty()) {
        lines.add(again);
      } else if (chance < 6 && again.contains("deposit")) {
        lines.add(again.replace("\"amount\":", "\"amount\":9"));
      } else if (chance == 6) {
        lines.add("no payment " + i);
      } else if (chance == 7 && i > count / 2) {
        lines.add(payment("late-" + i, random, 0));
      } else {
        lines.add(payment("p-" + i, random, i));
      }
    }
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** A payment each minute: ids are remembered for a quarter of it all. */
  private static String payment(String id, Random random, int minute) {
    return String.format(
        "{\"id\":\"%s\",\"account\":\"a%d\",\"type\":\"%s\",\"amount\":%d.%02d,\"at\":\"%s\"}",
        id,
        random.nextInt(300),
        random.nextInt(3) == 0 ? "withdraw" : "deposit",
        random.nextInt(200),
        random.nextInt(100),
        Instant.parse("2026-01-01T00:00:00Z").plusSeconds(60L * minute));
  }
}
