package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.States;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.List;

/** The rules of {@link TraceModel} as a fold: over one key, or over several. */
final class Moves {
  static final String NAME = "moves";

  private Moves() {}

  static Fold<Trace, Move, String> overOneKey() {
    return builder().update(Moves::one);
  }

  static Fold<Trace, Move, String> overOneKeyWithoutIds() {
    return builder().rememberingNoIds().update(Moves::one);
  }

  static Fold<Trace, Move, String> overSeveralKeys() {
    return builder().update(event -> event.value().keys(), Moves::several);
  }

  private static Fold.Builder<Trace, Move, String> builder() {
    return Fold.of(NAME, Trace.class, Move.class, String.class)
        .initially(Trace.NONE)
        .rememberingForever()
        .whenFailed(Fold.WhenFailed.REFUSE);
  }

  private static Outcome<Trace, String> one(Trace trace, Event<Move> event) {
    Move move = event.value();
    if (!move.affords(0, trace)) {
      return Outcome.reject(TraceModel.REJECTION);
    }
    Trace after = trace.after(String.valueOf(event.id()), move.seq(), move.amounts().get(0));
    return Outcome.<Trace, String>accept(after).emit(TraceModel.OUTPUT, after.text());
  }

  private static Outcome<States<Trace>, String> several(States<Trace> states, Event<Move> event) {
    Move move = event.value();
    States<Trace> after = states;
    List<String> told = new ArrayList<>();
    for (int i = 0; i < move.keys().size(); i++) {
      String key = move.keys().get(i);
      if (!move.affords(i, states.get(key))) {
        return Outcome.reject(TraceModel.REJECTION);
      }
      Trace trace =
          states.get(key).after(String.valueOf(event.id()), move.seq(), move.amounts().get(i));
      after = after.with(key, trace);
      told.add(trace.text());
    }
    Outcome.Accepted<States<Trace>, String> outcome = Outcome.accept(after);
    for (String text : told) {
      outcome = outcome.emit(TraceModel.OUTPUT, text);
    }
    return outcome;
  }
}
