package dev.oncefold.flink;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.IdTable;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * Judges the events of one subtask. State, ids, counts and floor are Flink's state, so a checkpoint
 * holds them as of one place in the stream; outputs and refusals are sent on before the checkpoint
 * goes on to whoever takes them.
 *
 * <p>An event is judged before anything is changed, and written before anything is sent: what
 * throws leaves nothing.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class Judging<S, E, O> extends KeyedProcessFunction<String, Arrived<E>, Sent<S, E, O>>
    implements CheckpointedFunction, CheckpointListener {
  private static final long serialVersionUID = 1;

  /** The names of the states, which never change. */
  static final String HEAD = "oncefold-head";

  static final String SLOT = "oncefold-slot";
  static final String IDS = "oncefold-ids";
  private static final String HELD = "oncefold-held";

  private final FlinkFold<S, E, O> plan;
  private final HashSet<String> taken = new HashSet<>();
  private boolean takesRefusals;
  private boolean leavesOutRefusals;

  private transient Open<S, E, O> open;

  @SuppressWarnings("NullAway.Init") // Flink calls initializeState before anything else
  Judging(FlinkFold<S, E, O> plan) {
    this.plan = plan;
  }

  /** Somebody takes the outputs of this name. */
  void take(String output) {
    taken.add(output);
  }

  void takeRefusals() {
    takesRefusals = true;
  }

  /** Nobody takes refusals, and that is meant. */
  void leaveOutRefusals() {
    leavesOutRefusals = true;
  }

  /** What a subtask works with. */
  private static final class Open<S, E, O> {
    final Fold<S, E, O> fold;
    final Kernel<S, E, O> kernel;
    final Slots<S> form;
    final ValueState<Cell<S>> slot;
    final @Nullable MapState<String, byte[]> ids;
    final ListState<byte[]> heads;
    final Held<E> held;
    final Counts.Tally tally = new Counts.Tally();
    final Encoder scratch = new Encoder();
    final int subtask;
    long events;
    long floor;
    long oldest;

    Open(
        Fold<S, E, O> fold,
        Slots<S> form,
        ValueState<Cell<S>> slot,
        @Nullable MapState<String, byte[]> ids,
        ListState<byte[]> heads,
        Held<E> held,
        int subtask) {
      this.fold = fold;
      this.kernel = new Kernel<>(fold);
      this.form = form;
      this.slot = slot;
      this.ids = ids;
      this.heads = heads;
      this.held = held;
      this.subtask = subtask;
    }
  }

  // ---------------------------------------------------------------- state

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    Fold<S, E, O> fold = plan.fold();
    if (!takesRefusals && !leavesOutRefusals) {
      throw new FlinkFoldException(
          "nobody takes the refusals of the fold \""
              + fold.name()
              + "\": send FoldStreams.refusals() somewhere, or say FoldStreams.withoutRefusals()");
    }
    ListState<byte[]> heads =
        context
            .getOperatorStateStore()
            .getUnionListState(
                new ListStateDescriptor<>(HEAD, BytePrimitiveArraySerializer.INSTANCE));
    Head stored = Head.NONE;
    for (byte[] each : heads.get()) {
      stored = stored.plus(Head.read(each));
    }
    ListState<byte[]> held =
        context
            .getKeyedStateStore()
            .getListState(new ListStateDescriptor<>(HELD, BytePrimitiveArraySerializer.INSTANCE));
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    open =
        new Open<>(
            fold,
            new Slots<>(fold, stored.definitions(), plan.isAccepting()),
            context
                .getKeyedStateStore()
                .getState(new ValueStateDescriptor<>(SLOT, new Cell.Serializer<>())),
            fold.ids().kind() == Fold.Ids.Kind.NONE
                ? null
                : context
                    .getKeyedStateStore()
                    .getMapState(
                        new MapStateDescriptor<>(
                            IDS, StringSerializer.INSTANCE, BytePrimitiveArraySerializer.INSTANCE)),
            heads,
            new Held<>(
                new CodedSerializer<>(new Arrived.Form<>(plan.shipped())),
                held,
                subtask == 0,
                stored.held()),
            subtask);
    open.floor = stored.floor();
    open.oldest = stored.oldest();
    if (subtask == 0) {
      // One goes on with the counts of all; there is always a first one.
      open.tally.reset(stored.counts());
      open.events = stored.counts().events();
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    Head head =
        new Head(
            open.tally.counts(),
            open.floor,
            open.oldest,
            open.held.count(),
            open.subtask == 0 ? open.form.definitions() : Map.of());
    open.heads.update(List.of(head.bytes()));
    open.held.snapshot(context.getCheckpointId());
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) {
    open.held.complete(checkpoint);
  }

  // ---------------------------------------------------------------- events

  @Override
  public void processElement(Arrived<E> arrived, Context context, Collector<Sent<S, E, O>> out)
      throws Exception {
    raiseFloor(context.timerService());
    judgeHeld(context.timerService(), out);
    take(arrived, context.timerService(), out);
  }

  private void take(Arrived<E> arrived, TimerService timers, Collector<Sent<S, E, O>> out)
      throws Exception {
    if (!open.held.isStopped()) {
      FoldStoppedException stop = judge(arrived, timers, out);
      if (stop == null) {
        return;
      }
      open.held.stop(stop);
    }
    open.held.add(arrived, timers);
  }

  /** Judges what waits for this key since the fold has stopped. */
  private void judgeHeld(TimerService timers, Collector<Sent<S, E, O>> out) throws Exception {
    if (open.held.isStopped()) {
      return;
    }
    for (Arrived<E> each : open.held.release()) {
      FoldStoppedException stop = judge(each, timers, out);
      if (stop != null) {
        // All before it is in the checkpoint that this was read from.
        throw stop;
      }
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<Sent<S, E, O>> out)
      throws Exception {
    raiseFloor(context.timerService());
    if (context.timeDomain() == TimeDomain.EVENT_TIME) {
      forget();
    } else if (open.held.isStopped()) {
      open.held.wakeLater(context.timerService());
    } else {
      judgeHeld(context.timerService(), out);
    }
  }

  // ---------------------------------------------------------------- judging

  /** Judges an event, and does what comes of it; answers why the job is to stop before it. */
  private @Nullable FoldStoppedException judge(
      Arrived<E> arrived, TimerService timers, Collector<Sent<S, E, O>> out) throws Exception {
    Event<E> event = arrived.event();
    Cell<S> cell = open.slot.value();
    Slot<S> before = cell == null ? null : open.form.slot(cell);
    Verdict<S, O> verdict =
        event == null
            ? new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, String.valueOf(arrived.undecodable()))
            : open.kernel.judge(event, key -> before, this::remembered, open.floor, latest());
    Cell<S> after = null;
    byte[] remembering = null;
    try {
      if (event != null) {
        if (verdict instanceof Verdict.Applied<S, O> applied) {
          S state = applied.state();
          after =
              state == null
                  ? null
                  : open.form.cell(new Slot<>(state, before == null ? 1 : before.version() + 1));
          check(applied.outputs());
        }
        remembering = remembering(event, verdict);
      }
    } catch (RuntimeException e) {
      verdict = new Verdict.Failed<>(Verdict.Cause.UPDATE, Kernel.told(e));
      remembering = null;
    }
    if (verdict instanceof Verdict.Failed<S, O> failed
        && open.fold.whenFailed() == Fold.WhenFailed.STOP
        && !plan.refusing().contains(arrived.origin().id())) {
      return arrived.origin().stop(event, failed, "everything before it in its subtask is");
    }
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      applied.outputs().forEach(this::checkTaken);
      if (after != null) {
        open.slot.update(after);
      } else if (before != null) {
        open.slot.clear();
      }
    }
    if (remembering != null && event != null && event.id() != null) {
      remember(event, event.id(), remembering, timers);
    }
    open.tally.add(verdict);
    open.events++;
    send(arrived, verdict, out);
    return null;
  }

  private void check(List<Output<O>> outputs) {
    for (Output<O> output : outputs) {
      open.scratch.truncate(0);
      open.fold.outputCodec().encode(output.value(), open.scratch);
    }
  }

  private void checkTaken(Output<O> output) {
    if (!taken.contains(output.name())) {
      throw new FlinkFoldException(
          "the fold \""
              + open.fold.name()
              + "\" emits to \""
              + output.name()
              + "\", which nobody takes: send FoldStreams.outputs(\""
              + output.name()
              + "\") somewhere");
    }
  }

  private long latest() {
    return open.fold.ids().kind() == Fold.Ids.Kind.SPAN
        ? plan.clock().millis() + open.fold.ids().aheadMillis()
        : Kernel.NO_LIMIT;
  }

  // ---------------------------------------------------------------- ids

  private @Nullable Remembered remembered(String key, String id) {
    byte[] stored;
    try {
      stored = open.ids == null ? null : open.ids.get(id);
    } catch (Exception e) {
      throw new IllegalStateException("the ids of the key \"" + key + "\" cannot be read", e);
    }
    if (stored == null) {
      return null;
    }
    Decoder in = new Decoder(stored);
    long time = in.readSigned();
    // Not removed yet, and forgotten all the same.
    return time <= open.floor ? null : new Remembered(in.readLong(), in.readNullableString());
  }

  private byte @Nullable [] remembering(Event<E> event, Verdict<S, O> verdict) {
    String rejected = verdict instanceof Verdict.Rejected<S, O> found ? found.reason() : null;
    if (open.ids == null
        || event.id() == null
        || (rejected == null && !(verdict instanceof Verdict.Applied))) {
      return null;
    }
    long fingerprint = open.kernel.fingerprint(event.value());
    open.scratch.truncate(0);
    open.scratch.writeSigned(time(event)).writeLong(fingerprint).writeNullableString(rejected);
    return open.scratch.toByteArray();
  }

  private long time(Event<E> event) {
    return event.time() == null || open.fold.ids().kind() != Fold.Ids.Kind.SPAN
        ? IdTable.NO_TIME
        : event.time().toEpochMilli();
  }

  private void remember(Event<E> event, String id, byte[] bytes, TimerService timers)
      throws Exception {
    Objects.requireNonNull(open.ids).put(id, bytes);
    long time = time(event);
    if (time != IdTable.NO_TIME) {
      open.oldest = Math.min(open.oldest, time);
      // The floor rises in steps: once this time has come, it has passed the id. Keys have one
      // timer for each step.
      long step = step();
      long due = time + span() + step;
      timers.registerEventTimeTimer(due - Math.floorMod(due, step) + step);
    }
  }

  private long span() {
    return open.fold.ids().span().toMillis();
  }

  private long step() {
    return Math.max(1, span() / 8);
  }

  /** The stream's watermark is the least time up to which all of the input has come. */
  private void raiseFloor(TimerService timers) {
    long watermark = timers.currentWatermark();
    if (watermark != Long.MAX_VALUE) {
      long next = open.fold.ids().nextFloor(open.floor, watermark, open.oldest);
      if (next != open.floor) {
        open.floor = next;
        open.oldest = next + 1;
      }
    }
  }

  /** Removes the ids of a key that the floor has passed. */
  private void forget() throws Exception {
    MapState<String, byte[]> ids = open.ids;
    if (ids == null) {
      return;
    }
    Iterator<Map.Entry<String, byte[]>> all = ids.iterator();
    while (all.hasNext()) {
      if (new Decoder(all.next().getValue()).readSigned() <= open.floor) {
        all.remove();
      }
    }
  }

  // ---------------------------------------------------------------- outputs and refusals

  private void send(Arrived<E> arrived, Verdict<S, O> verdict, Collector<Sent<S, E, O>> out) {
    Event<E> event = arrived.event();
    String own = event == null ? null : event.id();
    String id = own != null ? own : arrived.origin().id();
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      List<Output<O>> outputs = applied.outputs();
      for (int n = 0; n < outputs.size(); n++) {
        Output<O> output = outputs.get(n);
        String outputId = Output.id(open.fold.name(), event.key(), id, n);
        out.collect(
            new Sent<>(
                new Emitted<>(outputId, output.name(), event.key(), open.events, output.value()),
                null));
      }
    } else if (takesRefusals && !(verdict instanceof Verdict.Duplicate)) {
      out.collect(new Sent<>(null, refusal(arrived, verdict, id)));
    }
  }

  private Entry<S, E, O> refusal(Arrived<E> arrived, Verdict<S, O> verdict, String id) {
    Event<E> event = arrived.event();
    return new Entry<>(
        open.events,
        plan.clock().instant(),
        open.fold.version(),
        verdict.kind(),
        verdict.refusal(),
        verdict instanceof Verdict.Failed<S, O> failed ? failed.cause() : null,
        verdict instanceof Verdict.Expired<S, O> expired ? expired.floor() : null,
        event == null ? null : event.key(),
        id,
        event != null && event.id() != null,
        event == null ? null : event.time(),
        event == null ? null : event.value(),
        event == null ? arrived.raw() : null,
        List.of(),
        List.of());
  }
}
