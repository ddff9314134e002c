package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.journal.View;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.Events;

/**
 * The embedded engine, broken in one place each: the suite must notice, and where it is named to.
 * No broken engine fails a test of which it is sound, so what is caught is the break and nothing
 * else.
 */
class BrokenEnginesTest {
  private static void caught(
      Class<? extends ConformanceSuite> engine, Set<String> by, String sound) {
    Events failing = SuiteRun.tests(engine, by);
    assertThat(SuiteRun.failed(failing)).isEqualTo(by);
    failing.assertStatistics(seen -> seen.skipped(0).aborted(0));
    SuiteRun.tests(engine, Set.of(sound))
        .assertStatistics(seen -> seen.started(1).succeeded(1).failed(0));
  }

  // ---------------------------------------------------------------- ids

  /** A plain at-least-once consumer: it remembers no ids, whatever it is told. */
  static class AtLeastOnce extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        void run(Setup setup) {
          super.run(
              new Setup(
                  setup.severalKeys(),
                  setup.version(),
                  Setup.rememberingNoIds().ids(),
                  setup.whenFailed(),
                  setup.history(),
                  setup.acceptChange(),
                  setup.partitions()));
        }
      };
    }
  }

  @Test
  void noIds() {
    caught(
        AtLeastOnce.class,
        Set.of(
            "anEventSentAgainAtOnceIsADuplicate",
            "anEventSentAgainFromAnotherPartitionIsADuplicate",
            "anEventSentAgainAfterARestartIsADuplicate",
            "anIdWithAnotherPayloadIsAConflictAndKeepsItsFirstVerdict",
            "aRejectedIdStaysRejectedWhateverComesAfterIt",
            "whatWasForgottenIsRefusedAsExpiredAndNeverAppliedTwice",
            "aTransferIsRecognisedByTheIdUnderItsOwnKey"),
        "withoutIdsOnlyThePositionProtects");
  }

  /** Remembers ids in memory only: after a crash every one is new. */
  static class IdsLostOnRestart extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        private int lives;

        @Override
        void run(Setup setup) {
          lives++;
          super.run(setup);
        }

        @Override
        public void feed(String partition, List<String> records) throws IOException {
          super.feed(partition, records.stream().map(this::renamed).toList());
        }

        private String renamed(String record) {
          if (lives == 1 || record.equals("garbage")) {
            return record;
          }
          Event<Move> event = Bank.decode(record);
          String id = event.id() == null ? null : event.id() + "-" + lives;
          return Bank.encode(new Event<>(id, event.key(), event.time(), event.value()));
        }
      };
    }
  }

  @Test
  void idsLostOnRestart() {
    caught(
        IdsLostOnRestart.class,
        Set.of(
            "anEventSentAgainAfterARestartIsADuplicate",
            "aConflictIsToldAfterARestartToo",
            "aNullStateDeletesTheKeyAndItsVersionBeginsAnew",
            "crashesDuringRecoveryLoseAndDoubleNothing"),
        "anEventSentAgainAtOnceIsADuplicate");
  }

  // ---------------------------------------------------------------- what a crash does

  /** Commits the position before the state: what was read and not judged is skipped. */
  static class LosesTheTail extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        private List<String> partitions = List.of();

        @Override
        public Duration patience() {
          return Duration.ofSeconds(2);
        }

        @Override
        void run(Setup setup) {
          partitions = setup.partitions();
          super.run(setup);
        }

        @Override
        public void crash() throws IOException {
          View<Trace> view = view();
          super.crash();
          if (view != null) {
            for (String partition : partitions) {
              cut(partition, view.positions());
            }
          }
        }

        private void cut(String partition, Map<String, Position> positions) throws IOException {
          try (FileChannel input =
              FileChannel.open(
                  EmbeddedEngine.input(directory, partition), StandardOpenOption.WRITE)) {
            input.truncate(positions.getOrDefault(partition, Position.START).offset());
          }
        }
      };
    }
  }

  @Test
  void losesTheTailOnACrash() {
    caught(
        LosesTheTail.class,
        Set.of(
            "crashesBetweenFeedsLoseAndDoubleNothing",
            "crashesInTheMiddleOfABacklogLoseAndDoubleNothing",
            "transfersConserveTheSumAcrossCrashes"),
        "whatWasSettledIsThereAfterACrash");
  }

  /** Emits outside of the commit: after a crash it emits the last ones again. */
  static class OutputsTwice extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        private boolean crashed;

        @Override
        public void crash() throws IOException {
          crashed = true;
          super.crash();
        }

        @Override
        public List<Emitted> outputs(String name) throws IOException {
          List<Emitted> outputs = new ArrayList<>(super.outputs(name));
          if (crashed && !outputs.isEmpty()) {
            outputs.add(outputs.get(outputs.size() - 1));
          }
          return outputs;
        }
      };
    }
  }

  @Test
  void outputsDoubledAfterACrash() {
    caught(
        OutputsTwice.class,
        Set.of(
            "outputsAreThereOnceWhateverIsSentAgainAndHoweverOftenItDies",
            "whatWasSettledIsThereAfterACrash",
            "transfersConserveTheSumAcrossCrashes"),
        "outputsHaveTheIdOfTheirFoldKeyEventAndPlace");
  }

  // ---------------------------------------------------------------- what is told

  /** Judges rightly and counts duplicates as nothing. */
  static class WrongCounts extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public Counts counts() {
          Counts c = super.counts();
          return new Counts(
              c.applied(), c.rejected(), 0, c.conflicts(), c.expired(), c.failed(), c.outputs());
        }
      };
    }
  }

  @Test
  void countsThatLeaveEventsOut() {
    caught(
        WrongCounts.class,
        Set.of("anEventSentAgainAtOnceIsADuplicate", "everyEventIsInOneCountAcrossRestarts"),
        "nothingFedChangesNothing");
  }

  /** Logs refusals somewhere, and forgets them. */
  static class RefusalsDropped extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public List<Refusal> refusals() {
          return List.of();
        }
      };
    }
  }

  @Test
  void refusalsDropped() {
    caught(
        RefusalsDropped.class,
        Set.of(
            "everyRefusalIsToldOnceWithItsReason",
            "whatIsNoEventIsFailedAndTheOthersGoOn",
            "anUnknownIdFromBelowTheFloorIsExpired",
            "aTransferChangesBothKeysOrNone"),
        "anEventSentAgainAtOnceIsADuplicate");
  }

  /** Tells that something was refused, and not why. */
  static class ReasonsDropped extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public List<Refusal> refusals() throws IOException {
          return super.refusals().stream()
              .map(each -> new Refusal(each.verdict(), each.key(), each.id(), ""))
              .toList();
        }
      };
    }
  }

  @Test
  void reasonsDropped() {
    caught(
        ReasonsDropped.class,
        Set.of(
            "everyRefusalIsToldOnceWithItsReason",
            "aRejectedIdStaysRejectedWhateverComesAfterIt",
            "anUnknownIdFromBelowTheFloorIsExpired"),
        "anIdWithAnotherPayloadIsAConflictAndKeepsItsFirstVerdict");
  }

  /** Skips a Failed event as if it had not been there. */
  static class FailedSkipped extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public Counts counts() {
          Counts c = super.counts();
          return c.minus(new Counts(0, 0, 0, 0, 0, c.failed(), 0));
        }

        @Override
        public List<Refusal> refusals() throws IOException {
          return super.refusals().stream()
              .filter(each -> each.verdict() != Verdict.Kind.FAILED)
              .toList();
        }
      };
    }
  }

  @Test
  void failedEventsSkipped() {
    caught(
        FailedSkipped.class,
        Set.of(
            "whatIsNoEventIsFailedAndTheOthersGoOn",
            "anUpdateThatThrowsLeavesNothingAndTheOthersGoOn",
            "anEventAheadOfTheClockIsFailedAndExpiresNobody"),
        "aRejectedIdStaysRejectedWhateverComesAfterIt");
  }

  // ---------------------------------------------------------------- order, versions, stops

  /** Judges the events of a key in another order. */
  static class Reordered extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public void feed(String partition, List<String> records) throws IOException {
          List<String> reversed = new ArrayList<>(records);
          Collections.reverse(reversed);
          super.feed(partition, reversed);
        }
      };
    }
  }

  @Test
  void reorderedWithinAKey() {
    caught(
        Reordered.class,
        Set.of("tenThousandEventsOfOneKeyAreAppliedInOrder", "aTransferChangesBothKeysOrNone"),
        "anEventSentAgainAtOnceIsADuplicate");
  }

  /** Keeps a counter of writes where a key's version belongs. */
  static class VersionsGoOn extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        public @Nullable Slot<Trace> state(String key) {
          Slot<Trace> slot = super.state(key);
          return slot == null ? null : new Slot<>(slot.state(), counts().events());
        }
      };
    }
  }

  @Test
  void versionsThatAreNone() {
    caught(
        VersionsGoOn.class,
        Set.of(
            "eachVersionOfAKeyIsOneAppliedEvent", "aNullStateDeletesTheKeyAndItsVersionBeginsAnew"),
        "aCrashWithNothingDoneLosesNothing");
  }

  /** Takes any version of the fold as its own. */
  static class ChangeUnnoticed extends ConformanceSuite {
    @Override
    protected EngineFixture engine(Path directory) {
      return new InProcessFixture(directory) {
        @Override
        void run(Setup setup) {
          super.run(setup.acceptingChange());
        }
      };
    }
  }

  @Test
  void anotherVersionUnnoticed() {
    caught(
        ChangeUnnoticed.class,
        Set.of("anotherVersionOfTheFoldIsRefusedUnlessTheChangeIsAccepted"),
        "anAcceptedChangeKeepsWhatWasJudgedAndGoesOnUnderTheNewRules");
  }
}
