package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.chrono.IsoChronology;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalQueries;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes times by a pattern of {@link DateTimeFormatter}. A date without a time is its
 * beginning. What does not exist (February 30, an hour that a clock skips) is refused, never moved.
 * Names of months and days are English: those of no language differ from one Java to the next.
 */
final class TimePattern {
  /** The first of the hundred years that two digits can mean, unless said otherwise. */
  static final int BASE = 1950;

  private static final int MOST_KEPT = 256;
  private static final Map<String, TimePattern> KEPT = new ConcurrentHashMap<>();

  private final String pattern;
  private final ZoneId zone;
  private final DateTimeFormatter formatter;
  private final boolean hasTime;

  /**
   * A pattern.
   *
   * @throws IllegalArgumentException if there is no such pattern or zone
   */
  TimePattern(String pattern, String zone, int base) {
    this.pattern = pattern;
    this.hasTime = pattern.replaceAll("'[^']*'", "").matches("(?s).*[hHkKmsSAnNaB].*");
    try {
      this.zone = ZoneId.of(zone);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "there is no zone \"" + zone + "\"; there is UTC, Europe/Prague, +02:00", e);
    }
    try {
      this.formatter =
          builder(pattern, base)
              .toFormatter(Locale.ENGLISH)
              .withChronology(IsoChronology.INSTANCE)
              .withResolverStyle(ResolverStyle.STRICT);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "\""
              + pattern
              + "\" is no pattern for times ("
              + e.getMessage()
              + "): letters are those of Java's DateTimeFormatter, such as yyyy-MM-dd HH:mm:ss",
          e);
    }
  }

  /** The same, remembered; any pattern that an expression may make up at run time. */
  static TimePattern of(String pattern, String zone) {
    String name = pattern + '\u0000' + zone;
    TimePattern known = KEPT.get(name);
    if (known == null) {
      try {
        known = new TimePattern(pattern, zone, BASE);
      } catch (IllegalArgumentException e) {
        throw new FailureException(String.valueOf(e.getMessage()));
      }
      if (KEPT.size() < MOST_KEPT) {
        KEPT.put(name, known);
      }
    }
    return known;
  }

  /**
   * The pattern with {@code y} taken for the year of the calendar, as most people mean it, and two
   * of them for a year in the hundred from a base.
   */
  private static DateTimeFormatterBuilder builder(String pattern, int base) {
    DateTimeFormatterBuilder builder = new DateTimeFormatterBuilder().parseCaseInsensitive();
    StringBuilder part = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      quoted ^= c == '\'';
      if (quoted || (c != 'y' && c != 'u')) {
        part.append(c);
        continue;
      }
      int from = i;
      while (i + 1 < pattern.length() && pattern.charAt(i + 1) == c) {
        i++;
      }
      if (i - from == 1) {
        append(builder, part);
        builder.appendValueReduced(ChronoField.YEAR, 2, 2, LocalDate.of(base, 1, 1));
      } else {
        part.append("u".repeat(i - from + 1));
      }
    }
    append(builder, part);
    return builder;
  }

  private static void append(DateTimeFormatterBuilder builder, StringBuilder part) {
    if (!part.isEmpty()) {
      builder.appendPattern(part.toString());
      part.setLength(0);
    }
  }

  /**
   * Checks that what the pattern reads can be times.
   *
   * @throws IllegalArgumentException if it cannot read even what it has written
   */
  TimePattern reading() {
    try {
      parse(format(Instant.parse("2001-02-03T15:04:05Z")));
      return this;
    } catch (FailureException e) {
      throw new IllegalArgumentException(
          "\""
              + pattern
              + "\" cannot read times: it needs a year (yyyy), a month (MM) and a day (dd); an hour is"
              + " HH, or hh with am or pm (a)",
          e);
    }
  }

  @Override
  public String toString() {
    return pattern + " " + zone;
  }

  Instant parse(String text) {
    try {
      TemporalAccessor parsed = formatter.parse(text);
      ZoneId own = parsed.query(TemporalQueries.zone());
      LocalDate date = parsed.query(TemporalQueries.localDate());
      @Nullable LocalTime time = parsed.query(TemporalQueries.localTime());
      if (date == null) {
        throw new FailureException("the pattern " + pattern + " has no date in it");
      }
      if (time == null && hasTime) {
        throw new FailureException("the pattern " + pattern + " says no hour of the day");
      }
      return at(date.atTime(time == null ? LocalTime.MIDNIGHT : time), own == null ? zone : own);
    } catch (DateTimeException e) {
      throw new FailureException(FieldType.quoted(text) + " is no time of the pattern " + pattern);
    }
  }

  private static Instant at(LocalDateTime local, ZoneId in) {
    if (in.getRules().getValidOffsets(local).isEmpty()) {
      if (local.toLocalTime().equals(LocalTime.MIDNIGHT)) {
        return local.toLocalDate().atStartOfDay(in).toInstant();
      }
      throw new FailureException(
          local + " does not exist in " + in + ": the clock skips that hour");
    }
    // Of an hour that comes twice, the first.
    return ZonedDateTime.ofLocal(local, in, null).toInstant();
  }

  String format(Instant time) {
    try {
      return formatter.format(time.atZone(zone));
    } catch (DateTimeException e) {
      throw new FailureException(time + " cannot be written as " + pattern);
    }
  }
}
