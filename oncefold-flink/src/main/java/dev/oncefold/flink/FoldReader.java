package dev.oncefold.flink;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads some partitions by Flink's own reader, and tells how far the time of the input has come:
 * the watermarks that raise the floor. Where the fold is to stop for what is no event, it reads no
 * further, and its checkpoints stand before that; once one is complete, and one more, the job
 * fails.
 *
 * @param <E> the type of the events' values
 */
@SuppressWarnings("try") // close is Flink's, and may be interrupted
final class FoldReader<E> implements SourceReader<Arrived<E>, KafkaPartitionSplit> {
  private final Inlet<E> inlet;
  private final SourceReader<Arrived<E>, KafkaPartitionSplit> kafka;
  private final Map<String, Lane> lanes = new ConcurrentHashMap<>();
  private final boolean timed;
  private final long step;
  private @Nullable Backlog backlog;
  private @Nullable Passing passing;
  private long emitted = Kernel.NO_FLOOR;
  private boolean idle;
  private @Nullable FoldStoppedException stop;
  private @Nullable Origin stoppedAt;
  private long stoppedIn = -1;

  FoldReader(Inlet<E> inlet, SourceReader<Arrived<E>, KafkaPartitionSplit> kafka) {
    this.inlet = inlet;
    this.kafka = kafka;
    Fold.Ids ids = inlet.plan().fold().ids();
    this.timed = ids.kind() == Fold.Ids.Kind.SPAN;
    // The floor rises in steps of an eighth, and a watermark goes to every task.
    this.step = Math.max(1, ids.span().toMillis() / 16);
  }

  /** The name of a partition, as other engines name it. */
  static String name(TopicPartition partition) {
    return partition.topic() + '-' + partition.partition();
  }

  @Override
  public void start() {
    kafka.start();
    if (timed) {
      backlog = new Backlog(inlet, lanes.values());
    }
  }

  @Override
  public void addSplits(List<KafkaPartitionSplit> splits) {
    Map<TopicPartition, Long> restored = new HashMap<>();
    for (KafkaPartitionSplit each : splits) {
      TopicPartition partition = each.getTopicPartition();
      lanes.put(name(partition), new Lane(partition, each.getStartingOffset()));
      if (each.getStartingOffset() >= 0) {
        restored.put(partition, each.getStartingOffset());
      }
    }
    if (!restored.isEmpty()) {
      refuseOlder(restored);
    }
    kafka.addSplits(splits);
  }

  /** Offsets are committed behind each checkpoint: one that is behind them was not the last. */
  private void refuseOlder(Map<TopicPartition, Long> restored) {
    Map<TopicPartition, Long> committed;
    try (Cluster cluster = inlet.connect()) {
      committed = cluster.committed(inlet.group());
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new IllegalStateException(
          "how far the group \"" + inlet.group() + "\" has come cannot be asked for", e);
    }
    restored.forEach(
        (partition, at) -> {
          long further = committed.getOrDefault(partition, 0L);
          if (further > at) {
            throw new FlinkFoldException(
                "the job \""
                    + inlet.group()
                    + "\" is started from a state at "
                    + name(partition)
                    + "@"
                    + at
                    + ", and has gone on up to "
                    + further
                    + " after that: what it has sent meanwhile would be sent again. Start it from"
                    + " its last checkpoint or savepoint. If that is lost, and readers of the"
                    + " outputs can leave out those with an id that they know, set the offsets of"
                    + " the group \""
                    + inlet.group()
                    + "\" back to that state");
          }
        });
  }

  @Override
  public InputStatus pollNext(ReaderOutput<Arrived<E>> output) throws Exception {
    Passing open = passing;
    if (open == null || open.output != output) {
      open = new Passing(output);
      passing = open;
    }
    if (stop != null) {
      return InputStatus.NOTHING_AVAILABLE;
    }
    Map<TopicPartition, Long> drained = backlog == null ? null : backlog.take();
    if (drained != null) {
      for (Lane each : lanes.values()) {
        Long at = drained.get(each.partition);
        each.drained = at != null && at == each.next;
      }
      advance(output);
    }
    InputStatus status;
    try {
      status = kafka.pollNext(open);
    } catch (Exception e) {
      throw told(e);
    }
    return stop != null ? InputStatus.NOTHING_AVAILABLE : status;
  }

  private static Exception told(Exception thrown) {
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      if (each instanceof InvalidOffsetException lost) {
        return new FlinkFoldException(
            "the input no longer holds what is to be read next: "
                + lost.getMessage()
                + ". Nothing is skipped: restore the topic, or begin anew under another name. Keep"
                + " records longer than the job may stand still (retention.ms)",
            thrown);
      }
    }
    return thrown;
  }

  @Override
  public CompletableFuture<Void> isAvailable() {
    if (stop != null) {
      return new CompletableFuture<>();
    }
    CompletableFuture<Void> available = kafka.isAvailable();
    return backlog == null || available.isDone()
        ? available
        : CompletableFuture.anyOf(available, backlog.seen()).thenAccept(any -> {});
  }

  // ---------------------------------------------------------------- records

  /** Stands between Flink's reader and the job. */
  private final class Passing implements ReaderOutput<Arrived<E>> {
    private final ReaderOutput<Arrived<E>> output;

    Passing(ReaderOutput<Arrived<E>> output) {
      this.output = output;
    }

    @Override
    public void collect(Arrived<E> arrived, long timestamp) {
      pass(arrived, output);
    }

    @Override
    public void collect(Arrived<E> arrived) {
      pass(arrived, output);
    }

    @Override
    public SourceOutput<Arrived<E>> createOutputForSplit(String split) {
      return this;
    }

    @Override
    public void releaseOutputForSplit(String split) {}

    @Override
    public void emitWatermark(Watermark watermark) {}

    @Override
    public void markIdle() {}

    @Override
    public void markActive() {}
  }

  private void pass(Arrived<E> arrived, ReaderOutput<Arrived<E>> output) {
    Origin origin = arrived.origin();
    FoldStoppedException why =
        arrived.isNothing()
            ? null
            : Numbering.stop(inlet.plan(), arrived, "everything before it in its subtask is");
    if (why != null) {
      stop = why;
      stoppedAt = origin;
      return;
    }
    Lane lane = lanes.get(origin.partition());
    if (lane == null) {
      throw new IllegalStateException("nobody gave " + origin.partition() + " to this reader");
    }
    lane.next = origin.offset() + 1;
    if (!arrived.isNothing()) {
      output.collect(arrived);
    }
    if (timed) {
      long time = believed(arrived.event());
      boolean changed = lane.drained || time > lane.watermark;
      lane.drained = false;
      lane.watermark = Math.max(lane.watermark, time);
      if (changed) {
        advance(output);
      }
    }
  }

  /** An event ahead of the clock will be Failed, and moves nothing. */
  private long believed(@Nullable Event<E> event) {
    Instant time = event == null ? null : event.time();
    if (time == null) {
      return Kernel.NO_FLOOR;
    }
    try {
      long millis = time.toEpochMilli();
      long latest = inlet.plan().clock().millis() + inlet.plan().fold().ids().aheadMillis();
      return millis > latest ? Kernel.NO_FLOOR : millis;
    } catch (ArithmeticException e) {
      return Kernel.NO_FLOOR;
    }
  }

  /** The least watermark of the partitions with unread records; of all, where none has any. */
  private void advance(ReaderOutput<Arrived<E>> output) {
    long least = Long.MAX_VALUE;
    long most = Kernel.NO_FLOOR;
    boolean reading = false;
    for (Lane each : lanes.values()) {
      most = Math.max(most, each.watermark);
      if (!each.drained) {
        reading = true;
        least = Math.min(least, each.watermark);
      }
    }
    if (reading && idle) {
      output.markActive();
      idle = false;
    }
    long now = reading ? least : most;
    boolean worth =
        now > emitted && (emitted == Kernel.NO_FLOOR || !reading || now - emitted >= step);
    if (worth) {
      emitted = now;
      output.emitWatermark(new Watermark(now));
    }
    if (!reading && !idle) {
      output.markIdle();
      idle = true;
    }
  }

  // ---------------------------------------------------------------- checkpoints

  @Override
  public List<KafkaPartitionSplit> snapshotState(long checkpoint) {
    List<KafkaPartitionSplit> splits = kafka.snapshotState(checkpoint);
    Origin at = stoppedAt;
    if (at == null) {
      return splits;
    }
    if (stoppedIn < 0) {
      stoppedIn = checkpoint;
    }
    List<KafkaPartitionSplit> before = new ArrayList<>();
    for (KafkaPartitionSplit each : splits) {
      before.add(
          name(each.getTopicPartition()).equals(at.partition())
              ? new KafkaPartitionSplit(
                  each.getTopicPartition(),
                  at.offset(),
                  each.getStoppingOffset().orElse(KafkaPartitionSplit.NO_STOPPING_OFFSET))
              : each);
    }
    return before;
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) throws Exception {
    FoldStoppedException why = stop;
    if (why == null || stoppedIn < 0 || checkpoint < stoppedIn) {
      kafka.notifyCheckpointComplete(checkpoint);
    } else if (checkpoint > stoppedIn) {
      throw why;
    }
  }

  @Override
  public void notifyCheckpointAborted(long checkpoint) throws Exception {
    kafka.notifyCheckpointAborted(checkpoint);
  }

  @Override
  public void notifyNoMoreSplits() {
    kafka.notifyNoMoreSplits();
  }

  @Override
  public void close() throws Exception {
    if (backlog != null) {
      backlog.close();
    }
    kafka.close();
  }
}
