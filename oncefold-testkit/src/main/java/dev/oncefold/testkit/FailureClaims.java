package dev.oncefold.testkit;

import dev.oncefold.Fold;
import org.junit.jupiter.api.Test;

/** Events that cannot be judged. */
abstract class FailureClaims extends Claims {
  private static final Setup STOPPING = A_WEEK.whenFailed(Fold.WhenFailed.STOP);

  @Test
  final void whatIsNoEventIsFailedAndTheOthersGoOn() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: garbage                                     failed: no event
        p0: deposit e2 of 10 to alice at 09:01          applied
        p0: garbage                                     failed: no event
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 20, 2 events
        counts 2 applied, 1 duplicate, 2 failed, 2 outputs
        """);
  }

  @Test
  final void anUpdateThatThrowsLeavesNothingAndTheOthersGoOn() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: break e2 of alice at 09:01                  failed: the update broke
        p0: break e2 of bob at 09:01                    failed: the update broke
        p0: deposit e3 of 10 to alice at 09:02          applied
        state alice 20, 2 events, version 2
        state bob none
        counts 2 applied, 2 failed, 2 outputs
        """);
  }

  @Test
  final void failedIsNotRemembered() throws Exception {
    play(
        A_WEEK,
        """
        p0: break e1 of alice at 09:00                  failed: the update broke
        p0: break e1 of alice at 09:00                  failed: the update broke
        settle
        crash
        restart
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: break e1 of alice at 09:00                  conflict
        state alice 10, 1 event
        counts 1 applied, 1 conflict, 2 failed, 1 output
        """);
  }

  @Test
  final void anEventAheadOfTheClockIsFailedAndExpiresNobody() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice on day 1          applied
        p0: deposit e2 of 10 to alice in the year 2999  failed: 2999
        settle
        p0: deposit e3 of 10 to alice on day 1          applied
        p0: deposit e1 of 10 to alice on day 1          duplicate
        p0: deposit e2 of 10 to alice on day 2          applied
        state alice 30, 3 events
        counts 3 applied, 1 duplicate, 1 failed, 3 outputs
        """);
  }

  @Test
  final void anEventWithAnIdAndWithoutATimeIsFailed() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice                   failed: no time
        p0: deposit e1 of 10 to alice at 09:00          applied
        state alice 10, 1 event
        counts 1 applied, 1 failed, 1 output
        """);
  }

  @Test
  final void stoppedForWhatIsNoEventItHasAppliedAllBeforeAndNothingAfter() throws Exception {
    play(
        STOPPING,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: garbage                                     stops: no event
        p0: deposit e2 of 10 to alice at 09:01          unread
        state alice 10, 1 event
        counts 1 applied, 1 output
        """);
  }

  @Test
  final void stoppedItStopsAgainUntilItIsToldToRefuse() throws Exception {
    play(
        STOPPING,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: break e2 of alice at 09:01                  stops: the update broke
        p0: deposit e3 of 10 to alice at 09:02          unread
        p0: deposit e1 of 10 to alice at 09:00          unread
        settle
        crash
        restart
        state alice 10, 1 event
        counts 1 applied, 1 output
        crash
        restart refusing                                failed: the update broke, applied, duplicate
        state alice 20, 2 events
        counts 2 applied, 1 duplicate, 1 failed, 2 outputs
        """);
  }
}
