package dev.oncefold.pipeline;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Resends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Input is made for every example, with everything in it that can happen to an event. */
class RehearsalTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-08-01T00:00:00Z"), ZoneOffset.UTC);
  private static final int EVENTS = 3000;

  @TempDir Path directory;

  static List<String> examples() throws IOException {
    return Example.names();
  }

  /** The input of a rehearsal, as a verification makes it. */
  private record Made(Rehearsal rehearsal, Rehearsal.Lines lines, Path file) {
    Example.Run run(Path scratch) throws InterruptedException {
      return Example.run(rehearsal.pipeline().in(scratch, file));
    }
  }

  private Made made(Path pipeline, @Nullable Path sample, long seed, int events) throws Exception {
    Rehearsal rehearsal = Rehearsal.of(pipeline, sample);
    Fold.Ids ids = rehearsal.pipeline().fold().ids();
    long span =
        !rehearsal.recognisesResends()
            ? Observation.Begin.NO_IDS
            : ids.kind() == Fold.Ids.Kind.FOREVER
                ? Observation.Begin.FOREVER
                : ids.span().toMillis();
    List<Rehearsal.Line> unreadable = rehearsal.unreadable();
    int firsts = Resends.firsts(events, rehearsal.recognisesResends(), !unreadable.isEmpty());
    Rehearsal.Lines lines = rehearsal.lines(seed, firsts, CLOCK);
    List<Rehearsal.Line> all =
        Resends.mixed(
                lines.lines(),
                new Resends.Lines<Rehearsal.Line>() {
                  @Override
                  public boolean isRemembered(Rehearsal.Line line) {
                    return line.isRemembered();
                  }

                  @Override
                  public @Nullable Long time(Rehearsal.Line line) {
                    return line.millis();
                  }

                  @Override
                  public Rehearsal.@Nullable Line changed(Rehearsal.Line line, long seed) {
                    return rehearsal.changed(line, seed);
                  }
                },
                unreadable,
                events,
                span,
                seed)
            .stream()
            .map(Resends.Sent::line)
            .toList();
    Path made = Files.createDirectories(directory.resolve("made")).resolve(rehearsal.fileName());
    rehearsal.write(all, made);
    return new Made(rehearsal, lines, made);
  }

  /** What stands in a directory: every file with its bytes and when it was changed. */
  private static Map<String, String> standing(Path directory) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        all.put(
            file.toString(),
            Files.getLastModifiedTime(file)
                + (Files.isRegularFile(file) ? Files.readString(file, ISO_8859_1) : ""));
      }
    }
    return all;
  }

  private Example example(String name) throws IOException {
    Example example = Example.copied(name, Files.createDirectory(directory.resolve("example")));
    FileTime then = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));
    try (Stream<Path> files = Files.list(example.copy())) {
      for (Path file : files.toList()) {
        Files.setLastModifiedTime(file, then);
      }
    }
    Files.setLastModifiedTime(example.copy(), then);
    return example;
  }

  private void checkCounts(Example example, Made made) throws Exception {
    Counts counts = made.run(directory.resolve("scratch")).counts();
    String told = made.rehearsal().pipeline().fold().name() + " " + counts + made.lines().notes();
    boolean rejects = Files.readString(example.file()).contains("- reject:");
    boolean refuses = Files.readString(example.file()).contains("failed: refuse");
    assertThat(counts.events()).as(told).isEqualTo(EVENTS);
    assertThat(counts.applied()).as(told).isGreaterThan(EVENTS / 2);
    assertThat(counts.rejected() > 0).as(told).isEqualTo(rejects);
    assertThat(counts.failed() > 0).as(told).isEqualTo(refuses);
    assertThat(counts.outputs()).as(told).isPositive();
    if (made.rehearsal().recognisesResends()) {
      assertThat(counts.duplicates()).as(told).isPositive();
      assertThat(counts.conflicts()).as(told).isPositive();
      assertThat(counts.expired()).as(told).isPositive();
      assertThat((counts.duplicates() + counts.conflicts() + counts.expired()) * 20)
          .as(told)
          .isGreaterThanOrEqualTo(EVENTS);
      assertThat(made.lines().notes()).noneMatch(note -> note.contains("sent again"));
    } else {
      assertThat(made.lines().notes()).anyMatch(note -> note.startsWith("no event is sent again"));
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void aSampleIsCopiedAndSentAgainAndIsNotTouched(String name) throws Exception {
    Example example = example(name);
    Map<String, String> before = standing(example.copy());
    Made made = made(example.file(), null, 1, EVENTS);
    assertThat(made.lines().sampled()).isGreaterThan(100);
    assertThat(made.lines().notes())
        .anyMatch(note -> note.contains("each is copied, as an event of its own"));
    checkCounts(example, made);
    assertThat(standing(example.copy())).isEqualTo(before);
  }

  @ParameterizedTest
  @MethodSource("examples")
  void whereThereIsNoSampleEventsAreMadeUp(String name) throws Exception {
    Example example = example(name);
    Path source = Objects.requireNonNull(Pipeline.load(example.file()).sourceFile());
    String header =
        source.toString().endsWith(".csv")
            ? Files.readString(source, ISO_8859_1).lines().findFirst().orElseThrow() + "\n"
            : "";
    Files.writeString(source, header, ISO_8859_1);
    Made made = made(example.file(), null, 1, EVENTS);
    assertThat(made.lines().sampled()).isZero();
    assertThat(made.lines().notes()).noneMatch(note -> note.contains("made-up"));
    checkCounts(example, made);
    assertThat(new HashSet<>(made.run(directory.resolve("more")).view().slots().keySet()))
        .hasSizeGreaterThan(EVENTS / 10);
  }

  @ParameterizedTest
  @MethodSource("examples")
  void theSameSeedMakesTheSameBytes(String name) throws Exception {
    Example example = example(name);
    List<byte[]> made = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      made.add(Files.readAllBytes(made(example.file(), null, seed, EVENTS).file()));
    }
    assertThat(made.get(1)).isEqualTo(made.get(0));
    assertThat(made.get(2)).isNotEqualTo(made.get(0));
    // Made up, too.
    Path source = Objects.requireNonNull(Pipeline.load(example.file()).sourceFile());
    if (!source.toString().endsWith(".csv")) {
      Files.delete(source);
      made.clear();
      for (long seed : new long[] {1, 1, 2}) {
        made.add(Files.readAllBytes(made(example.file(), null, seed, EVENTS).file()));
      }
      assertThat(made.get(1)).isEqualTo(made.get(0));
      assertThat(made.get(2)).isNotEqualTo(made.get(0));
    }
  }
}
