package dev.oncefold.pipeline;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.api.Test;
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

  /** Leaves nothing of the source but its header. */
  private static void empty(Example example) throws IOException {
    Path source = Objects.requireNonNull(Pipeline.load(example.file()).sourceFile());
    String header =
        source.toString().endsWith(".csv")
            ? Files.readString(source, ISO_8859_1).lines().findFirst().orElseThrow() + "\n"
            : "";
    Files.writeString(source, header, ISO_8859_1);
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
    example.run(); // so that there is a journal, and outputs, which must stay as they are
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
    empty(example);
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
    compareSeeds(example);
    empty(example);
    compareSeeds(example);
  }

  private void compareSeeds(Example example) throws Exception {
    List<byte[]> made = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      made.add(Files.readAllBytes(made(example.file(), null, seed, 300).file()));
    }
    assertThat(made.get(1)).isEqualTo(made.get(0));
    assertThat(made.get(2)).isNotEqualTo(made.get(0));
  }

  // ---------------------------------------------------------------- what is odd

  private static final String RULES =
      """
      state: { sum: decimal(2) 0.00, events: int 0 }
      update: [ { set: { sum: state.sum + event.amount, events: state.events + 1 } } ]
      store: { journal: data }
      """;

  private Path pipeline(String source, String text) throws IOException {
    return Files.writeString(
        directory.resolve("p.yaml"),
        "name: odd\nsource: { file: " + source + " }\n" + text + RULES);
  }

  private Rehearsal.Lines lines(Path pipeline, int wanted) throws InterruptedException {
    return Rehearsal.of(pipeline, null).lines(1, wanted, CLOCK);
  }

  private static List<String> texts(Rehearsal.Lines lines) {
    return lines.lines().stream().map(line -> new String(line.bytes(), UTF_8)).toList();
  }

  @Test
  void aCopyKeepsAllThatIsNotItsIdKeyOrTime() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { id: {type: string, from: /meta/id}, account: string, amount: decimal(2), at: time }
            event: { id: event.id, key: event.account, time: event.at, remember: P1D }
            """);
    Files.writeString(
        directory.resolve("in.ndjson"),
        "{\"more\":[1.10,{\"x\":null}],\"meta\":{\"id\":\"a\",\"no\":12345678901234567890.50},"
            + "\"account\":\"17\",\"amount\":\"1.5\",\"at\":\"2026-07-01T10:00:00+02:00\"}\n");
    List<String> made = texts(lines(pipeline, 6));
    String rest =
        ",\"no\":12345678901234567890.50},\"account\":\"17%s\",\"amount\":\"1.5\",\"at\":\"%s\"}";
    String begin = "{\"more\":[1.10,{\"x\":null}],\"meta\":{\"id\":\"a%s\"";
    String early = "2026-06-%sT08:00:00Z";
    assertThat(made)
        .containsExactly(
            (begin + rest).formatted("~3", "00003", early.formatted(25)),
            (begin + rest).formatted("~2", "00002", early.formatted(27)),
            (begin + rest).formatted("~1", "00001", early.formatted(29)),
            (begin + rest).formatted("~5", "00005", early.formatted(29)),
            (begin + rest).formatted("", "", "2026-07-01T10:00:00+02:00"),
            (begin + rest).formatted("~4", "00004", "2026-07-01T10:00:00+02:00"));
  }

  @Test
  void aSampleWhoseCopiesWouldBeReSendsIsUsedAlone() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { id: int, account: string, amount: decimal(2) }
            event: { id: string(event.id), key: event.account.lower(), remember: forever }
            """);
    String sample =
        "{\"id\":1,\"account\":\"A\",\"amount\":1}\n{\"id\":2,\"account\":\"A\",\"amount\":1}\n";
    Files.writeString(directory.resolve("in.ndjson"), sample);
    Rehearsal.Lines lines = lines(pipeline, 100);
    assertThat(String.join("\n", texts(lines)) + "\n").isEqualTo(sample);
    assertThat(lines.notes())
        .containsExactly(
            "only the sample's 2 records are used: no copy of a record is a new event, since neither"
                + " id nor key is a plain field");
  }

  @Test
  void whatWouldStopARunIsLeftOutAndTold() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { account: string, amount: decimal(2) }
            event: { key: event.account }
            """);
    Files.writeString(
        directory.resolve("in.ndjson"),
        "{\"account\":\"a\",\"amount\":1}\nnoise\n\n{\"account\":\"a\",\"amount\":1.234}\n");
    Rehearsal.Lines lines = lines(pipeline, 3);
    assertThat(lines.counts().applied()).isEqualTo(1);
    assertThat(lines.lines()).hasSize(1);
    assertThat(lines.notes().get(0))
        .startsWith(
            "left out of the sample and its copies, since they would stop the run: 2 (such as one"
                + " that failed: the line is no JSON: \"noise\" is no value");
  }

  @Test
  void whatIsAheadOfTheClockIsLeftOutAndTold() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { id: string, account: string, amount: decimal(2), at: time }
            event: { id: event.id, key: event.account, time: event.at, remember: P7D }
            """);
    Files.writeString(
        directory.resolve("in.ndjson"),
        "{\"id\":\"1\",\"account\":\"a\",\"amount\":1,\"at\":\"%s\"}\n".formatted(CLOCK.instant())
            + "{\"id\":\"2\",\"account\":\"a\",\"amount\":1,\"at\":\"2026-09-01T00:00:00Z\"}\n");
    Rehearsal.Lines lines = lines(pipeline, 2);
    assertThat(texts(lines)).hasSize(1).allMatch(line -> line.startsWith("{\"id\":\"1\""));
    assertThat(lines.notes())
        .anyMatch(
            note -> note.contains("would stop the run: 1 ") && note.contains("is later than"));
  }

  @Test
  void anotherSampleIsRead() throws Exception {
    Path pipeline =
        pipeline(
            "missing.ndjson",
            "types: { account: string, amount: decimal(2) }\nevent: { key: event.account }\n");
    Path other = directory.resolve("other.ndjson");
    Files.writeString(other, "{\"account\":\"a\",\"amount\":1}\n");
    assertThat(texts(Rehearsal.of(pipeline, other).lines(1, 1, CLOCK)))
        .containsExactly("{\"account\":\"a\",\"amount\":1}");
    assertThatThrownBy(() -> Rehearsal.of(pipeline, directory.resolve("nowhere.ndjson")))
        .isInstanceOf(PipelineException.class)
        .hasMessageContaining("there is no file")
        .hasMessageContaining("nowhere.ndjson");
  }

  @Test
  void standardInputIsLeftAlone() throws Exception {
    Path pipeline =
        pipeline(
            "'-', format: csv",
            """
            types: { id: string, account: string, amount: decimal(2) }
            event: { id: event.id, key: event.account, remember: forever }
            """);
    Made made = made(pipeline, null, 1, 100);
    assertThat(Files.readAllLines(made.file()).get(0)).isEqualTo("id,account,amount");
    Counts counts = made.run(directory.resolve("scratch")).counts();
    assertThat(counts.events()).isEqualTo(100);
    assertThat(counts.duplicates()).isPositive();
    assertThat(counts.conflicts()).isPositive();
  }

  @Test
  void columnsThatNoFileHasAreTold() throws Exception {
    Path pipeline =
        pipeline(
            "missing.csv",
            "types: { amount: decimal(2) }\nevent: { key: event.account.lower() }\n");
    assertThatThrownBy(() -> Rehearsal.of(pipeline, null))
        .isInstanceOf(PipelineException.class)
        .hasMessageContaining("account")
        .hasMessageContaining("there is nothing in missing.csv yet")
        .hasMessageContaining("--source FILE");
  }

  @Test
  void textsThatAreReadAsSomethingElseAreThat() throws Exception {
    Path pipeline =
        Files.writeString(
            directory.resolve("p.yaml"),
            """
            name: texts
            source: { file: in.csv }
            csv: { header: [id, account, amount, count, when, day, ts, "no name"] }
            event:
              id: event.id
              key: event.account
              time: parseTime(event.day + " " + event.ts, "yyyy-MM-dd HH", "UTC")
              remember: forever
            state: { sum: decimal(2) 0.00, count: int 0, last: "time?" }
            update:
              - set:
                  sum: state.sum + toDecimal(event.amount.trim(), 2)
                  count: state.count + int(event.count)
                  last: parseTime(event.when, "d. M. yyyy", "Europe/Prague")
            store: { journal: data }
            """);
    Files.writeString(directory.resolve("in.csv"), "");
    Rehearsal.Lines lines = lines(pipeline, 100);
    // No one knows what the time is made of, and every one fails.
    assertThat(lines.lines()).isEmpty();
    assertThat(lines.notes().get(0))
        .startsWith("of 300 made-up events none is applied (such as one that failed: ")
        .endsWith("give a sample with --source FILE");
    Files.writeString(
        pipeline,
        Files.readString(pipeline)
            .replace("event.day + \" \" + event.ts", "event.day")
            .replace("yyyy-MM-dd HH", "yyyy-MM-dd"));
    lines = lines(pipeline, 100);
    assertThat(lines.counts().applied()).isEqualTo(100);
    assertThat(lines.notes()).isEmpty();
  }

  @Test
  void fewAppliedAreTold() throws Exception {
    Path pipeline =
        Files.writeString(
            directory.resolve("p.yaml"),
            """
            name: strict
            source: { file: in.ndjson }
            types: { account: string, code: string }
            event: { key: event.account }
            state: { events: int 0 }
            update:
              - reject: no code
                when: size(event.code) < 14
              - set: { events: state.events + 1 }
            store: { journal: data }
            """);
    Rehearsal.Lines lines = lines(pipeline, 1000);
    assertThat(lines.notes().get(0))
        .matches(
            "of 1000 made-up events only \\d+ are applied \\(such as one that was rejected: no code\\):"
                + " give a sample with --source FILE");
    assertThat(lines.lines()).hasSize(1000);
  }

  @Test
  void whereNothingTellsAConflictThereIsNone() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { id: string, account: string, amount: decimal(2) }
            event: { id: event.id, key: event.account, remember: forever, fingerprint: [account] }
            """);
    Rehearsal rehearsal = Rehearsal.of(pipeline, null);
    Rehearsal.Line line = rehearsal.lines(1, 1, CLOCK).lines().get(0);
    assertThat(rehearsal.changed(line, 1)).isNull();
    Counts counts = made(pipeline, null, 1, 200).run(directory.resolve("scratch")).counts();
    assertThat(counts.conflicts()).isZero();
    assertThat(counts.duplicates()).isGreaterThanOrEqualTo(10);
  }

  @Test
  void theKeysOfMadeUpEventsAreHotAndMany() throws Exception {
    Path pipeline =
        pipeline(
            "in.ndjson",
            """
            types: { id: string, account: string, amount: decimal(2) }
            event: { id: event.id, key: event.account, remember: forever }
            """);
    Map<String, Integer> keys = new TreeMap<>();
    for (Rehearsal.Line line : lines(pipeline, 10_000).lines()) {
      keys.merge(Objects.requireNonNull(line.event()).key(), 1, Integer::sum);
    }
    assertThat(keys).hasSizeGreaterThan(2000);
    assertThat(keys.values()).anyMatch(count -> count > 200);
  }
}
