package dev.oncefold.testkit;

import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.DryRun;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Judges all events of a subject in this process: to write down what they come to, or to compare it
 * with what was written down.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class Judging<S, E, O> {
  private final List<Event<E>> events;
  private final Fold<S, E, O> fold;
  private final DryRun<S, E, O> run;
  private final Imprint.Maker<S, E, O> maker;
  // What each state was when it was put there.
  private final Map<String, Long> states = new HashMap<>();

  private Judging(Subject<S, E, O> subject) {
    this.events = subject.events();
    this.fold = subject.fold();
    this.run = new DryRun<>(fold, Kernel.NO_LIMIT);
    this.maker = new Imprint.Maker<>(fold);
  }

  static <S, E, O> Judging<S, E, O> of(Subject<S, E, O> subject) {
    return new Judging<>(subject);
  }

  /**
   * The other process: writes down what the events come to there.
   *
   * @param args the subject's class, the file to write, and the arguments of the subject
   */
  public static void main(String[] args) throws IOException, ClassNotFoundException {
    String[] arguments = Arrays.copyOfRange(args, 2, args.length);
    of(Subject.of(Class.forName(args[0]), arguments)).record(Path.of(args[1]));
  }

  /** Judges each event once and writes down what it came to. */
  Counts record(Path file) throws IOException {
    Counts.Tally tally = new Counts.Tally();
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
      for (Event<E> event : events) {
        Verdict<S, O> verdict = run.apply(event);
        tally.add(verdict);
        out.writeBoolean(true);
        maker.of(event, verdict).write(out);
      }
      out.writeBoolean(false);
    }
    return tally.counts();
  }

  /** Judges each event twice from the same state and compares with what was written down. */
  Determinism.@Nullable Difference compare(DataInputStream known) throws IOException {
    long position = 0;
    for (Event<E> event : events) {
      Imprint first = known.readBoolean() ? Imprint.read(known) : null;
      Determinism.Difference found = twice(position, event, first);
      if (found != null) {
        return found;
      }
      position++;
    }
    return known.readBoolean()
        ? Determinism.compare(
            position, Imprint.read(known), "asked again in the same process", null)
        : null;
  }

  private Determinism.@Nullable Difference twice(
      long position, Event<E> event, @Nullable Imprint first) {
    List<String> keys = keys(event);
    for (String key : keys) {
      String before = words(key);
      Long known = states.get(key);
      if (known != null && known != state(key)) {
        return difference(
            Determinism.Kind.STATE_CHANGED,
            position,
            event,
            "the state of \"" + key + "\" was stored as it should be",
            "before this event, with no event of that key between",
            "it is " + before);
      }
    }
    long input = maker.input(event);
    Map<String, Long> before = states(keys);
    Map<String, String> words = new HashMap<>();
    keys.forEach(key -> words.put(key, words(key)));

    Verdict<S, O> one = run.judge(event);
    Imprint judged = maker.of(event, one);
    for (String key : keys) {
      if (!Objects.equals(before.get(key), state(key))) {
        return difference(
            Determinism.Kind.STATE_CHANGED,
            position,
            event,
            "the state of \"" + key + "\" is " + words.get(key),
            "the same object after the update was called",
            words(key));
      }
    }
    if (input != maker.input(event)) {
      return difference(
          Determinism.Kind.EVENT_CHANGED,
          position,
          event,
          "the event as the subject gave it",
          "the same object after the update was called",
          String.valueOf(event.value()));
    }
    Verdict<S, O> other = run.apply(event);
    if (judged.result() != maker.result(one)) {
      return difference(
          Determinism.Kind.RESULT_CHANGED,
          position,
          event,
          judged.words(),
          "the same object after the update was called again",
          Imprint.words(one));
    }
    Determinism.Difference found =
        Determinism.compare(
            position, judged, "judged again from the same state", maker.of(event, other));
    if (found == null) {
      found =
          Determinism.compare(
              position, first, "judged again, from the beginning, in the same process", judged);
    }
    keys.forEach(key -> states.put(key, state(key)));
    return found;
  }

  private static Determinism.Difference difference(
      Determinism.Kind kind, long position, Event<?> event, String one, String how, String other) {
    return new Determinism.Difference(kind, position, event.key(), event.id(), one, how, other);
  }

  /** The keys of an event; its own where the fold does not say, which the kernel will tell. */
  private List<String> keys(Event<E> event) {
    try {
      return fold.keys(event);
    } catch (RuntimeException e) {
      return List.of(event.key());
    }
  }

  private Map<String, Long> states(List<String> keys) {
    Map<String, Long> all = new HashMap<>();
    keys.forEach(key -> all.put(key, state(key)));
    return all;
  }

  /** The hash of what the update is given for a key. */
  private long state(String key) {
    try {
      return maker.state(given(key));
    } catch (CodecException e) {
      return 0; // it was stored once, so it was changed since
    }
  }

  private String words(String key) {
    return String.valueOf(given(key));
  }

  private S given(String key) {
    Slot<S> slot = run.slots().get(key);
    return slot == null ? fold.initial() : slot.state();
  }
}
