package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The files that a pipeline writes, open. */
final class Sinks implements AutoCloseable {
  private final List<FileSink<Row, Row, String>> open = new ArrayList<>();

  private Sinks() {}

  static Sinks open(Pipeline pipeline, Journal<Row, Row, String> journal) {
    Sinks sinks = new Sinks();
    boolean opened = false;
    try {
      for (Map.Entry<String, Path> output : pipeline.outputs().entrySet()) {
        String name = output.getKey();
        sinks.open.add(
            FileSink.outputs(journal, "output:" + name, name, output.getValue(), Json::line));
      }
      Path refusals = pipeline.refusals();
      if (refusals != null) {
        sinks.open.add(
            FileSink.refusals(
                journal, "refusals", refusals, e -> Json.line(e, pipeline.encoding())));
      }
      opened = true;
      return sinks;
    } finally {
      if (!opened) {
        sinks.close();
      }
    }
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
