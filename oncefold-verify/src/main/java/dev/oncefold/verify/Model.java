package dev.oncefold.verify;

import dev.oncefold.Verdict;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an event does to states: the user's rules, told without an engine. The checker asks it for
 * every event that is judged by the rules, once and in commit order.
 */
public interface Model {
  /**
   * Judges an event by the rules.
   *
   * @param event the event; it has a key
   * @param foldVersion the version of the fold that judged it
   * @param states what is stored for a key by now, in the form of the model; null where nothing is
   * @return what comes of it
   */
  Effect judge(Observation.Input event, int foldVersion, Function<String, @Nullable String> states);

  /**
   * Told of what the history itself says of the rules.
   *
   * @param judged an observation of the history
   */
  default void told(Observation.Judged judged) {}

  /**
   * What an observed state, which is not the expected one, tells of what went wrong.
   *
   * @param expected the expected state, or null where the key should have none
   * @param observed the observed one, or null
   * @return the rule that it breaks, or null where it does not tell
   */
  default @Nullable Rule diagnose(@Nullable String expected, @Nullable String observed) {
    return null;
  }

  /**
   * What a state adds to what is conserved.
   *
   * @param state the state
   * @return its share; 0 where nothing is conserved
   */
  default long share(String state) {
    return 0;
  }

  /**
   * What comes of an event.
   *
   * @param verdict Applied, Rejected or Failed
   * @param changes the new state of each key that the event named; none where it is not Applied
   * @param outputs what it emits, in order; none where it is not Applied
   */
  record Effect(Verdict.Kind verdict, List<Change> changes, List<Emitted> outputs) {
    /** The rules reject the event. */
    public static final Effect REJECTED = new Effect(Verdict.Kind.REJECTED, List.of(), List.of());

    /** The event cannot be judged. */
    public static final Effect FAILED = new Effect(Verdict.Kind.FAILED, List.of(), List.of());

    /** Copies the lists. */
    public Effect {
      changes = List.copyOf(changes);
      outputs = List.copyOf(outputs);
    }
  }

  /**
   * A new state.
   *
   * @param key the key
   * @param state its state; null deletes it
   */
  record Change(String key, @Nullable String state) {}

  /**
   * An output.
   *
   * @param name the output's name
   * @param value its value
   */
  record Emitted(String name, String value) {}
}
