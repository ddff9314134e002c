package dev.oncefold;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Update} answers: the event is accepted, with the new state and the outputs, or
 * rejected, with the reason. A value without effects; the engine does the effects.
 *
 * @param <S> the type of the state
 * @param <O> the type of the outputs
 */
public sealed interface Outcome<S, O> {
  /**
   * Accepts the event.
   *
   * @param state the new state; null deletes the key
   * @param outputs values for the output {@link Output#DEFAULT}, in order
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   * @return the outcome
   */
  @SafeVarargs
  static <S, O> Accepted<S, O> accept(@Nullable S state, O... outputs) {
    if (outputs.length == 0) {
      return new Accepted<>(state, List.of());
    }
    if (outputs.length == 1) {
      return new Accepted<>(state, List.of(new Output<>(Output.DEFAULT, outputs[0])));
    }
    List<Output<O>> named = new ArrayList<>(outputs.length);
    for (O output : outputs) {
      named.add(new Output<>(Output.DEFAULT, output));
    }
    return new Accepted<>(state, named);
  }

  /**
   * Rejects the event: nothing changes, the reason is remembered with the id and goes to the
   * refusals.
   *
   * @param reason why, as a person would read it
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   * @return the outcome
   */
  static <S, O> Outcome<S, O> reject(String reason) {
    return new Rejected<>(reason);
  }

  /**
   * The event is accepted.
   *
   * @param state the new state; null deletes the key
   * @param outputs the outputs, in order
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Accepted<S, O>(@Nullable S state, List<Output<O>> outputs) implements Outcome<S, O> {
    public Accepted {
      outputs = List.copyOf(outputs);
    }

    /**
     * The same outcome with one more output.
     *
     * @param name the output's name
     * @param value its value
     * @return a new outcome
     */
    public Accepted<S, O> emit(String name, O value) {
      List<Output<O>> more = new ArrayList<>(outputs);
      more.add(new Output<>(name, value));
      return new Accepted<>(state, more);
    }
  }

  /**
   * The event is rejected.
   *
   * @param reason why
   * @param <S> the type of the state
   * @param <O> the type of the outputs
   */
  record Rejected<S, O>(String reason) implements Outcome<S, O> {
    public Rejected {
      Objects.requireNonNull(reason, "a rejection needs a reason");
    }
  }
}
