package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.journal.Description;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Change;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.References;
import dev.oncefold.pipeline.Storage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline that was loaded, held against the journal and the files that it names. Of other
 * systems only a cluster is asked on which an engine depends: what others would say, run finds out.
 */
final class Check {
  private static final int SHOWN = 20;

  private final PipelineFile given;
  private final Pipeline pipeline;
  private final @Nullable Description stored;
  private final Change change;
  private final @Nullable EngineCheck engine;

  private Check(
      PipelineFile given, Pipeline pipeline, @Nullable Description stored, Change change) {
    this.given = given;
    this.pipeline = pipeline;
    this.stored = stored;
    this.change = change;
    this.engine = EngineCheck.of(given, pipeline);
  }

  static Check of(PipelineFile given, Pipeline pipeline) {
    Description stored =
        pipeline.store() instanceof Storage.Journal journal
            ? Journal.describe(journal.directory())
            : null;
    return new Check(
        given,
        pipeline,
        stored,
        stored == null
            ? new Change(Change.Kind.NONE, List.of(), List.of(), "")
            : pipeline.change(stored));
  }

  /** Whether nothing is stored yet. */
  boolean isNew() {
    return stored == null;
  }

  Change change() {
    return change;
  }

  /** What keeps the pipeline from running, for a person. */
  List<String> problems(boolean acceptChange) {
    List<String> problems = new ArrayList<>();
    String problem = changeProblem(acceptChange);
    if (problem != null) {
      problems.add(problem);
    }
    if (stored == null) {
      Places.files(pipeline).values().forEach(file -> checkUnwritten(file, problems));
    }
    if (pipeline.store() instanceof Storage.Postgres postgres) {
      problems.addAll(Table.problems(postgres));
    }
    if (engine != null) {
      problems.addAll(engine.missing());
    }
    if (pipeline.origin() instanceof Origin.Kafka topic) {
      problems.addAll(References.missing(topic.properties()));
    }
    Destination.Kafka sink = Places.cluster(pipeline);
    if (sink != null) {
      problems.addAll(References.missing(sink.properties()));
    }
    return problems.stream().distinct().toList();
  }

  private static void checkUnwritten(Path file, List<String> problems) {
    try {
      if (hasSomething(file)) {
        problems.add(
            PipelineFile.shown(file)
                + " exists, and the journal, which is new, has not written it. Move it away, or"
                + " name another file");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a file is there that nothing new can be written to. */
  static boolean hasSomething(Path file) throws IOException {
    return Files.exists(file) && Files.size(file) > 0;
  }

  private @Nullable String changeProblem(boolean acceptChange) {
    if (stored == null) {
      return null;
    }
    String journal = PipelineFile.shown(pipeline.journal().directory());
    return switch (change.kind()) {
      case NONE, STATE_ADDED -> null;
      case RULES ->
          acceptChange
              ? null
              : "the rules are not those that "
                  + journal
                  + " was written with"
                  + (change.gone().isEmpty() && change.added().isEmpty()
                      ? ": the steps stand in another order.\n"
                      : ". Gone (-) and new (+):\n" + String.join("\n", changedLines()) + "\n")
                  + rebuildHint(
                      "to judge what was applied again, by the new rules, and see what"
                          + " differs")
                  + "to keep it as it was judged and go on by the new rules:\n  "
                  + given.command("run")
                  + " --accept-change";
      case REFUSED ->
          change.reason()
              + ". Write it as it was, or name another directory as the journal and apply"
              + " everything anew"
              + (keepsHistory()
                  ? "; or judge what was applied again, with the new state:\n  "
                      + given.command("rebuild")
                  : "");
      case OTHER_FOLD ->
          change.reason()
              + ". Name another directory as the journal, or the pipeline as it was: "
              + journal
              + " cannot hold both";
    };
  }

  private String rebuildHint(String what) {
    return keepsHistory() ? what + ":\n  " + given.command("rebuild") + "\n" : "";
  }

  private boolean keepsHistory() {
    return stored != null && stored.history();
  }

  /** The lines of the rules that are gone, and those that are new. */
  List<String> changedLines() {
    List<String> lines = new ArrayList<>();
    change.gone().forEach(line -> lines.add("- " + line));
    change.added().forEach(line -> lines.add("+ " + line));
    return lines.size() <= SHOWN
        ? lines
        : List.of(
            String.join("\n", lines.subList(0, SHOWN)),
            "… and " + (lines.size() - SHOWN) + " more");
  }

  /** The fields that the state has more than before, as the file has them. */
  String addedFields() {
    return String.join(
        ", ", change.added().stream().map(line -> line.substring(line.indexOf(' ') + 1)).toList());
  }

  // ---------------------------------------------------------------- what was found

  /** What was found, for a person. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    row(lines, "fold", pipeline.fold().name() + ", version " + pipeline.fold().version());
    row(lines, "source", source());
    List<String> fields = new ArrayList<>();
    pipeline.eventFields().forEach((name, type) -> fields.add(name + " " + type));
    row(lines, "events", String.join(", ", fields));
    if (pipeline.store() instanceof Storage.Postgres postgres) {
      row(lines, "table", table(postgres));
    } else if (engine != null) {
      row(lines, "engine", engine.told());
    } else {
      row(lines, "journal", PipelineFile.shown(pipeline.journal().directory()) + ": " + journal());
    }
    pipeline
        .outputs()
        .forEach((name, place) -> row(lines, "output", name + " to " + Places.told(place)));
    Destination refusals = pipeline.refusals();
    row(
        lines,
        "refusals",
        refusals != null
            ? Places.told(refusals)
            : pipeline.store() instanceof Storage.Postgres postgres
                ? "in " + postgres.schema() + ".refusals of the database"
                : engine != null ? "counted only" : "in the journal");
    pipeline.notes().forEach(note -> row(lines, "note", note));
    warnings().forEach(warning -> row(lines, "warning", warning));
    return lines;
  }

  /** What of a cluster weakens the promise; it is asked only where an engine depends on it. */
  private List<String> warnings() {
    return engine != null && problems(false).isEmpty() ? engine.warnings() : List.of();
  }

  /** What a run of an engine would refuse, where nothing else is wrong. */
  List<String> refused() {
    return engine != null && problems(false).isEmpty() ? engine.refused() : List.of();
  }

  private static void row(List<String> lines, String name, String text) {
    lines.add(String.format(Locale.ROOT, "  %-10s%s", name, text));
  }

  private static String table(Storage.Postgres postgres) {
    return postgres.table()
        + " at "
        + postgres.url()
        + ", keys "
        + postgres.keys().name().toLowerCase(Locale.ROOT)
        + "; run asks the database what is there";
  }

  private String source() {
    if (pipeline.origin() instanceof Origin.Kafka topic) {
      return "the topic "
          + topic.topic()
          + " at "
          + topic.bootstrap()
          + ", "
          + (topic.group() != null
              ? "with the group " + topic.group()
              : engine != null ? "shared by the " + engine.sharers() : "all partitions")
          + ", from its "
          + topic.start().name().toLowerCase(Locale.ROOT)
          + (engine != null ? "" : ", in the store as \"" + topic.name() + "-0\" and so on");
    }
    Path file = pipeline.sourceFile();
    String partition =
        ", in the "
            + (pipeline.store() instanceof Storage.Journal ? "journal" : "store")
            + " as \""
            + pipeline.partition()
            + "\"";
    if (file == null) {
      return "standard input, " + pipeline.format() + partition;
    }
    return String.format(
        Locale.ROOT,
        "%s, %s, %,d bytes%s",
        PipelineFile.shown(file),
        pipeline.format(),
        bytes(file),
        partition);
  }

  private static long bytes(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String journal() {
    if (stored == null) {
      return "new";
    }
    String events =
        canBeRead() ? String.format(Locale.ROOT, "%,d events", events()) : "of another state";
    return switch (change.kind()) {
      case NONE -> events;
      case STATE_ADDED -> events + "; new in the state: " + addedFields();
      case RULES -> events + "; by other rules";
      case REFUSED -> events;
      case OTHER_FOLD -> "of another fold, \"" + stored.fold() + "\"";
    };
  }

  private boolean canBeRead() {
    return switch (change.kind()) {
      case NONE, STATE_ADDED, RULES -> true;
      case REFUSED, OTHER_FOLD -> false;
    };
  }

  private long events() {
    return Journal.view(pipeline.journal().directory(), pipeline.fold()).sequence();
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("fold", pipeline.fold().name()).put("version", pipeline.fold().version());
    source(json.putObject("source"));
    ObjectNode fields = json.putObject("events");
    pipeline.eventFields().forEach(fields::put);
    if (pipeline.store() instanceof Storage.Postgres postgres) {
      ObjectNode table = json.putObject("postgres").put("url", postgres.url());
      table.put("table", postgres.table()).put("schema", postgres.schema());
      table.put("keys", postgres.keys().name().toLowerCase(Locale.ROOT));
    } else if (engine != null) {
      engine.json(json);
    } else {
      journal(json.putObject("journal"));
    }
    ObjectNode outputs = json.putObject("outputs");
    pipeline.outputs().forEach((name, to) -> outputs.put(name, Places.machine(to)));
    Destination refusals = pipeline.refusals();
    json.put("refusals", refusals == null ? null : Places.machine(refusals));
    pipeline.notes().forEach(json.putArray("notes")::add);
    if (engine != null) {
      warnings().forEach(json.putArray("warnings")::add);
    }
    return json;
  }

  private void source(ObjectNode source) {
    if (pipeline.origin() instanceof Origin.Kafka topic) {
      source.put("kafka", topic.bootstrap()).put("topic", topic.topic());
      source.put("group", topic.group());
    } else {
      Path file = pipeline.sourceFile();
      source.put("file", file == null ? "-" : file.toString());
    }
    source.put("format", pipeline.format()).put("partition", pipeline.partition());
    Path file = pipeline.sourceFile();
    if (file != null) {
      source.put("bytes", bytes(file));
    }
  }

  private void journal(ObjectNode journal) {
    journal.put("directory", pipeline.journal().directory().toString());
    if (stored == null) {
      journal.put("events", 0);
    } else if (canBeRead()) {
      journal.put("events", events());
    }
    journal.put("change", change.kind().name().toLowerCase(Locale.ROOT));
    change.gone().forEach(journal.putArray("gone")::add);
    change.added().forEach(journal.putArray("added")::add);
  }
}
