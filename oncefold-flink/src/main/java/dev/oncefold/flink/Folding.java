package dev.oncefold.flink;

import dev.oncefold.Fold;
import java.io.Serializable;

/**
 * Makes the fold, once in each task: a job's plan is serialized and travels to other machines, and
 * a fold cannot. Best a reference to a static method without arguments. It answers the same fold
 * everywhere and at all times.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
@FunctionalInterface
public interface Folding<S, E, O> extends Serializable {
  /**
   * Makes the fold.
   *
   * @return the fold
   */
  Fold<S, E, O> fold();
}
