package dev.oncefold.pipeline;

import dev.oncefold.Counts;
import dev.oncefold.Row;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;

/** One of the examples at the root of the repository, copied to where it may write. */
record Example(Path original, Path copy, Path file) {
  private static final Path ALL = Path.of("..", "examples");
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-08-01T00:00:00Z"), ZoneOffset.UTC);

  static List<String> names() throws IOException {
    try (Stream<Path> all = Files.list(ALL)) {
      // Those that need servers have nothing that is expected beside them.
      return all.filter(p -> Files.isDirectory(p.resolve("expected")))
          .map(p -> p.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  static Example copied(String name, Path to) throws IOException {
    Path original = ALL.resolve(name);
    List<Path> files;
    try (Stream<Path> all = Files.list(original)) {
      // What a reader's own run left beside the example is no part of it.
      files =
          all.filter(Files::isRegularFile)
              .filter(
                  file -> !Files.exists(original.resolve("expected").resolve(file.getFileName())))
              .toList();
    }
    Path pipeline = null;
    for (Path file : files) {
      Path copy = to.resolve(file.getFileName().toString());
      Files.copy(file, copy);
      pipeline = file.toString().endsWith(".yaml") ? copy : pipeline;
    }
    if (pipeline == null) {
      throw new IllegalStateException("no pipeline file in " + original);
    }
    return new Example(original, to, pipeline);
  }

  /** What came of a run: the counts of this run, and all that is stored. */
  record Run(Counts counts, View<Row> view) {}

  Run run() throws InterruptedException {
    return run(Pipeline.load(file));
  }

  static Run run(Pipeline pipeline) throws InterruptedException {
    List<FileSink<Row, Row, String>> sinks = new ArrayList<>();
    try (Journal<Row, Row, String> journal =
        Journal.open(
            pipeline.journal().directory(), pipeline.fold(), pipeline.journal().options())) {
      try (Source<Row> source = pipeline.source(false)) {
        pipeline
            .outputs()
            .forEach(
                (name, to) ->
                    sinks.add(
                        FileSink.outputs(journal, "output:" + name, name, path(to), Json::line)));
        Destination refusals = pipeline.refusals();
        if (refusals != null) {
          sinks.add(
              FileSink.refusals(
                  journal, "refusals", path(refusals), e -> Json.line(e, pipeline.encoding())));
        }
        Counts counts = new Runner<>(journal, pipeline.fold(), List.of(source), CLOCK).run();
        return new Run(counts, journal.view());
      } finally {
        sinks.forEach(FileSink::close);
      }
    }
  }

  /** A line for each key, as the command writes them. */
  static String state(View<Row> view) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(view.slots())
        .forEach(
            (key, slot) -> {
              Json.write(key, text.append("{\"key\":"));
              Json.field("version", slot.version(), text);
              Json.write(slot.state(), text.append(",\"state\":"));
              text.append("}\n");
            });
    return text.toString();
  }

  /** The files that the pipeline writes. */
  List<Path> written() {
    Pipeline pipeline = Pipeline.load(file);
    List<Path> written = new ArrayList<>();
    pipeline.outputs().values().forEach(to -> written.add(path(to)));
    Destination refusals = pipeline.refusals();
    if (refusals != null) {
      written.add(path(refusals));
    }
    return written;
  }

  private static Path path(Destination to) {
    return ((Destination.File) to).path();
  }

  Path expected() {
    return original.resolve("expected");
  }
}
