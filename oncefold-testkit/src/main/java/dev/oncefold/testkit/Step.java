package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Verdict;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One line of a {@link Script}. */
sealed interface Step {
  /** Where it stands, for a message. */
  Line at();

  /**
   * A line of a script.
   *
   * @param number its number, from 1
   * @param text what it says
   */
  record Line(int number, String text) {
    @Override
    public String toString() {
      return "line " + number + ": " + text;
    }
  }

  /** What an event is expected to come to. */
  enum Fate {
    APPLIED,
    REJECTED,
    DUPLICATE,
    CONFLICT,
    EXPIRED,
    FAILED,
    /** The engine stops before it, since it Failed. */
    STOPS,
    /** It stands behind one at which the engine stopped. */
    UNREAD;

    boolean isJudged() {
      return this != STOPS && this != UNREAD;
    }

    /** The verdict of a judged event. */
    Verdict.Kind verdict() {
      return Verdict.Kind.valueOf(name());
    }
  }

  /**
   * What is expected of an event.
   *
   * @param fate what it comes to
   * @param reason the reason, or of a failure a part of it; empty where none was told
   */
  record Expectation(Fate fate, String reason) {}

  /**
   * A record of the input.
   *
   * @param at its line
   * @param partition its partition
   * @param record what is fed
   * @param event the event in it; null where it is none
   * @param expected what it is expected to come to
   */
  record Fed(
      Line at, String partition, String record, @Nullable Event<Move> event, Expectation expected) {
    @Override
    public String toString() {
      return "that of " + at;
    }
  }

  /** Records are fed. */
  record Feed(Line at, String partition, List<Fed> records) implements Step {}

  /** Everything fed is judged and compared. */
  record Settle(Line at) implements Step {}

  /** The engine dies; {@code committed} says at how many events committed, at once where null. */
  record Crash(Line at, @Nullable Long committed) implements Step {}

  /** It starts again, under another version of the fold where one is told. */
  record Restart(Line at, @Nullable Integer version, boolean accepting, boolean refused)
      implements Step {}

  /** It starts again and refuses what it stopped at; what is unread comes to what is told. */
  record Refusing(Line at, List<Expectation> unread) implements Step {}

  /** A second owner starts. */
  record Second(Line at) implements Step {}

  /** What a key holds; the version is not looked at where it is null. */
  record State(Line at, String key, long sum, long count, @Nullable Long version) implements Step {}

  /** A key has no state. */
  record NoState(Line at, String key) implements Step {}

  /** All the counts. */
  record Total(Line at, Counts counts) implements Step {}

  /** An output stands once among those of a name. */
  record HasOutput(Line at, String name, String id, String key, long sum) implements Step {}

  /** How many outputs of a name there are. */
  record Outputs(Line at, String name, long count) implements Step {}

  /** The history of a key. */
  record History(Line at, String key, List<Past> events) implements Step {}

  /** One event of a history; {@code sum} is what the key holds after it, null where not told. */
  record Past(String id, Expectation expected, @Nullable Long sum) {}
}
