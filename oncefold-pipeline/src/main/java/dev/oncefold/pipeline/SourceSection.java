package dev.oncefold.pipeline;

import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The sections {@code source} and {@code csv}: where events come from, and how they are written.
 */
final class SourceSection {
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "bootstrap.servers", "write \"bootstrap: localhost:9092\" beside properties",
          "group.id", "write \"group: accounts\" beside properties",
          "auto.offset.reset", "write \"start: beginning\" or \"start: end\" beside properties",
          "enable.auto.commit", "the store keeps how far the topic is applied, not Kafka",
          "isolation.level", "only what is committed is read, always");

  private final Form root;
  private final Function<String, Path> resolved;
  private final boolean rehearsal;
  private final Problems problems;

  private SourceSection(
      Form root, Function<String, Path> resolved, boolean rehearsal, Problems problems) {
    this.root = root;
    this.resolved = resolved;
    this.rehearsal = rehearsal;
    this.problems = problems;
  }

  /**
   * Reads both; null where there is no input, which has been told as a problem.
   *
   * @param resolved finds a file that the pipeline names
   * @param other another source than the one that the pipeline names, or null
   * @param rehearsal whether the source that the pipeline names need not be there; standard input
   *     is left alone then
   */
  static @Nullable Input read(
      Form root,
      Function<String, Path> resolved,
      @Nullable String other,
      InputStream standard,
      boolean rehearsal,
      Problems problems) {
    return new SourceSection(root, resolved, rehearsal, problems).input(other, standard);
  }

  private @Nullable Input input(@Nullable String other, InputStream standard) {
    Node node = root.get("source");
    if (node == null) {
      problems.add(root.where(), "source is missing: write \"source: { file: payments.ndjson }\"");
      return null;
    }
    if (Form.key(node, "kafka") != null) {
      Origin.Kafka kafka = kafka(new Form("source", node, problems, "kafka", "file"));
      if (other == null) {
        csv("json");
        return kafka == null ? null : new Input(kafka, standard, null);
      }
    }
    Form form = new Form("source", node, problems, "file", "name", "format", "kafka");
    Node.Scalar named =
        form.has("kafka")
            ? form.key("kafka")
            : form.required("file", "\"source: { file: payments.ndjson }\"");
    if (named == null) {
      return null;
    }
    String path = other == null ? named.text() : other;
    boolean isStandard = path.equals(Input.STANDARD);
    String format =
        form.has("kafka") && isStandard
            ? "ndjson" // as the values of the topic are
            : format(form, named, isStandard && other != null ? named.text() : path);
    if (format == null) {
      return null;
    }
    int before = problems.count();
    CsvRowReader.Csv csv = csv(format);
    if (problems.count() > before) {
      return null; // what columns there are cannot be known
    }
    if (isStandard) {
      checkIds(named);
      if (rehearsal) {
        return new Input(new Origin.File(Path.of(Input.STANDARD), "standard input"), standard, csv);
      }
      return new Input(new Origin.Standard("standard input"), standard, csv);
    }
    Path at = other == null ? resolved.apply(path) : Path.of(path);
    if (!Files.isRegularFile(at) && !(rehearsal && other == null && !Files.isDirectory(at))) {
      problems.add(
          other == null ? named.line() : 0,
          other == null ? named.textColumn() : 0,
          Files.isDirectory(at)
              ? "the source " + at + " is a directory; name a file in it"
              : "there is no file " + at + " to read events from");
      if (csv != null) {
        return null;
      }
    }
    String partition = form.text("name");
    String own = String.valueOf(at.getFileName());
    return new Input(
        new Origin.File(at, partition == null || other != null ? own : partition), standard, csv);
  }

  private Origin.@Nullable Kafka kafka(Form source) {
    Node.Scalar file = source.key("file");
    if (file != null) {
      problems.add(file, "events come from one place: write file or kafka, not both");
    }
    KafkaForm form =
        new KafkaForm(
            "source: kafka",
            Objects.requireNonNull(source.get("kafka")),
            resolved,
            problems,
            "group",
            "start",
            "name");
    String bootstrap = form.bootstrap();
    String topic = form.topic();
    String group = form.form().text("group");
    boolean fromEnd = form.form().choice("start", "beginning", "beginning", "end").equals("end");
    String name = form.form().text("name");
    Settings properties = form.properties(ELSEWHERE);
    if (bootstrap == null || topic == null) {
      return null;
    }
    return new Origin.Kafka(
        bootstrap,
        topic,
        group,
        fromEnd ? Origin.Start.END : Origin.Start.BEGINNING,
        name == null ? topic : name,
        properties);
  }

  private void checkIds(Node where) {
    if (!(root.get("event") instanceof Node.Mapping event)) {
      return;
    }
    Node.Entry remember = event.entries().get("remember");
    boolean remembers =
        !(remember != null
            && remember.value() instanceof Node.Scalar choice
            && choice.text().equals("none"));
    if (!event.entries().containsKey("id") || !remembers) {
      problems.add(
          where,
          "standard input has no position to go on from, so events need ids that are remembered:"
              + " add \"id: event.id\" and \"remember: P7D\" to event");
    }
  }

  private @Nullable String format(Form form, Node.Scalar named, String path) {
    if (form.has("format")) {
      return form.choice("format", "ndjson", "ndjson", "csv");
    }
    String lower = path.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".ndjson") || lower.endsWith(".jsonl") || lower.endsWith(".json")) {
      return "ndjson";
    } else if (lower.endsWith(".csv") || lower.endsWith(".tsv")) {
      return "csv";
    }
    problems.add(
        named,
        "is "
            + (path.equals(Input.STANDARD) ? "standard input" : path)
            + " NDJSON or CSV? Its name does not say: write \"format: ndjson\" or \"format: csv\"");
    return null;
  }

  private CsvRowReader.@Nullable Csv csv(String format) {
    Node node = root.get("csv");
    if (!format.equals("csv")) {
      if (node != null) {
        problems.add(
            Objects.requireNonNull(root.key("csv")),
            format.equals("json")
                ? "csv goes with files only: a record of Kafka is one JSON object"
                : "csv goes with CSV only, and the source is NDJSON");
      }
      return null;
    }
    if (node == null) {
      return new CsvRowReader.Csv(',', '"', StandardCharsets.UTF_8, false, false, null);
    }
    Form form =
        new Form(
            "csv", node, problems, "delimiter", "quote", "encoding", "decimal", "trim", "header");
    char delimiter = character(form, "delimiter", ',');
    char quote = character(form, "quote", '"');
    if (delimiter == quote) {
      problems.add(form.where(), "csv: delimiter and quote are the same character");
    }
    return new CsvRowReader.Csv(
        delimiter,
        quote,
        encoding(form),
        form.choice("decimal", ".", ".", ",").equals(","),
        form.choice("trim", "false", "true", "false").equals("true"),
        header(form));
  }

  private char character(Form form, String name, char otherwise) {
    if (!(form.get(name) instanceof Node.Scalar scalar)) {
      return otherwise;
    }
    String text = scalar.text().equals("\\t") || scalar.text().equals("tab") ? "\t" : scalar.text();
    if (text.length() != 1 || text.charAt(0) >= 0x80 || text.equals("\n") || text.equals("\r")) {
      problems.add(
          scalar,
          "csv: "
              + name
              + " is one ASCII character, such as \";\" or \"\\t\", not "
              + (text.isBlank() ? "an empty text or a line end" : scalar.told()));
      return otherwise;
    }
    return text.charAt(0);
  }

  private Charset encoding(Form form) {
    Node.Scalar encoding = form.scalar("encoding");
    if (encoding == null) {
      return StandardCharsets.UTF_8;
    }
    try {
      Charset charset = Charset.forName(encoding.text());
      if (!new String(new byte[] {'\n', ',', '"'}, charset).equals("\n,\"")) {
        problems.add(
            encoding,
            "files in " + encoding.text() + " cannot be read line by line: convert it to UTF-8");
      }
      return charset;
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      problems.add(
          encoding,
          "there is no encoding \""
              + encoding.text()
              + "\"; there is UTF-8, ISO-8859-1 (Latin-1), windows-1252");
      return StandardCharsets.UTF_8;
    }
  }

  private @Nullable List<String> header(Form form) {
    Node node = form.get("header");
    if (node == null) {
      return null;
    }
    if (!(node instanceof Node.Sequence sequence) || sequence.elements().isEmpty()) {
      problems.add(
          node, "csv: header names the columns of a file without a header, as in [id, account]");
      return null;
    }
    List<String> names = new ArrayList<>();
    for (Node element : sequence.elements()) {
      if (element instanceof Node.Scalar scalar && !scalar.text().isBlank()) {
        names.add(scalar.text());
      } else {
        problems.add(element, "csv: header is a list of names, and this is " + element.told());
      }
    }
    return names;
  }
}
