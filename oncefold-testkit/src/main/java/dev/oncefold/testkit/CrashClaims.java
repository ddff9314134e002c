package dev.oncefold.testkit;

import org.junit.jupiter.api.Test;

/** The engine dies, is started again, or has a rival. */
abstract class CrashClaims extends Claims {
  @Test
  final void whatWasSettledIsThereAfterACrash() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: withdraw e2 of 99 from alice at 09:01       rejected: insufficient funds
        p1: deposit e3 of 7 to bob at 09:02             applied
        settle
        crash
        restart
        state alice 10, 1 event, version 1
        state bob 7, 1 event, version 1
        counts 2 applied, 1 rejected, 2 outputs
        """);
  }

  @Test
  final void whatIsFedWhileItIsDownIsAppliedOnce() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        crash
        p0: deposit e2 of 10 to alice at 09:01          applied
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p1: deposit e3 of 10 to bob at 09:01            applied
        restart
        state alice 20, 2 events
        state bob 10, 1 event
        counts 3 applied, 1 duplicate, 3 outputs
        """);
  }

  @Test
  final void aCrashWithNothingDoneLosesNothing() throws Exception {
    play(
        A_WEEK,
        """
        crash
        restart
        crash
        p0: deposit e1 of 10 to alice at 09:00          applied
        restart
        state alice 10, 1 event
        crash
        restart
        crash
        restart
        state alice 10, 1 event, version 1
        counts 1 applied, 1 output
        """);
  }

  @Test
  final void crashesBetweenFeedsLoseAndDoubleNothing() throws Exception {
    StringBuilder table = new StringBuilder();
    for (int i = 1; i <= 6; i++) {
      // Not settled: nobody knows how much of it was applied when it dies.
      table.append(
          """
          p0: 40 deposits r%1$d- of 1 to alice at 09:00       applied
          p0: 40 deposits r%1$d- of 1 to bob at 09:00         applied
          p0: 10 deposits r%1$d- of 1 to alice at 09:00       duplicate
          p0: 5 withdraws w%1$d- of 9999 from bob at 09:00    rejected: insufficient funds
          crash
          restart
          """
              .formatted(i));
    }
    play(
        A_WEEK,
        table
            + """
            state alice 240, 240 events
            state bob 240, 240 events
            counts 480 applied, 30 rejected, 60 duplicates, 480 outputs
            """);
  }

  @Test
  final void crashesInTheMiddleOfABacklogLoseAndDoubleNothing() throws Exception {
    StringBuilder table = new StringBuilder("crash\n");
    for (int i = 1; i <= 20; i++) {
      table.append("p0: 250 deposits a%1$d- of 1 to alice at 09:00  applied\n".formatted(i));
      table.append("p0: 50 deposits a%1$d- of 2 to alice at 09:00   conflict\n".formatted(i));
    }
    play(
        A_WEEK,
        table
            + """
            restart
            crash once 1 events are committed
            restart
            crash once 1000 events are committed
            restart
            crash once 3000 events are committed
            restart
            state alice 5000, 5000 events, version 5000
            counts 5000 applied, 1000 conflicts, 5000 outputs
            """);
  }

  @Test
  final void crashesDuringRecoveryLoseAndDoubleNothing() throws Exception {
    play(
        A_WEEK,
        """
        p0: 500 deposits e of 1 to alice at 09:00       applied
        settle
        p0: 500 deposits f of 1 to alice at 09:00       applied
        crash
        restart
        crash
        restart
        crash
        restart
        crash
        restart
        p0: 500 deposits f of 1 to alice at 09:00       duplicate
        state alice 1000, 1000 events
        counts 1000 applied, 500 duplicates, 1000 outputs
        """);
  }

  @Test
  final void ofTwoOwnersOneIsFencedOrRefused() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        second owner
        p0: 50 deposits f of 1 to alice at 09:01        applied
        p1: 50 deposits g of 1 to bob at 09:01          applied
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 60, 51 events, version 51
        state bob 50, 50 events
        counts 101 applied, 1 duplicate, 101 outputs
        """);
  }

  @Test
  final void aRivalLeavesNothingBehindWhenBothAreGone() throws Exception {
    play(
        A_WEEK,
        """
        second owner
        p0: deposit e1 of 10 to alice at 09:00          applied
        crash
        restart
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p1: deposit e2 of 10 to alice at 09:01          applied
        state alice 20, 2 events, version 2
        counts 2 applied, 1 duplicate, 2 outputs
        """);
  }
}
