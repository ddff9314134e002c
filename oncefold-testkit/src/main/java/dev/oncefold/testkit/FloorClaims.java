package dev.oncefold.testkit;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Ids are forgotten by event time, and nothing is applied twice for it. */
abstract class FloorClaims extends Claims {
  // Two commits, each some days on, so that an engine that forgets in steps has had its chance.
  private static final String A_MONTH_LATER =
      """
      p0: deposit later1 of 1 to clock on day 30        applied
      settle
      p0: deposit later2 of 1 to clock on day 33        applied
      settle
      """;

  @Test
  final void whatWasForgottenIsRefusedAsExpiredAndNeverAppliedTwice() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 1         applied\n"
            + A_MONTH_LATER
            + """
            p0: deposit e1 of 10 to alice on day 1          expired
            p0: deposit e1 of 11 to alice on day 1          expired
            state alice 10, 1 event
            counts 3 applied, 2 expired, 3 outputs
            """);
  }

  @Test
  final void anUnknownIdFromBelowTheFloorIsExpired() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 1         applied\n"
            + A_MONTH_LATER
            + """
            p0: deposit new1 of 10 to alice on day 1        expired
            p0: deposit new2 of 10 to bob on day 1          expired
            p0: withdraw new3 of 99 from alice on day 1     expired
            state alice 10, 1 event
            state bob none
            counts 3 applied, 3 expired, 3 outputs
            """);
  }

  @Test
  final void expiredIsNotRemembered() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 1         applied\n"
            + A_MONTH_LATER
            + """
            p0: deposit new of 10 to alice on day 1         expired
            p0: deposit new of 10 to alice on day 1         expired
            p0: deposit new of 10 to alice on day 33        applied
            state alice 20, 2 events
            counts 4 applied, 2 expired, 4 outputs
            """);
  }

  @Test
  final void nothingWithinTheSpanIsExpired() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 27        applied\n"
            + A_MONTH_LATER
            + """
            p0: deposit late1 of 10 to alice on day 27      applied
            p0: deposit late2 of 10 to alice on day 32      applied
            p0: deposit e1 of 10 to alice on day 27         duplicate
            state alice 30, 3 events
            counts 5 applied, 1 duplicate, 5 outputs
            """);
  }

  @Test
  final void theFloorSurvivesARestart() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 1         applied\n"
            + A_MONTH_LATER
            + """
            crash
            restart
            p0: deposit e1 of 10 to alice on day 1          expired
            p1: deposit new of 10 to alice on day 1         expired
            p1: deposit later2 of 1 to clock on day 33      duplicate
            state alice 10, 1 event
            counts 3 applied, 1 duplicate, 2 expired, 3 outputs
            """);
  }

  @Test
  final void anEventWithoutAnIdNeverExpires() throws Exception {
    play(
        A_WEEK,
        "p0: deposit e1 of 10 to alice on day 1         applied\n"
            + A_MONTH_LATER
            + """
            p0: deposit of 10 to alice on day 1             applied
            p0: deposit of 10 to alice                      applied
            state alice 30, 3 events
            counts 5 applied, 5 outputs
            """);
  }

  @Test
  final void aBacklogWhosePartitionsAreDrainedOneAfterAnotherExpiresNothing() throws Exception {
    StringBuilder table = new StringBuilder("crash\n");
    for (String partition : new String[] {"p0", "p1", "p2"}) {
      for (int day = 1; day <= 30; day++) {
        table.append(
            "%1$s: 40 deposits d%2$d- of 1 to %1$s on day %2$d  applied\n"
                .formatted(partition, day));
      }
    }
    play(
        A_WEEK,
        table
            + """
            restart
            state p0 1200, 1200 events
            state p1 1200, 1200 events
            state p2 1200, 1200 events
            counts 3600 applied, 3600 outputs
            """);
  }

  @Test
  final void aPartitionThatLagsHoldsTheFloor() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit a1 of 10 to alice on day 1            applied
        p1: deposit b1 of 10 to bob on day 1              applied
        settle
        crash
        p0: deposit a2 of 10 to alice on day 20           applied
        p0: deposit a3 of 10 to alice on day 40           applied
        p0: deposit a4 of 10 to alice on day 60           applied
        p1: deposit b1 of 10 to bob on day 1              duplicate
        p1: deposit b2 of 10 to bob on day 2              applied
        p1: deposit b3 of 10 to bob on day 60             applied
        restart
        state alice 40, 4 events
        state bob 30, 3 events
        counts 7 applied, 1 duplicate, 7 outputs
        """);
  }

  @Test
  final void aBoundOnTheCountOfIdsForgetsTheOldestAndAppliesNothingTwice() throws Exception {
    StringBuilder table = new StringBuilder();
    for (int day = 1; day <= 200; day++) {
      table.append("p0: deposit e%1$d of 1 to alice on day %1$d  applied\n".formatted(day));
      table.append(day % 50 == 0 ? "settle\n" : "");
    }
    play(
        Setup.remembering(Duration.ofDays(3650)).atMost(40),
        table
            + """
            p0: deposit e1 of 1 to alice on day 1             expired
            p0: deposit e100 of 1 to alice on day 100         expired
            p0: deposit e200 of 1 to alice on day 200         duplicate
            p0: deposit e201 of 1 to alice on day 200         applied
            settle
            crash
            restart
            p1: deposit e1 of 1 to alice on day 1             expired
            p1: deposit e201 of 1 to alice on day 200         duplicate
            state alice 201, 201 events
            counts 201 applied, 2 duplicates, 3 expired, 201 outputs
            """);
  }
}
