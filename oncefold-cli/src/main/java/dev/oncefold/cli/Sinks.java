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

/** The files that a pipeline writes, open. */
final class Sinks implements AutoCloseable {
  /** What names the file of the refusals among the outputs. */
  static final String REFUSALS = "refusals";

  private final List<FileSink<Row, Row, String>> open = new ArrayList<>();

  private Sinks() {}

  static Sinks open(
      Pipeline pipeline, Journal<Row, Row, String> journal, Collection<String> rewritten) {
    if (!rewritten.isEmpty() && !journal.goesBackToItsBeginning()) {
      // Before anything is forgotten: a file that cannot be written anew must go on as it is.
      throw new Stop(
          "oncefold run: the journal "
              + PipelineFile.shown(pipeline.store().journal())
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
      for (Map.Entry<String, Path> output : pipeline.outputs().entrySet()) {
        String name = output.getKey();
        sinks.open.add(FileSink.outputs(journal, sink(name), name, output.getValue(), Json::line));
      }
      Path refusals = pipeline.refusals();
      if (refusals != null) {
        sinks.open.add(
            FileSink.refusals(
                journal, sink(REFUSALS), refusals, e -> Json.line(e, pipeline.encoding())));
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
    return output.equals(REFUSALS) ? REFUSALS : "output:" + output;
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
