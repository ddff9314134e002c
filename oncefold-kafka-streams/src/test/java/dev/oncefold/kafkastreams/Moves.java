package dev.oncefold.kafkastreams;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The rules of {@link TraceModel} as a fold. */
final class Moves {
  static final String NAME = "moves";

  /** The header with an event's id. */
  static final String ID = "id";

  private Moves() {}

  static Fold<Trace, Move, String> remembering() {
    return builder().rememberingForever().update(Moves::update);
  }

  static Fold<Trace, Move, String> withoutIds() {
    return builder().rememberingNoIds().update(Moves::update);
  }

  private static Fold.Builder<Trace, Move, String> builder() {
    return Fold.of(NAME, Trace.class, Move.class, String.class)
        .initially(Trace.NONE)
        .whenFailed(Fold.WhenFailed.REFUSE);
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
        new String(record.headers().lastHeader(ID).value(), StandardCharsets.UTF_8),
        new String(record.key(), StandardCharsets.UTF_8),
        null,
        Move.parse(new String(record.value(), StandardCharsets.UTF_8)));
  }
}
