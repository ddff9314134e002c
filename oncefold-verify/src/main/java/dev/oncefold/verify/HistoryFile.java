package dev.oncefold.verify;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A history in a file.
 *
 * @param path the file
 */
public record HistoryFile(Path path) implements History {
  /**
   * {@inheritDoc}
   *
   * <p>Lines are numbered from 1 without a gap; where one is missing the file is not what was
   * written.
   */
  @Override
  public void read(Consumer<Observation> each) {
    long number = 0;
    try (BufferedReader lines = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        Observation observation;
        try {
          observation = HistoryLine.read(number, line);
        } catch (IOException | IllegalArgumentException | HistoryException e) {
          throw new HistoryException(path + ": line " + number + ": " + HistoryLine.told(e), e);
        }
        each.accept(observation);
      }
    } catch (NoSuchFileException e) {
      throw new HistoryException("there is no history " + path, e);
    } catch (IOException e) {
      throw new HistoryException(
          "the history " + path + " cannot be read behind line " + number + ": " + e, e);
    }
  }
}
