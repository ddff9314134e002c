package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.States;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Trace;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The suite's fold, over one key or over several, and the text form of its events. */
final class Bank {
  /** The fold's name, with which the ids of outputs begin. */
  static final String NAME = "bank";

  /** The output of receipts over {@link #LARGE_AMOUNT} or more, besides the unnamed one. */
  static final String LARGE = "large";

  static final long LARGE_AMOUNT = 1000;
  private static final int FIELDS = 8;

  private Bank() {}

  static Fold<Trace, Move, Receipt> fold(Setup setup) {
    Fold.Builder<Trace, Move, Receipt> builder =
        Fold.of(NAME, Trace.class, Move.class, Receipt.class)
            .version(setup.version())
            .initially(Trace.NONE)
            .whenFailed(setup.whenFailed());
    switch (setup.ids().kind()) {
      case SPAN -> builder.remembering(setup.ids().span());
      case FOREVER -> builder.rememberingForever();
      case NONE -> builder.rememberingNoIds();
    }
    if (setup.ids().atMost() != Long.MAX_VALUE) {
      builder.atMost(setup.ids().atMost());
    }
    int version = setup.version();
    return setup.severalKeys()
        ? builder.update(
            event -> keys(event.value()), (states, event) -> several(states, event, version))
        : builder.update((trace, event) -> one(trace, event, version));
  }

  /** The keys that an event changes. */
  static List<String> keys(Move move) {
    return move.kind() == Move.Kind.TRANSFER
        ? List.of(move.key(), move.other())
        : List.of(move.key());
  }

  /** The names of the outputs that get a receipt for each key of an applied event. */
  static List<String> outputs(Move move) {
    return move.amount() >= LARGE_AMOUNT ? List.of(Output.DEFAULT, LARGE) : List.of(Output.DEFAULT);
  }

  private static Outcome<Trace, Receipt> one(Trace trace, Event<Move> event, int version) {
    Move move = event.value();
    if (move.kind() == Move.Kind.TRANSFER) {
      throw new IllegalArgumentException("a transfer needs a fold over several keys");
    }
    Trace after = after(trace, event, move.key(), version);
    if (after == null) {
      return Outcome.accept(null, new Receipt(move.key(), 0, 0, move.memo()));
    }
    if (after.sum() < 0) {
      return Outcome.reject(TraceModel.REJECTION);
    }
    return emitting(Outcome.accept(after), move, after, move.key());
  }

  private static Outcome<States<Trace>, Receipt> several(
      States<Trace> states, Event<Move> event, int version) {
    Move move = event.value();
    States<Trace> changed = states;
    for (String key : states.keys()) {
      Trace after = after(states.get(key), event, key, version);
      if (after != null && after.sum() < 0) {
        return Outcome.reject(TraceModel.REJECTION);
      }
      changed = after == null ? changed.without(key) : changed.with(key, after);
    }
    Outcome.Accepted<States<Trace>, Receipt> outcome = Outcome.accept(changed);
    for (String key : states.keys()) {
      Trace after = changed.orNull(key);
      outcome = emitting(outcome, move, after == null ? Trace.NONE : after, key);
    }
    return outcome;
  }

  private static <S> Outcome.Accepted<S, Receipt> emitting(
      Outcome.Accepted<S, Receipt> outcome, Move move, Trace after, String key) {
    Receipt receipt = new Receipt(key, after.count(), after.sum(), move.memo());
    Outcome.Accepted<S, Receipt> more = outcome;
    for (String name : outputs(move)) {
      more = more.emit(name, receipt);
    }
    return more;
  }

  /** What an event makes of one of its keys, were it accepted; null deletes it. */
  static @Nullable Trace after(Trace before, Event<Move> event, String key, int version) {
    Move move = event.value();
    String id = event.id();
    long sign =
        switch (move.kind()) {
          case DEPOSIT -> 1;
          case WITHDRAW -> -1;
          case TRANSFER -> key.equals(move.key()) ? -1 : 1;
          case CLOSE -> 0;
          case BREAK -> throw new IllegalStateException("the update broke, as the event asked");
        };
    return sign == 0
        ? null
        : before.after(id == null ? "" : id, move.seq(), sign * version * move.amount());
  }

  // ---------------------------------------------------------------- the text form

  static String encode(Event<Move> event) {
    Move move = event.value();
    String id = event.id();
    Instant time = event.time();
    return Fields.join(
        id == null ? "" : id,
        event.key(),
        time == null ? "" : time,
        move.kind(),
        move.other(),
        move.amount(),
        move.seq(),
        move.memo());
  }

  static Event<Move> decode(String record) {
    List<String> fields = Fields.split(record);
    if (fields.size() != FIELDS) {
      throw new IllegalArgumentException(
          "no event: " + fields.size() + " fields instead of " + FIELDS);
    }
    String id = fields.get(0).isEmpty() ? null : fields.get(0);
    Instant time = fields.get(2).isEmpty() ? null : Instant.parse(fields.get(2));
    Move move =
        new Move(
            Move.Kind.valueOf(fields.get(3)),
            fields.get(1),
            fields.get(4),
            Long.parseLong(fields.get(5)),
            Long.parseLong(fields.get(6)),
            fields.get(7));
    return new Event<>(id, move.key(), time, move);
  }
}
