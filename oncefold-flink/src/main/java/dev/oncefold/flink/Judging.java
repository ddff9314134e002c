package dev.oncefold.flink;

import dev.oncefold.Counts;
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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.base.IntSerializer;
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
 * @param <M> the type of what is sent on
 */
final class Judging<S, E, O, M> extends KeyedProcessFunction<String, Arrived<E>, M>
    implements CheckpointedFunction, CheckpointListener {
  private static final long serialVersionUID = 1;

  /** The names of the states, which never change. */
  static final String HEAD = "oncefold-head";

  static final String SLOT = "oncefold-slot";
  static final String IDS = "oncefold-ids";
  private static final String HELD = "oncefold-held";

  private final FlinkFold<S, E, O> plan;
  private final Outlet<S, E, O, M> outlet;

  private transient Open<S, E, O> open;

  @SuppressWarnings("NullAway.Init") // Flink calls initializeState before anything else
  Judging(FlinkFold<S, E, O> plan, Outlet<S, E, O, M> outlet) {
    this.plan = plan;
    this.outlet = outlet;
  }

  /** What a subtask works with. */
  private static final class Open<S, E, O> {
    final Fold<S, E, O> fold;
    final Kernel<S, E, O> kernel;
    final Slots<S> form;
    final ValueState<Cell<S>> slot;
    final @Nullable IdPages ids;
    final Head.Secret secret;
    final ListState<byte[]> heads;
    final Held<E> held;
    final Counts.Tally tally = new Counts.Tally();
    final boolean takesRefusals;
    final int subtask;
    long events;
    long floor;
    long oldest;

    Open(
        Fold<S, E, O> fold,
        Slots<S> form,
        ValueState<Cell<S>> slot,
        @Nullable IdPages ids,
        Head.Secret secret,
        ListState<byte[]> heads,
        Held<E> held,
        boolean takesRefusals,
        int subtask) {
      this.fold = fold;
      this.kernel = new Kernel<>(fold);
      this.form = form;
      this.slot = slot;
      this.ids = ids;
      this.secret = secret;
      this.heads = heads;
      this.held = held;
      this.takesRefusals = takesRefusals;
      this.subtask = subtask;
    }
  }

  // ---------------------------------------------------------------- state

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    Fold<S, E, O> fold = plan.fold();
    Boolean takesRefusals = outlet.takesRefusals();
    if (takesRefusals == null) {
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
    Head.Secret secret = stored.secret() == null ? plan.secret() : stored.secret();
    open =
        new Open<>(
            fold,
            new Slots<>(fold, stored.definitions(), plan.isAccepting()),
            context
                .getKeyedStateStore()
                .getState(new ValueStateDescriptor<>(SLOT, new Cell.Serializer<>())),
            fold.ids().kind() == Fold.Ids.Kind.NONE
                ? null
                : new IdPages(
                    context
                        .getKeyedStateStore()
                        .getMapState(
                            new MapStateDescriptor<>(
                                IDS, IntSerializer.INSTANCE, new BytesSerializer.OfBytes())),
                    secret.hash()),
            secret,
            heads,
            new Held<>(
                new CodedSerializer<>(new Arrived.Form<>(plan.shipped())),
                held,
                subtask == 0,
                stored.held()),
            takesRefusals,
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
            open.subtask == 0 ? open.form.definitions() : Map.of(),
            open.secret);
    open.heads.update(List.of(head.bytes()));
    open.held.snapshot(context.getCheckpointId());
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) {
    open.held.complete(checkpoint);
  }

  // ---------------------------------------------------------------- events

  @Override
  public void processElement(Arrived<E> arrived, Context context, Collector<M> out)
      throws Exception {
    raiseFloor(context.timerService());
    judgeHeld(context.timerService(), out);
    take(arrived, context.timerService(), out);
  }

  private void take(Arrived<E> arrived, TimerService timers, Collector<M> out) throws Exception {
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
  private void judgeHeld(TimerService timers, Collector<M> out) throws Exception {
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
  public void onTimer(long time, OnTimerContext context, Collector<M> out) throws Exception {
    raiseFloor(context.timerService());
    if (context.timeDomain() == TimeDomain.EVENT_TIME) {
      forget(time);
    } else if (open.held.isStopped()) {
      open.held.wakeLater(context.timerService());
    } else {
      judgeHeld(context.timerService(), out);
    }
  }

  // ---------------------------------------------------------------- judging

  /** Judges an event, and does what comes of it; answers why the job is to stop before it. */
  private @Nullable FoldStoppedException judge(
      Arrived<E> arrived, TimerService timers, Collector<M> out) throws Exception {
    Event<E> event = arrived.event();
    Cell<S> cell = open.form.open(open.slot.value());
    Slot<S> before = cell.slot();
    Verdict<S, O> verdict =
        event == null
            ? new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, String.valueOf(arrived.undecodable()))
            : open.kernel.judge(
                event,
                key -> before,
                (key, id) -> remembered(key, id, cell.pages()),
                open.floor,
                latest());
    Cell<S> after = cell;
    byte[] page = null;
    try {
      if (event != null) {
        page = remembering(event, verdict);
        int pages = page == null ? cell.pages() : IdPages.countWith(page, cell.pages());
        long due = page == null ? cell.due() : Math.max(cell.due(), due(event));
        if (verdict instanceof Verdict.Applied<S, O> applied) {
          after = open.form.cell(applied.state(), cell.version() + 1, pages, due);
          for (Output<O> each : applied.outputs()) {
            outlet.check(each);
          }
        } else if (pages != cell.pages() || due != cell.due()) {
          after = open.form.cell(cell.state(), cell.version(), pages, due);
        }
      }
    } catch (RuntimeException e) {
      verdict = new Verdict.Failed<>(Verdict.Cause.UPDATE, Kernel.told(e));
      after = cell;
      page = null;
    }
    if (verdict instanceof Verdict.Failed<S, O> failed
        && open.fold.whenFailed() == Fold.WhenFailed.STOP
        && !plan.refusing().contains(arrived.origin().id())) {
      return arrived.origin().stop(event, failed, "everything before it in its subtask is");
    }
    if (after != cell) {
      store(after);
    }
    if (page != null && event != null) {
      remember(page, event, cell.pages());
      if (after.due() != cell.due()) {
        timers.registerEventTimeTimer(after.due());
      }
    }
    open.tally.add(verdict);
    open.events++;
    send(arrived, verdict, out);
    return null;
  }

  private void store(Cell<S> cell) throws Exception {
    if (cell.state() == null && cell.pages() == 0 && cell.due() == 0) {
      open.slot.clear();
    } else {
      open.slot.update(cell);
    }
  }

  private long latest() {
    return open.fold.ids().kind() == Fold.Ids.Kind.SPAN
        ? plan.clock().millis() + open.fold.ids().aheadMillis()
        : Kernel.NO_LIMIT;
  }

  // ---------------------------------------------------------------- ids

  private @Nullable Remembered remembered(String key, String id, int pages) {
    try {
      return open.ids == null ? null : open.ids.find(key, id, pages, open.floor);
    } catch (Exception e) {
      throw new IllegalStateException("the ids of the key \"" + key + "\" cannot be read", e);
    }
  }

  /** The page with the id of the event that was just judged, where it is to be remembered. */
  private byte @Nullable [] remembering(Event<E> event, Verdict<S, O> verdict) {
    String rejected = verdict instanceof Verdict.Rejected<S, O> found ? found.reason() : null;
    if (open.ids == null
        || event.id() == null
        || (rejected == null && !(verdict instanceof Verdict.Applied))) {
      return null;
    }
    return open.ids.with(open.kernel.fingerprint(event.value()), time(event), rejected, open.floor);
  }

  private void remember(byte[] page, Event<E> event, int pages) throws Exception {
    Objects.requireNonNull(open.ids).put(page, pages);
    open.oldest = Math.min(open.oldest, time(event));
  }

  private long time(Event<E> event) {
    return event.time() == null || open.fold.ids().kind() != Fold.Ids.Kind.SPAN
        ? IdTable.NO_TIME
        : event.time().toEpochMilli();
  }

  /**
   * When the floor has passed the event's id; 0 where it never does. The floor rises in steps, and
   * keys have one timer for each step. One at this time or later removes the id.
   */
  private long due(Event<E> event) {
    long time = time(event);
    if (time == IdTable.NO_TIME) {
      return 0;
    }
    long step = step();
    long due = time + span() + step;
    return Math.max(1, due - Math.floorMod(due, step) + step);
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

  /** Removes the ids of a key that the floor has passed, at a timer of the key. */
  private void forget(long timer) throws Exception {
    Cell<S> cell = open.form.open(open.slot.value());
    IdPages ids = open.ids;
    int pages = ids == null ? cell.pages() : ids.forget(cell.pages(), open.floor);
    long due = timer < cell.due() ? cell.due() : 0;
    if (pages != cell.pages() || due != cell.due()) {
      store(open.form.cell(cell.state(), cell.version(), pages, due));
    }
  }

  // ---------------------------------------------------------------- outputs and refusals

  private void send(Arrived<E> arrived, Verdict<S, O> verdict, Collector<M> out) {
    Event<E> event = arrived.event();
    String own = event == null ? null : event.id();
    Origin origin = arrived.origin();
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      List<Output<O>> outputs = applied.outputs();
      for (int n = 0; n < outputs.size(); n++) {
        Output<O> output = outputs.get(n);
        String outputId =
            own != null
                ? Output.id(open.fold.name(), event.key(), own, n)
                : Output.id(open.fold.name(), event.key(), origin.partition(), origin.offset(), n);
        M sent =
            outlet.output(
                new Emitted<>(outputId, output.name(), event.key(), open.events, output.value()));
        if (sent == null) {
          throw new FlinkFoldException(
              "the fold \""
                  + open.fold.name()
                  + "\" emits to \""
                  + output.name()
                  + "\", which nobody takes: send FoldStreams.outputs(\""
                  + output.name()
                  + "\") somewhere");
        }
        out.collect(sent);
      }
    } else if (open.takesRefusals && !(verdict instanceof Verdict.Duplicate)) {
      out.collect(outlet.refusal(refusal(arrived, verdict, own != null ? own : origin.id())));
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
