package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.FailureException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times by patterns: what is read, what is refused, and that nothing is moved. */
class TimePatternTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          yyMMdd              | UTC           | 930101              | 1993-01-01T00:00:00Z
          yyMMdd              | UTC           | 500101              | 1950-01-01T00:00:00Z
          yyMMdd              | UTC           | 491231              | 2049-12-31T00:00:00Z
          uuMMdd              | UTC           | 000229              | 2000-02-29T00:00:00Z
          yyyy-MM-dd          | UTC           | 0093-01-01          | 0093-01-01T00:00:00Z
          dd.MM.yyyy          | Europe/Prague | 01.07.1999          | 1999-06-30T22:00:00Z
          yyyy-MM-dd HH:mm:ss | UTC           | 2026-01-31 23:59:59 | 2026-01-31T23:59:59Z
          yyyy-MM-dd hh:mm a  | UTC           | 2026-01-31 12:30 am | 2026-01-31T00:30:00Z
          d MMM yyyy          | UTC           | 1 JAN 2026          | 2026-01-01T00:00:00Z
          yyyyMMddHHmmssSSS   | UTC           | 20260131120000123   | 2026-01-31T12:00:00.123Z
          yyyy-MM-dd'T'HH:mmXXX | UTC         | 2026-01-31T12:00+02:00 | 2026-01-31T10:00:00Z
          yyyy-DDD            | UTC           | 2026-032            | 2026-02-01T00:00:00Z
          yyyy-MM-dd HH:mm    | Europe/Prague | 2026-10-25 02:30    | 2026-10-25T00:30:00Z
          yyyy-MM-dd          | America/Sao_Paulo | 2018-11-04      | 2018-11-04T03:00:00Z
          """)
  void readsTimes(String pattern, String zone, String text, String time) {
    assertThat(TimePattern.of(pattern, zone).reading().parse(text)).isEqualTo(Instant.parse(time));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          yyyy-MM-dd          | UTC           | 2026-02-30
          yyyy-MM-dd          | UTC           | 2023-02-29
          yyyy-MM-dd          | UTC           | 2026-00-01
          yyyy-MM-dd          | UTC           | 2026-1-1
          yyyy-MM-dd          | UTC           | 26-01-01
          yyyy-MM-dd          | UTC           | 2026-01-01 12:00
          yyyy-MM-dd HH:mm    | UTC           | 2026-01-01 24:00
          yyyy-MM-dd HH:mm    | UTC           | 2026-01-01 12:60
          """)
  void refusesWhatIsNoTimeOfThePattern(String pattern, String zone, String text) {
    assertThatThrownBy(() -> TimePattern.of(pattern, zone).parse(text))
        .isInstanceOf(FailureException.class)
        .hasMessage("\"" + text + "\" is no time of the pattern " + pattern);
  }

  @Test
  void refusesAnHourThatTheClockSkips() {
    assertThatThrownBy(
            () -> TimePattern.of("yyyy-MM-dd HH:mm", "Europe/Prague").parse("2026-03-29 02:30"))
        .isInstanceOf(FailureException.class)
        .hasMessage("2026-03-29T02:30 does not exist in Europe/Prague: the clock skips that hour");
  }

  @Test
  void theBaseSaysWhichCenturyTwoDigitsAreOf() {
    assertThat(new TimePattern("yyMMdd", "UTC", 1900).parse("491231"))
        .isEqualTo(Instant.parse("1949-12-31T00:00:00Z"));
    assertThat(new TimePattern("yyMMdd", "UTC", 1999).parse("980101"))
        .isEqualTo(Instant.parse("2098-01-01T00:00:00Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HH:mm",
        "yyyy",
        "yyyy-MM",
        "MM-dd",
        "yyyy-MM-dd hh:mm",
        "yyyy-MM-dd mm:ss",
        "YYYY-MM-dd",
        "'yyyy-MM-dd'",
        "EEEE"
      })
  void aPatternThatCanReadNoTimeIsRefusedBeforeTheFirstEvent(String pattern) {
    TimePattern made = TimePattern.of(pattern, "UTC");
    assertThatIllegalArgumentException()
        .isThrownBy(made::reading)
        .withMessage(
            "\""
                + pattern
                + "\" cannot read times: it needs a year (yyyy), a month (MM) and a day (dd); an"
                + " hour is HH, or hh with am or pm (a)");
  }

  @Test
  void anHourOfHalfADayIsNeverTakenForMidnight() {
    assertThatThrownBy(() -> TimePattern.of("yyyy-MM-dd hh:mm", "UTC").parse("2026-01-31 11:30"))
        .isInstanceOf(FailureException.class)
        .hasMessage("the pattern yyyy-MM-dd hh:mm says no hour of the day");
  }
}
