package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.verify.Beacon.Field;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed, paused and resumed, and that nobody leaves behind. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ChildTest {
  @TempDir Path directory;

  private Child start(Class<?> main) throws IOException {
    return Child.start(main, Child.shortLived(), directory.resolve("log"), directory.toString());
  }

  private Beacon beacon() throws IOException {
    return Beacon.at(directory.resolve("beacon"));
  }

  private static void await(Beacon beacon, long more) {
    while (beacon.get(Field.EVENTS) < more) {
      LockSupport.parkNanos(100_000);
    }
  }

  /** Counts in two threads, for ever. */
  static final class Counts {
    private Counts() {}

    public static void main(String[] args) throws IOException {
      Beacon beacon = Beacon.at(Path.of(args[0], "beacon"));
      Thread other = new Thread(() -> count(beacon, Field.HANDED));
      other.start();
      count(beacon, Field.EVENTS);
    }

    private static void count(Beacon beacon, Field field) {
      for (long i = 1; true; i++) {
        beacon.set(field, i);
      }
    }
  }

  @Test
  void aKilledOneDiesOfTheKill() throws IOException, InterruptedException {
    try (Child child = start(Counts.class)) {
      await(beacon(), 1);
      assertThat(child.isAlive()).isTrue();
      assertThat(child.kill()).isTrue();
      assertThat(child.isAlive()).isFalse();
      assertThat(child.exitCode()).isEqualTo(128 + 9);
      assertThat(child.lastWords()).isEqualTo("it said nothing");
    }
  }

  @Test
  void aPausedOneStandsStillUntilItIsResumed()
      throws IOException, InterruptedException, NotRunException {
    Beacon beacon = beacon();
    try (Child child = start(Counts.class)) {
      await(beacon, 1);
      child.pause();
      long handed = beacon.get(Field.HANDED);
      long events = beacon.get(Field.EVENTS);
      assertThat(child.awaitEnd(Duration.ofMillis(50))).isFalse();
      assertThat(beacon.get(Field.HANDED)).isEqualTo(handed);
      assertThat(beacon.get(Field.EVENTS)).isEqualTo(events);
      assertThatThrownBy(child::pause).isInstanceOf(IllegalStateException.class);
      child.resume();
      await(beacon, events + 1_000_000);
      assertThatThrownBy(child::resume).isInstanceOf(IllegalStateException.class);
      child.pause();
      assertThat(child.kill()).as("a paused one dies, too").isTrue();
    }
  }

  /** Says what it is told, until that is enough. */
  static final class Echoes {
    private Echoes() {}

    public static void main(String[] args) throws IOException {
      BufferedReader told =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = told.readLine(); !line.equals("enough"); line = told.readLine()) {
        System.out.println(line);
      }
    }
  }

  @Test
  void oneReadsWhatItIsTold() throws IOException, InterruptedException {
    try (Child child = start(Echoes.class)) {
      child.tell("one");
      child.tell("two");
      child.tell("enough");
      assertThat(child.awaitEnd(Duration.ofSeconds(30))).isTrue();
      assertThat(child.exitCode()).isZero();
      assertThat(child.lastWords().lines()).containsExactly("one", "two");
    }
  }

  /** Says where its classes are from. */
  static final class Classes {
    private Classes() {}

    public static void main(String[] args) throws IOException {
      System.out.println(Classes.class.getProtectionDomain().getCodeSource().getLocation());
    }
  }

  @Test
  void classesThatWereKeptAreNotLoadedAnew() throws IOException, InterruptedException {
    List<String> options = new ArrayList<>(ClassArchive.of(Classes.class, directory));
    assertThat(options).as("this Java can keep classes").isNotEmpty();
    options.add("-Xlog:class+load");
    Path log = directory.resolve("second");
    try (Child child = Child.start(Classes.class, options, log)) {
      assertThat(child.awaitEnd(Duration.ofSeconds(30))).isTrue();
      assertThat(child.exitCode()).isZero();
    }
    assertThat(Files.readAllLines(log))
        .anyMatch(
            line ->
                line.contains(Classes.class.getName())
                    && line.contains("source: shared objects file (top)"));
  }

  @Test
  void classesOfAProcessThatFailsAreNotKept() {
    assertThatThrownBy(() -> ClassArchive.of(Ends.class, directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("exit code 3")
        .hasMessageContaining("the disk is full");
  }

  /** Says something, and ends. */
  static final class Ends {
    private Ends() {}

    public static void main(String[] args) {
      System.err.println("the disk is full");
      System.exit(3);
    }
  }

  @Test
  void oneThatEndedByItselfWasNotKilled() throws IOException, InterruptedException {
    try (Child child = start(Ends.class)) {
      assertThat(child.awaitEnd(Duration.ofSeconds(30))).isTrue();
      assertThat(child.kill()).isFalse();
      assertThat(child.exitCode()).isEqualTo(3);
      assertThat(child.lastWords()).isEqualTo("the disk is full");
      assertThatThrownBy(child::pause)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("had ended");
    }
  }

  /** Has a child of its own, paused if the second argument says so. */
  static final class Parent {
    private Parent() {}

    public static void main(String[] args) throws IOException, NotRunException {
      Path log = Path.of(args[0], "log");
      Child child = Child.start(Counts.class, Child.shortLived(), log, args[0]);
      Beacon beacon = Beacon.at(Path.of(args[0], "beacon"));
      await(beacon, 1);
      if (args[1].equals("paused")) {
        child.pause();
      }
      beacon.set(Field.FOUND, child.pid());
      while (true) {
        LockSupport.park();
      }
    }
  }

  private void assertNoOrphan(String how) throws IOException, InterruptedException {
    Beacon beacon = beacon();
    ProcessHandle child;
    try (Child parent =
        Child.start(
            Parent.class,
            Child.shortLived(),
            directory.resolve("parent"),
            directory.toString(),
            how)) {
      while (beacon.get(Field.FOUND) == 0) {
        assertThat(parent.isAlive()).as(parent.lastWords()).isTrue();
        LockSupport.parkNanos(100_000);
      }
      child = ProcessHandle.of(beacon.get(Field.FOUND)).orElseThrow();
      assertThat(child.isAlive()).isTrue();
      assertThat(parent.kill()).isTrue();
    }
    assertThat(child.onExit()).succeedsWithin(Duration.ofSeconds(30));
  }

  @Test
  void itEndsWithItsParent() throws IOException, InterruptedException {
    assertNoOrphan("running");
  }

  @Test
  void aPausedOneEndsWithItsParent() throws IOException, InterruptedException {
    assertNoOrphan("paused");
  }
}
