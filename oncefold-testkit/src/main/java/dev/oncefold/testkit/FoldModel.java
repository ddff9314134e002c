package dev.oncefold.testkit;

import dev.oncefold.CodecException;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Model;
import dev.oncefold.verify.Observation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rules of a fold, asked once for each event, in one process that nobody disturbs. Ids, floor
 * and order are not its business: the checker has its own. Events come from a reading of the input
 * of its own, and states are kept by no store.
 */
final class FoldModel<S, E, O> implements Model {
  private final Fold<S, E, O> fold;
  private final Kernel<S, E, O> kernel;
  private final Function<Observation.Input, Event<E>> events;
  private final Map<String, S> states = new HashMap<>();
  private final Words words = new Words();

  /**
   * A model.
   *
   * @param fold the fold
   * @param events the event at a position of the input; asked in the order of the input
   */
  FoldModel(Fold<S, E, O> fold, Function<Observation.Input, Event<E>> events) {
    this.fold = fold;
    this.kernel = new Kernel<>(fold);
    this.events = events;
  }

  @Override
  public Effect judge(
      Observation.Input input, int foldVersion, Function<String, @Nullable String> stored) {
    Verdict<S, O> verdict =
        kernel.judge(
            events.apply(input),
            key -> {
              S state = states.get(key);
              return state == null ? null : new Slot<>(state, 1);
            },
            (key, id) -> null,
            Kernel.NO_FLOOR,
            Kernel.NO_LIMIT);
    if (verdict instanceof Verdict.Rejected<S, O>) {
      return Effect.REJECTED;
    } else if (!(verdict instanceof Verdict.Applied<S, O> applied)) {
      return Effect.FAILED;
    } else {
      try {
        return applied(applied);
      } catch (CodecException e) {
        return Effect.FAILED; // what cannot be stored is not applied
      }
    }
  }

  private Effect applied(Verdict.Applied<S, O> applied) {
    List<Change> changes = new ArrayList<>();
    for (String key : applied.states().keys()) {
      S state = applied.states().orNull(key);
      changes.add(new Change(key, state == null ? null : words.of(fold.stateCodec(), state)));
    }
    List<Emitted> outputs = new ArrayList<>();
    for (Output<O> output : applied.outputs()) {
      outputs.add(new Emitted(output.name(), words.of(fold.outputCodec(), output.value())));
    }
    for (String key : applied.states().keys()) {
      S state = applied.states().orNull(key);
      if (state == null) {
        states.remove(key);
      } else {
        states.put(key, state);
      }
    }
    return new Effect(Verdict.Kind.APPLIED, changes, outputs);
  }
}
