package dev.oncefold.flink;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Verdict;
import java.util.List;
import java.util.UUID;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * Makes an event of each record of a stream, and numbers it: a stream does not say where its
 * records stand. A subtask numbers under a name of its own, which it takes along in its checkpoints
 * and never shares.
 *
 * @param <R> the type of the input's records
 * @param <E> the type of the events' values
 */
final class Numbering<R, E> extends RichFlatMapFunction<R, Arrived<E>>
    implements CheckpointedFunction {
  private static final long serialVersionUID = 1;

  private final FlinkFold<?, E, ?> plan;
  private final Reading<R, E> reading;
  private transient ListState<Tuple2<String, Long>> stored;
  private transient String lane;
  private transient long next;

  @SuppressWarnings("NullAway.Init") // Flink calls initializeState before anything else
  Numbering(FlinkFold<?, E, ?> plan, Reading<R, E> reading) {
    this.plan = plan;
    this.reading = reading;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    stored =
        context
            .getOperatorStateStore()
            .getListState(
                new ListStateDescriptor<>("oncefold-lanes", Types.TUPLE(Types.STRING, Types.LONG)));
    lane = plan.name() + "-" + UUID.randomUUID();
    next = 0;
    for (Tuple2<String, Long> each : stored.get()) {
      lane = each.f0;
      next = each.f1;
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    stored.update(List.of(Tuple2.of(lane, next)));
  }

  @Override
  public void flatMap(R record, Collector<Arrived<E>> out) throws Exception {
    Origin origin = new Origin(lane, next++);
    Arrived<E> arrived = read(reading, record, origin, null);
    if (arrived == null) {
      return;
    }
    FoldStoppedException stop =
        stop(plan, arrived, "what was applied since the last checkpoint is applied anew");
    if (stop != null) {
      throw stop;
    }
    out.collect(arrived);
  }

  /** Reads a record; answers null where it is no event. */
  static <R, E> @Nullable Arrived<E> read(
      Reading<R, E> reading, R record, Origin origin, byte @Nullable [] raw) throws Exception {
    try {
      Event<E> event = reading.read(record);
      return event == null ? null : Arrived.of(origin, event);
    } catch (Exception e) {
      for (Throwable each = e; each != null; each = each.getCause()) {
        if (each instanceof RetriableException) {
          throw e;
        }
      }
      return Arrived.undecodable(origin, e, raw);
    }
  }

  /** Why the job is to stop before this; null where it is not. */
  static @Nullable FoldStoppedException stop(
      FlinkFold<?, ?, ?> plan, Arrived<?> arrived, String applied) {
    return arrived.event() == null
            && plan.fold().whenFailed() == Fold.WhenFailed.STOP
            && !plan.refusing().contains(arrived.origin().id())
        ? arrived
            .origin()
            .stop(
                null,
                new Verdict.Failed<>(
                    Verdict.Cause.UNDECODABLE, String.valueOf(arrived.undecodable())),
                applied)
        : null;
  }
}
