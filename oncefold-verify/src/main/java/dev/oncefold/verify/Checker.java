package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges a history by the rules {@link Rule}. A pure function: it knows no engine, reads no clock
 * and guesses nothing.
 *
 * <p>It folds the input in the order of the commits, with ids and floor of its own, and compares
 * what was seen of the engine with what comes of it. Time grows with the history; memory with the
 * keys, the ids above the floor and the input that is not committed yet. Where a rule is broken the
 * history is read again, once to tell which output it is and once for the witness.
 */
public final class Checker {
  private static final int WITNESS = 12;

  /** The models that a history can ask for by name. */
  private static final Map<String, Supplier<Model>> MODELS =
      Map.of(TraceModel.NAME, TraceModel::new, RecordedModel.NAME, RecordedModel::new);

  private Checker() {}

  /**
   * Judges a history by the model that it names.
   *
   * @param history the history
   * @return the result; {@link Result.Invalid} also where it cannot be read
   */
  public static Result check(History history) {
    String name;
    try {
      name = begin(history).model();
    } catch (HistoryException e) {
      return new Result.Invalid(List.of(String.valueOf(e.getMessage())), Figures.NONE);
    }
    Supplier<Model> model = MODELS.get(name);
    return model == null
        ? new Result.Invalid(
            List.of(
                "the history asks for the model \""
                    + name
                    + "\"; there are "
                    + String.join(", ", MODELS.keySet().stream().sorted().toList())),
            Figures.NONE)
        : check(history, model);
  }

  /**
   * Judges a history.
   *
   * @param history the history
   * @param models the rules, for each reading anew
   * @return the result; {@link Result.Invalid} also where it cannot be read
   */
  public static Result check(History history, Supplier<? extends Model> models) {
    Walk walk;
    try {
      walk = new Walk(begin(history), models.get(), null);
    } catch (HistoryException e) {
      return new Result.Invalid(List.of(String.valueOf(e.getMessage())), Figures.NONE);
    }
    try {
      history.read(walk);
    } catch (Walk.Broken broken) {
      return failed(history, models, walk, broken);
    } catch (HistoryException e) {
      return new Result.Invalid(
          List.of("behind observation " + walk.line() + ": " + e.getMessage()), walk.figures());
    }
    List<String> reasons = walk.provesNothing();
    return reasons.isEmpty()
        ? new Result.Pass(walk.figures())
        : new Result.Invalid(reasons, walk.figures());
  }

  /**
   * Makes a history that tells the effect of every event, and so can be judged by whoever has the
   * file alone, with the {@link RecordedModel}. What a rule is broken by stays in it.
   *
   * @param history a history that asks for the recorded model, and lacks what the rules make of its
   *     events
   * @param rules tells it
   * @param whole told of every observation of the history, and of the missing ones before the
   *     commit to which they belong
   * @throws HistoryException if it cannot be read
   */
  public static void tell(History history, Model rules, Consumer<Observation> whole) {
    Walk walk = new Walk(begin(history), new Telling(rules, whole), null);
    boolean[] broken = new boolean[1];
    history.read(
        observation -> {
          if (!broken[0]) {
            try {
              walk.accept(observation);
            } catch (Walk.Broken e) {
              broken[0] = true;
            }
          }
          whole.accept(observation);
        });
  }

  /** Tells what the rules make of each event that they are asked for. */
  private record Telling(Model rules, Consumer<Observation> whole) implements Model {
    @Override
    public Effect judge(
        Observation.Input event, int foldVersion, Function<String, @Nullable String> states) {
      Effect effect = rules.judge(event, foldVersion, states);
      List<Change> before = new ArrayList<>();
      for (Change change : effect.changes()) {
        before.add(new Change(change.key(), states.apply(change.key())));
      }
      if (before.isEmpty() && event.key() != null) {
        before.add(new Change(event.key(), states.apply(event.key())));
      }
      whole.accept(new Observation.Judged(event.partition(), event.at(), before, effect));
      return effect;
    }
  }

  private static Observation.Begin begin(History history) {
    First first = new First();
    try {
      history.read(first);
    } catch (Enough e) {
      // It has been seen.
    }
    if (first.seen instanceof Observation.Begin begin) {
      return begin;
    }
    throw new HistoryException(
        first.seen == null ? "the history is empty" : "the history does not begin with its head",
        null);
  }

  private static Result failed(
      History history, Supplier<? extends Model> models, Walk walk, Walk.Broken broken) {
    List<Found> found = broken.found;
    if (broken.unclear != null) {
      found = again(history, models.get(), broken.unclear);
    }
    List<Result.Violation> violations = new ArrayList<>();
    for (Found one : found) {
      violations.add(
          new Result.Violation(
              one.rule(), walk.line(), one.message(), witness(history, walk.line(), one.key())));
    }
    return new Result.Fail(violations, walk.figures());
  }

  private static List<Found> again(History history, Model model, String key) {
    try {
      history.read(new Walk(begin(history), model, key));
    } catch (Walk.Broken broken) {
      return broken.found;
    }
    throw new IllegalStateException("the history reads otherwise the second time");
  }

  /** The last observations of a key, and the faults, up to where the rule is broken. */
  private static List<String> witness(History history, long line, @Nullable String key) {
    Witness witness = new Witness(line, key, WITNESS);
    try {
      history.read(witness);
    } catch (Enough e) {
      // It has been seen.
    }
    return witness.lines();
  }

  /** Nothing more of the history is wanted. */
  static final class Enough extends RuntimeException {
    private static final long serialVersionUID = 1;

    Enough() {
      super(null, null, false, false);
    }
  }

  private static final class First implements Consumer<Observation> {
    private @Nullable Observation seen;

    @Override
    public void accept(Observation observation) {
      seen = observation;
      throw new Enough();
    }
  }
}
