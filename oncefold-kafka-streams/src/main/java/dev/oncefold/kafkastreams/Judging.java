package dev.oncefold.kafkastreams;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.FailedEventException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.IdTable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.TaskCorruptedException;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/**
 * Judges the events of one task. States and ids change in memory; outputs and refusals are sent on;
 * what is in memory goes to the changelog when the commit is prepared. All of it is in the task's
 * transaction, or nothing is.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 * @param <M> the type of what is sent on
 */
final class Judging<S, E, O, M> implements Processor<String, Arrived<E>, String, M> {
  private static final Duration LOOK_BACK = Duration.ofMillis(20);

  private final Plan<S, E, O> plan;
  private final Outlet<S, E, O, M> outlet;
  private final Fold<S, E, O> fold;
  private final Kernel<S, E, O> kernel;
  private @Nullable ProcessorContext<String, M> context;
  private @Nullable FoldStore<S> store;
  private final ArrivedSerde<E> serde;
  private @Nullable Cancellable lookingBack;
  private @Nullable FoldStopped stopped;
  private Kernel.Slots<S> slots = key -> null;
  private Kernel.Seen seen = (key, id) -> null;
  private boolean takesRefusals;
  private long next;

  Judging(Plan<S, E, O> plan, Outlet<S, E, O, M> outlet) {
    this.plan = plan;
    this.outlet = outlet;
    this.fold = plan.fold();
    this.kernel = new Kernel<>(fold);
    this.serde = new ArrivedSerde<>(fold);
  }

  @Override
  public void init(ProcessorContext<String, M> begun) {
    Settings.check(begun.appConfigs());
    Boolean refusals = outlet.takesRefusals();
    if (refusals == null) {
      throw new StreamsFoldException(
          "nobody takes the refusals of the fold \""
              + fold.name()
              + "\": send FoldStreams.refusals() somewhere, or say FoldStreams.withoutRefusals()");
    }
    takesRefusals = refusals;
    FoldStore<S> found = begun.getStateStore(plan.store());
    found.begin(this::lowest);
    plan.backlog().enter(begun.appConfigs(), fold.ids().kind() == Fold.Ids.Kind.SPAN);
    Memory<S> memory = found.live();
    slots = memory::slot;
    seen = memory::remembered;
    store = found;
    context = begun;
    lookingBack = null;
    stopped = null;
    next = 0;
    if (found.live().firstWaiting() != null) {
      lookBack();
    }
  }

  @Override
  public void close() {
    if (context != null) {
      store().end();
      plan.backlog().leave();
      context = null;
    }
  }

  private ProcessorContext<String, M> context() {
    if (context == null) {
      throw new IllegalStateException("not begun");
    }
    return context;
  }

  private FoldStore<S> store() {
    if (store == null) {
      throw new IllegalStateException("not begun");
    }
    return store;
  }

  @Override
  public void process(Record<String, Arrived<E>> record) {
    take(record.value(), record.timestamp());
  }

  void take(Arrived<E> arrived, long timestamp) {
    if (arrived.unreadable() != null) {
      throw new FoldStopped(arrived.unreadable());
    }
    goOnWithWaiting();
    stopWhereSettled();
    Memory<S> memory = store().live();
    inEvent(
        () -> {
          if (stopped != null) {
            hold(arrived, timestamp);
          } else if (!plan.isStraight() || !memory.inputs().isApplied(arrived.origin())) {
            stopped = judge(arrived, timestamp);
            if (stopped != null) {
              hold(arrived, timestamp);
            }
          }
          if (plan.repartitions()) {
            next = context().recordMetadata().map(where -> where.offset() + 1).orElse(next);
          }
        });
    lookBack();
  }

  /** If it throws, the event stays begun, and nothing can be committed. */
  private void inEvent(Runnable work) {
    store().beginEvent();
    try {
      work.run();
      store().endEvent();
    } catch (TimeoutException | TaskCorruptedException e) {
      throw Routing.again(Routing.LATE, e);
    }
  }

  // ---------------------------------------------------------------- stopping

  /**
   * The task is to stop before an event, and Kafka Streams has read it already, and perhaps some
   * behind it. They are kept in the store, not judged, and committed with what stands before them;
   * then the thread stops. Whoever gets the task begins with them.
   */
  private void hold(Arrived<E> arrived, long timestamp) {
    Encoder out = new Encoder();
    byte[] bytes = serde.bytes(arrived);
    store().live().hold(out.writeLong(timestamp).writeRaw(bytes, 0, bytes.length).toByteArray());
    if (plan.isStraight()) {
      store().live().inputs().passed(arrived.origin(), Kernel.NO_FLOOR);
    }
    context().commit();
  }

  /** Judges what a task has left that stopped. */
  private void goOnWithWaiting() {
    Memory<S> memory = store().live();
    while (stopped == null) {
      byte[] first = memory.firstWaiting();
      if (first == null) {
        return;
      }
      Decoder in = new Decoder(first);
      long timestamp = in.readLong();
      Arrived<E> arrived =
          serde.read(plan.store(), Arrays.copyOfRange(first, in.position(), first.length));
      if (arrived == null || arrived.unreadable() != null) {
        throw new FoldStopped(
            "an event that the fold stopped before cannot be read any more: "
                + (arrived == null ? "" : arrived.unreadable()));
      }
      inEvent(
          () -> {
            stopped = judge(arrived, timestamp);
            if (stopped == null) {
              memory.release();
            } else {
              context().commit();
            }
          });
    }
  }

  private void stopWhereSettled() {
    store().settle();
    FoldStopped why = stopped;
    if (why != null && store().isSettled()) {
      throw why;
    }
  }

  /**
   * Commits are not told to a processor. The next event is a sign of one; where none comes, a
   * punctuation is.
   */
  private void lookBack() {
    if (lookingBack == null) {
      lookingBack =
          context()
              .schedule(
                  LOOK_BACK,
                  PunctuationType.WALL_CLOCK_TIME,
                  now -> {
                    goOnWithWaiting();
                    stopWhereSettled();
                    if (store().isSettled() && lookingBack != null) {
                      lookingBack.cancel();
                      lookingBack = null;
                    }
                  });
    }
  }

  private FoldStopped stop(Arrived<E> arrived, Verdict.Failed<S, O> failure) {
    Origin origin = arrived.origin();
    return new FoldStopped(
        new FailedEventException(
            origin.partitionName(),
            origin.offset(),
            origin.id(),
            arrived.event(),
            failure,
            "Nothing of this event is applied, everything before it in its task is. Mend the cause"
                + " and run again, or let this event be refused (StreamsFold.refusing), or the fold"
                + " refuse all failed events (whenFailed)"));
  }

  // ---------------------------------------------------------------- judging

  /** Judges an event, and does what comes of it; answers why the task is to stop before it. */
  private @Nullable FoldStopped judge(Arrived<E> arrived, long timestamp) {
    Memory<S> memory = store().live();
    Event<E> event = arrived.event();
    Origin origin = arrived.origin();
    Verdict<S, O> verdict =
        event == null
            ? new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, String.valueOf(arrived.undecodable()))
            : kernel.judge(event, slots, seen, memory.floor(), latest());
    long fingerprint = 0;
    boolean remembered =
        event != null
            && event.id() != null
            && fold.ids().kind() != Fold.Ids.Kind.NONE
            && (verdict instanceof Verdict.Applied || verdict instanceof Verdict.Rejected);
    try {
      if (remembered && event != null) {
        fingerprint = kernel.fingerprint(event.value());
      }
      if (verdict instanceof Verdict.Applied<S, O> applied && store().isCareful()) {
        S state = applied.state();
        if (state != null) {
          memory.check(state);
        }
      }
    } catch (RuntimeException e) {
      verdict = new Verdict.Failed<>(Verdict.Cause.UPDATE, Kernel.told(e));
      remembered = false;
    }
    if (verdict instanceof Verdict.Failed<S, O> failed
        && fold.whenFailed() == Fold.WhenFailed.STOP
        && !plan.refusing().contains(origin.id())) {
      return stop(arrived, failed);
    }
    if (arrived.everywhere() && context().taskId().partition() != 0) {
      return null;
    }
    send(arrived, verdict, timestamp);
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      memory.set(event.key(), applied.state());
    }
    if (remembered && event != null && event.id() != null) {
      memory.remember(
          event.key(),
          event.id(),
          fingerprint,
          idTime(event.time()),
          verdict instanceof Verdict.Rejected<S, O> rejected ? rejected.reason() : null);
    }
    memory.count(verdict);
    if (plan.isStraight()) {
      boolean counts = verdict instanceof Verdict.Applied || verdict instanceof Verdict.Rejected;
      memory
          .inputs()
          .passed(origin, counts && event != null ? watermark(event.time()) : Kernel.NO_FLOOR);
    }
    return null;
  }

  private long idTime(@Nullable Instant time) {
    return time == null || fold.ids().kind() != Fold.Ids.Kind.SPAN
        ? IdTable.NO_TIME
        : time.toEpochMilli();
  }

  private long watermark(@Nullable Instant time) {
    return time == null || fold.ids().kind() != Fold.Ids.Kind.SPAN
        ? Kernel.NO_FLOOR
        : time.toEpochMilli();
  }

  private long latest() {
    return fold.ids().kind() == Fold.Ids.Kind.SPAN
        ? plan.clock().millis() + fold.ids().aheadMillis()
        : Kernel.NO_LIMIT;
  }

  /**
   * The least watermark of the input partitions that may have unread events for this task, as of
   * the last look at the cluster.
   */
  private long lowest() {
    Memory<S> memory = store().live();
    Backlog.Look look = plan.backlog().last();
    if (look == null) {
      return Kernel.NO_FLOOR;
    }
    int task = context().taskId().partition();
    long least = Long.MAX_VALUE;
    for (TopicPartition each : look.input()) {
      boolean mine = plan.repartitions() || each.partition() == task;
      if (mine && !look.isDrained(each, task, next)) {
        least =
            Math.min(
                least,
                memory.inputs().watermark(plan.backlog().topicId(each.topic()), each.partition()));
      }
    }
    return least == Long.MAX_VALUE ? memory.inputs().watermark() : least;
  }

  // ---------------------------------------------------------------- outputs and refusals

  private void send(Arrived<E> arrived, Verdict<S, O> verdict, long timestamp) {
    Event<E> event = arrived.event();
    String own = event == null ? null : event.id();
    String id = own != null ? own : arrived.origin().id();
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      List<Output<O>> outputs = applied.outputs();
      for (int n = 0; n < outputs.size(); n++) {
        Output<O> output = outputs.get(n);
        String outputId = Output.id(fold.name(), event.key(), id, n);
        M message =
            outlet.output(
                new Emitted<>(
                    outputId,
                    output.name(),
                    event.key(),
                    store().live().events() + 1,
                    output.value()));
        if (message == null) {
          throw new FoldStopped(
              "the fold \""
                  + fold.name()
                  + "\" emits to \""
                  + output.name()
                  + "\", which nobody takes: send FoldStreams.outputs(\""
                  + output.name()
                  + "\") somewhere");
        }
        forward(event.key(), outputId, message, timestamp);
      }
    } else if (takesRefusals && !(verdict instanceof Verdict.Duplicate)) {
      String key = event == null ? "" : event.key();
      forward(key, id, outlet.refusal(refusal(arrived, verdict, id)), timestamp);
    }
  }

  private void forward(String key, String id, M message, long timestamp) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(StreamsFold.ID, id.getBytes(StandardCharsets.UTF_8));
    context().forward(new Record<>(key, message, timestamp, headers));
  }

  private Entry<S, E, O> refusal(Arrived<E> arrived, Verdict<S, O> verdict, String id) {
    Event<E> event = arrived.event();
    return new Entry<>(
        store().live().events() + 1,
        plan.clock().instant(),
        fold.version(),
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
