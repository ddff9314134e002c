package dev.oncefold.cli;

import java.util.List;
import java.util.function.Consumer;

/** A run of a pipeline, by the command itself or by an engine. */
interface Running {
  /**
   * Runs to the end of the source, or until it is stopped or cannot go on.
   *
   * @param say told where it begins
   * @param progress told how far it is
   * @return what came of it; everything it tells is committed
   * @throws RuntimeException if it could not begin
   */
  Summary run(Consumer<String> say, Progress progress) throws InterruptedException;

  /** Lets it finish the batch in hand and end. From any thread, and at any time. */
  void stop();

  /** The positions given to be refused at which no event stood, as far as that is known. */
  List<String> unmet();
}
