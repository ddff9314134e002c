package dev.oncefold.verify;

import static dev.oncefold.verify.Sketch.deposit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HistoryFileTest {
  @TempDir private Path directory;

  private Path written(List<Observation> observations) {
    Path file = directory.resolve("history.ndjson");
    try (HistoryWriter writer = new HistoryWriter(file)) {
      observations.forEach(writer);
    }
    return file;
  }

  /** One of each kind, with everything in it that can be absent once there and once not. */
  private static List<Observation> all() {
    List<Observation> all = new ArrayList<>();
    Observation.Needs needs = new Observation.Needs(1, 2, 3, 4, List.of("F2", "F4"));
    all.add(new Observation.Begin("e", "f", -1, "trace", 5, 0L, needs, Map.of("java", "17")));
    all.add(
        new Observation.Begin(
            "e", "f", 1, "trace", Observation.Begin.FOREVER, null, needs, Map.of()));
    all.add(
        new Observation.Begin(
            "e", "f", 1, "trace", Observation.Begin.NO_IDS, null, needs, Map.of()));
    all.add(new Observation.Input("p", 0, 1, "k\u00e4\n\"", "id", 5L, "x\ty"));
    all.add(new Observation.Input("p", 1, 2, null, null, null, ""));
    all.add(
        new Observation.Judged(
            "p",
            0,
            List.of(new Model.Change("k", null)),
            new Model.Effect(
                Verdict.Kind.APPLIED,
                List.of(new Model.Change("k", "s"), new Model.Change("l", null)),
                List.of(new Model.Emitted("out", "v")))));
    all.add(new Observation.Judged("p", 0, List.of(), Model.Effect.REJECTED));
    all.add(new Observation.Commit("p", 0, 2, 1, 7L, 8L, 3, "A?"));
    all.add(new Observation.Commit("p", 2, 2, 1, null, null, 3, ""));
    all.add(new Observation.Answered("p", 2));
    all.add(new Observation.Claimed("p", 2, 2));
    all.add(
        new Observation.Snapshot(
            Map.of("p", Long.MAX_VALUE), new Counts(1, 2, 3, 4, 5, 6, 7), 9L, 2));
    all.add(new Observation.Slot("k", 1, "s"));
    all.add(new Observation.Slot("l", 0, null));
    all.add(
        new Observation.Query(
            "s",
            true,
            List.of(new Observation.Slot("k", 1, "s"), new Observation.Slot("l", 0, null))));
    all.add(new Observation.Output("r", "out", "k", "f/k/id/0", "v"));
    all.add(new Observation.Refusal("r", "", "p@1", 'F'));
    all.add(new Observation.Complete("r"));
    all.add(new Observation.Fault("F2", "SIGKILL", true, true, false));
    all.add(new Observation.Damaged("a bit"));
    all.add(new Observation.Refused("no"));
    all.add(new Observation.Repaired());
    all.add(new Observation.Calm());
    all.add(new Observation.End(all.size()));
    return all;
  }

  @Test
  void whatIsWrittenIsRead() {
    assertThat(all().stream().map(Object::getClass).distinct())
        .hasSize(Observation.class.getPermittedSubclasses().length);
    List<Observation> read = new ArrayList<>();
    new HistoryFile(written(all())).read(read::add);
    assertThat(read).isEqualTo(all());
  }

  @Test
  void aHistoryFromAFilePassesAsItDoesFromMemory() {
    Sketch sketch =
        new Sketch()
            .input("e1", 100, deposit(1, "a", 10))
            .commit("A")
            .holds("e1", deposit(1, "a", 10))
            .output("a", "e1", 0, TraceModel.Trace.NONE.after("e1", 1, 10))
            .complete()
            .snapshot()
            .end();
    assertThat(Checker.check(new HistoryFile(written(sketch.observations))))
        .isEqualTo(sketch.check())
        .isInstanceOf(Result.Pass.class);
  }

  @Test
  void aLineThatIsMissingMakesItInvalid() throws IOException {
    Path file = written(all());
    List<String> lines = new ArrayList<>(Files.readAllLines(file));
    lines.remove(4);
    Files.write(file, lines);
    assertThatThrownBy(() -> new HistoryFile(file).read(o -> {}))
        .hasMessage(file + ": line 5: it is observation 6 where 5 is expected: lines are missing");
    assertThat(Checker.check(new HistoryFile(file))).isInstanceOf(Result.Invalid.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "| a JSON object is expected",
        "[] | a JSON object is expected",
        "{\"n\":1 | this is no line of JSON: Unexpected end-of-input",
        "{} | the field \"n\" is missing",
        "{\"n\":1} | there is no observation \"\"",
        "{\"n\":1,\"hello\":2} | there is no observation \"hello\"",
        "{\"n\":1,\"calm\":false} | \"calm\" can only be true",
        "{\"n\":1,\"calm\":true,\"x\":1} | it has an unknown field \"x\"",
        "{\"n\":1,\"n\":1,\"calm\":true} | the field \"n\" stands twice",
        "{\"n\":1,\"calm\":true}{} | a second value follows the object",
        "{\"n\":1,\"answered\":\"p\"} | the field \"to\" is missing",
        "{\"n\":1,\"answered\":\"p\",\"to\":\"1\"} | the field \"to\" should be a long, not 1",
        "{\"n\":1,\"answered\":\"p\",\"to\":1.5} | no field has the value 1.5",
        "{\"n\":1,\"history\":2} | the history has format 2, this program reads format 1",
        "{\"n\":1,\"judged\":\"p\",\"at\":0,\"before\":[],\"verdict\":\"X\"} | no verdict has the letter 'X'",
      })
  void brokenLinesAreTold(@org.jspecify.annotations.Nullable String line, String message)
      throws IOException {
    Path file = directory.resolve("broken.ndjson");
    Files.writeString(file, (line == null ? "" : line) + "\n");
    assertThatThrownBy(() -> new HistoryFile(file).read(o -> {}))
        .isInstanceOf(HistoryException.class)
        .hasMessageStartingWith(file + ": line 1: " + message);
  }

  @Test
  void aFileThatIsNotThere() {
    Path file = directory.resolve("none.ndjson");
    assertThatThrownBy(() -> new HistoryFile(file).read(o -> {}))
        .hasMessage("there is no history " + file);
  }
}
