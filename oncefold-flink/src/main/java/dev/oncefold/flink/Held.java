package dev.oncefold.flink;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.streaming.api.TimerService;
import org.jspecify.annotations.Nullable;

/**
 * Stopping before an event, where what stands before it is not in a checkpoint yet. The event and
 * what comes behind it are kept beside their keys, not judged, and the job fails once a checkpoint
 * with them is complete, and one more: then the outputs of the first are committed. Whoever starts
 * from it begins with them.
 *
 * <p>Where too much comes before that, the job fails at once: then what was applied since the last
 * checkpoint is applied anew.
 */
final class Held<E> {
  private static final long MOST_BYTES = 64L << 20;
  private static final long PAUSE = 100;

  private final CodedSerializer<Arrived<E>> form;
  private final ListState<byte[]> ofKey;
  private final boolean inherited;
  // Those of all subtasks together are as many as wait.
  private long count;
  private long bytes;
  private @Nullable FoldStoppedException stop;
  private long checkpoint = -1;

  /**
   * What waits.
   *
   * @param ofKey the events of the present key
   * @param first whether this is the first subtask, which goes on with the count of all
   * @param stored how many waited when the job was restored
   */
  Held(CodedSerializer<Arrived<E>> form, ListState<byte[]> ofKey, boolean first, long stored) {
    this.form = form;
    this.ofKey = ofKey;
    this.inherited = stored > 0;
    this.count = first ? stored : 0;
  }

  boolean isStopped() {
    return stop != null;
  }

  void stop(FoldStoppedException why) {
    stop = why;
  }

  long count() {
    return count;
  }

  /** Keeps an event of the present key. */
  void add(Arrived<E> arrived, TimerService timers) throws Exception {
    byte[] written = form.bytes(arrived);
    ofKey.add(written);
    count++;
    bytes += written.length;
    wakeLater(timers);
    if (bytes > MOST_BYTES && stop != null) {
      throw stop;
    }
  }

  /** A timer is what finds the key again when the job was restored. */
  void wakeLater(TimerService timers) {
    timers.registerProcessingTimeTimer((timers.currentProcessingTime() / PAUSE + 2) * PAUSE);
  }

  /** Takes out what waits for the present key. */
  List<Arrived<E>> release() throws Exception {
    if (!inherited) {
      return List.of();
    }
    List<Arrived<E>> released = new ArrayList<>();
    for (byte[] each : ofKey.get()) {
      released.add(form.of(each));
    }
    if (!released.isEmpty()) {
      ofKey.clear();
      count -= released.size();
    }
    return released;
  }

  void snapshot(long number) {
    if (stop != null && checkpoint < 0) {
      checkpoint = number;
    }
  }

  void complete(long number) {
    if (stop != null && checkpoint >= 0 && number > checkpoint) {
      throw stop;
    }
  }
}
