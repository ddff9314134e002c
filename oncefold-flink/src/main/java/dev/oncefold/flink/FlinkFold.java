package dev.oncefold.flink;

import dev.oncefold.Fold;
import java.io.Serializable;
import java.time.Clock;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * A fold on Flink: state, ids and counts are in its checkpoints.
 *
 * <pre>{@code
 * FoldStreams<Account, Payment, Receipt> folded =
 *     FlinkFold.of(Accounts::fold).in(payments, payment -> event(payment));
 * folded.outputs("receipts").sinkTo(receipts);
 * folded.refusals().sinkTo(refusals);
 * }</pre>
 *
 * <p>Or as a whole job, from topics to topics: {@link FlinkJob}. In a stream of yours, effects are
 * exactly once as far as its source can go back and its sinks commit with checkpoints; and the
 * floor, up to which ids are forgotten, follows the stream's watermarks: it stands still where
 * there are none, and where there are, an event that comes later than the fold's span behind them
 * is Expired.
 *
 * <p>State is stored in the project's own format, whatever the backend, and can be read with fields
 * that were added since. A job is refused when it begins where the checkpoint is that of another
 * version of the fold.
 *
 * <p>Immutable; each method answers a new value.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class FlinkFold<S, E, O> implements Serializable {
  private static final long serialVersionUID = 1;
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9._-]{1,150}");

  private final Shipped<S, E, O> shipped;
  private final Head.Secret secret;
  private String name;
  private boolean accepting;
  private HashSet<String> refusing = new HashSet<>();

  @SuppressWarnings("serial") // the clocks of the JDK are serializable, and so are those of tests
  private Clock clock = Clock.systemUTC();

  private FlinkFold(Shipped<S, E, O> shipped, String name) {
    this.shipped = shipped;
    this.secret = Head.Secret.draw();
    this.name = name;
  }

  private FlinkFold(FlinkFold<S, E, O> from) {
    this.shipped = from.shipped;
    this.secret = from.secret;
    this.name = from.name;
    this.accepting = from.accepting;
    this.refusing = from.refusing;
    this.clock = from.clock;
  }

  /**
   * A fold on Flink, stored under its own name.
   *
   * @param folding makes the fold, of one key, here and in each task
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the fold
   * @throws UnsupportedOperationException if the fold is one over several keys, or bounds the count
   *     of its ids
   */
  public static <S, E, O> FlinkFold<S, E, O> of(Folding<S, E, O> folding) {
    Fold<S, E, O> fold = folding.fold();
    if (fold.hasSeveralKeys()) {
      throw new UnsupportedOperationException(
          "the fold \""
              + fold.name()
              + "\" changes several keys at once, which may belong to different subtasks of Flink."
              + " The embedded journal and PostgreSQL apply it");
    }
    if (fold.ids().atMost() != Long.MAX_VALUE) {
      throw new UnsupportedOperationException(
          "the fold \""
              + fold.name()
              + "\" bounds the count of its ids, and on Flink they are spread over the state of"
              + " all keys, where nobody counts them. Remember them for a shorter span. The"
              + " embedded journal, PostgreSQL and Kafka Streams keep the bound");
    }
    return new FlinkFold<>(new Shipped<>(folding), fold.name());
  }

  /**
   * Names the operators, by which checkpoints find their state again; the fold's name unless set.
   * Never change it.
   *
   * @param other letters, digits, dot, underscore and minus
   * @return the fold
   */
  public FlinkFold<S, E, O> storedAs(String other) {
    FlinkFold<S, E, O> copy = new FlinkFold<>(this);
    copy.name = other;
    return copy;
  }

  /**
   * Goes on where another version of the fold left off: what was judged stays so, and new events
   * come under the new rules. Without it, such a start is refused.
   *
   * @return the fold
   */
  public FlinkFold<S, E, O> acceptingChange() {
    FlinkFold<S, E, O> copy = new FlinkFold<>(this);
    copy.accepting = true;
    return copy;
  }

  /**
   * Sends the Failed events at some positions to the refusals, also where the fold stops for Failed
   * events.
   *
   * @param positions what {@link dev.oncefold.FailedEventException#position} told
   * @return the fold
   */
  public FlinkFold<S, E, O> refusing(Collection<String> positions) {
    FlinkFold<S, E, O> copy = new FlinkFold<>(this);
    copy.refusing = new HashSet<>(positions);
    return copy;
  }

  /** With a clock that tests drive. */
  FlinkFold<S, E, O> clock(Clock other) {
    FlinkFold<S, E, O> copy = new FlinkFold<>(this);
    copy.clock = other;
    return copy;
  }

  Fold<S, E, O> fold() {
    return shipped.fold();
  }

  Shipped<S, E, O> shipped() {
    return shipped;
  }

  /** What ids are hashed with by a job that has none stored: all its tasks have the same. */
  Head.Secret secret() {
    return secret;
  }

  String name() {
    return name;
  }

  boolean isAccepting() {
    return accepting;
  }

  Set<String> refusing() {
    return refusing;
  }

  Clock clock() {
    return clock;
  }

  TypeInformation<Arrived<E>> arrivedType() {
    return new CodedType<>(Arrived.class, new Arrived.Form<>(shipped));
  }

  /**
   * Puts the fold behind a stream. An event without an id of its own gets a number for one, which
   * is unique for ever.
   *
   * <p>A record that cannot be read is a Failed event; where the fold stops for those, the job
   * fails at once, and what was applied since the last checkpoint is applied anew by the next
   * start.
   *
   * @param input the input
   * @param reading makes events of its records
   * @param <R> the type of the input's records
   * @return outputs and refusals; ask for each that the fold emits
   * @throws FlinkFoldException if the fold cannot be run so
   */
  public <R> FoldStreams<S, E, O> in(DataStream<R> input, Reading<R, E> reading) {
    Settings.check(input.getExecutionEnvironment().getCheckpointConfig());
    Sent.Asked<S, E, O> asked = new Sent.Asked<>(shipped);
    return new FoldStreams<>(
        shipped,
        asked,
        judging(
            input
                .flatMap(new Numbering<>(this, reading), arrivedType())
                .name(name + " reading")
                .uid(name + "-reading"),
            asked));
  }

  <M> DataStream<M> judging(DataStream<Arrived<E>> arrived, Outlet<S, E, O, M> outlet) {
    if (!NAME.matcher(name).matches()) {
      throw new FlinkFoldException(
          "\""
              + name
              + "\" cannot name operators: give letters, digits, '.', '_' and '-' by storedAs");
    }
    return arrived
        .keyBy(Arrived::key, Types.STRING)
        .process(new Judging<>(this, outlet), outlet.type())
        .name(name)
        .uid(name);
  }
}
