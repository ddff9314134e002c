package dev.oncefold.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * What has to be known of a pipeline to make events for it.
 *
 * @param fields the fields of events
 * @param writer writes records as the source has them
 * @param keys the keys of a fold over several; empty otherwise
 * @param steps the rules
 */
record Insight(Fields fields, RecordWriter writer, List<Expression> keys, List<Step> steps) {
  /** The expressions of the rules. */
  List<Expression> expressions() {
    List<Expression> all = new ArrayList<>();
    for (Step step : steps) {
      Expression when = step.when();
      if (when != null) {
        all.add(when);
      }
      if (step instanceof Step.Set set) {
        set.assignments().forEach(assignment -> all.add(assignment.value()));
      } else if (step instanceof Step.Emit emit) {
        all.addAll(emit.values());
      }
    }
    return all;
  }
}
