package dev.oncefold;

import java.util.List;

/**
 * The event-sourced shape of an update: a command is decided into facts, and facts evolve the
 * state. {@link #update} makes an ordinary {@link Update} of it whose outputs are the facts.
 *
 * <p>The pattern is Jérémie Chassaing's "functional event sourcing decider".
 *
 * @param <S> the type of the state
 * @param <C> the type of the commands
 * @param <F> the type of the facts
 */
public interface Decider<S, C, F> {
  /**
   * Decides a command.
   *
   * @param state the state
   * @param command the command
   * @return the facts that follow, or why it is refused
   */
  Decision<F> decide(S state, C command);

  /**
   * The state after a fact.
   *
   * @param state the state before
   * @param fact the fact
   * @return the state after
   */
  S evolve(S state, F fact);

  /**
   * The same as an {@link Update}.
   *
   * @return an update that emits each fact to the output {@link Output#DEFAULT}
   */
  default Update<S, C, F> update() {
    return (state, event) -> {
      Decision<F> decision = decide(state, event.value());
      if (decision instanceof Decision.Refused<F> refused) {
        return Outcome.reject(refused.reason());
      }
      S next = state;
      List<F> facts = ((Decision.Facts<F>) decision).facts();
      for (F fact : facts) {
        next = evolve(next, fact);
      }
      return new Outcome.Accepted<>(
          next, facts.stream().map(fact -> new Output<>(Output.DEFAULT, fact)).toList());
    };
  }

  /**
   * What a command is decided into.
   *
   * @param <F> the type of the facts
   */
  sealed interface Decision<F> {
    /**
     * The command is accepted.
     *
     * @param facts what follows from it, in order
     * @param <F> the type of the facts
     */
    record Facts<F>(List<F> facts) implements Decision<F> {
      public Facts {
        facts = List.copyOf(facts);
      }
    }

    /**
     * The command is refused.
     *
     * @param reason why
     * @param <F> the type of the facts
     */
    record Refused<F>(String reason) implements Decision<F> {}
  }
}
