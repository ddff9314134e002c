package dev.oncefold.testkit;

import org.junit.jupiter.api.Test;

/** Events that change several keys, all or none. */
abstract class SeveralKeysClaims extends Claims {
  private static final Setup TRANSFERS = A_WEEK.overSeveralKeys();

  @Test
  final void aTransferChangesBothKeysOrNone() throws Exception {
    play(
        TRANSFERS,
        """
        p0: deposit e1 of 100 to alice at 09:00             applied
        p0: transfer t1 of 30 from alice to bob at 09:01    applied
        p0: transfer t2 of 99 from alice to bob at 09:02    rejected: insufficient funds
        p0: transfer t3 of 99 from carol to bob at 09:03    rejected: insufficient funds
        state alice 70, 2 events, version 2
        state bob 30, 1 event, version 1
        state carol none
        counts 2 applied, 2 rejected, 3 outputs
        """);
  }

  @Test
  final void aTransferIsRecognisedByTheIdUnderItsOwnKey() throws Exception {
    play(
        TRANSFERS,
        """
        p0: deposit e1 of 100 to alice at 09:00             applied
        p0: deposit e2 of 100 to bob at 09:00               applied
        p0: transfer t1 of 30 from alice to bob at 09:01    applied
        p1: transfer t1 of 30 from alice to bob at 09:01    duplicate
        p1: transfer t1 of 31 from alice to bob at 09:01    conflict
        p1: transfer t1 of 30 from alice to carol at 09:01  conflict
        p1: transfer t1 of 5 from bob to alice at 09:01     applied
        settle
        crash
        restart
        p2: transfer t1 of 30 from alice to bob at 09:01    duplicate
        state alice 75, 3 events
        state bob 125, 3 events
        state carol none
        counts 4 applied, 2 duplicates, 2 conflicts, 6 outputs
        """);
  }

  @Test
  final void theOutputsOfAnEventAreNumberedInTheirOrder() throws Exception {
    play(
        TRANSFERS,
        """
        p0: deposit e1 of 3000 to alice at 09:00            applied
        p0: transfer t1 of 2000 from alice to bob at 09:01  applied
        output outputs bank/alice/t1/0 of alice 1000
        output large bank/alice/t1/1 of alice 1000
        output outputs bank/alice/t1/2 of bob 2000
        output large bank/alice/t1/3 of bob 2000
        3 outputs outputs
        3 outputs large
        counts 2 applied, 6 outputs
        """);
  }

  @Test
  final void anEventThatNamesAKeyTwiceOrBreaksLeavesNothing() throws Exception {
    play(
        TRANSFERS,
        """
        p0: deposit e1 of 100 to alice at 09:00               applied
        p0: transfer t1 of 30 from alice to alice at 09:01    failed: twice
        p0: break e2 of alice at 09:02                        failed: the update broke
        p0: close e3 of alice at 09:03                        applied
        p0: transfer t2 of 0 from alice to bob at 09:04       applied
        state alice 0, 1 event, version 1
        state bob 0, 1 event, version 1
        counts 3 applied, 2 failed, 4 outputs
        """);
  }

  @Test
  final void transfersConserveTheSumAcrossCrashes() throws Exception {
    StringBuilder table =
        new StringBuilder(
            """
            p0: deposit e1 of 1000 to alice at 09:00          applied
            p0: deposit e1 of 1000 to bob at 09:00            applied
            """);
    for (int i = 1; i <= 5; i++) {
      table.append(
          """
          p0: 60 transfers a%1$d- of 2 from alice to bob at 09:01    applied
          p0: 60 transfers b%1$d- of 1 from bob to alice at 09:01    applied
          p0: 20 transfers a%1$d- of 2 from alice to bob at 09:01    duplicate
          p0: transfer c%1$d of 5000 from alice to bob at 09:01      rejected: insufficient funds
          crash
          restart
          """
              .formatted(i));
    }
    play(
        TRANSFERS,
        table
            + """
            state alice 700, 601 events
            state bob 1300, 601 events
            counts 602 applied, 5 rejected, 100 duplicates, 1204 outputs
            """);
  }
}
