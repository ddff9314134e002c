package dev.oncefold.kafkastreams;

import dev.oncefold.journal.Entry;
import java.util.Objects;
import org.apache.kafka.streams.kstream.KStream;

/**
 * What a fold puts into a topology: its outputs and refusals, to be sent on by the application.
 *
 * <p>Whoever reads the topics they go to must read committed messages alone ({@code
 * isolation.level=read_committed}).
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class FoldStreams<S, E, O> {
  private final Sent.Asked<S, E, O> asked;
  private final KStream<String, Sent<S, E, O>> sent;

  FoldStreams(Sent.Asked<S, E, O> asked, KStream<String, Sent<S, E, O>> sent) {
    this.asked = asked;
    this.sent = sent;
  }

  /**
   * The outputs of one name, under the key of the event that emitted them. The header {@link
   * StreamsFold#ID} holds the output's id, which is unique for ever. A fold that emits to a name
   * nobody has asked for stops.
   *
   * @param name the name; {@link dev.oncefold.Output#DEFAULT} where the update named none
   * @return the outputs
   */
  public KStream<String, O> outputs(String name) {
    asked.take(name);
    return sent.filter((key, each) -> each.isOutput(name))
        .mapValues(each -> Objects.requireNonNull(each.output()).value());
  }

  /**
   * The refusals: every event Rejected, Conflict, Expired or Failed, with its reason, under its
   * key; the key is empty where no event could be made of a record. The header {@link
   * StreamsFold#ID} holds the event's id, or where it was read. The {@code sequence} of an entry
   * counts the events of its task.
   *
   * @return the refusals
   */
  public KStream<String, Entry<S, E, O>> refusals() {
    asked.takeRefusals();
    return sent.filter((key, each) -> each.refusal() != null)
        .mapValues(each -> Objects.requireNonNull(each.refusal()));
  }

  /** Refusals are counted, and go nowhere. */
  public void withoutRefusals() {
    asked.dropRefusals();
  }
}
