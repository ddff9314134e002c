package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.oncefold.Row;
import dev.oncefold.Slot;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code oncefold history}. */
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Prints every event that named or changed a key, one JSON object a line, in the order in which"
          + " they were judged: its id, its verdict, what it was, and the state of the key after it."
          + " It may be asked while the pipeline runs.",
      ""
    },
    footer = {"", "Exit code: 0; 1 if there is no such key or no history, 2 for wrong usage."})
final class HistoryCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private final StoredFile given = new StoredFile();

  @Parameters(index = "1", paramLabel = "KEY", description = "the key")
  private @Nullable String key;

  @Option(names = "--json", description = "end with one more object: {\"events\":n,\"sequence\":n}")
  private boolean json;

  private long events;
  private long sequence;
  private @Nullable Slot<Row> slot;

  @Override
  public Integer call() {
    PrintWriter out = Objects.requireNonNull(spec, "picocli sets it").commandLine().getOut();
    String wanted = Objects.requireNonNull(key, "picocli sets it");
    Pipeline.Stored stored = given.load();
    ManyLines lines = new ManyLines(out);
    Journal.history(
        given.journal(stored, "history"),
        stored.fold(),
        wanted,
        entry -> append(entry, wanted, lines.line()));
    lines.end();
    if (events == 0) {
      throw new Stop(
          "oncefold history: no event has named or changed the key \""
              + wanted
              + "\"; \"oncefold state\" prints all keys");
    }
    if (json) {
      out.println(
          JsonNodeFactory.instance.objectNode().put("events", events).put("sequence", sequence));
    }
    return 0;
  }

  private void append(Entry<Row, Row, String> entry, String wanted, StringBuilder to) {
    events++;
    sequence = entry.sequence();
    for (Entry.Change<Row> change : entry.changes()) {
      if (change.key().equals(wanted)) {
        slot = change.slot();
      }
    }
    String line = Json.line(entry);
    to.append("{\"sequence\":").append(entry.sequence()).append(',');
    to.append(line, 1, line.length() - 1);
    StoredFile.append(slot, to);
    to.append('}');
  }
}
