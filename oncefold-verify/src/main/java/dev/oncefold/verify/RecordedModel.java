package dev.oncefold.verify;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rules as the history itself tells them, event by event: for a fold of anybody's, judged once
 * by a model beside the run.
 */
public final class RecordedModel implements Model {
  /** The name by which histories ask for this model. */
  public static final String NAME = "recorded";

  private final Map<String, Observation.Judged> waiting = new HashMap<>();

  @Override
  public void told(Observation.Judged judged) {
    waiting.put(judged.partition() + '@' + judged.at(), judged);
  }

  @Override
  public Effect judge(
      Observation.Input event, int foldVersion, Function<String, @Nullable String> states) {
    String position = event.partition() + '@' + event.at();
    Observation.Judged judged = waiting.remove(position);
    if (judged == null) {
      throw new HistoryException(
          "the history does not tell what the rules make of the event at " + position, null);
    }
    for (Change before : judged.before()) {
      String stored = states.apply(before.key());
      if (!Objects.equals(before.state(), stored)) {
        throw new HistoryException(
            "the history tells what the rules make of the event at "
                + position
                + " from the state "
                + before.state()
                + " of "
                + before.key()
                + ", but there it is "
                + stored,
            null);
      }
    }
    return judged.effect();
  }
}
