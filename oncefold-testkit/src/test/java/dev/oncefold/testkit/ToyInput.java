package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import dev.oncefold.States;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a {@link ToyRun} reads: two partitions that share their keys, and the fold over them. */
final class ToyInput {
  static final Fold<Trace, Move, String> WITH_IDS = fold(true);
  static final Fold<Trace, Move, String> WITHOUT_IDS = fold(false);
  private static final int PARTITIONS = 2;

  private final List<List<Received<Move>>> partitions = new ArrayList<>();
  private final Random random;

  private static Fold<Trace, Move, String> fold(boolean ids) {
    Fold.Builder<Trace, Move, String> builder =
        Fold.of(ToyStore.FOLD, Trace.class, Move.class, String.class)
            .initially(Trace.NONE)
            .whenFailed(Fold.WhenFailed.REFUSE);
    return (ids ? builder.rememberingForever() : builder.rememberingNoIds())
        .update(event -> event.value().keys(), ToyInput::update);
  }

  /** The rules of {@link TraceModel}. */
  private static Outcome<States<Trace>, String> update(States<Trace> states, Event<Move> event) {
    Move move = event.value();
    States<Trace> after = states;
    List<String> told = new ArrayList<>();
    for (int i = 0; i < move.keys().size(); i++) {
      String key = move.keys().get(i);
      if (!move.affords(i, states.get(key))) {
        return Outcome.reject(TraceModel.REJECTION);
      }
      Trace trace =
          states.get(key).after(String.valueOf(event.id()), move.seq(), move.amounts().get(i));
      after = after.with(key, trace);
      told.add(trace.text());
    }
    Outcome.Accepted<States<Trace>, String> outcome = Outcome.accept(after);
    for (String text : told) {
      outcome = outcome.emit(TraceModel.OUTPUT, text);
    }
    return outcome;
  }

  static Position position(long offset) {
    return offset == 0 ? Position.START : new Position(offset, offset * 7);
  }

  private static String name(int partition) {
    return "p" + partition;
  }

  /**
   * An input.
   *
   * @param events how many events
   * @param resends whether some are sent again, on any partition
   */
  ToyInput(Random random, int events, boolean resends) {
    this.random = random;
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.add(new ArrayList<>());
    }
    List<Event<Move>> sent = new ArrayList<>();
    for (int seq = 0; seq < events; seq++) {
      List<Received<Move>> to = partitions.get(random.nextInt(PARTITIONS));
      int at = to.size();
      Position next = position(at + 1L);
      if (random.nextInt(12) == 0) {
        byte[] raw = ("?" + seq).getBytes(StandardCharsets.US_ASCII);
        to.add(Received.undecodable(at, next, "no event", raw));
      } else if (resends && !sent.isEmpty() && random.nextInt(6) == 0) {
        to.add(Received.of(at, next, sent.get(random.nextInt(sent.size()))));
      } else {
        Move move = move(seq);
        Event<Move> event = new Event<>("e" + seq, move.keys().get(0), null, move);
        sent.add(event);
        to.add(Received.of(at, next, event));
      }
    }
  }

  void tell(Consumer<Observation> history) {
    for (int i = 0; i < PARTITIONS; i++) {
      for (Received<Move> received : partitions.get(i)) {
        Event<Move> event = received.event();
        history.accept(
            new Observation.Input(
                name(i),
                received.offset(),
                received.next().offset(),
                event == null ? null : event.key(),
                event == null ? null : event.id(),
                null,
                event == null ? "" : event.value().text()));
      }
    }
  }

  boolean isConsumed(Map<String, Long> positions) {
    for (int i = 0; i < PARTITIONS; i++) {
      if (positions.getOrDefault(name(i), 0L) < partitions.get(i).size()) {
        return false;
      }
    }
    return true;
  }

  /** Reads all partitions from where it is told to, in batches of some size, in any order. */
  Source<Move> source() {
    return new Partitions();
  }

  /** Out of the world into a key, or between two keys; the sum of all stays 0. */
  private Move move(int seq) {
    int key = random.nextInt(4);
    long amount = random.nextInt(100);
    return random.nextInt(3) == 0
        ? new Move(seq, List.of("k" + key, "k" + (key + 1) % 4), List.of(-amount, amount))
        : new Move(seq, List.of("k" + key, "@world"), List.of(amount, -amount));
  }

  private final class Partitions implements Source<Move> {
    private final int[] next = new int[PARTITIONS];

    @Override
    public List<String> partitions() {
      return List.of(name(0), name(1));
    }

    @Override
    public void seek(String partition, Position position) {
      next[partition.charAt(1) - '0'] = (int) position.offset();
    }

    @Override
    public @Nullable Polled<Move> poll(int max, Duration wait) {
      int partition = random.nextInt(PARTITIONS);
      if (next[partition] >= partitions.get(partition).size()) {
        partition = 1 - partition;
      }
      int from = next[partition];
      int left = partitions.get(partition).size() - from;
      if (left <= 0) {
        return null;
      }
      int to = from + 1 + random.nextInt(Math.min(left, 4));
      next[partition] = to;
      return new Polled<>(
          name(partition), position(from), partitions.get(partition).subList(from, to), true);
    }

    @Override
    public boolean ended() {
      return next[0] >= partitions.get(0).size() && next[1] >= partitions.get(1).size();
    }

    @Override
    public void close() {}
  }
}
