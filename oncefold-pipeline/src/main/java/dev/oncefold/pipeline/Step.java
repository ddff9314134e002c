package dev.oncefold.pipeline;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step of an update. */
sealed interface Step {
  /** The condition under which it happens; null where always. */
  @Nullable Expression when();

  /** Ends the event as rejected; nothing of the steps before it stays. */
  record Reject(String reason, @Nullable Expression when) implements Step {}

  /** Sets fields of one row; the values are all computed before the first is set. */
  record Set(List<Assignment> assignments, @Nullable Expression when) implements Step {}

  /**
   * One field and its value.
   *
   * @param row which of the rows
   * @param place the place of the field in it
   * @param name as it stands in the file
   */
  record Assignment(int row, int place, String name, Expression value) {}

  /**
   * Emits an object; before each value stands a text, which opens the object or goes on with it.
   */
  record Emit(String output, List<String> texts, List<Expression> values, @Nullable Expression when)
      implements Step {}

  /** Drops the key of a row. */
  record Delete(int row, @Nullable Expression when) implements Step {}
}
