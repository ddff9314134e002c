package dev.oncefold.cli;

import dev.oncefold.Counts;
import java.util.Locale;

/** How fast a run goes, and how long it will take, in one line. */
final class Pace {
  private final String source;
  private final long from;
  private final long size;
  private final long begin = System.nanoTime();

  /**
   * A run begins.
   *
   * @param source what messages call the source
   * @param from the offset at which it begins
   * @param size the offset at which the source ends; 0 where it has no known end
   */
  Pace(String source, long from, long size) {
    this.source = source;
    this.from = from;
    this.size = size;
  }

  double seconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  String told(Counts counts, long offset) {
    return told(counts, offset, seconds());
  }

  String told(Counts counts, long offset, double seconds) {
    String line =
        String.format(
            Locale.ROOT,
            "  %,11d events, %,d events/s, %,d duplicates",
            counts.events(),
            Math.round(counts.events() / seconds),
            counts.duplicates());
    if (size == 0) {
      return line;
    }
    line += String.format(Locale.ROOT, ", %d %% of %s", 100 * offset / size, source);
    return offset <= from
        ? line
        : line + ", " + left((size - offset) * seconds / (offset - from)) + " left";
  }

  private static String left(double seconds) {
    long whole = Math.max(0, Math.round(seconds));
    return whole < 100
        ? whole + " s"
        : whole < 6000
            ? Math.round(whole / 60.0) + " min"
            : String.format(Locale.ROOT, "%.1f h", whole / 3600.0);
  }
}
