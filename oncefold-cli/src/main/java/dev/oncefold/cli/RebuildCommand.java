package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.oncefold.Row;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Rebuild;
import dev.oncefold.journal.Rebuild.Difference;
import dev.oncefold.pipeline.Change;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code oncefold rebuild}. */
@Command(
    name = "rebuild",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Judges every event of the journal again by the rules as they are now, beside the journal, and"
          + " shows what differs. Nothing is changed without --switch, and nothing is emitted for"
          + " the events of the past in any case.",
      ""
    },
    footer = {"", "Exit code: 0; 1 if it cannot be rebuilt, or runs now; 2 for wrong usage."})
final class RebuildCommand implements Callable<Integer> {
  private static final int SHOWN = 20;

  private final InputStream standard;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private final PipelineFile given = new PipelineFile();

  @Option(names = "--switch", description = "make the new state the journal's, in one step")
  private boolean switching;

  @Option(names = "--all", description = "show every key that differs, not only the first " + SHOWN)
  private boolean all;

  @Option(names = "--json", description = "print one JSON object instead")
  private boolean json;

  RebuildCommand(InputStream standard) {
    this.standard = standard;
  }

  @Override
  public Integer call() {
    PrintWriter out = Objects.requireNonNull(spec, "picocli sets it").commandLine().getOut();
    Pipeline pipeline = given.load(standard);
    if (!(pipeline.store() instanceof Storage.Journal journal)) {
      throw new Stop(
          given.path()
              + ": a rebuild judges the events again that a journal keeps: "
              + Places.withoutEvents(pipeline.store())
              + ". To keep what was judged and go on by the new rules: "
              + given.command("run")
              + " --accept-change");
    }
    Check check = Check.of(given, pipeline);
    if (check.isNew()) {
      throw new Stop(
          given.path()
              + ": nothing is stored in "
              + PipelineFile.shown(journal.directory())
              + " yet, so there is nothing to judge again. Run it: "
              + given.command("run"));
    }
    try (Rebuild<Row, Row, String> rebuild =
        Journal.rebuild(journal.directory(), pipeline.fold(), journal.options())) {
      List<Difference<Row>> shown = new ArrayList<>();
      long differences =
          rebuild.differences(
              difference -> {
                if (all || shown.size() < SHOWN) {
                  shown.add(difference);
                }
              });
      if (switching) {
        rebuild.switchOver();
      }
      if (json) {
        out.println(json(rebuild, differences, shown));
      } else {
        lines(check, rebuild, differences, shown).forEach(out::println);
      }
    }
    return 0;
  }

  private List<String> lines(
      Check check,
      Rebuild<Row, Row, String> rebuild,
      long differences,
      List<Difference<Row>> shown) {
    List<String> lines = new ArrayList<>();
    CountTable.lines("before", rebuild.before(), "after", rebuild.after(), lines);
    lines.add("");
    lines.add(
        differences == 0
            ? "No key differs."
            : String.format(
                Locale.ROOT,
                "%,d %s%s",
                differences,
                differences == 1 ? "key differs" : "keys differ",
                shown.size() < differences
                    ? "; the first " + shown.size() + " (--all shows all):"
                    : ":"));
    // What the new state has no type for cannot be read, and is not there either: it cannot be
    // told.
    String unread =
        check.change().kind() == Change.Kind.REFUSED ? "(none, or of the old types)" : "none";
    for (Difference<Row> key : shown) {
      StringBuilder line = new StringBuilder("  ");
      Json.write(key.key(), line);
      line.append(": ").append(told(key.before(), unread));
      lines.add(line.append(" → ").append(told(key.after(), "none")).toString());
    }
    lines.add("");
    lines.add(
        switching
            ? "Switched: the journal holds the state after, and goes on by the rules as they are now."
            : isAsItWas(check, rebuild, differences)
                ? "The rules are those of the journal, and there is nothing to change."
                : "Nothing is changed. To make this the state: "
                    + given.command("rebuild")
                    + " --switch");
    return lines;
  }

  private static boolean isAsItWas(
      Check check, Rebuild<Row, Row, String> rebuild, long differences) {
    return check.change().kind() == Change.Kind.NONE
        && differences == 0
        && rebuild.before().equals(rebuild.after());
  }

  private static String told(@Nullable Row state, String none) {
    if (state == null) {
      return none;
    }
    StringBuilder text = new StringBuilder();
    Json.write(state, text);
    return text.toString();
  }

  private ObjectNode json(
      Rebuild<Row, Row, String> rebuild, long differences, List<Difference<Row>> shown) {
    ObjectNode found = JsonNodeFactory.instance.objectNode();
    found.set("before", CountTable.json(rebuild.before()));
    found.set("after", CountTable.json(rebuild.after()));
    found.put("differences", differences);
    ArrayNode keys = found.putArray("keys");
    for (Difference<Row> key : shown) {
      keys.addObject()
          .put("key", key.key())
          .putRawValue("before", new RawValue(told(key.before(), "null")))
          .putRawValue("after", new RawValue(told(key.after(), "null")));
    }
    return found.put("switched", switching);
  }
}
