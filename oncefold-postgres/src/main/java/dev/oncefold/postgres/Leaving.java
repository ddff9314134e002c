package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.Received;
import dev.oncefold.Sink;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What of a batch leaves the store: outputs and refusals, packed for the outbox or, where refusals
 * go nowhere else, for their table. Not thread-safe.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class Leaving<S, E, O> {
  private static final int MOST_REASON = 4096;

  private final Options<S, E, O> options;
  private final Limits limits;
  private final Fold<S, E, O> fold;
  private final String partition;
  private final Parcel parcel = new Parcel();
  private final Refusals table;
  private int marked;

  /**
   * How large messages may be.
   *
   * @param outputs of each output that is sent
   * @param refusals of the refusals
   */
  record Limits(Map<String, Sink.Limit> outputs, Sink.Limit refusals) {
    /** Asks the sink, if there is one. */
    static Limits of(Options<?, ?, ?> options) {
      Sink sink = options.sink();
      if (sink == null) {
        return new Limits(Map.of(), Sink.Limit.NONE);
      }
      Map<String, Sink.Limit> outputs = new HashMap<>();
      options.outputs().keySet().forEach(output -> outputs.put(output, sink.limit(output)));
      return new Limits(outputs, options.refusals() == null ? Sink.Limit.NONE : sink.limit(null));
    }
  }

  Leaving(Options<S, E, O> options, Limits limits, Fold<S, E, O> fold, String partition) {
    this.options = options;
    this.limits = limits;
    this.fold = fold;
    this.partition = partition;
    this.table = new Refusals(options.schema());
  }

  void mark() {
    parcel.mark();
    marked = parcel.size();
  }

  /** Drops what came into the parcel since the mark; the table takes its rows whole. */
  void undo() {
    parcel.undo();
  }

  int sinceMark() {
    return parcel.size() - marked;
  }

  /** How many bytes are packed; 0 where nothing is. */
  int size() {
    return parcel.isEmpty() ? 0 : parcel.size();
  }

  void addOutputs(Received<E> received, Event<E> event, Verdict.Applied<S, O> applied) {
    List<Output<O>> outputs = applied.outputs();
    for (int n = 0; n < outputs.size(); n++) {
      Output<O> output = outputs.get(n);
      Function<Emitted<O>, byte[]> format = options.outputs().get(output.name());
      if (format != null) {
        String id = Output.id(fold.name(), event.key(), id(received, event), n);
        Emitted<O> emitted =
            new Emitted<>(id, output.name(), event.key(), received.offset(), output.value());
        Sink.Limit limit = limits.outputs().getOrDefault(output.name(), Sink.Limit.NONE);
        add(new Sink.Message(output.name(), event.key(), id, format.apply(emitted)), limit);
      }
    }
  }

  private String id(Received<E> received, @Nullable Event<E> event) {
    String own = event == null ? null : event.id();
    return own != null ? own : received.positionId(partition);
  }

  void addRefusal(Received<E> received, Verdict<S, O> verdict) {
    Event<E> event = received.event();
    String reason = verdict.refusal();
    Function<Entry<S, E, O>, byte[]> format = options.refusals();
    if (format == null) {
      table.add(received, verdict, reason);
      return;
    }
    String id = id(received, event);
    Entry<S, E, O> entry =
        entry(
            received.offset(),
            verdict,
            reason,
            event == null ? null : event.key(),
            id,
            event,
            event == null ? received.raw() : null);
    String key = event == null ? "" : event.key();
    Sink.Message message = new Sink.Message(null, key, id, format.apply(entry));
    String exceeded = limits.refusals().exceededBy(message);
    if (exceeded != null) {
      Entry<S, E, O> bare = entry.withoutEvent(exceeded);
      message =
          new Sink.Message(
              null,
              bare.key() == null ? "" : bare.key(),
              bare.id() == null ? received.positionId(partition) : bare.id(),
              format.apply(bare));
    }
    add(message, limits.refusals());
  }

  /** What the sink would never take would stand in the way of all behind it. */
  private void add(Sink.Message message, Sink.Limit limit) {
    String exceeded = limit.exceededBy(message);
    if (exceeded != null) {
      throw new CodecException(exceeded);
    }
    parcel.add(message.output(), message.key(), message.id(), message.value());
  }

  /** A Failed event is counted and told even where it cannot be written itself. */
  void addBare(Received<E> received, Verdict.Failed<S, O> failed) {
    String reason = failed.reason().substring(0, Math.min(failed.reason().length(), MOST_REASON));
    String text = Text.shown(reason) + " (the event itself cannot be stored)";
    Received<E> bare = Received.undecodable(received.offset(), received.next(), text, new byte[0]);
    addRefusal(bare, new Verdict.Failed<>(failed.cause(), text));
  }

  private Entry<S, E, O> entry(
      long offset,
      Verdict<S, O> verdict,
      @Nullable String reason,
      @Nullable String key,
      String id,
      @Nullable Event<E> event,
      byte @Nullable [] raw) {
    return new Entry<>(
        offset,
        Instant.now(),
        fold.version(),
        verdict.kind(),
        reason,
        verdict instanceof Verdict.Failed<S, O> failed ? failed.cause() : null,
        verdict instanceof Verdict.Expired<S, O> expired ? expired.floor() : null,
        key,
        id,
        event != null && event.id() != null,
        event == null ? null : event.time(),
        event == null ? null : event.value(),
        raw,
        List.of(),
        List.of());
  }

  /** Writes it all, the outbox last: see {@link Outbox#write}. */
  void write(Connection connection, int fold, Outbox outbox, String lane) throws SQLException {
    table.insert(connection, fold, partition);
    if (!parcel.isEmpty()) {
      outbox.write(connection, lane, parcel);
    }
  }
}
