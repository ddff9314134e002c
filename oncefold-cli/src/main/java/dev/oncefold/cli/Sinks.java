package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a pipeline writes from its journal, open. */
final class Sinks implements AutoCloseable {
  private final List<FileSink<Row, Row, String>> open = new ArrayList<>();

  private Sinks() {}

  static Sinks open(
      Pipeline pipeline, Journal<Row, Row, String> journal, Collection<String> rewritten) {
    if (!rewritten.isEmpty() && !journal.goesBackToItsBeginning()) {
      // Before anything is forgotten: a file that cannot be written anew must go on as it is.
      throw new Stop(
          "oncefold run: the journal "
              + PipelineFile.shown(pipeline.journal().directory())
              + " has dropped its older events (history: none), so no file can be written anew from"
              + " its beginning. Restore the file from a copy");
    }
    for (String name : rewritten) {
      if (journal.sinks().contains(sink(name))) {
        journal.forgetSink(sink(name));
      }
    }
    Sinks sinks = new Sinks();
    boolean opened = false;
    try {
      for (Map.Entry<String, Path> file : Places.files(pipeline).entrySet()) {
        String name = file.getKey();
        sinks.open.add(
            name.equals(Places.REFUSALS)
                ? FileSink.refusals(
                    journal, sink(name), file.getValue(), e -> Json.line(e, pipeline))
                : FileSink.outputs(journal, sink(name), name, file.getValue(), Json::line));
      }
      opened = true;
      return sinks;
    } finally {
      if (!opened) {
        sinks.close();
      }
    }
  }

  /** The name of a sink in the journal. */
  static String sink(String output) {
    return output.equals(Places.REFUSALS) ? output : "output:" + output;
  }

  /** Whether one of them writes no more, and why is told by closing. */
  boolean haveFailed() {
    return open.stream().anyMatch(FileSink::hasFailed);
  }

  /** Writes what is left to each, also where another fails. */
  @Override
  public void close() {
    @Nullable RuntimeException failure = null;
    for (FileSink<Row, Row, String> sink : open) {
      try {
        sink.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
