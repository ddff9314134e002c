package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.verify.Nemesis.Life;
import dev.oncefold.verify.Nemesis.Witness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the nemesis says that it did is what happened to the process. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class NemesisTest {
  @TempDir Path directory;

  private final List<Observation.Fault> faults = new ArrayList<>();
  private final List<Life> lives = new ArrayList<>();
  private final List<Long> paused = new ArrayList<>();
  private boolean calm;

  private Nemesis nemesis(Schedule schedule, Class<?> main) throws IOException {
    Path log = directory.resolve("log");
    return new Nemesis(
        schedule,
        Beacon.at(Toy.beacon(directory)),
        Toy.INPUT,
        () -> Child.start(main, Child.shortLived(), log, directory.toString()),
        new Seen());
  }

  private final class Seen implements Witness {
    @Override
    public void fault(Observation.Fault fault) {
      assertThat(calm).isFalse();
      faults.add(fault);
    }

    @Override
    public void ended(Life life) {
      lives.add(life);
      try {
        assertThat(Toy.stored(directory)).isGreaterThanOrEqualTo(life.committed());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void paused() {
      try {
        paused.add(Beacon.at(Toy.beacon(directory)).get(Beacon.Field.COMMIT));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void calm() {
      calm = true;
    }
  }

  @Test
  void everyFaultLandsAndHalfOfTheKillsInsideACommit() throws IOException, InterruptedException {
    Schedule schedule = Schedule.of(7, 12, 2);
    try (Nemesis nemesis = nemesis(schedule, Toy.class)) {
      nemesis.run();
    }
    assertThat(Toy.stored(directory)).isEqualTo(Toy.INPUT);
    assertThat(faults).hasSize(14).allMatch(Observation.Fault::landed);
    assertThat(faults.stream().map(Observation.Fault::fault)).contains("F2", "F3", "F8");
    assertThat(faults.stream().filter(Observation.Fault::killed)).hasSize(schedule.kills());
    assertThat(
            faults.stream().filter(Observation.Fault::killed).filter(Observation.Fault::openCommit))
        .hasSizeGreaterThanOrEqualTo(schedule.kills() / 2);
    assertThat(faults)
        .filteredOn(fault -> fault.what().contains("half written"))
        .isNotEmpty()
        .allMatch(Observation.Fault::openCommit);
    assertThat(paused).as("one in a commit").hasSize(2).contains(Beacon.BEGUN);
    assertThat(lives.stream().filter(life -> life.commit() == Beacon.BEGUN))
        .as("half written where it was planned, and nowhere else")
        .hasSize(
            (int)
                schedule.faults().stream()
                    .filter(fault -> fault.kind() == Schedule.Kind.KILL_HALF_WRITTEN)
                    .count());
    assertThat(calm).isTrue();
    assertLives(schedule.kills());
  }

  private void assertLives(int kills) {
    assertThat(lives).hasSize(kills + 1);
    assertThat(lives.subList(0, kills)).allMatch(Life::killed);
    Life last = lives.get(kills);
    assertThat(last.killed()).isFalse();
    assertThat(last.committed()).isEqualTo(Toy.INPUT);
    assertThat(last.commit()).isEqualTo(Beacon.CLOSED);
    assertThat(last.events()).as("the last part is read in peace").isGreaterThan(Toy.INPUT / 10);
    assertThat(lives.stream().filter(life -> life.recoveryNanos() == 0))
        .as("killed in recovery")
        .hasSize(Schedule.IN_RECOVERY);
    long answered = 0;
    for (Life life : lives) {
      if (life.resumed() != Beacon.NOT_YET) {
        assertThat(life.resumed()).isGreaterThanOrEqualTo(answered);
        answered = life.committed();
      }
    }
  }

  /** Ends before anybody kills it. */
  static final class GivesUp {
    private GivesUp() {}

    public static void main(String[] args) throws IOException {
      Files.createFile(Path.of(args[0], "log"));
    }
  }

  @Test
  void aFaultWhosePartOfTheInputIsReadAlreadyLandsAllTheSame()
      throws IOException, InterruptedException {
    Schedule schedule =
        new Schedule(
            1,
            List.of(
                new Schedule.Planned(1, Schedule.Kind.KILL, 0.5, 0.6),
                new Schedule.Planned(2, Schedule.Kind.KILL_HALF_WRITTEN, 0.1, 0.2)));
    try (Nemesis nemesis = nemesis(schedule, Toy.class)) {
      nemesis.run();
    }
    assertThat(faults).hasSize(2).allMatch(Observation.Fault::landed);
    assertThat(Toy.stored(directory)).isEqualTo(Toy.INPUT);
  }

  @Test
  void aFaultThatComesAfterTheEndOfTheInputHasNotLanded() throws IOException, InterruptedException {
    Schedule schedule =
        new Schedule(
            1,
            List.of(
                new Schedule.Planned(1, Schedule.Kind.KILL, 0.9, 1.5),
                new Schedule.Planned(2, Schedule.Kind.PAUSE_IN_COMMIT, 1.1, 1.2),
                new Schedule.Planned(3, Schedule.Kind.KILL, 1.2, 1.3)));
    try (Nemesis nemesis = nemesis(schedule, Toy.class)) {
      nemesis.run();
    }
    assertThat(faults).hasSize(3);
    assertThat(faults.get(1).landed()).isFalse();
    assertThat(faults.get(1).what()).endsWith(": the input was at its end");
    assertThat(faults.get(2).landed()).isFalse();
    assertThat(Toy.stored(directory)).isEqualTo(Toy.INPUT);
  }

  @Test
  void aProcessThatEndsByItselfIsTold() throws IOException {
    try (Nemesis nemesis = nemesis(Schedule.of(1, 3, 0), GivesUp.class)) {
      assertThatThrownBy(nemesis::run)
          .isInstanceOf(ChildException.class)
          .hasMessageContaining("the worker process ended by itself with exit code 1")
          .hasMessageContaining("FileAlreadyExistsException");
    }
    assertThat(faults).as("nobody killed it").isEmpty();
  }
}
