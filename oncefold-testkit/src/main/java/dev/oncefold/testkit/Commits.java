package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Kernel;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Entry;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.Observation;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells the input, as it is read here, and which of it the journal says to have judged how. The
 * journal's entries are laid beside the input one by one: an engine that skips an event is found by
 * what it says of the next.
 */
final class Commits<E> {
  /** The only owner there may be. */
  static final long EPOCH = 1;

  private final Reading<E> input;
  private final Kernel<?, E, ?> kernel;
  private final int foldVersion;
  private final long latest;
  private final Consumer<Observation> history;
  private final Deque<Observation.Input> next = new ArrayDeque<>();
  private final StringBuilder verdicts = new StringBuilder();
  private long committed;
  private long floor = Kernel.NO_FLOOR;
  private long resent;

  /**
   * Begins with nothing committed.
   *
   * @param input the input
   * @param kernel for fingerprints
   * @param foldVersion the version that judges
   * @param latest the least event time that can have been too far ahead of the clock
   * @param history told of the input and the commits
   */
  Commits(
      Reading<E> input,
      Kernel<?, E, ?> kernel,
      int foldVersion,
      long latest,
      Consumer<Observation> history) {
    this.input = input;
    this.kernel = kernel;
    this.foldVersion = foldVersion;
    this.latest = latest;
    this.history = history;
  }

  String partition() {
    return input.partition();
  }

  long committed() {
    return committed;
  }

  /** How many events were recognised as re-sends. */
  long resent() {
    return resent;
  }

  /** Reads on in the input, up to a position. */
  void read(long position) throws InterruptedException {
    for (Received<E> peeked = input.peek();
        peeked != null && peeked.offset() < position;
        peeked = input.peek()) {
      Observation.Input told = told(peeked);
      input.next();
      next.add(told);
      history.accept(told);
    }
  }

  /** The journal's next entry. */
  void judged(Entry<?, E, ?> entry) {
    Verdict.Kind kind = entry.verdict();
    Instant risen = entry.floor();
    if (risen != null && risen.toEpochMilli() > floor) {
      floor = risen.toEpochMilli();
      commit(next(), floor, null);
    }
    boolean byTime =
        entry.failure() == Verdict.Cause.AHEAD_OF_CLOCK || entry.failure() == Verdict.Cause.NO_TIME;
    if (byTime && verdicts.length() > 0) {
      commit(next(), null, null);
    }
    verdicts.append(Letters.of(kind));
    if (byTime) {
      commit(next(), null, latest);
    }
    if (kind == Verdict.Kind.DUPLICATE
        || kind == Verdict.Kind.CONFLICT
        || kind == Verdict.Kind.EXPIRED) {
      resent++;
    }
  }

  /** All entries up to a position were told. */
  void committed(long position) {
    if (position != committed || verdicts.length() > 0) {
      commit(position, null, null);
    }
    while (!next.isEmpty() && next.element().at() < position) {
      next.remove();
    }
  }

  /** The position behind as many events as there are verdicts. */
  private long next() {
    long position = committed;
    for (int i = 0; i < verdicts.length() && !next.isEmpty(); i++) {
      position = next.remove().next();
    }
    return position;
  }

  private void commit(long to, @Nullable Long risen, @Nullable Long believed) {
    history.accept(
        new Observation.Commit(
            partition(), committed, to, EPOCH, risen, believed, foldVersion, verdicts.toString()));
    verdicts.setLength(0);
    committed = to;
  }

  private Observation.Input told(Received<E> received) {
    Event<E> event = received.event();
    long to = received.next().offset();
    return event == null
        ? new Observation.Input(partition(), received.offset(), to, null, null, null, "undecodable")
        : new Observation.Input(
            partition(),
            received.offset(),
            to,
            event.key(),
            event.id(),
            millis(event.time()),
            HexFormat.of().toHexDigits(kernel.fingerprint(event.value())));
  }

  private static @Nullable Long millis(@Nullable Instant time) {
    try {
      return time == null ? null : time.toEpochMilli();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE; // beyond every clock: no engine can believe it
    }
  }
}
