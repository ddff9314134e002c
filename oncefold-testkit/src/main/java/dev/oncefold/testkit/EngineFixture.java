package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An engine under the {@link ConformanceSuite}: one input, one store, one place for outputs and one
 * for refusals, all new and empty. The suite uses one fixture for each scenario, from one thread.
 *
 * <p>What is read is committed, and read where users would read it. Everything that takes time has
 * a bounded patience and then fails with an error that says what is missing ({@link Patience}).
 */
public interface EngineFixture extends AutoCloseable {
  /**
   * What the engine cannot do. Started with a setup that needs one of these it must throw an {@link
   * IllegalArgumentException} or {@link UnsupportedOperationException} whose message names an
   * engine that can.
   *
   * @return what it lacks; by default nothing
   */
  default Set<Capability> lacks() {
    return Set.of();
  }

  /**
   * How long to wait for anything that this engine does.
   *
   * @return the patience; by default {@link Patience#USUAL}
   */
  default Duration patience() {
    return Patience.USUAL;
  }

  /**
   * Makes the input partitions, and starts the engine with nothing stored.
   *
   * @param setup what to run
   * @throws Exception if it cannot or will not run that
   */
  void start(Setup setup) throws Exception;

  /**
   * Appends records to a partition of the input, in order. The input takes them whether the engine
   * runs or not, and gives them again to an engine that has not applied them.
   *
   * @param partition one of {@link Setup#partitions}
   * @param records the records, each for {@link Setup#decode}; there may be none
   * @throws Exception if that failed
   */
  void feed(String partition, List<String> records) throws Exception;

  /**
   * Waits until everything fed is judged and committed, and its outputs and refusals stand where
   * they are read; or until the engine has stopped for an event that Failed.
   *
   * @throws Exception if that does not come to pass in time, or the engine died of something else
   */
  void settle() throws Exception;

  /**
   * Why the engine stopped for an event that Failed, as a user would be told.
   *
   * @return the message; null where it did not stop
   */
  @Nullable String stopped();

  /**
   * Kills the engine, by SIGKILL or as near as it gets: it has no chance to finish or write
   * anything. Where it has stopped by itself this does nothing.
   *
   * @throws Exception if that failed
   */
  void crash() throws Exception;

  /**
   * Starts the engine on what is stored. It need not wait for it to be ready.
   *
   * @param setup what to run, with the partitions of {@link #start}
   * @throws Exception if it will not run that on what is stored
   */
  void restart(Setup setup) throws Exception;

  /**
   * Starts a second owner of all partitions beside the first, which is not told and goes on.
   *
   * @return why the second was refused, in which case the first must be as good as before; null
   *     where it took over, in which case the first must be fenced
   * @throws Exception if neither happened in time
   */
  @Nullable String second() throws Exception;

  /**
   * What is committed for a key.
   *
   * @param key the key
   * @return its state and version, or null where it has none
   * @throws Exception if it cannot be read
   */
  @Nullable Slot<Trace> state(String key) throws Exception;

  /**
   * All outputs of a name so far, as a reader of committed outputs finds them: in the order of each
   * key.
   *
   * @param name the name, {@code outputs} where the fold named none
   * @return the outputs
   * @throws Exception if they cannot be read
   */
  List<Emitted> outputs(String name) throws Exception;

  /**
   * All refusals so far, in the order of each key.
   *
   * @return the refusals
   * @throws Exception if they cannot be read
   */
  List<Refusal> refusals() throws Exception;

  /**
   * The counts of all that is committed since the first start. May be asked while the engine works.
   *
   * @return the counts
   * @throws Exception if they cannot be read
   */
  Counts counts() throws Exception;

  /**
   * Every event of a key, in order. Asked only of an engine that does not lack {@link
   * Capability#HISTORY}.
   *
   * @param key the key
   * @return the events
   * @throws Exception if they cannot be read
   */
  List<Judged> history(String key) throws Exception;

  /**
   * Ends everything and removes what would get in the way of the next fixture.
   *
   * @throws IOException if that failed
   */
  @Override
  void close() throws IOException;

  /**
   * An output that was read.
   *
   * @param id its id
   * @param key the key of the event that emitted it
   * @param value its value
   */
  record Emitted(String id, String key, Receipt value) {}

  /**
   * A refusal that was read.
   *
   * @param verdict Rejected, Conflict, Expired or Failed
   * @param key the event's key; empty where no event could be made of the record
   * @param id the event's id; {@code partition@offset} where it has none
   * @param reason why; may be empty for a Conflict only
   */
  record Refusal(Verdict.Kind verdict, String key, String id, String reason) {}

  /**
   * An event of a key's history.
   *
   * @param id the event's id; {@code partition@offset} where it has none
   * @param verdict its verdict
   * @param reason why, where the verdict is not Applied; empty where there is nothing to say
   * @param after the key's state after it, where it was Applied and did not delete the key
   */
  record Judged(String id, Verdict.Kind verdict, String reason, @Nullable Trace after) {}
}
