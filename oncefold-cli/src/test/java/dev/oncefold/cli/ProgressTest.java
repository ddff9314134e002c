package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final StringWriter out = new StringWriter();

  private final PrintWriter printer = new PrintWriter(out, true);

  @Test
  void onATerminalItIsOneLineThatVanishes() {
    Progress progress = Progress.now(printer, true);
    progress.step("writing");
    progress.step("comparing");
    progress.done();
    progress.done();
    assertThat(out).hasToString("\r\u001b[Kwriting\r\u001b[Kcomparing\r\u001b[K");
  }

  @Test
  void elsewhereItIsPlainLinesNowAndThen() {
    Progress progress = Progress.now(printer, false);
    progress.at(() -> "1,234 events");
    progress.at(() -> "1,235 events");
    progress.done();
    assertThat(out.toString().lines()).containsExactly("1,234 events");
  }

  @Test
  void whatIsOverSoonIsNotTold() {
    Progress progress = Progress.later(printer, false);
    progress.at(() -> "1,234 events");
    progress.done();
    assertThat(out.toString()).isEmpty();
  }
}
