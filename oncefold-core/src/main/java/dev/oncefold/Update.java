package dev.oncefold;

/**
 * The user's function: from a state and an event to an {@link Outcome}.
 *
 * <p>It must be pure: the same state and event always give the same outcome, and it does nothing
 * else. It may run more than once for one event (after a crash, say); only its outcome takes
 * effect, once. States are shared between threads and must not be changed in place. An exception
 * makes the event {@link Verdict.Failed}; an {@link Error} stops the engine.
 *
 * @param <S> the type of the state; for a fold over several keys it is {@link States}
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
@FunctionalInterface
public interface Update<S, E, O> {
  /**
   * Judges one event by the user's rules.
   *
   * @param state the key's state; the fold's initial state where the key has none
   * @param event the event
   * @return the outcome; never null
   * @throws Exception any exception makes the event Failed, with nothing of it applied
   */
  Outcome<S, O> apply(S state, Event<E> event) throws Exception;
}
