package dev.oncefold.testkit;

import org.junit.jupiter.api.Test;

/** State, versions, outputs, refusals and counts. */
abstract class OutputClaims extends Claims {
  @Test
  final void eachVersionOfAKeyIsOneAppliedEvent() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        state alice 10, 1 event, version 1
        p0: deposit e2 of 10 to alice at 09:01          applied
        p0: deposit e2 of 10 to alice at 09:01          duplicate
        p0: withdraw e3 of 99 from alice at 09:02       rejected: insufficient funds
        p0: deposit e4 of 10 to bob at 09:03            applied
        p0: withdraw e5 of 20 from alice at 09:04       applied
        state alice 0, 3 events, version 3
        state bob 10, 1 event, version 1
        """);
  }

  @Test
  final void aNullStateDeletesTheKeyAndItsVersionBeginsAnew() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e2 of 10 to alice at 09:01          applied
        p0: close e3 of alice at 09:02                  applied
        state alice none
        crash
        restart
        p0: close e3 of alice at 09:02                  duplicate
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice none
        p0: deposit e4 of 5 to alice at 09:03           applied
        state alice 5, 1 event, version 1
        counts 4 applied, 2 duplicates, 4 outputs
        """);
  }

  @Test
  final void outputsHaveTheIdOfTheirFoldKeyEventAndPlace() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p0: deposit e1 of 7 to bob at 09:00             applied
        p0: deposit e2 of 2000 to alice at 09:01        applied
        p0: withdraw e3 of 1 from carol at 09:02        rejected: insufficient funds
        output outputs bank/alice/e1/0 of alice 10
        output outputs bank/bob/e1/0 of bob 7
        output outputs bank/alice/e2/0 of alice 2010
        output large bank/alice/e2/1 of alice 2010
        3 outputs outputs
        1 outputs large
        counts 3 applied, 1 rejected, 1 duplicate, 4 outputs
        """);
  }

  @Test
  final void outputsAreThereOnceWhateverIsSentAgainAndHoweverOftenItDies() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 1000 to alice at 09:00        applied
        p0: deposit e2 of 10 to alice at 09:00          applied
        crash
        restart
        p0: deposit e1 of 1000 to alice at 09:00        duplicate
        settle
        crash
        restart
        p1: deposit e2 of 10 to alice at 09:00          duplicate
        settle
        crash
        restart
        p0: deposit e3 of 5 to alice at 09:00           applied
        output large bank/alice/e1/1 of alice 1000
        output outputs bank/alice/e3/0 of alice 1015
        3 outputs outputs
        1 outputs large
        counts 3 applied, 2 duplicates, 4 outputs
        """);
  }

  @Test
  final void idsOfOutputsOfUnlikeEventsDiffer() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit b/c of 1 to a at 09:00              applied
        p0: deposit c of 2 to a/b at 09:00              applied
        p0: deposit c of 3 to a%2Fb at 09:00            applied
        output outputs bank/a/b%2Fc/0 of a 1
        output outputs bank/a%2Fb/c/0 of a/b 2
        output outputs bank/a%252Fb/c/0 of a%2Fb 3
        3 outputs outputs
        """);
  }

  @Test
  final void everyRefusalIsToldOnceWithItsReason() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice on day 1          applied
        p0: withdraw e2 of 99 from alice on day 1       rejected: insufficient funds
        p0: deposit e1 of 11 to alice on day 1          conflict
        p0: break e3 of alice on day 1                  failed: the update broke
        p0: garbage                                     failed: no event
        p0: withdraw of 99 from alice on day 1          rejected: insufficient funds
        p0: withdraw e2 of 99 from alice on day 1       duplicate
        crash
        restart
        p0: deposit e4 of 1 to bob on day 30            applied
        settle
        p0: deposit e5 of 1 to bob on day 33            applied
        settle
        p0: deposit e6 of 1 to alice on day 1           expired
        settle
        crash
        restart
        p0: withdraw e7 of 99 from bob on day 33        rejected: insufficient funds
        counts 3 applied, 3 rejected, 1 duplicate, 1 conflict, 1 expired, 2 failed, 3 outputs
        """);
  }

  @Test
  final void everyEventIsInOneCountAcrossRestarts() throws Exception {
    play(
        A_WEEK,
        """
        p0: 100 deposits a of 1 to alice at 09:00       applied
        p0: 100 deposits a of 1 to alice at 09:00       duplicate
        crash
        restart
        p0: 100 deposits a of 2 to alice at 09:00       conflict
        p0: 50 withdraws b of 200 from alice at 09:00   rejected: insufficient funds
        crash
        restart
        p0: 25 breaks c of alice at 09:00               failed: the update broke
        counts 100 applied, 50 rejected, 100 duplicates, 100 conflicts, 25 failed, 100 outputs
        state alice 100, 100 events
        """);
  }

  @Test
  final void keysAndIdsMayBeAnyText() throws Exception {
    String table =
        """
        p0: deposit "Ω 1" of 10 to "Zoë 鍵 🦊" at 09:00       applied
        p0: deposit "Ω 1" of 10 to "Zoë 鍵 🦊" at 09:00       duplicate
        p0: deposit "Ω 2" of 10 to "zoë 鍵 🦊" at 09:00       applied
        p0: deposit "Ω 1" of 11 to "Zoë 鍵 🦊" at 09:00       conflict
        p0: deposit "a\tb" of 1 to "KEY" at 09:00            applied
        settle
        crash
        restart
        p1: deposit "Ω 1" of 10 to "Zoë 鍵 🦊" at 09:00       duplicate
        p1: deposit "a\tb" of 1 to "KEY" at 09:00            duplicate
        state "Zoë 鍵 🦊" 10, 1 event
        state "zoë 鍵 🦊" 10, 1 event
        state "KEY" 1, 1 event
        counts 3 applied, 3 duplicates, 1 conflict, 3 outputs
        """;
    play(A_WEEK, table.replace("KEY", "k".repeat(1000)));
  }

  @Test
  final void largeEventsAndOutputsComeThroughWhole() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00 with a memo of 200000 letters      applied
        p0: deposit e1 of 10 to alice at 09:00 with a memo of 200000 letters      duplicate
        p0: deposit e1 of 10 to alice at 09:00 with a memo of 200001 letters      conflict
        crash
        restart
        p0: deposit e2 of 1000 to alice at 09:00 with a memo of 300000 letters    applied
        state alice 1010, 2 events
        counts 2 applied, 1 duplicate, 1 conflict, 3 outputs
        """);
  }

  @Test
  final void tenThousandEventsOfOneKeyAreAppliedInOrder() throws Exception {
    play(
        A_WEEK,
        """
        p0: 10000 deposits e of 1 to hot at 09:00       applied
        p0: 10 deposits e of 1 to hot at 09:00          duplicate
        state hot 10000, 10000 events, version 10000
        counts 10000 applied, 10 duplicates, 10000 outputs
        """);
  }

  @Test
  final void nothingFedChangesNothing() throws Exception {
    play(
        A_WEEK,
        """
        p0: nothing
        settle
        p0: nothing
        p1: deposit e1 of 10 to alice at 09:00          applied
        p0: nothing
        crash
        restart
        p1: nothing
        state alice 10, 1 event, version 1
        counts 1 applied, 1 output
        """);
  }
}
