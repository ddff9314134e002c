package dev.oncefold.flink;

import dev.oncefold.Event;
import dev.oncefold.FailedEventException;
import dev.oncefold.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * Where an event was read.
 *
 * @param partition the partition's name, as other engines name it
 * @param offset where it stands there
 */
record Origin(String partition, long offset) {
  /** The id of an event that has none of its own. */
  String id() {
    return partition + '@' + offset;
  }

  /** The job is to stop before this event. */
  FoldStoppedException stop(@Nullable Event<?> event, Verdict.Failed<?, ?> failed, String applied) {
    return new FoldStoppedException(
        new FailedEventException(
            partition,
            offset,
            id(),
            event,
            failed,
            "Nothing of this event is applied, "
                + applied
                + ". Mend the cause and start again from the last checkpoint, or let this event be"
                + " refused (FlinkFold.refusing), or the fold refuse all failed events"
                + " (whenFailed)"));
  }
}
