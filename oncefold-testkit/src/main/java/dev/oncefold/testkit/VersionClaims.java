package dev.oncefold.testkit;

import org.junit.jupiter.api.Test;

/** Another version of the fold; what was judged in the past. */
abstract class VersionClaims extends Claims {
  @Test
  final void anotherVersionOfTheFoldIsRefusedUnlessTheChangeIsAccepted() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        crash
        restart with version 2                          refused
        restart
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p0: deposit e2 of 10 to alice at 09:01          applied
        state alice 20, 2 events, version 2
        counts 2 applied, 1 duplicate, 2 outputs
        """);
  }

  @Test
  final void anAcceptedChangeKeepsWhatWasJudgedAndGoesOnUnderTheNewRules() throws Exception {
    play(
        A_WEEK.acceptingChange(),
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: withdraw e2 of 15 from alice at 09:01       rejected: insufficient funds
        settle
        crash
        restart with version 2 accepted
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p0: deposit e1 of 11 to alice at 09:00          conflict
        p0: deposit e3 of 10 to alice at 09:02          applied
        p0: withdraw e2 of 15 from alice at 09:01       duplicate
        p0: withdraw e4 of 15 from alice at 09:03       applied
        settle
        crash
        restart
        p0: deposit e5 of 1 to alice at 09:04           applied
        state alice 2, 4 events, version 4
        output outputs bank/alice/e1/0 of alice 10
        output outputs bank/alice/e3/0 of alice 30
        counts 4 applied, 1 rejected, 2 duplicates, 1 conflict, 4 outputs
        """);
  }

  @Test
  final void theHistoryOfAKeyTellsEveryVerdictAndWhyAReSendWasRejectedFirst() throws Exception {
    play(
        A_WEEK.withHistory(),
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: withdraw e2 of 15 from alice at 09:01       rejected: insufficient funds
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p0: deposit e3 of 1 to bob at 09:02             applied
        p0: withdraw e2 of 15 from alice at 09:01       duplicate
        settle
        crash
        restart
        p1: withdraw e2 of 15 from alice at 09:01       duplicate
        p1: deposit e1 of 11 to alice at 09:00          conflict
        p1: withdraw e4 of 3 from alice at 09:03        applied
        history alice: e1 applied 10, e2 rejected: insufficient funds, e1 duplicate, e2 duplicate: insufficient funds, e2 duplicate: insufficient funds, e1 conflict, e4 applied 7
        history bob: e3 applied 1
        state alice 7, 2 events
        """);
  }
}
