package dev.oncefold.pipeline;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Row;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a pipeline file, section by section, and goes on behind a problem to find the others. */
final class Loader {
  private static final long MAX_SIZE = 1 << 20;
  private static final String[] SECTIONS = {
    "name",
    "version",
    "source",
    "csv",
    "types",
    "event",
    "state",
    "update",
    "failed",
    "store",
    "outputs",
    "refusals"
  };

  private final Path file;
  private final Problems problems;
  private final Form root;

  private Loader(Path file) {
    this.file = file;
    this.problems = new Problems(file.toString());
    this.root = new Form("", YamlReader.read(text(), problems), problems, SECTIONS);
  }

  private String text() {
    try {
      if (Files.isDirectory(file)) {
        throw problems.fatal(0, 0, "is a directory; name a pipeline file in it");
      }
      if (Files.size(file) > MAX_SIZE) {
        throw problems.fatal(
            0, 0, "has " + Files.size(file) + " bytes, too many for a pipeline: is it the data?");
      }
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
          .toString();
    } catch (NoSuchFileException e) {
      throw problems.fatal(0, 0, "there is no such file");
    } catch (CharacterCodingException e) {
      throw problems.fatal(0, 0, "is not text in UTF-8");
    } catch (IOException e) {
      throw problems.fatal(0, 0, "cannot be read: " + e);
    }
  }

  // ---------------------------------------------------------------- all of it

  static Pipeline load(Path file, @Nullable String source, InputStream standard) {
    return new Loader(file).pipeline(source, standard);
  }

  private Pipeline pipeline(@Nullable String source, InputStream standard) {
    Node.Scalar name = root.required("name", "\"name: accounts\"");
    int version = version();
    StateSection state = StateSection.read(root, problems);
    Pipeline.Store store = store();
    Input input = input(source, standard);
    EventSection event = input == null ? null : EventSection.read(root, input, problems);
    UpdateSection update = null;
    Fields fields = event == null ? null : event.fields();
    if (event != null && fields != null && state != null) {
      update =
          UpdateSection.read(
              root,
              fields,
              state,
              event.keys().isEmpty() ? List.of("state") : event.keys().keySet(),
              problems);
    }
    String failed = root.choice("failed", "stop", "stop", "refuse");
    Map<String, Path> outputs = outputs(update);
    Path refusals = refusals();
    problems.check();
    if (name == null
        || state == null
        || store == null
        || input == null
        || event == null
        || update == null) {
      throw new IllegalStateException("something is missing, and no problem was told");
    }
    Mapping mapping = known(event.mapping());
    Fold.Builder<Row, Row, String> builder =
        Pipeline.fold(name.text(), Codec.of(state.fields().rows()), state.initial())
            .version(version)
            .eventCodec(Codec.of(known(fields).rows()))
            .rules(rules(state, event, update))
            .whenFailed(failed.equals("stop") ? Fold.WhenFailed.STOP : Fold.WhenFailed.REFUSE);
    remember(builder, known(event.ids()));
    if (!event.fingerprint().isEmpty()) {
      builder.fingerprint(event.fingerprint().toArray(String[]::new));
    }
    return new Pipeline(
        file,
        finished(builder, state, event, update),
        input,
        known(event.reader()),
        mapping,
        store,
        outputs,
        refusals,
        notes(known(event.ids()), mapping));
  }

  private static <T> T known(@Nullable T made) {
    if (made == null) {
      throw new IllegalStateException("something is missing, and no problem was told");
    }
    return made;
  }

  private static Fold<Row, Row, String> finished(
      Fold.Builder<Row, Row, String> builder,
      StateSection state,
      EventSection event,
      UpdateSection update) {
    Map<String, Expression> keys = event.keys();
    Rules rules =
        new Rules(
            update.variables(),
            List.copyOf(keys.keySet()),
            List.copyOf(keys.values()),
            state.initial(),
            update.steps());
    return keys.isEmpty()
        ? builder.update(rules::one)
        : builder.update(rules::keys, rules::several);
  }

  private static void remember(Fold.Builder<Row, Row, String> builder, Fold.Ids ids) {
    switch (ids.kind()) {
      case SPAN -> builder.remembering(ids.span());
      case FOREVER -> builder.rememberingForever();
      case NONE -> builder.rememberingNoIds();
    }
  }

  /** What the rules are, a line each, the same however the file is spaced and commented. */
  private static String rules(StateSection state, EventSection event, UpdateSection update) {
    List<String> lines = new ArrayList<>(event.rules());
    state.rules().forEach((field, rule) -> lines.add(Change.line(field, rule)));
    lines.addAll(update.rules());
    return String.join("\n", lines);
  }

  private static List<String> notes(Fold.Ids ids, Mapping mapping) {
    List<String> notes = new ArrayList<>();
    if (ids.kind() == Fold.Ids.Kind.NONE) {
      notes.add(
          mapping.id() == null
              ? "events have no id, so only their position protects them: an event that is sent"
                  + " again, or stands in the file twice, is applied again"
              : "no ids are remembered, so only positions protect: an event that is sent again is"
                  + " applied again");
    } else if (ids.kind() == Fold.Ids.Kind.FOREVER) {
      notes.add("ids are remembered for ever: memory grows with every event");
    }
    return notes;
  }

  // ---------------------------------------------------------------- small sections

  private int version() {
    Node.Scalar version = root.scalar("version");
    if (version == null) {
      return 1;
    }
    if (!version.text().matches("[1-9]\\d{0,8}")) {
      problems.add(version, "version is a number from 1, not \"" + version.text() + "\"");
      return 1;
    }
    return Integer.parseInt(version.text());
  }

  private Path resolved(String path) {
    Path parent = file.toAbsolutePath().normalize().getParent();
    return parent == null ? Path.of(path) : parent.resolve(path).normalize();
  }

  private Pipeline.@Nullable Store store() {
    Node node = root.get("store");
    if (node == null) {
      problems.add(root.where(), "store is missing: write \"store: { journal: data/accounts }\"");
      return null;
    }
    Form form = new Form("store", node, problems, "journal", "history", "postgres");
    if (form.has("postgres")) {
      problems.add(
          known(form.key("postgres")),
          "PostgreSQL is no store of pipelines yet: write \"store: { journal: data/accounts }\"");
      return null;
    }
    if (!(node instanceof Node.Mapping)) {
      return null;
    }
    Node.Scalar journal = form.required("journal", "\"store: { journal: data/accounts }\"");
    boolean history = form.choice("history", "full", "full", "none").equals("full");
    if (journal == null) {
      return null;
    }
    Path directory = resolved(journal.text());
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      problems.add(journal, "the journal is a directory, and " + directory + " is a file");
    }
    return new Pipeline.Store(directory, history);
  }

  private @Nullable Path target(String what, Node node) {
    Form form = new Form(what, node, problems, "file", "kafka");
    if (form.has("kafka")) {
      problems.add(
          known(form.key("kafka")), "Kafka takes no outputs of pipelines yet: write \"file: …\"");
      return null;
    }
    if (!(node instanceof Node.Mapping)) {
      return null;
    }
    Node.Scalar path = form.required("file", "\"" + what + ": { file: receipts.ndjson }\"");
    if (path == null) {
      return null;
    }
    Path resolved = resolved(path.text());
    if (Files.isDirectory(resolved)) {
      problems.add(path, resolved + " is a directory; name a file in it");
    }
    return resolved;
  }

  private Map<String, Path> outputs(@Nullable UpdateSection update) {
    Map<String, Path> outputs = new LinkedHashMap<>();
    Node node = root.get("outputs");
    if (node != null && !(node instanceof Node.Mapping)) {
      problems.add(
          node,
          "outputs names each output and where it goes, such as \"outputs: { receipts: { file:"
              + " receipts.ndjson } }\", and this is "
              + node.told());
      return outputs;
    }
    Map<String, Node.Entry> entries =
        node instanceof Node.Mapping mapping ? mapping.entries() : Map.of();
    for (Node.Entry entry : entries.values()) {
      String name = entry.key().text();
      Path path = target("outputs: " + name, entry.value());
      if (path != null && outputs.containsValue(path)) {
        problems.add(entry.value(), "another output goes to " + path + " already");
      }
      if (path != null) {
        outputs.put(name, path);
      }
      if (update != null && !update.outputs().containsKey(name)) {
        problems.add(
            entry.key(),
            "no step emits to \"" + name + "\"" + Form.likely(name, update.outputs().keySet()));
      }
    }
    if (update != null) {
      update
          .outputs()
          .forEach(
              (name, where) -> {
                if (!entries.containsKey(name)) {
                  problems.add(
                      where,
                      "where do the outputs \""
                          + name
                          + "\" go? Write \"outputs: { "
                          + name
                          + ": { file: "
                          + name
                          + ".ndjson } }\"");
                }
              });
    }
    return outputs;
  }

  private @Nullable Path refusals() {
    Node node = root.get("refusals");
    return node == null ? null : target("refusals", node);
  }

  // ---------------------------------------------------------------- the source

  private @Nullable Input input(@Nullable String other, InputStream standard) {
    Node node = root.get("source");
    if (node == null) {
      problems.add(root.where(), "source is missing: write \"source: { file: payments.ndjson }\"");
      return null;
    }
    Form form = new Form("source", node, problems, "file", "name", "format", "kafka");
    if (form.has("kafka")) {
      problems.add(
          known(form.key("kafka")),
          "Kafka is no source of pipelines yet: write \"source: { file: payments.ndjson }\"");
      return null;
    }
    if (!(node instanceof Node.Mapping)) {
      return null;
    }
    Node.Scalar named = form.required("file", "\"source: { file: payments.ndjson }\"");
    if (named == null) {
      return null;
    }
    String path = other == null ? named.text() : other;
    boolean isStandard = path.equals(Input.STANDARD);
    String format = format(form, named, isStandard && other != null ? named.text() : path);
    if (format == null) {
      return null;
    }
    CsvRowReader.Csv csv = csv(format);
    if (isStandard) {
      checkIds(named);
      return new Input(null, standard, "standard input", csv);
    }
    Path at = other == null ? resolved(path) : Path.of(path);
    if (!Files.isRegularFile(at)) {
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
    return new Input(at, standard, partition == null || other != null ? own : partition, csv);
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
        problems.add(known(root.key("csv")), "csv goes with CSV only, and the source is NDJSON");
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
    if (text.length() != 1 || text.charAt(0) >= 0x80 || text.charAt(0) == '\n') {
      problems.add(
          scalar,
          "csv: "
              + name
              + " is one ASCII character, such as \";\" or \"\\t\", not "
              + scalar.told());
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
      names.add(element instanceof Node.Scalar scalar ? scalar.text() : element.told());
    }
    return names;
  }

  // ---------------------------------------------------------------- what is stored

  static Pipeline.Stored stored(Path file) {
    Loader loader = new Loader(file);
    Node.Scalar name = loader.root.required("name", "\"name: accounts\"");
    StateSection state = StateSection.read(loader.root, loader.problems);
    Pipeline.Store store = loader.store();
    loader.problems.check();
    Fold<Row, Row, String> fold =
        Pipeline.fold(
                known(name).text(), Codec.of(known(state).fields().rows()), known(state).initial())
            .version(loader.version())
            .eventCodec(new AnyRows())
            .rememberingNoIds()
            .update((row, event) -> Outcome.reject("this fold only reads"));
    return new Pipeline.Stored(fold, known(store));
  }

  /** Reads rows of whatever columns were written. */
  private static final class AnyRows implements Codec<Row> {
    @Override
    public String schema() {
      return "any";
    }

    @Override
    public void encode(Row value, Encoder out) {
      throw new CodecException("this codec only reads");
    }

    @Override
    public Row decode(Decoder in) {
      throw new CodecException("the columns are not known");
    }

    @Override
    public Codec<Row> reading(String writtenSchema, @Nullable Row defaults) {
      return Codec.of(Row.Type.of(writtenSchema));
    }
  }
}
