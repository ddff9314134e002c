package dev.oncefold.verify;

import java.util.function.Consumer;

/** The observations of a run. Read more than once, it gives the same. */
@FunctionalInterface
public interface History {
  /**
   * Reads it from the beginning.
   *
   * @param each told of every observation, in order
   * @throws HistoryException if it cannot be read, or something in it is no observation
   */
  void read(Consumer<Observation> each);
}
