package dev.oncefold.verify;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Writes a history to a file, a line for each observation. Not thread-safe. */
public final class HistoryWriter implements Consumer<Observation>, Closeable {
  private final Path file;
  private final BufferedWriter lines;
  private long written;

  /**
   * Begins a file, in place of one of that name.
   *
   * @param file the file
   * @throws UncheckedIOException if it cannot be written
   */
  public HistoryWriter(Path file) {
    this.file = file;
    try {
      this.lines = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes an observation. Of {@link Observation.End} only that it came: the number in it is the
   * writer's.
   *
   * @param observation what was observed
   * @throws UncheckedIOException if it cannot be written
   */
  @Override
  public void accept(Observation observation) {
    Observation line =
        observation instanceof Observation.End ? new Observation.End(written) : observation;
    written++;
    try {
      lines.write(HistoryLine.write(written, line));
      lines.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException("the history " + file + " cannot be written", e);
    }
  }

  @Override
  public void close() {
    try {
      lines.close();
    } catch (IOException e) {
      throw new UncheckedIOException("the history " + file + " cannot be written", e);
    }
  }
}
