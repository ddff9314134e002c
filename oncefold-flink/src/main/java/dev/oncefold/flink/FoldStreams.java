package dev.oncefold.flink;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * What a fold puts into a job: its outputs and refusals, to be sent on.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class FoldStreams<S, E, O> {
  private final Shipped<S, E, O> shipped;
  private final Sent.Asked<S, E, O> asked;
  private final DataStream<Sent<S, E, O>> sent;

  FoldStreams(Shipped<S, E, O> shipped, Sent.Asked<S, E, O> asked, DataStream<Sent<S, E, O>> sent) {
    this.shipped = shipped;
    this.asked = asked;
    this.sent = sent;
  }

  /**
   * The outputs of one name, with their ids, which are unique for ever, in the order of each key. A
   * fold that emits to a name nobody has asked for ends the job. The {@code sequence} of an output
   * counts the events of its subtask.
   *
   * @param name the name; {@link dev.oncefold.Output#DEFAULT} where the update named none
   * @return the outputs
   */
  public DataStream<Emitted<O>> outputs(String name) {
    asked.take(name);
    return sent.<Emitted<O>>flatMap(
        (each, out) -> {
          Emitted<O> output = each.output();
          if (output != null && each.isOutput(name)) {
            out.collect(output);
          }
        },
        new CodedType<>(Emitted.class, new Sent.OutputForm<>(shipped)));
  }

  /**
   * The refusals: every event Rejected, Conflict, Expired or Failed, with its reason.
   *
   * @return the refusals
   */
  public DataStream<Entry<S, E, O>> refusals() {
    asked.takeRefusals();
    return sent.<Entry<S, E, O>>flatMap(
        (each, out) -> {
          Entry<S, E, O> refusal = each.refusal();
          if (refusal != null) {
            out.collect(refusal);
          }
        },
        new CodedType<>(Entry.class, new Sent.RefusalForm<>(shipped)));
  }

  /** Refusals are counted, and go nowhere. */
  public void withoutRefusals() {
    asked.leaveOutRefusals();
  }
}
