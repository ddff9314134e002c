package dev.oncefold.journal;

import dev.oncefold.Output;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Model;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The rules of {@link SimFold} for the checker, with states and events as text. */
final class SimModel implements Model {
  static final String NAME = "simulation";

  static String text(SimFold.Trace trace) {
    return trace.count()
        + " "
        + trace.sum()
        + " "
        + trace.last()
        + " "
        + trace.chain()
        + " "
        + trace.padding();
  }

  private static SimFold.Trace trace(@Nullable String text) {
    if (text == null) {
      return SimFold.Trace.NONE;
    }
    String[] parts = text.split(" ", -1);
    return new SimFold.Trace(
        Integer.parseInt(parts[0]),
        Long.parseLong(parts[1]),
        Integer.parseInt(parts[2]),
        Long.parseLong(parts[3]),
        Integer.parseInt(parts[4]));
  }

  static String text(SimFold.Op op) {
    return op.kind()
        + " "
        + op.amount()
        + " "
        + op.number()
        + " "
        + op.padding()
        + " "
        + op.other();
  }

  private static SimFold.Op op(String text) {
    String[] parts = text.split(" ", -1);
    return new SimFold.Op(
        SimFold.Kind.valueOf(parts[0]),
        Integer.parseInt(parts[1]),
        parts[4],
        Integer.parseInt(parts[2]),
        Integer.parseInt(parts[3]));
  }

  @Override
  public Effect judge(
      Observation.Input event, int foldVersion, Function<String, @Nullable String> states) {
    SimFold.Op op = op(event.payload());
    List<String> keys = SimFold.keys(String.valueOf(event.key()), op);
    if (new HashSet<>(keys).size() < keys.size() || op.kind() == SimFold.Kind.THROW) {
      return Effect.FAILED;
    }
    List<SimFold.Trace> before = new ArrayList<>();
    for (String key : keys) {
      before.add(trace(states.apply(key)));
    }
    SimFold.Decision decision = SimFold.decide(event.id(), op, before);
    if (decision.rejected() != null) {
      return Effect.REJECTED;
    } else if (op.kind() == SimFold.Kind.UNSTORABLE) {
      return Effect.FAILED;
    }
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      SimFold.Trace after = decision.states().get(i);
      changes.add(new Change(keys.get(i), after == null ? null : text(after)));
    }
    List<Emitted> outputs = new ArrayList<>();
    for (Output<String> output : decision.outputs()) {
      outputs.add(new Emitted(output.name(), output.value()));
    }
    return new Effect(Verdict.Kind.APPLIED, changes, outputs);
  }

  /** By how many events were applied, where both have a state. */
  @Override
  public @Nullable Rule diagnose(@Nullable String expected, @Nullable String observed) {
    if (expected == null || observed == null) {
      return null;
    }
    SimFold.Trace should = trace(expected);
    SimFold.Trace is = trace(observed);
    if (is.count() != should.count()) {
      return is.count() < should.count() ? Rule.C1 : Rule.C2;
    }
    return is.sum() == should.sum() ? Rule.C4 : null;
  }
}
