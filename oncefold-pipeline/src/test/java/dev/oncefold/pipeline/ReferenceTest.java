package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * docs/pipeline.md says what is so: its files load, its expressions give what stands beside them.
 */
class ReferenceTest {
  private static final Path REFERENCE = Path.of("..", "docs", "pipeline.md");
  private static final Pattern BLOCK =
      Pattern.compile("^```(\\w*)\\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern ROW = Pattern.compile("^\\| `(.+?)` \\| `(.+?)` \\|.*\\|$");
  private static final Pattern TYPED =
      Pattern.compile("(\\w+): \"?([a-z]+(?:\\(\\d+\\))?\\??)\"?[,\\s]");

  @TempDir Path directory;

  private static String reference() throws IOException {
    return Files.readString(REFERENCE);
  }

  /** The blocks in a language that begin in some way. */
  private static List<String> blocks(String language, String begin) throws IOException {
    List<String> blocks = new ArrayList<>();
    Matcher block = BLOCK.matcher(reference());
    while (block.find()) {
      if (block.group(1).equals(language) && block.group(2).startsWith(begin)) {
        blocks.add(block.group(2));
      }
    }
    return blocks;
  }

  static List<String> files() throws IOException {
    return blocks("yaml", "name:");
  }

  @ParameterizedTest
  @MethodSource("files")
  void aWholeFileLoads(String text) throws IOException {
    Matcher source = Pattern.compile("source: \\{ file: (\\S+) }").matcher(text);
    assertThat(source.find()).isTrue();
    Files.createFile(directory.resolve(source.group(1)));
    Path file = Files.writeString(directory.resolve("pipeline.yaml"), text);
    assertThat(Pipeline.load(file).fold().name()).isNotEmpty();
  }

  @Test
  void thePatternOfATimeLoads() throws IOException {
    String time = blocks("yaml", "time:").get(0).strip();
    Files.writeString(directory.resolve("a.csv"), "account,date\n1,980131\n");
    Path file =
        Files.writeString(
            directory.resolve("pipeline.yaml"),
            "name: a\nsource: {file: a.csv}\nevent:\n  key: event.account\n  "
                + time
                + "\nstate: {n: int 0}\nupdate: [set: {n: state.n + 1}]\nstore: {journal: data}\n");
    assertThat(Pipeline.load(file).eventFields()).containsKeys("account", "date");
  }

  @Test
  void theFirstFileIsTheExample() throws IOException {
    String example = Files.readString(Path.of("..", "examples", "accounts", "accounts.yaml"));
    assertThat(example).endsWith(files().get(0));
    assertThat(Files.readString(Path.of("..", "README.md")))
        .contains(files().get(0))
        .contains(
            Files.readString(Path.of("..", "examples", "accounts", "expected", "state.ndjson")));
  }

  @Test
  void theLinesShownAreThoseOfTheExamples() throws IOException {
    assertThat(
            Files.readString(Path.of("..", "examples", "accounts", "expected", "receipts.ndjson")))
        .startsWith(blocks("json", "{\"id\":\"accounts/").get(0));
    String[] refused = blocks("json", "{\"id\":\"p-").get(0).split("\n", -1);
    assertThat(
            Files.readAllLines(Path.of("..", "examples", "accounts", "expected", "refused.ndjson")))
        .contains(refused[0]);
    assertThat(Files.readAllLines(Path.of("..", "examples", "web", "expected", "refused.ndjson")))
        .contains(refused[1]);
  }

  // ---------------------------------------------------------------- expressions

  private static Evaluation evaluation() throws Exception {
    Map<String, String> types = new LinkedHashMap<>();
    Matcher typed = TYPED.matcher(blocks("yaml", "types:").get(0).replaceFirst("types:", ""));
    while (typed.find()) {
      types.put(typed.group(1), typed.group(2));
    }
    return new Evaluation(types, blocks("json", "{\"text\"").get(0).strip());
  }

  private static Map<String, String> rows() throws IOException {
    Map<String, String> rows = new LinkedHashMap<>();
    String text = reference();
    for (String line : text.substring(text.indexOf("## Expressions")).split("\n", -1)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        rows.put(row.group(1).replace("\\|", "|"), row.group(2).replace("\\|", "|"));
      }
    }
    return rows;
  }

  @Test
  void everyExpressionGivesWhatStandsBesideIt() throws Exception {
    Evaluation evaluation = evaluation();
    Map<String, String> rows = rows();
    assertThat(rows).hasSizeGreaterThan(70);
    SoftAssertions all = new SoftAssertions();
    rows.forEach(
        (expression, gives) ->
            all.assertThat(evaluation.of(expression)).as(expression).isEqualTo(gives));
    all.assertAll();
  }

  @Test
  void aReasonNamesTheStepAndTheFileWithoutItsDirectory() throws Exception {
    Files.writeString(directory.resolve("a.ndjson"), "{\"n\":0}\n");
    Path file =
        Files.writeString(
            directory.resolve("accounts.yaml"),
            """
            name: a
            source: {file: a.ndjson}
            types: {n: int}
            event: {key: string(event.n)}
            state: {n: int 0}
            update:
              - set: {n: 1 / event.n}
            failed: refuse
            store: {journal: data}
            refusals: {file: refused.ndjson}
            """);
    new Example(directory, directory, file).run();
    assertThat(Files.readString(directory.resolve("refused.ndjson")))
        .contains("\"reason\":\"set n (accounts.yaml:7): division by zero\"");
    assertThat(reference()).contains("\nset balance (accounts.yaml:17): division by zero\n");
  }

  @Test
  void everyFunctionIsThere() throws Exception {
    String text = reference();
    SoftAssertions all = new SoftAssertions();
    List<String> names =
        new ArrayList<>(List.of("has", "decimal", "toDecimal", "round", "multiply"));
    names.add("divide");
    new Functions()
        .declarations()
        .forEach(
            function -> {
              if (!function.name().contains("_")) {
                names.add(function.name());
              }
            });
    for (String name : names) {
      all.assertThat(text).as(name).contains(name + "(");
    }
    all.assertAll();
  }
}
