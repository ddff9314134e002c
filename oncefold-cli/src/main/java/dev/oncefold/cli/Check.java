package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.journal.Description;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Change;
import dev.oncefold.pipeline.Pipeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A pipeline that was loaded, held against the journal and the files that it names. */
final class Check {
  private static final int SHOWN = 20;

  private final PipelineFile given;
  private final Pipeline pipeline;
  private final @Nullable Description stored;
  private final Change change;

  private Check(
      PipelineFile given, Pipeline pipeline, @Nullable Description stored, Change change) {
    this.given = given;
    this.pipeline = pipeline;
    this.stored = stored;
    this.change = change;
  }

  static Check of(PipelineFile given, Pipeline pipeline) {
    Description stored = Journal.describe(pipeline.store().journal());
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
      pipeline.outputs().values().forEach(file -> checkUnwritten(file, problems));
      Path refusals = pipeline.refusals();
      if (refusals != null) {
        checkUnwritten(refusals, problems);
      }
    }
    return problems;
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
    String journal = PipelineFile.shown(pipeline.store().journal());
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
    row(lines, "journal", PipelineFile.shown(pipeline.store().journal()) + ": " + journal());
    pipeline
        .outputs()
        .forEach((name, file) -> row(lines, "output", name + " to " + PipelineFile.shown(file)));
    Path refusals = pipeline.refusals();
    row(lines, "refusals", refusals == null ? "in the journal" : PipelineFile.shown(refusals));
    pipeline.notes().forEach(note -> row(lines, "note", note));
    return lines;
  }

  private static void row(List<String> lines, String name, String text) {
    lines.add(String.format(Locale.ROOT, "  %-10s%s", name, text));
  }

  private String source() {
    Path file = pipeline.sourceFile();
    String partition = ", in the journal as \"" + pipeline.partition() + "\"";
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
    return Journal.view(pipeline.store().journal(), pipeline.fold()).sequence();
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("fold", pipeline.fold().name()).put("version", pipeline.fold().version());
    ObjectNode source = json.putObject("source");
    Path file = pipeline.sourceFile();
    source.put("file", file == null ? "-" : file.toString()).put("format", pipeline.format());
    source.put("partition", pipeline.partition());
    if (file != null) {
      source.put("bytes", bytes(file));
    }
    ObjectNode fields = json.putObject("events");
    pipeline.eventFields().forEach(fields::put);
    ObjectNode journal = json.putObject("journal");
    journal.put("directory", pipeline.store().journal().toString());
    if (stored == null) {
      journal.put("events", 0);
    } else if (canBeRead()) {
      journal.put("events", events());
    }
    journal.put("change", change.kind().name().toLowerCase(Locale.ROOT));
    change.gone().forEach(journal.putArray("gone")::add);
    change.added().forEach(journal.putArray("added")::add);
    ObjectNode outputs = json.putObject("outputs");
    pipeline.outputs().forEach((name, to) -> outputs.put(name, to.toString()));
    Path refusals = pipeline.refusals();
    json.put("refusals", refusals == null ? null : refusals.toString());
    pipeline.notes().forEach(json.putArray("notes")::add);
    return json;
  }
}
