package dev.oncefold.verify;

import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the proof's own workload: events move amounts, and each key keeps a {@link Trace} of
 * all that happened to it, so that one event lost, doubled, out of order or made up changes it.
 */
public final class TraceModel implements Model {
  /** The name by which histories ask for this model. */
  public static final String NAME = "trace";

  /** The name of the output that tells the trace of each key that an event changed. */
  public static final String OUTPUT = "traces";

  /** Why a move is rejected. */
  public static final String REJECTION = "insufficient funds";

  private static final char SEPARATOR = '\t';

  /**
   * All that happened to a key.
   *
   * @param count how many events
   * @param sum the sum of their amounts
   * @param lastSeq the number of the last one
   * @param chain a hash over all of them, in order
   */
  public record Trace(long count, long sum, long lastSeq, long chain) {
    /** Nothing happened. */
    public static final Trace NONE = new Trace(0, 0, 0, 0);

    /**
     * One event more.
     *
     * @param eventId its id, or its position where it has none
     * @param seq its number
     * @param amount what it moves into the key
     * @return a new trace
     */
    public Trace after(String eventId, long seq, long amount) {
      long mixed = Hash.of(chain ^ Hash.of(0, eventId), seq);
      return new Trace(count + 1, sum + amount, seq, Hash.of(mixed, amount));
    }

    /**
     * The trace as a line.
     *
     * @return the four numbers, separated by spaces
     */
    public String text() {
      return count + " " + sum + " " + lastSeq + " " + chain;
    }

    /**
     * Reads {@link #text}.
     *
     * @param text the line
     * @return the trace
     * @throws HistoryException if it is none
     */
    public static Trace parse(String text) {
      String[] parts = text.split(" ", -1);
      try {
        if (parts.length == 4) {
          return new Trace(
              Long.parseLong(parts[0]),
              Long.parseLong(parts[1]),
              Long.parseLong(parts[2]),
              Long.parseLong(parts[3]));
        }
      } catch (NumberFormatException e) {
        throw new HistoryException("\"" + text + "\" is no trace: four numbers are expected", e);
      }
      throw new HistoryException("\"" + text + "\" is no trace: four numbers are expected", null);
    }
  }

  /**
   * What an event of the workload says.
   *
   * @param seq its number
   * @param keys the keys that it names
   * @param amounts what it moves into each of them; none makes the rules throw
   */
  public record Move(long seq, List<String> keys, List<Long> amounts) {
    /** Copies the lists. */
    public Move {
      keys = List.copyOf(keys);
      amounts = List.copyOf(amounts);
      if (keys.size() != amounts.size()) {
        throw new IllegalArgumentException("a move has as many amounts as keys");
      }
    }

    /**
     * The payload of an {@link Observation.Input}.
     *
     * @return the number, then each key with its amount, separated by tabs
     */
    public String text() {
      StringBuilder text = new StringBuilder().append(seq);
      for (int i = 0; i < keys.size(); i++) {
        text.append(SEPARATOR).append(keys.get(i)).append(SEPARATOR).append(amounts.get(i));
      }
      return text.toString();
    }

    /**
     * Reads {@link #text}.
     *
     * @param text the payload
     * @return the move
     * @throws HistoryException if it is none
     */
    public static Move parse(String text) {
      String[] parts = text.split(String.valueOf(SEPARATOR), -1);
      if (parts.length % 2 == 1) {
        try {
          List<String> keys = new ArrayList<>(2);
          List<Long> amounts = new ArrayList<>(2);
          for (int i = 1; i < parts.length; i += 2) {
            keys.add(parts[i]);
            amounts.add(Long.parseLong(parts[i + 1]));
          }
          return new Move(Long.parseLong(parts[0]), keys, amounts);
        } catch (NumberFormatException e) {
          throw new HistoryException("\"" + text + "\" is no move of the trace model", e);
        }
      }
      throw new HistoryException("\"" + text + "\" is no move of the trace model", null);
    }

    /**
     * Whether the rules allow it: no key but those that begin with {@code @} may fall below zero.
     *
     * @param place which of the keys
     * @param before the key's trace
     * @return whether the key can afford its part
     */
    public boolean affords(int place, Trace before) {
      return keys.get(place).startsWith("@") || before.sum() + amounts.get(place) >= 0;
    }
  }

  @Override
  public Effect judge(
      Observation.Input event, int foldVersion, Function<String, @Nullable String> states) {
    Move move = Move.parse(event.payload());
    if (move.keys().isEmpty()) {
      return Effect.FAILED;
    }
    String id = event.id() == null ? event.partition() + '@' + event.at() : event.id();
    List<Change> changes = new ArrayList<>(move.keys().size());
    List<Emitted> outputs = new ArrayList<>(move.keys().size());
    for (int i = 0; i < move.keys().size(); i++) {
      String key = move.keys().get(i);
      String stored = states.apply(key);
      Trace before = stored == null ? Trace.NONE : Trace.parse(stored);
      if (!move.affords(i, before)) {
        return Effect.REJECTED;
      }
      String after = before.after(id, move.seq(), move.amounts().get(i)).text();
      changes.add(new Change(key, after));
      outputs.add(new Emitted(OUTPUT, after));
    }
    return new Effect(Verdict.Kind.APPLIED, changes, outputs);
  }

  @Override
  public @Nullable Rule diagnose(@Nullable String expected, @Nullable String observed) {
    Trace should = expected == null ? Trace.NONE : Trace.parse(expected);
    Trace is;
    try {
      is = observed == null ? Trace.NONE : Trace.parse(observed);
    } catch (HistoryException e) {
      return null; // whatever it is, it is no trace
    }
    if (expected == null) {
      return Rule.C3;
    } else if (is.count() != should.count()) {
      return is.count() < should.count() ? Rule.C1 : Rule.C2;
    }
    return is.sum() == should.sum() ? Rule.C4 : Rule.C3;
  }

  @Override
  public long share(String state) {
    try {
      return Trace.parse(state).sum();
    } catch (HistoryException e) {
      return 0; // what an engine shows may be anything; that it is wrong is told by its key
    }
  }
}
