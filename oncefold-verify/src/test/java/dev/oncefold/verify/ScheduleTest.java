package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Schedule.Kind;
import dev.oncefold.verify.Schedule.Planned;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What is planned, is planned to prove something. */
class ScheduleTest {
  @Property
  void mostKillsAreAimedIntoACommit(
      @ForAll long seed, @ForAll @IntRange(max = 200) int kills, @ForAll @IntRange(max = 9) int p) {
    Schedule schedule = Schedule.of(seed, kills, p);
    assertThat(schedule).isEqualTo(Schedule.of(seed, kills, p));
    assertThat(schedule.kills()).isEqualTo(kills);
    long inside = count(schedule, Kind.KILL_HALF_WRITTEN) + count(schedule, Kind.KILL_IN_SYNC);
    assertThat(inside).isBetween(Math.min(kills, kills / 2L + 1), (long) kills);
    assertThat(count(schedule, Kind.KILL_RECOVERING) > 0).isEqualTo(kills - inside >= 4);
    assertThat(count(schedule, Kind.PAUSE) + count(schedule, Kind.PAUSE_IN_COMMIT)).isEqualTo(p);
    double before = 0;
    for (Planned fault : schedule.faults()) {
      assertThat(fault.at()).as("in a part of its own").isBetween(before, fault.until());
      before = fault.until();
    }
    assertThat(before).as("some is left to be read in peace").isLessThan(0.9);
  }

  private static long count(Schedule schedule, Kind kind) {
    return schedule.faults().stream().filter(fault -> fault.kind() == kind).count();
  }

  @Test
  void theTableTellsEveryFault() {
    Schedule schedule =
        new Schedule(
            1,
            List.of(
                new Planned(1, Kind.KILL_HALF_WRITTEN, 0.0321, 0.1),
                new Planned(2, Kind.PAUSE, 0.5, 0.6)));
    assertThat(schedule.table())
        .containsExactly(
            "  no.  at input  fault  what",
            "    1      3.2%  F2     SIGKILL in a commit, half written",
            "    2     50.0%  F8     SIGSTOP at any moment, then SIGCONT");
  }

  @Test
  void anotherSeedIsAnotherSchedule() {
    assertThat(Schedule.of(1, 24, 0).faults()).isNotEqualTo(Schedule.of(2, 24, 0).faults());
  }
}
