package dev.oncefold.pipeline;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pipeline files that cannot be used, and exactly what a person is told about each. The rows are in
 * {@code broken-pipelines.txt}.
 */
class BrokenPipelinesTest {
  private static final int SHOWN = 12;

  @TempDir private Path directory;

  /** One row of the table. */
  record Row(String name, String text, List<String> sales, List<String> told) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeEach
  void files() throws IOException {
    Files.writeString(directory.resolve("payments.ndjson"), "");
    Files.writeString(directory.resolve("sales.csv"), resource("sales.csv"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"accounts", "sales", "transfers", "topics", "streams", "flink"})
  void theGoodFilesThatTheRowsAreMadeOfHaveNoProblems(String name) throws IOException {
    Path file = Files.writeString(directory.resolve(name + ".yaml"), resource(name + ".yaml"));
    assertThatCode(() -> Pipeline.load(file)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void everyBrokenFileIsToldWithItsPlaceAndWhatToDo(Row row) throws IOException {
    if (!row.sales().isEmpty()) {
      // What is no UTF-8 cannot stand in the table: the sign for that does.
      String text = String.join("\n", row.sales());
      Files.write(
          directory.resolve("sales.csv"),
          text.indexOf('\uFFFD') < 0
              ? text.getBytes(UTF_8)
              : text.replace('\uFFFD', 'ö').getBytes(ISO_8859_1));
    }
    assertThat(told(Files.writeString(directory.resolve("p.yaml"), row.text()), row.text()))
        .containsExactlyElementsOf(row.told());
  }

  @Test
  void everyRowHasANameOfItsOwnAndThereAreManyOfThem() throws IOException {
    Set<String> names = new HashSet<>();
    assertThat(rows()).allMatch(row -> names.add(row.name())).hasSizeGreaterThan(200);
  }

  /** What is told about a file: the place, what stands there, and the message. */
  private List<String> told(Path file, String text) {
    PipelineException thrown =
        catchThrowableOfType(PipelineException.class, () -> Pipeline.load(file));
    assertThat(thrown).as("the file has no problem").isNotNull();
    String[] lines = text.split("\n", -1);
    List<String> told = new ArrayList<>();
    for (Problem problem : thrown.problems()) {
      String there = "";
      if (problem.line() > 0 && problem.column() > 0) {
        String line = problem.line() <= lines.length ? lines[problem.line() - 1] : "";
        int from =
            line.offsetByCodePoints(
                0, Math.min(problem.column() - 1, line.codePointCount(0, line.length())));
        String shown = line.substring(from, Math.min(line.length(), from + SHOWN));
        there = " «" + shown.replace('\t', '⇥').replace('\0', '␀') + "»";
      }
      told.add(
          (problem.line() == 0 ? "" : problem.line() + ":" + problem.column() + there + " ")
              + problem.message().replace(directory.toString(), "DIR"));
    }
    return told;
  }

  // ---------------------------------------------------------------- what cannot stand in a table

  private List<String> told(byte[] bytes) throws IOException {
    return told(Files.write(directory.resolve("p.yaml"), bytes), "");
  }

  @Test
  void noFile() {
    assertThat(told(directory.resolve("none.yaml"), "")).containsExactly("there is no such file");
  }

  @Test
  void aDirectory() {
    assertThat(told(directory, "")).containsExactly("is a directory; name a pipeline file in it");
  }

  @Test
  void theDataForThePipeline() throws IOException {
    assertThat(told(new byte[2 << 20]))
        .containsExactly("has 2097152 bytes, too many for a pipeline: is it the data?");
  }

  @Test
  void bytesThatAreNoText() throws IOException {
    assertThat(told(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}))
        .containsExactly("is not text in UTF-8: is it the pipeline, and saved as UTF-8?");
  }

  @Test
  void anotherEncoding() throws IOException {
    assertThat(told("name: accounts\n".getBytes(UTF_16)))
        .containsExactly("is text in UTF-16: save it as UTF-8");
  }

  @Test
  void aByteOrderMarkIsNoPartOfTheFirstName() throws IOException {
    Path file =
        Files.writeString(directory.resolve("p.yaml"), '\uFEFF' + resource("accounts.yaml"));
    assertThatCode(() -> Pipeline.load(file)).doesNotThrowAnyException();
  }

  @Test
  void linesThatEndAsWindowsEndsThem() throws IOException {
    String text = resource("accounts.yaml").replace("\n", "\r\n");
    Path file = Files.writeString(directory.resolve("p.yaml"), text);
    assertThatCode(() -> Pipeline.load(file)).doesNotThrowAnyException();
    text = text.replace("payments: state.", "pyments: state.");
    assertThat(told(Files.writeString(file, text), text))
        .containsExactly(
            "28:7 «pyments: sta» the state has no field \"pyments\": did you mean \"payments\"?");
  }

  // ---------------------------------------------------------------- the table

  static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    Builder builder = null;
    for (String line : (resource("broken-pipelines.txt") + "\n=== end").lines().toList()) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("=== ")) {
        if (builder != null) {
          rows.add(builder.row());
        }
        builder = new Builder(line.substring(4));
        continue;
      }
      assertThat(builder).isNotNull();
      builder.line(line.charAt(0), line.length() < 2 ? "" : line.substring(2));
    }
    return rows;
  }

  /** Makes a row of its lines. */
  private static final class Builder {
    private final String name;
    private String text;
    private final List<String> gone = new ArrayList<>();
    private final List<String> added = new ArrayList<>();
    private final List<String> sales = new ArrayList<>();
    private final List<String> told = new ArrayList<>();

    Builder(String heading) throws IOException {
      int at = heading.indexOf(" @");
      this.name = at < 0 ? heading : heading.substring(0, at);
      this.text = resource((at < 0 ? "accounts" : heading.substring(at + 2)) + ".yaml");
    }

    void line(char kind, String line) {
      String written = line.replace('⇥', '\t').replace('␀', '\0');
      if (kind == '-' && !added.isEmpty()) {
        edit();
      }
      switch (kind) {
        case '-' -> gone.add(written);
        case '+' -> added.add(written);
        case '~' -> sales.add(written);
        case '>' -> told.add(line);
        default -> throw new IllegalArgumentException(name + ": " + line);
      }
    }

    private void edit() {
      String old = String.join("\n", gone);
      String now = String.join("\n", added);
      if (gone.isEmpty()) {
        text = added.isEmpty() ? text : now + "\n";
      } else {
        assertThat(text.split(Pattern.quote(old), -1)).as(name + ": " + old).hasSize(2);
        text = text.replace(old, now);
      }
      gone.clear();
      added.clear();
    }

    Row row() {
      edit();
      return new Row(name, text, sales, told);
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = BrokenPipelinesTest.class.getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
