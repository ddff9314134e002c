package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final StringWriter out = new StringWriter();

  private Progress progress(boolean terminal) {
    return new Progress(new PrintWriter(out, true), terminal, 200_000, 24);
  }

  @Test
  void onATerminalItIsOneLineThatVanishes() {
    Progress progress = progress(true);
    progress.step("writing");
    progress.step("comparing");
    progress.done();
    progress.done();
    assertThat(out).hasToString("\r\u001b[Kwriting\r\u001b[Kcomparing\r\u001b[K");
  }

  @Test
  void elsewhereItIsPlainLines() {
    Progress progress = progress(false);
    Kills.Tally tally = new Kills.Tally();
    tally.kills = 3;
    tally.insideCommit = 2;
    progress.applying(1_234, tally);
    progress.applying(1_235, tally);
    progress.done();
    assertThat(out.toString().lines())
        .singleElement()
        .asString()
        .contains("1,234 of 200,000 events", "3 of 24 kills (2 in an open commit)");
  }
}
