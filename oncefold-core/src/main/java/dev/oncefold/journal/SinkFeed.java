package dev.oncefold.journal;

import dev.oncefold.CodecException;
import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gives what a journal commits to a {@link Sink}, each output and refusal exactly once and in the
 * order of the journal.
 *
 * <p>It tails the journal. The position that it gives the sink with the messages is the sequence of
 * the last event, so that after a crash the sink itself says what it has. Now and then it records
 * in the journal how far it is: what it has not passed is kept.
 *
 * <p>Where the sink fails it is opened again, after a while that doubles up to 5 s; the journal
 * goes on meanwhile. {@link #trouble} says why it does not get on.
 *
 * <p>Safe for use by several threads.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class SinkFeed<S, E, O> implements AutoCloseable {
  private static final int BUFFER = 1 << 18;
  private static final long RECORD_EVERY = 1 << 22;
  private static final long FIRST_PAUSE = 100;
  private static final long LONGEST_PAUSE = 5_000;

  private final Journal<S, E, O> journal;
  private final String name;
  private final Sink sink;
  private final Map<String, Function<Emitted<O>, byte[]>> outputs;
  private final @Nullable Function<Entry<S, E, O>, byte[]> refusals;
  private final Map<String, Sink.Limit> limits = new HashMap<>();
  private final Sink.Limit refusalLimit;
  private final Consumer<Emitted<O>> check = this::check;
  private final Tail<S, E, O> tail;
  private final List<Sink.Message> messages = new ArrayList<>();
  private Sink.@Nullable Lane lane;
  private long recorded;
  // The position that the sink has, and the one it has if the last write came through.
  private long written;
  private long attempted;
  private int size;
  private long pause = FIRST_PAUSE;
  private boolean closed;
  private volatile @Nullable RuntimeException trouble;

  private SinkFeed(
      Journal<S, E, O> journal,
      String name,
      Sink sink,
      Map<String, Function<Emitted<O>, byte[]>> outputs,
      @Nullable Function<Entry<S, E, O>, byte[]> refusals,
      boolean threads) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a sink needs a name");
    }
    for (String output : outputs.keySet()) {
      require(sink.takes(output), "the output \"" + output + "\"");
    }
    require(refusals == null || sink.takes(null), "refusals");
    this.journal = journal;
    this.name = name;
    this.sink = sink;
    this.outputs = Map.copyOf(outputs);
    this.refusals = refusals;
    outputs.keySet().forEach(output -> limits.put(output, sink.limit(output)));
    this.refusalLimit = refusals == null ? Sink.Limit.NONE : sink.limit(null);
    this.tail = new Tail<>(journal);
    journal.sinkOpens(name, "the lane " + name);
    try {
      begin();
      if (limits.values().stream().anyMatch(limit -> !limit.equals(Sink.Limit.NONE))) {
        journal.checksOutputs(check);
      }
    } catch (RuntimeException | Error e) {
      journal.sinkCloses(name);
      closeLane();
      throw e;
    }
    this.recorded = tail.offset;
    if (threads) {
      tail.start("oncefold-feed-" + name, this::tryStep);
    }
  }

  private static void require(boolean takes, String what) {
    if (!takes) {
      throw new IllegalArgumentException(
          "the sink has nowhere to put " + what + ": give it a place, or do not feed it");
    }
  }

  /**
   * Starts to feed a sink.
   *
   * @param journal the journal
   * @param name the name of the feed in the journal and of its lane in the sink; it identifies both
   *     for ever
   * @param sink the sink; it is not closed by this
   * @param outputs how to encode the outputs that go there, by their names. Where the sink has a
   *     {@link Sink#limit} events are judged by it, so this is called when they are, too, by
   *     another thread
   * @param refusals how to encode the events that were Rejected, Conflict, Expired or Failed; null
   *     where they do not go there. What is larger than the sink takes goes there without the event
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the feed, which runs until it is closed; close it before the journal
   * @throws SinkException if the sink cannot be opened
   * @throws JournalException if the sink holds the messages of another journal, or not those that
   *     were written to it, or the journal has dropped what is to be written
   * @throws IllegalArgumentException if the sink does not take one of the outputs or the refusals
   */
  public static <S, E, O> SinkFeed<S, E, O> start(
      Journal<S, E, O> journal,
      String name,
      Sink sink,
      Map<String, Function<Emitted<O>, byte[]>> outputs,
      @Nullable Function<Entry<S, E, O>, byte[]> refusals) {
    return new SinkFeed<>(journal, name, sink, outputs, refusals, true);
  }

  /** Without a thread of its own, for tests. */
  static <S, E, O> SinkFeed<S, E, O> byHand(
      Journal<S, E, O> journal,
      String name,
      Sink sink,
      Map<String, Function<Emitted<O>, byte[]>> outputs,
      @Nullable Function<Entry<S, E, O>, byte[]> refusals) {
    return new SinkFeed<>(journal, name, sink, outputs, refusals, false);
  }

  /** An output that the sink would never take makes its event Failed. */
  private void check(Emitted<O> emitted) {
    Function<Emitted<O>, byte[]> encoding = outputs.get(emitted.name());
    Sink.Limit limit = limits.getOrDefault(emitted.name(), Sink.Limit.NONE);
    if (encoding != null && !limit.equals(Sink.Limit.NONE)) {
      String exceeded = limit.exceededBy(message(emitted, encoding));
      if (exceeded != null) {
        throw new CodecException(exceeded);
      }
    }
  }

  private static <O> Sink.Message message(
      Emitted<O> emitted, Function<Emitted<O>, byte[]> encoding) {
    return new Sink.Message(emitted.name(), emitted.key(), emitted.id(), encoding.apply(emitted));
  }

  private void begin() {
    Memory.SinkPosition position = journal.sink(name);
    Sink.Lane open = sink.open(name);
    lane = open;
    long at = open.position();
    if (position == null) {
      if (journal.log().start() != 0) {
        throw new JournalException(
            "the journal has dropped older segments, so the outputs in them cannot be given to the"
                + " sink \""
                + name
                + "\" any more. Name every sink from the beginning, or keep segments with"
                + " Options.retainBytes");
      }
      if (at != Sink.START) {
        throw new JournalException(
            "the sink \""
                + name
                + "\" holds messages up to event "
                + at
                + " of another journal: this one has never written to it. Give it another name");
      }
      // Durable before the first message, so that a lane with messages is always a known one.
      journal.awaitRecorded(journal.record(name, new Memory.SinkPosition(0, 0, 0)));
      return;
    }
    tail.offset = position.offset();
    written = position.length();
    if (at < written) {
      throw lost(at);
    }
    if (at > journal.sequence()) {
      throw new JournalException(
          "the sink \""
              + name
              + "\" holds messages up to event "
              + at
              + ", but the journal has only "
              + journal.sequence()
              + " events: another journal of the same name writes to it, or this one was restored"
              + " from an old copy. Restore the newest copy, or give the sink another name");
    }
    written = at;
    attempted = at;
  }

  private JournalException lost(long at) {
    return new JournalException(
        "the sink \""
            + name
            + "\" says that it holds messages up to event "
            + at
            + ", but those up to "
            + written
            + " were written to it: it has lost its position, or another journal writes to it."
            + " Restore it, or give the sink another name");
  }

  /** A step that may fail, and is tried again after a while unless it was the last. */
  private boolean tryStep(boolean last) throws InterruptedException {
    try {
      boolean wrote = step();
      trouble = null;
      pause = FIRST_PAUSE;
      return wrote;
    } catch (SinkException | FencedException e) {
      trouble = e;
      closeLane();
      if (last || tail.pause(pause)) {
        throw e;
      }
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      return true;
    }
  }

  /**
   * Writes what is new; false if there was nothing. Where it fails the same is read again after.
   */
  synchronized boolean step() {
    if (!tail.hasMore()) {
      return false;
    }
    Sink.Lane open = lane();
    long end = read();
    if (!messages.isEmpty()) {
      open.write(messages, attempted);
      written = attempted;
    }
    tail.offset = end;
    if (end - recorded > RECORD_EVERY) {
      recordOffset();
    }
    return true;
  }

  private void recordOffset() {
    recorded = tail.offset;
    var unused = journal.record(name, new Memory.SinkPosition(recorded, written, 0));
  }

  /** The lane, which is opened again where it has failed. */
  private Sink.Lane lane() {
    Sink.Lane open = lane;
    if (open == null) {
      open = sink.open(name);
      lane = open;
      long at = open.position();
      if (at != written && at != attempted) {
        throw lost(at);
      }
      written = at;
    }
    return open;
  }

  /** Reads what the sink does not have; answers where in the log it ends. */
  private long read() {
    messages.clear();
    size = 0;
    try {
      return tail.read(
          () -> size >= BUFFER,
          (record, sequence, at, codecs) -> {
            if (sequence > written) {
              take(record, sequence, at, codecs);
            }
          });
    } catch (IOException e) {
      throw History.unreadable(journal.disk(), e);
    }
  }

  private void take(
      EventRecord record, long sequence, Log.Cursor cursor, Definition.Codecs<S, E, O> codecs) {
    String fold = journal.fold().name();
    for (int i = 0; i < record.outputCount(); i++) {
      Function<Emitted<O>, byte[]> encoding = outputs.get(record.outputName(i));
      if (encoding != null) {
        add(message(record.emitted(i, sequence, fold, codecs.output()), encoding));
        attempted = sequence;
      }
    }
    Entry<S, E, O> refusal =
        refusals == null ? null : Tail.refusal(journal, record, sequence, cursor, codecs);
    if (refusals != null && refusal != null) {
      // An event may be refused again and again under one id; its sequence is its own.
      add(refusal(refusal, refusals, fold + "/refusal/" + sequence));
      attempted = sequence;
    }
  }

  /** The message of a refusal: where there is no room for the event itself, without it. */
  private Sink.Message refusal(
      Entry<S, E, O> entry, Function<Entry<S, E, O>, byte[]> encoding, String id) {
    Sink.Message whole = encoded(entry, encoding, id);
    String exceeded = refusalLimit.exceededBy(whole);
    return exceeded == null ? whole : encoded(entry.withoutEvent(exceeded), encoding, id);
  }

  private static <S, E, O> Sink.Message encoded(
      Entry<S, E, O> entry, Function<Entry<S, E, O>, byte[]> encoding, String id) {
    return new Sink.Message(
        null, entry.key() == null ? "" : entry.key(), id, encoding.apply(entry));
  }

  private void add(Sink.Message message) {
    messages.add(message);
    size += message.value().length + message.key().length() + message.id().length();
  }

  /**
   * Why it does not get on at present: what the sink failed with last. It is tried again.
   *
   * @return null where all is well
   */
  public @Nullable RuntimeException trouble() {
    return trouble;
  }

  /**
   * Whether it has stopped for good. Then nothing is written any more while the journal goes on;
   * {@link #close} throws the reason.
   *
   * @return whether it has failed
   */
  public boolean hasFailed() {
    return tail.hasFailed();
  }

  /**
   * Writes everything committed until now, and ends. Closing twice does nothing.
   *
   * @throws SinkException if the sink failed; nothing is lost, and the feed goes on from there when
   *     it is started again
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (!tail.finish()) {
        while (step()) {}
      }
      if (!tail.hasFailed() && tail.offset > recorded && journal.groups().failure() == null) {
        recordOffset();
      }
    } finally {
      journal.checksOutputsNoMore(check);
      journal.sinkCloses(name);
      closeLane();
    }
    tail.rethrow("the feed of the sink \"" + name + "\"");
  }

  private void closeLane() {
    Sink.Lane open = lane;
    lane = null;
    if (open != null) {
      open.close();
    }
  }
}
