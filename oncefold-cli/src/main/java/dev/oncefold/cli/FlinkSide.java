package dev.oncefold.cli;

import java.io.IOException;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A pipeline's job in a Flink of this process, beyond a class loader of its own: {@code
 * dev.oncefold.flinkjob.LocalJob}, of which this has the methods. They take and answer types of the
 * JDK alone.
 */
interface FlinkSide {
  /** Keys of {@link #check} and {@link #run}. */
  String PROBLEM = "problem";

  String UNKNOWN = "unknown";
  String OTHER_RULES = "otherRules";
  String POSITION = "position";
  String REASON = "reason";

  /** What a run would refuse, and what of that is not known, as the cluster is away. */
  Map<String, String> check();

  /** What is in the last checkpoint: the fields of {@link dev.oncefold.Counts}, in their order. */
  long[] counts();

  /** What is in the last checkpoint: by key its version, and its state behind that. */
  Map<String, byte[]> states() throws IOException, InterruptedException;

  /**
   * Runs until it is stopped, which answers nothing, or cannot go on.
   *
   * @param notice told of failures that are answered with a restart
   */
  Map<String, String> run(Consumer<String> notice) throws InterruptedException;

  /** Lets it end with all that it has done in a savepoint. From any thread, and at any time. */
  void stop();
}
