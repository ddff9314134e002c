package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.Slot;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** The pipeline file of a command that reads what is stored, and neither source nor rules. */
final class StoredFile {
  @Parameters(index = "0", paramLabel = "PIPELINE", description = "the pipeline file, in YAML")
  private @Nullable Path file;

  /** What the file says of its store, where something is stored. */
  Pipeline.Stored load() {
    Path path = Objects.requireNonNull(file, "picocli sets it");
    Pipeline.Stored stored = Pipeline.stored(path);
    Path journal = stored.store().journal();
    if (Journal.describe(journal) == null) {
      throw new Stop(
          path
              + ": nothing is stored in "
              + PipelineFile.shown(journal)
              + " yet. Run it first: oncefold run "
              + PipelineFile.word(path.toString()));
    }
    return stored;
  }

  /** Appends the fields of what is stored for a key. */
  static void append(@Nullable Slot<Row> slot, StringBuilder to) {
    if (slot == null) {
      to.append(",\"state\":null");
      return;
    }
    Json.field("version", slot.version(), to);
    Json.write(slot.state(), to.append(",\"state\":"));
  }
}
