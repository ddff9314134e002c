package dev.oncefold.pipeline;

import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.Row;
import dev.oncefold.States;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The update of a pipeline: runs its steps in order, each on what the steps before it left.
 * Immutable and safe for use by several threads.
 *
 * @param names the names of the states: {@code state}, or one for each key of an event
 */
record Rules(
    Variables variables, List<String> names, List<Expression> keys, Row initial, List<Step> steps) {
  private static final Row.Type TIME =
      new Row.Type("Time", List.of(new Row.Column("time", Instant.class, true)));

  /** The update of a fold over one key. */
  Outcome<Row, String> one(Row state, Event<Row> event) {
    Run run = new Run(event, new Row[] {state});
    String rejected = run.steps();
    return rejected != null
        ? Outcome.reject(rejected)
        : new Outcome.Accepted<>(run.state(0), run.outputs);
  }

  /** The distinct keys of an event of a fold over several. */
  List<String> keys(Event<Row> event) {
    List<String> all = new ArrayList<>(keys.size());
    for (String key : named(event.value())) {
      if (!all.contains(key)) {
        all.add(key);
      }
    }
    return all;
  }

  /** The key of each name. */
  private List<String> named(Row event) {
    Variables.Scope scope = variables.new Scope(event);
    List<String> all = new ArrayList<>(keys.size());
    for (Expression key : keys) {
      all.add(Mapping.key(key, scope));
    }
    return all;
  }

  /** The update of a fold over several keys. */
  Outcome<States<Row>, String> several(States<Row> states, Event<Row> event) {
    List<String> named = named(event.value());
    Row[] rows = new Row[named.size()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = states.get(named.get(i));
    }
    Run run = new Run(event, rows);
    String rejected = run.steps();
    if (rejected != null) {
      return Outcome.reject(rejected);
    }
    States<Row> after = states;
    for (int i = 0; i < rows.length; i++) {
      String key = named.get(i);
      if (!run.changed[i]) {
        continue;
      }
      if (named.indexOf(key) != i || named.lastIndexOf(key) != i) {
        throw new FailureException(
            names.get(i)
                + " is \""
                + key
                + "\", and so is another key of the event, which cannot both be changed: reject such"
                + " an event in a step before");
      }
      Row state = run.state(i);
      after = state == null ? after.without(key) : after.with(key, state);
    }
    return new Outcome.Accepted<>(after, run.outputs);
  }

  /** One run of the steps. */
  private final class Run {
    private final Variables.Scope scope;
    private final boolean[] changed;
    private final boolean[] deleted;
    private List<Output<String>> outputs = List.of();

    Run(Event<Row> event, Row[] states) {
      Row[] rows = new Row[states.length + 2];
      rows[0] = event.value();
      rows[states.length + 1] = TIME.row(event.time());
      System.arraycopy(states, 0, rows, 1, states.length);
      this.scope = variables.new Scope(rows);
      this.changed = new boolean[states.length];
      this.deleted = new boolean[states.length];
    }

    @Nullable Row state(int at) {
      return deleted[at] ? null : scope.row(at + 1);
    }

    /** Runs all steps, or up to one that rejects: then answers its reason. */
    @Nullable String steps() {
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        Expression when = step.when();
        if (when != null && !((Boolean) when.required(scope))) {
          continue;
        }
        if (step instanceof Step.Reject reject) {
          return reject.reason();
        } else if (step instanceof Step.Set set) {
          set(set.assignments());
        } else if (step instanceof Step.Emit emit) {
          emit(emit);
        } else if (step instanceof Step.Delete delete) {
          scope.set(delete.row(), initial);
          changed[delete.row() - 1] = true;
          deleted[delete.row() - 1] = true;
        }
      }
      return null;
    }

    private void set(List<Step.Assignment> assignments) {
      @Nullable Object[] values = new @Nullable Object[assignments.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = assignments.get(i).value().eval(scope);
      }
      int done = 0;
      for (int row = 1; row <= changed.length && done < values.length; row++) {
        @Nullable Object[] columns = null;
        for (int i = 0; i < values.length; i++) {
          Step.Assignment assignment = assignments.get(i);
          if (assignment.row() == row) {
            columns = columns == null ? scope.row(row).values() : columns;
            columns[assignment.place()] = values[i];
            done++;
          }
        }
        if (columns != null) {
          scope.set(row, initial.type().row(columns));
          changed[row - 1] = true;
          deleted[row - 1] = false;
        }
      }
    }

    private void emit(Step.Emit emit) {
      StringBuilder text = new StringBuilder(64);
      for (int i = 0; i < emit.values().size(); i++) {
        text.append(emit.texts().get(i));
        Json.write(emit.values().get(i).eval(scope), text);
      }
      Output<String> output = new Output<>(emit.output(), text.append('}').toString());
      if (outputs.isEmpty()) {
        outputs = List.of(output);
      } else {
        outputs = new ArrayList<>(outputs);
        outputs.add(output);
      }
    }
  }

  Rules {
    Objects.requireNonNull(initial);
    names = List.copyOf(names);
    keys = List.copyOf(keys);
    steps = List.copyOf(steps);
  }
}
