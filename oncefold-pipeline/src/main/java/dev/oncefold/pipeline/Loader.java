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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    "engine",
    "store",
    "outputs",
    "refusals"
  };

  private final Path file;
  private final Problems problems;
  private final Form root;

  private Loader(Path file) {
    this(file, text(file));
  }

  private Loader(Path file, String text) {
    this.file = file;
    this.problems = new Problems(file.toString());
    this.root = new Form("", YamlReader.read(text, problems), problems, SECTIONS);
  }

  static String text(Path file) {
    Problems problems = new Problems(file.toString());
    try {
      if (Files.isDirectory(file)) {
        throw problems.fatal(0, 0, "is a directory; name a pipeline file in it");
      }
      if (Files.size(file) > MAX_SIZE) {
        throw problems.fatal(
            0, 0, "has " + Files.size(file) + " bytes, too many for a pipeline: is it the data?");
      }
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length > 1 && (bytes[0] & bytes[1] & 0xfe) == 0xfe) {
        throw problems.fatal(0, 0, "is text in UTF-16: save it as UTF-8");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (NoSuchFileException e) {
      throw problems.fatal(0, 0, "there is no such file");
    } catch (CharacterCodingException e) {
      throw problems.fatal(0, 0, "is not text in UTF-8: is it the pipeline, and saved as UTF-8?");
    } catch (IOException e) {
      throw problems.fatal(0, 0, "cannot be read: " + e);
    }
  }

  // ---------------------------------------------------------------- all of it

  static Pipeline load(Path file, @Nullable String source, InputStream standard) {
    return new Loader(file).pipeline(source, standard, false);
  }

  /** Loads what a file holds that need not be there. */
  static Pipeline load(Path file, String text) {
    return new Loader(file, text).pipeline(null, InputStream.nullInputStream(), false);
  }

  /** Loads a pipeline whose source need not be there. */
  static Pipeline rehearsal(Path file, @Nullable String source) {
    return new Loader(file).pipeline(source, InputStream.nullInputStream(), true);
  }

  private Pipeline pipeline(@Nullable String source, InputStream standard, boolean rehearsal) {
    Node.Scalar name = root.required("name", "\"name: accounts\"");
    int version = version();
    StateSection state = StateSection.read(root, problems);
    Storage store = storage();
    Input input = SourceSection.read(root, this::resolved, source, standard, rehearsal, problems);
    TypesSection.Types types =
        input == null ? null : TypesSection.read(root, input, rehearsal, problems);
    EventSection event =
        types == null || input == null
            ? null
            : EventSection.read(root, types, input.isTopic(), problems);
    UpdateSection update = null;
    if (types != null && event != null && state != null && event.hasItsKeys()) {
      update =
          UpdateSection.read(
              root,
              types.fields(),
              event.hasTime(),
              state,
              event.keys().isEmpty() ? List.of("state") : event.keys().keySet(),
              problems);
    }
    String failed = root.choice("failed", "stop", "stop", "refuse");
    OutputsSection outputs = new OutputsSection(root, this::resolved, problems);
    outputs.taken(file, "pipeline");
    if (input != null && input.file() != null) {
      outputs.taken(input.file(), "source");
    }
    outputs.read(update == null ? null : update.outputs());
    Mixture.check(root, input, store, outputs, event, problems);
    if (rehearsal && input != null && input.csv() != null && !input.hasRecords()) {
      tellOfColumns(input);
    }
    problems.check();
    if (name == null
        || state == null
        || store == null
        || input == null
        || types == null
        || event == null
        || update == null) {
      throw untold();
    }
    Mapping mapping = known(event.mapping());
    Fold.Builder<Row, Row, String> builder =
        Pipeline.fold(name.text(), Codec.of(state.fields().rows()), state.initial())
            .version(version)
            .eventCodec(Codec.of(types.fields().rows()))
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
        types.reader(),
        mapping,
        new Insight(
            types.fields(), types.writer(), List.copyOf(event.keys().values()), update.steps()),
        store,
        outputs.outputs(),
        outputs.refusals(),
        notes(known(event.ids()), mapping, input, store));
  }

  /** What may be wrong with the expressions of a pipeline whose source is not there yet. */
  private void tellOfColumns(Input input) {
    if (problems.count() > 0) {
      problems.add(
          root.where(),
          "there is nothing in "
              + input.told()
              + " yet, so that only the columns that types declares are known: declare the others, or"
              + " give a file that has them (--source FILE)");
    }
  }

  private static <T> T known(@Nullable T made) {
    if (made == null) {
      throw untold();
    }
    return made;
  }

  private static IllegalStateException untold() {
    return new IllegalStateException("something is missing, and no problem was told");
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

  private static List<String> notes(Fold.Ids ids, Mapping mapping, Input input, Storage store) {
    List<String> notes = new ArrayList<>();
    if (ids.kind() == Fold.Ids.Kind.NONE) {
      notes.add(
          mapping.id() == null
              ? "events have no id, so only their position protects them: an event that is sent"
                  + (input.isTopic()
                      ? " again is applied again"
                      : " again, or stands in the file twice, is applied again")
              : "no ids are remembered, so only positions protect: an event that is sent again is"
                  + " applied again");
    } else if (ids.kind() == Fold.Ids.Kind.FOREVER) {
      notes.add(
          "ids are remembered for ever: "
              + (store instanceof Storage.Postgres
                  ? "the database grows"
                  : store instanceof Storage.KafkaStreams
                      ? "memory and the topics of the application grow"
                      : store instanceof Storage.Flink
                          ? "the state and its checkpoints grow"
                          : "memory grows")
              + " with every event");
    } else if (isOfRecord(mapping.time())) {
      notes.add(
          "record.time is another one when an event is sent again: what is sent again after its id"
              + " was forgotten is applied again. Take a field of the event that stays the same");
    }
    Mixture.notes(input, store, notes);
    return notes;
  }

  private static boolean isOfRecord(@Nullable Expression time) {
    return time != null
        && time.uses().stream()
            .anyMatch(variable -> variable.name().equals(RecordParts.NAME + ".time"));
  }

  // ---------------------------------------------------------------- small sections

  private int version() {
    Node.Scalar version = root.scalar("version");
    if (version == null) {
      return 1;
    }
    if (!version.text().matches("[1-9]\\d{0,8}")) {
      problems.add(version, "version is a whole number from 1, not \"" + version.text() + "\"");
      return 1;
    }
    return Integer.parseInt(version.text());
  }

  private @Nullable Storage storage() {
    return root.has("engine")
        ? EngineSection.read(root, this::resolved, problems)
        : StoreSection.read(root, this::resolved, problems);
  }

  private Path resolved(String path) {
    Path parent = file.toAbsolutePath().normalize().getParent();
    return parent == null ? Path.of(path) : parent.resolve(path).normalize();
  }

  // ---------------------------------------------------------------- what is stored

  static Pipeline.Stored stored(Path file) {
    Loader loader = new Loader(file);
    Node.Scalar name = loader.root.required("name", "\"name: accounts\"");
    StateSection state = StateSection.read(loader.root, loader.problems);
    Storage store = loader.storage();
    if (store == null && loader.problems.count() == 0) {
      loader.problems.add(
          loader.root.where(),
          "an engine keeps the state in the cluster of the source: write \"source: { kafka: {"
              + " bootstrap: localhost:9092, topic: payments } }\"");
    }
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
