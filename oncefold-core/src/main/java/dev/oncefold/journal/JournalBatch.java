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
import dev.oncefold.SipHash;
import dev.oncefold.Slot;
import dev.oncefold.States;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
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
  private final List<Consumer<Emitted<O>>> outputChecks;
  private final boolean remembers;
  private final Kernel<S, E, O> kernel; // for fingerprints only
  private String name = "";
  private Memory.@Nullable Partition partition;
  private @Nullable Group<S> group;
  private long watermark;
  // Loaded for the batch, by the place of the event in it.
  private final List<@Nullable Event<E>> loaded = new ArrayList<>();
  private final List<Memory.@Nullable Cell<S>> cells = new ArrayList<>();
  private long[] hashes = new long[0];

  @SuppressWarnings("UnusedVariable") // read by nobody: it keeps the loads from being dropped
  private long touched;

  private int at; // the place of the event that is judged now
  // Of the event being added.
  private final Encoder values = new Encoder();
  private final List<@Nullable Slot<S>> next = new ArrayList<>();
  private long print;

  JournalBatch(
      Fold<S, E, O> fold,
      Memory<S> memory,
      GroupCommit<S> groups,
      boolean full,
      List<Consumer<Emitted<O>>> outputChecks) {
    this.outputChecks = outputChecks;
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
    loaded.clear();
    cells.clear();
    at = 0;
    return this;
  }

  /**
   * Looks up everything at once. Each look-up alone waits for memory several times; one after
   * another without anything between them, the processor overlaps their waits.
   */
  @Override
  public void load(List<Received<E>> events) {
    int count = events.size();
    if (hashes.length < 2 * count) {
      hashes = new long[2 * count];
    }
    loaded.clear();
    cells.clear();
    at = 0;
    for (int i = 0; i < count; i++) {
      Event<E> event = events.get(i).event();
      loaded.add(event);
      String id = event == null ? null : event.id();
      if (remembers && event != null && id != null) {
        SipHash hash = memory.ids.hash(event.key(), id);
        hashes[2 * i] = hash.hi();
        hashes[2 * i + 1] = hash.lo();
      }
    }
    for (int i = 0; i < count; i++) {
      touched += memory.ids.touch(hashes[2 * i + 1]);
    }
    for (int i = 0; i < count; i++) {
      Event<E> event = loaded.get(i);
      cells.add(event == null ? null : memory.cells.get(event.key()));
    }
    for (int i = 0; i < count; i++) {
      Memory.Cell<S> cell = cells.get(i);
      Slot<S> slot = cell == null ? null : cell.live;
      touched += slot == null || slot.state().getClass() == Void.class ? 0 : slot.version();
    }
  }

  @Override
  public @Nullable Slot<S> slot(String key) {
    Memory.Cell<S> cell = cell(key);
    return cell == null ? null : cell.live;
  }

  /** The loaded cell, for the event that is judged now; any other is looked up. */
  @SuppressWarnings("ReferenceEquality")
  private Memory.@Nullable Cell<S> cell(String key) {
    Event<E> event = at < loaded.size() ? loaded.get(at) : null;
    if (event != null && event.key() == key) {
      Memory.Cell<S> cell = cells.get(at);
      if (cell == null) {
        // An earlier event of the batch may have made it.
        cell = memory.cells.get(key);
        cells.set(at, cell);
      }
      return cell;
    }
    return memory.cells.get(key);
  }

  private Memory.Cell<S> cellToChange(String key) {
    Memory.Cell<S> cell = cell(key);
    return cell != null ? cell : memory.cell(key);
  }

  @Override
  @SuppressWarnings("ReferenceEquality")
  public @Nullable Remembered remembered(String key, String id) {
    Event<E> event = at < loaded.size() ? loaded.get(at) : null;
    return event != null && event.key() == key && event.id() == id
        ? memory.ids.find(hashes[2 * at], hashes[2 * at + 1])
        : memory.remembered(key, id);
  }

  @SuppressWarnings("ReferenceEquality")
  private boolean isLoaded(Event<E> event) {
    return at < loaded.size() && loaded.get(at) == event;
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
    if (event != null) {
      effect(event, verdict, into);
    }
    at++;
  }

  private void effect(Event<E> event, Verdict<S, O> verdict, Group<S> into) {
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
      if (!outputChecks.isEmpty()) {
        checkOutputs(received, event, applied);
      }
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

  /** What no sink could ever take would be committed, and stand in the way of all behind it. */
  private void checkOutputs(Received<E> received, Event<E> event, Verdict.Applied<S, O> applied) {
    List<Output<O>> outputs = applied.outputs();
    for (int n = 0; n < outputs.size(); n++) {
      Output<O> output = outputs.get(n);
      String own = event.id() == null ? received.positionId(name) : event.id();
      String id = Output.id(fold.name(), event.key(), own, n);
      Emitted<O> emitted =
          new Emitted<>(id, output.name(), event.key(), memory.sequence + 1, output.value());
      outputChecks.forEach(check -> check.accept(emitted));
    }
  }

  private void judged(Event<E> event, @Nullable String rejected) {
    Instant time = event.time();
    String id = event.id();
    if (id != null && isLoaded(event)) {
      memory.remember(hashes[2 * at], hashes[2 * at + 1], print, time, rejected);
    } else if (id != null) {
      memory.remember(event.key(), id, print, time, rejected);
    }
    if (time != null && fold.ids().kind() == Fold.Ids.Kind.SPAN) {
      watermark = Math.max(watermark, time.toEpochMilli());
    }
  }

  @Override
  public boolean isFull() {
    return group().frame.length() >= MAX_RECORD;
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
    // There is one batch for all threads: where this one has committed, another may have begun.
    if (groups.isEntered() && group != null) {
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
