package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.io.Closeable;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A journal's history judged again under new rules, beside the journal. It holds the journal's lock
 * until it is closed.
 *
 * <p>What a source could not decode, and what was too far ahead of the clock, stays Failed. Floors
 * rise where they rose. Nothing is emitted for the events of the past.
 *
 * <p>Not thread-safe.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Rebuild<S, E, O> implements AutoCloseable {
  static final String SUFFIX = ".rebuilt";

  private final Disk disk;
  private final Fold<S, E, O> fold;
  private final Options options;
  private final Closeable processLock;
  private final Log log;
  private final Kernel<S, E, O> kernel;
  private final Encoder scratch = new Encoder();
  private final Memory<Stored> before;
  private final Memory<S> after;
  private boolean done;

  /** A state as it was stored, decoded if the fold can. */
  private record Stored(@Nullable Object state) {}

  /**
   * A key whose state differs.
   *
   * @param key the key
   * @param before the state now, or null where there is none or the fold cannot read it any more
   * @param after the state under the new rules, or null where there is none
   * @param <S> the type of the state
   */
  public record Difference<S>(String key, @Nullable S before, @Nullable S after) {}

  /** Receives the differences. */
  @FunctionalInterface
  public interface Differences<S> {
    /**
     * A key differs.
     *
     * @param difference how
     */
    void key(Difference<S> difference);
  }

  private Rebuild(Disk disk, Fold<S, E, O> fold, Options options, Closeable processLock, Log log)
      throws IOException {
    this.disk = disk;
    this.fold = fold;
    this.options = options;
    this.processLock = processLock;
    this.kernel = new Kernel<>(fold);
    this.log = log;
    if (log.isEmpty()) {
      throw new JournalException("there is no journal in " + disk.path("") + " to rebuild");
    }
    for (String leftover : log.leftovers()) {
      disk.delete(leftover);
    }
    Definition last = log.newestDefinition();
    Journal.checkName(disk, last, fold);
    History.requireHistory(disk, log);
    this.before =
        new Recovery<Stored>(disk, log, fold.ids(), this::readIfPossible, Memory::new).recover();
    this.after = new Memory<>(fold.ids(), last.k0(), last.k1());
    judgeAgain();
    after.sequence = before.sequence;
    after.floor = Math.max(after.floor, before.floor);
    after.sinks.putAll(before.sinks);
    after.partitions.putAll(before.partitions);
  }

  static <S, E, O> Rebuild<S, E, O> of(Disk disk, Fold<S, E, O> fold, Options options) {
    Closeable lock = Journal.lock(disk);
    Log log = null;
    boolean opened = false;
    try {
      log = new Log(disk, options.segmentBytes());
      Rebuild<S, E, O> rebuild = new Rebuild<>(disk, fold, options, lock, log);
      opened = true;
      return rebuild;
    } catch (IOException e) {
      throw History.unreadable(disk, e);
    } finally {
      if (!opened) {
        if (log != null) {
          log.abandon();
        }
        Journal.release(lock);
      }
    }
  }

  private Codec<Stored> readIfPossible(Definition written) {
    Definition.Codecs<S, E, O> codecs = new Definition.Codecs<>(written, fold);
    return new Codec<>() {
      @Override
      public String schema() {
        return written.state();
      }

      @Override
      public void encode(Stored value, Encoder out) {
        throw new UnsupportedOperationException();
      }

      @Override
      public Stored decode(Decoder in) {
        int end = in.position() + in.remaining();
        try {
          return new Stored(codecs.state().decode(in));
        } catch (CodecException | JournalException e) {
          // Rules that cannot read the old states are a reason to rebuild, not to refuse it.
          in.skip(end - in.position());
          return new Stored(null);
        }
      }
    };
  }

  private void judgeAgain() throws IOException {
    Map<Definition, Definition.Codecs<S, E, O>> codecs = new HashMap<>();
    History.scan(
        log,
        disk,
        0,
        log.end(),
        new History.Visitor() {
          @Override
          public void event(EventRecord record, long sequence, Log.Cursor cursor) {
            after.sequence = sequence;
            judge(
                record,
                codecs.computeIfAbsent(cursor.definition(), d -> new Definition.Codecs<>(d, fold)));
          }

          @Override
          public void floor(long floor) {
            after.raiseFloor(floor);
          }
        });
  }

  private void judge(EventRecord record, Definition.Codecs<S, E, O> codecs) {
    if (!record.canBeJudgedAgain()) {
      after.tally.add(record.kind(), 0);
      return;
    }
    Event<E> event = record.event(codecs.event());
    Verdict<S, O> verdict =
        kernel.judge(
            event,
            key -> {
              Memory.Cell<S> cell = after.cells.get(key);
              return cell == null ? null : cell.live;
            },
            after::remembered,
            after.floor,
            Kernel.NO_LIMIT);
    verdict = storable(verdict);
    after.tally.add(verdict);
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      for (String key : applied.states().keys()) {
        S state = applied.states().orNull(key);
        Memory.Cell<S> cell = after.cells.get(key);
        Slot<S> old = cell == null ? null : cell.live;
        after.set(
            key, state == null ? null : new Slot<>(state, old == null ? 1 : old.version() + 1));
      }
      remember(event, null);
    } else if (verdict instanceof Verdict.Rejected<S, O> rejected) {
      remember(event, rejected.reason());
    }
  }

  private Verdict<S, O> storable(Verdict<S, O> verdict) {
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      try {
        scratch.truncate(0);
        for (String key : applied.states().keys()) {
          S state = applied.states().orNull(key);
          if (state != null) {
            fold.stateCodec().encode(state, scratch);
          }
        }
        for (Output<O> output : applied.outputs()) {
          fold.outputCodec().encode(output.value(), scratch);
        }
      } catch (RuntimeException e) {
        return new Verdict.Failed<>(Verdict.Cause.UPDATE, Kernel.told(e));
      }
    }
    return verdict;
  }

  private void remember(Event<E> event, @Nullable String rejected) {
    if (event.id() != null) {
      after.remember(
          event.key(), event.id(), kernel.fingerprint(event.value()), event.time(), rejected);
    }
  }

  /**
   * The counts as they stand.
   *
   * @return the counts under the rules that judged first
   */
  public Counts before() {
    return before.tally.counts();
  }

  /**
   * The counts under the new rules.
   *
   * @return the counts after the switch
   */
  public Counts after() {
    return after.tally.counts();
  }

  /**
   * Goes over every key whose state differs, in order of the keys.
   *
   * @param each told of each difference
   * @return how many there are
   */
  public long differences(Differences<S> each) {
    TreeSet<String> keys = new TreeSet<>(before.cells.keySet());
    keys.addAll(after.cells.keySet());
    long count = 0;
    for (String key : keys) {
      Memory.Cell<Stored> old = before.cells.get(key);
      Memory.Cell<S> now = after.cells.get(key);
      Slot<Stored> oldSlot = old == null ? null : old.live;
      Slot<S> newSlot = now == null ? null : now.live;
      @SuppressWarnings("unchecked") // decoded by a codec of S
      S oldState = oldSlot == null ? null : (S) oldSlot.state().state();
      S newState = newSlot == null ? null : newSlot.state();
      if (!Objects.equals(oldState, newState) || (oldSlot == null) != (newSlot == null)) {
        count++;
        each.key(new Difference<>(key, oldState, newState));
      }
    }
    return count;
  }

  /**
   * Makes the new states the journal's, in one step: after a crash it is done or not begun. The
   * journal then belongs to the new version of the fold.
   *
   * @throws JournalException if it cannot be written; the journal is then as it was
   */
  public void switchOver() {
    if (done) {
      throw new JournalException("the journal " + disk.path("") + " was switched already");
    }
    done = true;
    boolean full = options.history() == Options.History.FULL;
    String name = Log.name(log.end(), SUFFIX);
    Definition last = log.definition();
    Definition next = Definition.of(fold, last.k0(), last.k1(), full, name);
    try {
      new Snapshot<>(next, after).write(disk, name, log.end(), fold.stateCodec());
      log.startSegment(next, after.sequence, options.clock().millis());
      log.close();
    } catch (IOException e) {
      throw new JournalException(
          "the rebuilt states could not be written to "
              + disk.path(name)
              + ": "
              + Kernel.told(e)
              + GroupCommit.advice(e)
              + ". The journal is as it was",
          e);
    }
  }

  /** Releases the journal. Without {@link #switchOver} it is as it was. */
  @Override
  public void close() {
    log.abandon();
    Journal.release(processLock);
  }
}
