package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/** Points in time as PostgreSQL reads and writes them in the time zone UTC: all its years. */
final class Times {
  private Times() {}

  static String text(Instant time) {
    LocalDateTime at = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
    int year = at.getYear();
    return String.format(
        "%04d-%02d-%02d %02d:%02d:%02d.%06d+00%s",
        year > 0 ? year : 1 - year,
        at.getMonthValue(),
        at.getDayOfMonth(),
        at.getHour(),
        at.getMinute(),
        at.getSecond(),
        at.getNano() / 1000,
        year > 0 ? "" : " BC");
  }

  /**
   * Reads what PostgreSQL has as text.
   *
   * @throws CodecException if it is no point in time, as "infinity" is none
   */
  static Instant read(String text) {
    boolean bc = text.endsWith(" BC");
    String plain = bc ? text.substring(0, text.length() - 3) : text;
    int space = plain.indexOf(' ');
    if (space < 0 || !plain.endsWith("+00")) {
      throw new CodecException("\"" + text + "\" is no point in time");
    }
    String[] date = plain.substring(0, space).split("-", -1);
    String clock = plain.substring(space + 1, plain.length() - 3);
    int year = Integer.parseInt(date[0]);
    return LocalDateTime.of(
            bc ? 1 - year : year, Integer.parseInt(date[1]), Integer.parseInt(date[2]), 0, 0)
        .with(java.time.LocalTime.parse(clock))
        .toInstant(ZoneOffset.UTC);
  }
}
