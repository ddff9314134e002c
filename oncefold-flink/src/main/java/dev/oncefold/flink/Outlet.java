package dev.oncefold.flink;

import dev.oncefold.Output;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the outputs and refusals of a fold: makes of each what is sent on.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 * @param <M> the type of what is sent on
 */
interface Outlet<S, E, O, M> extends Serializable {
  /** How what is sent on is written between tasks. */
  CodedType<M> type();

  /** Throws what writing an output between tasks would throw: its event is Failed then. */
  void check(Output<O> output);

  /** What is sent on for an output; null where nobody takes those of its name. */
  @Nullable M output(Emitted<O> output);

  /** Whether somebody takes refusals; null where nobody has said so, or the contrary. */
  @Nullable Boolean takesRefusals();

  /** What is sent on for a refusal. */
  M refusal(Entry<S, E, O> refusal);
}
