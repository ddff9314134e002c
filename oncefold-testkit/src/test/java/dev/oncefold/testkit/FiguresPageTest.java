package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.verify.Figures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures stand where those of the last time stood, and all else stays. */
class FiguresPageTest {
  @TempDir Path directory;

  @Test
  void figuresTakeThePlaceOfThoseBefore() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("page.md"),
            "# Page\n<!-- figures -->\nof last time\n<!-- end of figures -->\nbehind\n");
    for (int i = 0; i < 2; i++) {
      FiguresPage page = new FiguresPage(file, "oncefold-x", "two workers");
      page.crashRuns("protocol");
      Counts counts = new Counts(1_500, 1, 0, 0, 0, 0, 1_500);
      page.passed(
          new Figures(9, counts, 1_234, 7, 3, 0, 0, 0, 30, 20, Map.of("F2", 30), Map.of()),
          12,
          "classic");
      page.faults("F2 is a SIGKILL");
      page.publish();
    }
    assertThat(Files.readString(file))
        .startsWith(
            "# Page\n<!-- figures -->\n\nBy `mvn -B -ntp -Pproof verify -pl oncefold-x -am` on ")
        .contains(
            " processors, two workers.\n\n| protocol | events | keys |",
            "\n| classic | 1,501 | 1,234 | 1 | 7 | 30 | 20 | F2 × 30 | 3 | 12 | PASS |\n\n",
            "F2 is a SIGKILL. No failure in 30 kills: at 95 % confidence fewer than 10.0 % do harm"
                + " (3/n).\n\n<!-- end of figures -->\nbehind\n")
        .doesNotContain("of last time")
        .containsOnlyOnce("classic");
  }

  @Test
  void aPageWithoutAPlaceForThemIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("page.md"), "# Page\n");
    assertThatThrownBy(() -> new FiguresPage(file, "oncefold-x", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no place for figures: write <!-- figures -->");
  }
}
