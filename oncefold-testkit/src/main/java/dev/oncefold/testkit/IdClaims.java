package dev.oncefold.testkit;

import org.junit.jupiter.api.Test;

/** Re-sends, conflicts and rejections. */
abstract class IdClaims extends Claims {
  @Test
  final void anEventSentAgainAtOnceIsADuplicate() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 10, 1 event
        counts 1 applied, 2 duplicates, 1 output
        """);
  }

  @Test
  final void anEventSentAgainLaterIsADuplicate() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        p0: deposit e2 of 20 to alice at 10:00          applied
        p0: deposit e3 of 30 to bob at 11:00            applied
        settle
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 30, 2 events
        state bob 30, 1 event
        counts 3 applied, 1 duplicate, 3 outputs
        """);
  }

  @Test
  final void anEventSentAgainFromAnotherPartitionIsADuplicate() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p1: deposit e1 of 10 to alice at 09:00          duplicate
        p2: deposit e1 of 10 to alice at 09:00          duplicate
        p2: deposit e2 of 10 to alice at 09:00          applied
        p0: deposit e2 of 10 to alice at 09:00          duplicate
        state alice 20, 2 events
        counts 2 applied, 3 duplicates, 2 outputs
        """);
  }

  @Test
  final void anEventSentAgainAfterARestartIsADuplicate() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        crash
        restart
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        p1: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 10, 1 event
        counts 1 applied, 2 duplicates, 1 output
        """);
  }

  @Test
  final void anEventSentAgainWithAnotherTimeIsADuplicate() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 10 to alice at 17:00          duplicate
        state alice 10, 1 event
        counts 1 applied, 1 duplicate, 1 output
        """);
  }

  @Test
  final void anIdWithAnotherPayloadIsAConflictAndKeepsItsFirstVerdict() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 11 to alice at 09:00          conflict
        p0: withdraw e1 of 10 from alice at 09:00       conflict
        p0: deposit e1 of 11 to alice at 09:00          conflict
        p0: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 10, 1 event
        counts 1 applied, 1 duplicate, 3 conflicts, 1 output
        """);
  }

  @Test
  final void aConflictIsToldAfterARestartToo() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        crash
        restart
        p1: deposit e1 of 11 to alice at 09:00          conflict
        p1: deposit e1 of 10 to alice at 09:00          duplicate
        state alice 10, 1 event
        counts 1 applied, 1 duplicate, 1 conflict, 1 output
        """);
  }

  @Test
  final void theSameIdUnderAnotherKeyIsAnotherEvent() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 10 to bob at 09:00            applied
        p1: deposit e1 of 99 to carol at 09:00          applied
        p1: deposit e1 of 10 to bob at 09:00            duplicate
        state alice 10, 1 event
        state bob 10, 1 event
        state carol 99, 1 event
        counts 3 applied, 1 duplicate, 3 outputs
        """);
  }

  @Test
  final void aRejectedIdStaysRejectedWhateverComesAfterIt() throws Exception {
    play(
        A_WEEK,
        """
        p0: withdraw e1 of 5 from alice at 09:00        rejected: insufficient funds
        p0: deposit e2 of 10 to alice at 09:01          applied
        p0: withdraw e1 of 5 from alice at 09:00        duplicate
        p0: withdraw e1 of 6 from alice at 09:00        conflict
        settle
        crash
        restart
        p1: withdraw e1 of 5 from alice at 09:00        duplicate
        p1: withdraw e3 of 5 from alice at 09:02        applied
        state alice 5, 2 events
        counts 2 applied, 1 rejected, 2 duplicates, 1 conflict, 2 outputs
        """);
  }

  @Test
  final void eventsWithoutAnIdAreEachAnEventOfTheirOwn() throws Exception {
    play(
        A_WEEK,
        """
        p0: deposit of 10 to alice at 09:00             applied
        p0: deposit of 10 to alice at 09:00             applied
        p0: withdraw of 99 from alice at 09:00          rejected: insufficient funds
        settle
        crash
        restart
        p1: deposit of 10 to alice at 09:00             applied
        p1: deposit of 10 to alice                      applied
        state alice 40, 4 events
        counts 4 applied, 1 rejected, 4 outputs
        """);
  }

  @Test
  final void idsRememberedForEverAreKnownAfterYears() throws Exception {
    play(
        Setup.rememberingForever(),
        """
        p0: deposit e1 of 10 to alice on day 1          applied
        p0: withdraw e2 of 99 from alice                rejected: insufficient funds
        p0: deposit e3 of 10 to alice in the year 2999  applied
        settle
        crash
        restart
        p0: deposit e1 of 10 to alice on day 1          duplicate
        p0: deposit e3 of 11 to alice in the year 2999  conflict
        p0: withdraw e2 of 99 from alice                duplicate
        p0: deposit e4 of 10 to alice in the year 1999  applied
        state alice 30, 3 events
        counts 3 applied, 1 rejected, 2 duplicates, 1 conflict, 3 outputs
        """);
  }

  @Test
  final void withoutIdsOnlyThePositionProtects() throws Exception {
    play(
        Setup.rememberingNoIds(),
        """
        p0: deposit e1 of 10 to alice at 09:00          applied
        p0: deposit e1 of 10 to alice at 09:00          applied
        settle
        crash
        restart
        p0: deposit e1 of 11 to alice                   applied
        state alice 31, 3 events
        counts 3 applied, 3 outputs
        """);
  }
}
