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
import java.nio.charset.StandardCharsets;
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
  /** The most bytes that one event, its states and its outputs may take: 16 MiB. */
  static final int MAX_RECORD = 1 << 24;

  private static final int MAX_REASON = 4096;

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
  private @Nullable String foundKey;
  private Memory.@Nullable Cell<S> found;
  // Of the event being added.
  private final Encoder values = new Encoder();
  private final List<@Nullable Slot<S>> next = new ArrayList<>();
  private long print;

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
    this.foundKey = null; // the cell may have gone since the last batch
    return this;
  }

  @Override
  public @Nullable Slot<S> slot(String key) {
    Memory.Cell<S> cell = cell(key);
    return cell == null ? null : cell.live;
  }

  /** A key is looked up, judged and then changed: mostly the same object each time. */
  @SuppressWarnings("ReferenceEquality")
  private Memory.@Nullable Cell<S> cell(String key) {
    if (key != foundKey) {
      found = memory.cells.get(key);
      foundKey = key;
    }
    return found;
  }

  private Memory.Cell<S> cellToChange(String key) {
    Memory.Cell<S> cell = cell(key);
    if (cell == null) {
      cell = memory.cell(key);
      found = cell;
    }
    return cell;
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
    int before = into.frame.length();
    try {
      write(received, verdict, into.frame);
      if (into.frame.length() - before > MAX_RECORD) {
        throw new CodecException("it takes more than " + MAX_RECORD + " bytes");
      }
    } catch (RuntimeException e) {
      into.frame.truncate(before);
      if (!(verdict instanceof Verdict.Failed<S, O> failed)) {
        throw new CodecException(
            "what the update answered, or the event itself, cannot be stored: " + Kernel.told(e));
      }
      writeBare(received, failed, into.frame);
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
        Memory.Cell<S> cell = cellToChange(keys.get(i));
        cell.live = next.get(i);
        into.change(keys.get(i), cell, next.get(i));
      }
      judged(event, null);
    } else if (verdict instanceof Verdict.Rejected<S, O> rejected) {
      judged(event, rejected.reason());
    }
  }

  private void write(Received<E> received, Verdict<S, O> verdict, Encoder out) {
    Event<E> event = received.event();
    Verdict.Kind kind = verdict.kind();
    boolean refusal = kind != Verdict.Kind.APPLIED && kind != Verdict.Kind.DUPLICATE;
    boolean remember = remembers && (kind == Verdict.Kind.APPLIED || kind == Verdict.Kind.REJECTED);
    Encoder value = null;
    print = 0;
    if (event != null && (full || refusal)) {
      value = values;
      value.truncate(0);
      fold.eventCodec().encode(event.value(), value);
    }
    if (event != null && event.id() != null && remember) {
      print =
          value != null && fold.fingerprintCodec() == fold.eventCodec()
              ? kernel.fingerprint(value.array(), 0, value.length())
              : kernel.fingerprint(event.value());
    }
    EventRecord.write(received, name, verdict, value, print, out);
    if (verdict instanceof Verdict.Applied<S, O> applied && event != null) {
      writeEffects(event, applied, out);
    }
  }

  /** A Failed event is counted and told even where it cannot be written itself. */
  private void writeBare(Received<E> received, Verdict.Failed<S, O> failed, Encoder out) {
    String reason = failed.reason().substring(0, Math.min(failed.reason().length(), MAX_REASON));
    // Encoding replaces what is no text by question marks.
    String text =
        new String(reason.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
            + " (the event itself cannot be stored)";
    EventRecord.write(
        Received.undecodable(received.offset(), received.next(), text, new byte[0]),
        name,
        new Verdict.Failed<>(failed.cause(), text),
        null,
        0,
        out);
  }

  private void writeEffects(Event<E> event, Verdict.Applied<S, O> applied, Encoder out) {
    States<S> states = applied.states();
    List<String> keys = states.keys();
    next.clear();
    out.writeUnsigned(keys.size());
    for (String key : keys) {
      S state = states.orNull(key);
      Slot<S> old = slot(key);
      Slot<S> slot = state == null ? null : new Slot<>(state, old == null ? 1 : old.version() + 1);
      EventRecord.writeSlot(key.equals(event.key()) ? null : key, slot, fold.stateCodec(), out);
      next.add(slot);
    }
    out.writeUnsigned(applied.outputs().size());
    for (Output<O> output : applied.outputs()) {
      EventRecord.writeOutput(output, fold.outputCodec(), out);
    }
  }

  private void judged(Event<E> event, @Nullable String rejected) {
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
