package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Store;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where the results of a run are kept, and where they go from there: open. */
interface Keeping extends AutoCloseable {
  /** The store. */
  Store<Row, Row, String> store();

  /** How far each partition was applied when it was opened. */
  Map<String, Position> positions();

  /** What was counted in all before this run. */
  Counts before();

  /**
   * What this run has counted, once it is over.
   *
   * @param judged what its runner has counted
   */
  Counts counted(Counts judged);

  /**
   * What was counted in all, once the run is over.
   *
   * @param judged what its runner has counted
   */
  Counts total(Counts judged);

  /** Whether something that writes outputs can write no more, and why is told by closing. */
  boolean haveFailed();

  /**
   * What keeps outputs from leaving for now, for a person; null if nothing does. From any thread.
   */
  @Nullable String trouble();

  /**
   * The partitions that hold the floor, or may. Empty where the floor waits only for what is read
   * now.
   */
  Set<String> holding();

  /**
   * Says that nothing comes any more of a partition.
   *
   * @throws RuntimeException if that is not so, as far as can be known
   */
  void retire(String partition);

  /** Where some refusals are, in a sentence that begins with them. */
  String refusalsAre(String those);

  /** Writes what is left to be written. */
  @Override
  void close();
}
