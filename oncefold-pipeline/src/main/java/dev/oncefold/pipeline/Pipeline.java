package dev.oncefold.pipeline;

import dev.oncefold.Codec;
import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.Fold;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import dev.oncefold.journal.Description;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline file: a fold written in YAML and CEL, with where its events come from and where its
 * results go. Loaded, it has been checked as far as that can be done without running it.
 *
 * <p>Immutable, but for standard input, which is read once. The sources that it opens share a
 * reader of records: all of them are for one thread at a time.
 */
public final class Pipeline {
  private final Path file;
  private final Fold<Row, Row, String> fold;
  private final Input input;
  private final RowReader reader;
  private final Mapping mapping;
  private final Insight insight;
  private final Storage store;
  private final Map<String, Destination> outputs;
  private final @Nullable Destination refusals;
  private final List<String> notes;

  /**
   * What is needed to read what a pipeline has stored: not its source, not its rules.
   *
   * @param fold a fold that reads states and events, and judges nothing
   * @param store where they are
   */
  public record Stored(Fold<Row, Row, String> fold, Storage store) {}

  Pipeline(
      Path file,
      Fold<Row, Row, String> fold,
      Input input,
      RowReader reader,
      Mapping mapping,
      Insight insight,
      Storage store,
      Map<String, Destination> outputs,
      @Nullable Destination refusals,
      List<String> notes) {
    this.file = file;
    this.fold = fold;
    this.input = input;
    this.reader = reader;
    this.mapping = mapping;
    this.insight = insight;
    this.store = store;
    this.outputs = new LinkedHashMap<>(outputs);
    this.refusals = refusals;
    this.notes = List.copyOf(notes);
  }

  /**
   * Loads a pipeline file.
   *
   * @param file the file
   * @return the pipeline
   * @throws PipelineException if it cannot be used; it names every problem found
   */
  public static Pipeline load(Path file) {
    return load(file, null, InputStream.nullInputStream());
  }

  /**
   * Loads a pipeline file to read another source than the one it names.
   *
   * @param file the file
   * @param source a file, {@code "-"} for standard input, or null for the source that the pipeline
   *     names
   * @param standard standard input; the first line is read from it where it is the source and CSV
   * @return the pipeline
   * @throws PipelineException if it cannot be used; it names every problem found
   */
  public static Pipeline load(Path file, @Nullable String source, InputStream standard) {
    return Loader.load(file, source, standard);
  }

  /**
   * Loads a pipeline of what its file holds, as on a machine that has no such file.
   *
   * @param file where the file is: files that it names are found from there
   * @param text what {@link #text} told
   * @return the pipeline
   * @throws PipelineException if it cannot be used; it names every problem found
   */
  public static Pipeline load(Path file, String text) {
    return Loader.load(file, text);
  }

  /**
   * What a pipeline file holds.
   *
   * @param file the file
   * @return its text
   * @throws PipelineException if it cannot be read, or is no text
   */
  public static String text(Path file) {
    return Loader.text(file);
  }

  /**
   * Loads what is needed to read what a pipeline has stored.
   *
   * @param file the file
   * @return what it says of its state and store
   * @throws PipelineException if it does not say that
   */
  public static Stored stored(Path file) {
    return Loader.stored(file);
  }

  /**
   * The file.
   *
   * @return as it was named when it was loaded
   */
  public Path file() {
    return file;
  }

  /**
   * The fold.
   *
   * @return the fold, as one written in Java
   */
  public Fold<Row, Row, String> fold() {
    return fold;
  }

  /**
   * Where events come from.
   *
   * @return the source as the file has it, or what was given instead
   */
  public Origin origin() {
    return input.origin();
  }

  /**
   * Opens the source, a file or standard input, which can be opened once. A topic is opened by who
   * has a client for it, and {@link #event} makes events of its records.
   *
   * @param follow whether to wait for more at the end of a file
   * @return the source
   * @throws SourceException if there is none
   */
  public Source<Row> source(boolean follow) {
    return input.open(reader.with(mapping), follow);
  }

  /**
   * The event of a topic's record.
   *
   * @param record the record
   * @return the event
   * @throws Exception if no event can be made of it; the message says why
   */
  public Event<Row> event(TopicRecord record) throws Exception {
    byte[] value = record.value();
    if (value == null) {
      throw new FailureException("the record has no value: it is a tombstone");
    }
    Row row = reader.read(value, 0, value.length);
    if (row == null) {
      throw new FailureException("the record's value is empty");
    }
    return mapping.event(row, record);
  }

  /**
   * The source's file.
   *
   * @return the file, or null where the source is none
   */
  public @Nullable Path sourceFile() {
    return input.file();
  }

  /**
   * How the source is written.
   *
   * @return {@code NDJSON} or {@code CSV}, or {@code JSON} of a topic
   */
  public String format() {
    return input.isTopic() ? "JSON" : input.csv() == null ? "NDJSON" : "CSV";
  }

  /**
   * The name of the source in the store.
   *
   * @return the name of its only partition, or what the names of a topic's partitions begin with
   */
  public String partition() {
    return input.partition();
  }

  /**
   * The encoding of the source.
   *
   * @return the encoding; NDJSON is always in UTF-8
   */
  public Charset encoding() {
    CsvRowReader.Csv csv = input.csv();
    return csv == null ? StandardCharsets.UTF_8 : csv.charset();
  }

  /**
   * The fields of events.
   *
   * @return their types by name, as the file would have them
   */
  public Map<String, String> eventFields() {
    return told(mapping.variables().fields("event"));
  }

  private static Map<String, String> told(@Nullable Fields fields) {
    Map<String, String> told = new LinkedHashMap<>();
    if (fields != null) {
      fields.types().forEach((name, type) -> told.put(name, type.toString()));
    }
    return told;
  }

  /**
   * Where the state is kept.
   *
   * @return the store
   */
  public Storage store() {
    return store;
  }

  /**
   * The journal, of a pipeline that is known to have one.
   *
   * @return the store
   * @throws IllegalStateException if its state is kept elsewhere
   */
  public Storage.Journal journal() {
    if (store instanceof Storage.Journal journal) {
      return journal;
    }
    throw new IllegalStateException("the pipeline has no journal");
  }

  /**
   * Where the outputs go.
   *
   * @return a place for each output's name
   */
  public Map<String, Destination> outputs() {
    return Collections.unmodifiableMap(outputs);
  }

  /**
   * Where the refusals go.
   *
   * @return the place, or null where they stay in the store
   */
  public @Nullable Destination refusals() {
    return refusals;
  }

  /**
   * What a reader of the file may not expect, though nothing is wrong with it.
   *
   * @return sentences
   */
  public List<String> notes() {
    return notes;
  }

  /**
   * Compares the pipeline with the store that it names.
   *
   * @param stored what the store says of itself
   * @return the difference
   */
  public Change change(Description stored) {
    return Change.between(stored, fold);
  }

  /**
   * The same fold over another source and with everything that it writes in another place: nothing
   * that the file names is opened.
   *
   * @param scratch a directory, which need not be there; the journal goes to {@code journal} in it
   * @param source a file written as the source of this pipeline is, with the same columns
   * @return the pipeline; it shares the reader of records with this one
   * @throws IllegalStateException if its state is not kept in a journal
   */
  public Pipeline in(Path scratch, Path source) {
    Map<String, Destination> elsewhere = new LinkedHashMap<>();
    for (String name : outputs.keySet()) {
      String plain = name.replaceAll("[^A-Za-z0-9_-]", "_");
      Path to = scratch.resolve("output" + elsewhere.size() + "-" + plain + ".ndjson");
      elsewhere.put(name, new Destination.File(to));
    }
    return new Pipeline(
        file,
        fold,
        new Input(
            new Origin.File(source, String.valueOf(source.getFileName())),
            InputStream.nullInputStream(),
            input.csv()),
        reader,
        mapping,
        insight,
        new Storage.Journal(scratch.resolve("journal"), journal().history()),
        elsewhere,
        refusals == null ? null : new Destination.File(scratch.resolve("refusals.ndjson")),
        notes);
  }

  Insight insight() {
    return insight;
  }

  Mapping mapping() {
    return mapping;
  }

  Input input() {
    return input;
  }

  RowReader reader() {
    return reader;
  }

  static Fold.Builder<Row, Row, String> fold(String name, Codec<Row> states, Row initial) {
    return Fold.of(name, Row.class, Row.class, String.class)
        .initially(initial)
        .stateCodec(states)
        .outputCodec(Codec.of(String.class));
  }
}
