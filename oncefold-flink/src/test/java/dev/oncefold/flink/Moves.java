package dev.oncefold.flink;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** The rules of {@link TraceModel} as a fold. */
final class Moves {
  /** The header with an event's id. */
  static final String ID = "id";

  private Moves() {}

  /**
   * The fold.
   *
   * @param beacon by which the rig makes it slow; null where there is no rig
   */
  static Fold<Trace, Move, String> fold(@Nullable String beacon) {
    return Fold.of("moves", Trace.class, Move.class, String.class)
        .initially(Trace.NONE)
        .whenFailed(Fold.WhenFailed.REFUSE)
        .rememberingForever()
        .update(
            (trace, event) -> {
              if (beacon != null) {
                Watched.takesTime(beacon);
              }
              return update(trace, event);
            });
  }

  private static Outcome<Trace, String> update(Trace trace, Event<Move> event) {
    Move move = event.value();
    if (!move.affords(0, trace)) {
      return Outcome.reject(TraceModel.REJECTION);
    }
    Trace after = trace.after(String.valueOf(event.id()), move.seq(), move.amounts().get(0));
    return Outcome.<Trace, String>accept(after).emit(TraceModel.OUTPUT, after.text());
  }

  static Event<Move> read(ConsumerRecord<byte[], byte[]> record) {
    return new Event<>(
        Servers.text(record.headers().lastHeader(ID).value()),
        Servers.text(record.key()),
        null,
        Move.parse(Servers.text(record.value())));
  }
}
