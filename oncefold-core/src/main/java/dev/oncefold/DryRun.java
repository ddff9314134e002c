package dev.oncefold;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Judges events one after another and keeps what comes of them in memory: what a fold makes of an
 * input, with nothing stored. States, outputs and events that cannot be written are Failed here
 * too, as a store would have it. Ids are never forgotten, so nothing Expires. Not thread-safe.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class DryRun<S, E, O> {
  private final Fold<S, E, O> fold;
  private final Kernel<S, E, O> kernel;
  private final long latest;
  private final Encoder scratch = new Encoder();
  private final Map<String, Slot<S>> slots = new HashMap<>();
  private final Map<List<String>, Remembered> seen = new HashMap<>();

  /**
   * A run of a fold, from nothing.
   *
   * @param fold the fold
   * @param latest the greatest event time (epoch milliseconds) that is believed, as in {@link
   *     Kernel#judge}
   */
  public DryRun(Fold<S, E, O> fold, long latest) {
    this.fold = fold;
    this.kernel = new Kernel<>(fold);
    this.latest = latest;
  }

  /**
   * Judges an event as {@link #apply} would, and keeps nothing of it.
   *
   * @param event the event
   * @return its verdict. {@link Error}s of the user's code pass through
   */
  public Verdict<S, O> judge(Event<E> event) {
    Verdict<S, O> verdict =
        kernel.judge(
            event, slots::get, (key, id) -> seen.get(List.of(key, id)), Kernel.NO_FLOOR, latest);
    try {
      scratch.truncate(0);
      fold.eventCodec().encode(event.value(), scratch);
      if (verdict instanceof Verdict.Applied<S, O> applied) {
        for (String key : applied.states().keys()) {
          S state = applied.states().orNull(key);
          if (state != null) {
            fold.stateCodec().encode(state, scratch);
          }
        }
        for (Output<O> output : applied.outputs()) {
          fold.outputCodec().encode(output.value(), scratch);
        }
      }
      return verdict;
    } catch (CodecException e) {
      return new Verdict.Failed<>(Verdict.Cause.UPDATE, String.valueOf(e.getMessage()));
    }
  }

  /**
   * Judges an event. If it is Applied or Rejected, later events see its effect and its id.
   *
   * @param event the event
   * @return its verdict. {@link Error}s of the user's code pass through
   */
  public Verdict<S, O> apply(Event<E> event) {
    Verdict<S, O> verdict = judge(event);
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      for (String key : applied.states().keys()) {
        S after = applied.states().orNull(key);
        Slot<S> before = slots.remove(key);
        if (after != null) {
          slots.put(key, new Slot<>(after, before == null ? 1 : before.version() + 1));
        }
      }
      remember(event, null);
    } else if (verdict instanceof Verdict.Rejected<S, O> rejected) {
      remember(event, rejected.reason());
    }
    return verdict;
  }

  private void remember(Event<E> event, @Nullable String rejected) {
    if (event.id() != null && fold.ids().kind() != Fold.Ids.Kind.NONE) {
      seen.put(
          List.of(event.key(), event.id()),
          new Remembered(kernel.fingerprint(event.value()), rejected));
    }
  }

  /**
   * What is kept by now.
   *
   * @return the slots by key, as they are at any time
   */
  public Map<String, Slot<S>> slots() {
    return Collections.unmodifiableMap(slots);
  }
}
