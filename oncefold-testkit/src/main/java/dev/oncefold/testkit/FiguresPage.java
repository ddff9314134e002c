package dev.oncefold.testkit;

import dev.oncefold.verify.Figures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The figures of a proof, for a page of the documentation: between the marks {@code <!-- figures
 * -->} and {@code <!-- end of figures -->}. Used by one thread.
 */
public final class FiguresPage {
  private static final String BEGIN = "<!-- figures -->";
  private static final String END = "<!-- end of figures -->";
  private static final List<String> COLUMNS =
      List.of(
          "events",
          "keys",
          "not applied",
          "commits",
          "kills",
          "inside an open commit",
          "faults landed",
          "snapshots compared",
          "seconds",
          "verdict");

  private final Path file;
  private final String before;
  private final String behind;
  private final List<String> lines = new ArrayList<>();
  private int kills;

  /**
   * Begins with a sentence that says how the figures came about.
   *
   * @param file the page
   * @param module the module whose proof this is, for the command that runs it again
   * @param about what was run, behind the machine it ran on; may be empty
   * @throws IOException if the page cannot be read
   * @throws IllegalArgumentException if it has no place for figures
   */
  public FiguresPage(Path file, String module, String about) throws IOException {
    this.file = file;
    String text = Files.readString(file);
    int from = text.indexOf(BEGIN);
    int to = text.indexOf(END);
    if (from < 0 || to < from) {
      throw new IllegalArgumentException(
          file + " has no place for figures: write " + BEGIN + " and " + END + " into it");
    }
    this.before = text.substring(0, from + BEGIN.length());
    this.behind = text.substring(to);
    add(
        String.format(
            Locale.ROOT,
            "By `mvn -B -ntp -Pproof verify -pl %s -am` on %s, Java %s, %s %s, %d processors%s.",
            module,
            LocalDate.now(ZoneOffset.UTC),
            Runtime.version(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.getRuntime().availableProcessors(),
            about.isEmpty() ? "" : ", " + about));
  }

  /**
   * Adds a line.
   *
   * @param line the line, in Markdown
   */
  public void add(String line) {
    lines.add(line);
  }

  /**
   * Begins the table of crash runs.
   *
   * @param columns what tells the runs from each other; none where there is one
   */
  public void crashRuns(String... columns) {
    add("");
    List<String> head = new ArrayList<>(List.of(columns));
    head.addAll(COLUMNS);
    row(head);
    row(Collections.nCopies(head.size(), "---"));
  }

  private void row(List<String> cells) {
    add("| " + String.join(" | ", cells) + " |");
  }

  /**
   * Adds a crash run that has passed.
   *
   * @param figures what the checker has counted
   * @param seconds how long it took
   * @param cells what tells it from the others, as many as there are columns for that
   */
  public void passed(Figures figures, long seconds, String... cells) {
    kills += figures.kills();
    List<String> row = new ArrayList<>(List.of(cells));
    row.add(grouped(figures.counts().events()));
    row.add(grouped(figures.keys()));
    row.add(grouped(figures.counts().events() - figures.counts().applied()));
    row.add(grouped(figures.commits()));
    row.add(String.valueOf(figures.kills()));
    row.add(String.valueOf(figures.openCommits()));
    row.add(
        figures.landed().entrySet().stream()
            .map(fault -> fault.getKey() + " × " + fault.getValue())
            .collect(Collectors.joining(", ")));
    row.add(grouped(figures.snapshots()));
    row.add(String.valueOf(seconds));
    row.add("PASS");
    row(row);
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /**
   * Ends the table of crash runs.
   *
   * @param faults says what the faults are
   */
  public void faults(String faults) {
    add("");
    add(
        String.format(
            Locale.ROOT,
            "%s. No failure in %d kills: at 95 %% confidence fewer than %.1f %% do harm (3/n).",
            faults,
            kills,
            300.0 / kills));
  }

  /**
   * Writes the page.
   *
   * @throws IOException if the page cannot be written
   */
  public void publish() throws IOException {
    Files.writeString(file, before + "\n\n" + String.join("\n", lines) + "\n\n" + behind);
  }
}
