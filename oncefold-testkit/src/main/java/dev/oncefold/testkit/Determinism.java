package dev.oncefold.testkit;

import dev.oncefold.Counts;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether an update depends on its state and its event alone. An engine may judge an event again
 * after a crash, on another machine, years later when its history is judged anew; what it comes to
 * must be the same.
 *
 * <p>The same events are judged in this process once; once more with each event judged twice from
 * the same state; and in two other processes with other time zones, locales, encodings and hash
 * codes. What is compared is what would be stored: verdicts, new states and outputs.
 *
 * <p>Passing is no proof. What differs only rarely, or only by the hour or day in UTC, is not seen
 * by a few runs close to each other.
 */
public final class Determinism {
  private static final String CAUSES =
      "An update must depend on its state and its event alone. Look for a clock, a random number or"
          + " UUID, and a field that changes between events";
  private static final String ELSEWHERE =
      "; and for what differs between machines: the default time zone, locale or encoding, the order"
          + " of a HashMap, HashSet, Map.of or Set.of";

  private Determinism() {}

  /** What was found to differ. */
  public enum Kind {
    /** The subject itself gave other events: nothing can be said of its fold. */
    EVENTS,
    /** An event came to something else. */
    RESULT,
    /** A state changed that only a new one should have taken the place of. */
    STATE_CHANGED,
    /** The update changed the event. */
    EVENT_CHANGED,
    /** A result changed after it was answered. */
    RESULT_CHANGED
  }

  /**
   * The first event that showed it.
   *
   * @param kind what was found
   * @param position the place of the event among the subject's, from 0
   * @param key its key
   * @param id its id, or null
   * @param one what was first, in words
   * @param how what was done then
   * @param other what was found then, in words
   */
  public record Difference(
      Kind kind,
      long position,
      String key,
      @Nullable String id,
      String one,
      String how,
      String other) {

    /**
     * The difference for a person.
     *
     * @return a few lines
     */
    public String told() {
      String event =
          "the event "
              + position
              + " (counted from 0; key \""
              + key
              + "\""
              + (id == null ? "" : ", id \"" + id + "\"")
              + ")";
      String what =
          switch (kind) {
            case EVENTS -> "The subject does not give the same events: " + event + " differs.";
            case RESULT -> "The fold is not deterministic: " + event + " differs.";
            case STATE_CHANGED -> "A state was changed in place, as told by " + event + ".";
            case EVENT_CHANGED -> "The update changed " + event + ".";
            case RESULT_CHANGED -> "The result for " + event + " changed after it was answered.";
          };
      String hint =
          switch (kind) {
            case EVENTS -> "Make them from a seed or a file, the same in every process.";
            case RESULT -> CAUSES + (how.contains("another process") ? ELSEWHERE : "") + ".";
            default ->
                "States, events and outputs are values: answer new ones, and copy a list or map"
                    + " before you change it.";
          };
      String alike = one.equals(other) ? "\n  (the two print alike, and are not stored alike)" : "";
      return what + "\n  first: " + one + "\n  " + how + ": " + other + alike + "\n" + hint;
    }
  }

  /**
   * What came of a check.
   *
   * @param counts what the events came to when they were first judged; where none is Applied or
   *     Rejected, next to nothing was compared
   * @param difference the first difference, or null where there is none
   */
  public record Result(Counts counts, @Nullable Difference difference) {
    /**
     * Whether no difference was found.
     *
     * @return true if it passed
     */
    public boolean passed() {
      return difference == null;
    }
  }

  /**
   * Checks the fold of a subject. Takes about as long as judging its events six times, and starting
   * Java twice.
   *
   * @param subject a class as {@link Subject} describes it, on the class path
   * @param arguments what its constructor is given; one that takes nothing is called without any
   * @return what was found
   * @throws IllegalArgumentException if the class is no subject, or it has no events
   * @throws IllegalStateException if another process could not judge the events; its error is in
   *     the message
   * @throws InterruptedException if the thread was interrupted; then no process is left behind
   */
  public static Result check(Class<?> subject, String... arguments) throws InterruptedException {
    try {
      Path directory = Files.createTempDirectory("oncefold-determinism");
      try {
        return check(subject, arguments, directory);
      } finally {
        Scratch.delete(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the judgements cannot be kept in a temporary file", e);
    }
  }

  private static Result check(Class<?> type, String[] arguments, Path directory)
      throws IOException, InterruptedException {
    Path first = directory.resolve("first");
    Counts counts = Judging.of(Subject.of(type, arguments)).record(first);
    if (counts.events() == 0) {
      throw new IllegalArgumentException(
          type.getName() + " has no events: nothing can be compared");
    }
    Difference difference;
    try (DataInputStream known = open(first)) {
      difference = Judging.of(Subject.of(type, arguments)).compare(known);
    }
    List<Elsewhere> others = difference == null ? Elsewhere.all() : List.of();
    for (Elsewhere other : others) {
      Path theirs = directory.resolve("other");
      other.record(type, arguments, theirs);
      Difference found = compare(first, theirs, other.told());
      if (found != null && (difference == null || found.position() < difference.position())) {
        difference = found;
      }
    }
    return new Result(counts, difference);
  }

  private static DataInputStream open(Path file) throws IOException {
    return new DataInputStream(new BufferedInputStream(Files.newInputStream(file)));
  }

  private static @Nullable Difference compare(Path first, Path theirs, String how)
      throws IOException {
    try (DataInputStream one = open(first);
        DataInputStream other = open(theirs)) {
      for (long position = 0; ; position++) {
        boolean more = one.readBoolean();
        boolean theirMore = other.readBoolean();
        if (!more && !theirMore) {
          return null;
        }
        Imprint a = more ? Imprint.read(one) : null;
        Imprint b = theirMore ? Imprint.read(other) : null;
        Difference found = compare(position, a, how, b);
        if (found != null) {
          return found;
        }
      }
    }
  }

  /** Compares two judgements of one event; null for one that was not there. */
  static @Nullable Difference compare(
      long position, @Nullable Imprint one, String how, @Nullable Imprint other) {
    if (one == null || other == null) {
      Imprint there = one != null ? one : other;
      String none = "there is no such event";
      return there == null
          ? null
          : new Difference(
              Kind.EVENTS,
              position,
              there.key(),
              there.id(),
              one == null ? none : one.words(),
              how,
              other == null ? none : other.words());
    }
    return one.sameAs(other)
        ? null
        : new Difference(
            one.input() == other.input() ? Kind.RESULT : Kind.EVENTS,
            position,
            one.key(),
            one.id(),
            one.words(),
            how,
            other.words());
  }
}
