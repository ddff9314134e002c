package dev.oncefold.pipeline;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The problems found so far in one file. Reading goes on behind one, to find the others too. */
final class Problems {
  private final String file;
  private final List<Problem> found = new ArrayList<>();

  Problems(String file) {
    this.file = file;
  }

  /** The file's name alone: what is stored must not depend on where the file stands. */
  String fileName() {
    return String.valueOf(Path.of(file).getFileName());
  }

  void add(Node where, String message) {
    add(where.line(), where.column(), message);
  }

  void add(int line, int column, String message) {
    found.add(new Problem(line, column, message));
  }

  int count() {
    return found.size();
  }

  PipelineException exception() {
    found.sort(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column));
    return new PipelineException(file, found);
  }

  /** Ends the reading where anything was found. */
  void check() {
    if (!found.isEmpty()) {
      throw exception();
    }
  }

  /** Ends the reading here. */
  PipelineException fatal(int line, int column, String message) {
    add(line, column, message);
    return exception();
  }
}
