package dev.oncefold.journal;

import dev.oncefold.CodecException;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.States;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The one batch that may be open at a time: between {@link #begin} and commit or close its thread
 * holds the lock of {@link GroupCommit}.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class JournalBatch<S, E, O> implements Store.Batch<S, E, O> {
  private final Fold<S, E, O> fold;
  private final Memory<S> memory;
  private final GroupCommit<S> groups;
  private final boolean full;
  private final boolean remembers;
  private final Kernel<S, E, O> kernel; // for fingerprints only
  private String name = "";
  private Memory.@Nullable Partition partition;
  private @Nullable Group<S> group;
  private long watermark;

  JournalBatch(Fold<S, E, O> fold, Memory<S> memory, GroupCommit<S> groups, boolean full) {
    this.fold = fold;
    this.memory = memory;
    this.groups = groups;
    this.full = full;
    this.remembers = fold.ids().kind() != Fold.Ids.Kind.NONE;
    this.kernel = new Kernel<>(fold);
  }

  JournalBatch<S, E, O> begin(String name, Memory.Partition partition, Group<S> group) {
    this.name = name;
    this.partition = partition;
    this.group = group;
    this.watermark = partition.watermark;
    return this;
  }

  @Override
  public @Nullable Slot<S> slot(String key) {
    Memory.Cell<S> cell = memory.cells.get(key);
    return cell == null ? null : cell.live;
  }

  @Override
  public @Nullable Remembered remembered(String key, String id) {
    return memory.ids.find(key, id);
  }

  @Override
  public long floor() {
    return memory.floor;
  }

  private Group<S> group() {
    if (group == null) {
      throw new IllegalStateException("the batch is over");
    }
    return group;
  }

  @Override
  public void add(Received<E> received, Verdict<S, O> verdict) {
    Group<S> into = group();
    Encoder out = into.frame;
    int before = out.length();
    List<@Nullable Slot<S>> next = List.of();
    long print;
    try {
      print = write(received, verdict, out);
      if (verdict instanceof Verdict.Applied<S, O> applied) {
        next = writeEffects(received, applied, out);
      }
    } catch (RuntimeException e) {
      out.truncate(before);
      throw new CodecException(
          "what the update answered, or the event, cannot be stored: " + Kernel.told(e));
    }
    // From here on nothing can fail: what is written and what memory holds stay the same.
    into.events++;
    memory.sequence++;
    memory.tally.add(verdict);
    Event<E> event = received.event();
    if (event == null) {
      return;
    }
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      List<String> keys = applied.states().keys();
      for (int i = 0; i < keys.size(); i++) {
        Memory.Cell<S> cell = memory.cell(keys.get(i));
        cell.live = next.get(i);
        into.change(keys.get(i), cell, next.get(i));
      }
      judged(event, print, null);
    } else if (verdict instanceof Verdict.Rejected<S, O> rejected) {
      judged(event, print, rejected.reason());
    }
  }

  private long write(Received<E> received, Verdict<S, O> verdict, Encoder out) {
    Event<E> event = received.event();
    boolean inTable =
        remembers && (verdict instanceof Verdict.Applied || verdict instanceof Verdict.Rejected);
    long print =
        inTable && event != null && event.id() != null ? kernel.fingerprint(event.value()) : 0;
    EventRecord.write(received, name, verdict, full, print, fold.eventCodec(), out);
    return print;
  }

  private List<@Nullable Slot<S>> writeEffects(
      Received<E> received, Verdict.Applied<S, O> applied, Encoder out) {
    States<S> states = applied.states();
    List<String> keys = states.keys();
    List<@Nullable Slot<S>> next = new ArrayList<>(keys.size());
    Event<E> event = received.event();
    out.writeUnsigned(keys.size());
    for (String key : keys) {
      S state = states.orNull(key);
      Slot<S> old = slot(key);
      Slot<S> slot = state == null ? null : new Slot<>(state, old == null ? 1 : old.version() + 1);
      boolean own = event != null && key.equals(event.key());
      EventRecord.writeSlot(own ? null : key, slot, fold.stateCodec(), out);
      next.add(slot);
    }
    out.writeUnsigned(applied.outputs().size());
    for (Output<O> output : applied.outputs()) {
      EventRecord.writeOutput(output, fold.outputCodec(), out);
    }
    return next;
  }

  private void judged(Event<E> event, long print, @Nullable String rejected) {
    Instant time = event.time();
    if (event.id() != null) {
      memory.remember(event.key(), event.id(), print, time, rejected);
    }
    if (time != null && fold.ids().kind() == Fold.Ids.Kind.SPAN) {
      watermark = Math.max(watermark, time.toEpochMilli());
    }
  }

  @Override
  public CompletableFuture<Position> commit(Position to, boolean unread) {
    Group<S> into = group();
    Memory.Partition of = partition();
    of.position = to;
    of.unread = unread;
    of.watermark = watermark;
    into.frame.writeByte(Memory.POSITION);
    Memory.writePartition(name, of, into.frame);
    long floor = memory.nextFloor(of);
    if (floor > memory.floor) {
      into.frame.writeByte(Memory.FLOOR).writeSigned(floor);
      memory.raiseFloor(floor);
    }
    CompletableFuture<Position> committed = new CompletableFuture<>();
    into.answers.add(answer(committed, to));
    end();
    return committed;
  }

  private Memory.Partition partition() {
    if (partition == null) {
      throw new IllegalStateException("the batch is over");
    }
    return partition;
  }

  private void end() {
    group = null;
    partition = null;
    groups.leave();
  }

  @Override
  public void close() {
    if (group != null) {
      // What the batch changed in memory cannot be told from what others did.
      groups.fail(
          "the journal stopped: a batch of the partition \""
              + name
              + "\" was given up half-way. Everything answered is safe; open it again",
          new IllegalStateException("the batch was closed without a commit"));
      end();
    }
  }

  /** Completes a future after the commit point. */
  static <T> Group.Answer answer(CompletableFuture<T> future, T value) {
    return new Group.Answer() {
      @Override
      public void committed() {
        future.complete(value);
      }

      @Override
      public void failed(JournalException failure) {
        future.completeExceptionally(failure);
      }
    };
  }
}
