package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.Slot;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** The pipeline file of a command that reads what is stored, and neither source nor rules. */
final class StoredFile {
  @Parameters(index = "0", paramLabel = "PIPELINE", description = "the pipeline file, in YAML")
  private @Nullable Path file;

  /** What the file says of its store. */
  Pipeline.Stored load() {
    return Pipeline.stored(path());
  }

  Path path() {
    return Objects.requireNonNull(file, "picocli sets it");
  }

  /**
   * The directory of its journal, where something is stored.
   *
   * @param what what is asked for that only a journal has
   * @throws Stop if it has no journal, or nothing is stored in it
   */
  Path journal(Pipeline.Stored stored, String what) {
    Path path = path();
    if (!(stored.store() instanceof Storage.Journal found)) {
      throw new Stop(
          path
              + ": "
              + what
              + " goes by the events that a journal keeps (\"store: { journal: … }\"): "
              + Places.withoutEvents(stored.store()));
    }
    Path journal = found.directory();
    if (Journal.describe(journal) == null) {
      throw new Stop(
          path
              + ": nothing is stored in "
              + PipelineFile.shown(journal)
              + " yet. Run it first: oncefold run "
              + PipelineFile.word(path.toString()));
    }
    return journal;
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
