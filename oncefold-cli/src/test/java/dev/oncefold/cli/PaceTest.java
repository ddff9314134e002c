package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final Counts COUNTS = new Counts(249_000, 0, 1_000, 0, 0, 0, 0);

  @Test
  void ofAFileItTellsHowMuchIsLeft() {
    Pace pace = new Pace("payments.ndjson", 0, 4_000);
    assertThat(pace.told(COUNTS, 1_000, 2))
        .isEqualTo(
            "      250,000 events, 125,000 events/s, 1,000 duplicates, 25 % of payments.ndjson, 6 s"
                + " left");
    assertThat(pace.told(COUNTS, 1_000, 600)).endsWith(", 30 min left");
    assertThat(pace.told(COUNTS, 1_000, 6_000)).endsWith(", 5.0 h left");
  }

  @Test
  void whatWasAppliedBeforeTakesNoTimeNow() {
    Pace pace = new Pace("payments.ndjson", 2_000, 4_000);
    assertThat(pace.told(COUNTS, 3_000, 2)).endsWith(", 75 % of payments.ndjson, 2 s left");
    assertThat(pace.told(Counts.NONE, 2_000, 2)).endsWith(", 50 % of payments.ndjson");
  }

  @Test
  void whatHasNoEndHasNothingLeft() {
    assertThat(new Pace("standard input", 0, 0).told(COUNTS, 1_000, 2))
        .isEqualTo("      250,000 events, 125,000 events/s, 1,000 duplicates");
  }
}
