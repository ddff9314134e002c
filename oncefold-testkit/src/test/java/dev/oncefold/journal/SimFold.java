package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.States;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The fold under test. Its state remembers enough of what was applied that any loss, duplicate,
 * change of order or phantom shows.
 */
final class SimFold {
  static final String NAME = "trace";
  static final String AUDIT = "audit";

  private SimFold() {}

  /** What the events do. */
  enum Kind {
    ADD,
    /** Moves the amount to another key. */
    TRANSFER,
    DELETE,
    /** Makes the update throw. */
    THROW,
    /** Makes a state that cannot be written. */
    UNSTORABLE
  }

  /**
   * The value of an event.
   *
   * @param kind what it does
   * @param amount how much
   * @param other the other key of a transfer
   * @param number its number in the run
   * @param padding how many bytes it is made longer, so that segments fill
   */
  record Op(Kind kind, int amount, String other, int number, int padding) {}

  /**
   * The state of a key.
   *
   * @param count how many events were applied
   * @param sum of their amounts
   * @param last the number of the last one
   * @param chain a hash over all of them, in order
   * @param padding how many bytes it is made longer
   */
  record Trace(int count, long sum, int last, long chain, int padding) {
    static final Trace NONE = new Trace(0, 0, -1, 7, 0);

    Trace after(@Nullable String id, Op op, long effect) {
      long next = (chain * 31 + (id == null ? 1 : id.hashCode())) * 31 + op.number();
      return new Trace(count + 1, sum + effect, op.number(), next * 31 + effect, op.padding());
    }
  }

  /** What the rules say: a reason to reject, or the new states and the outputs. */
  record Decision(
      @Nullable String rejected, List<@Nullable Trace> states, List<Output<String>> outputs) {}

  /** The rules; {@code before} is the state of each key the event names. */
  static Decision decide(@Nullable String id, Op op, List<Trace> before) {
    Trace own = before.get(0);
    if (op.kind() == Kind.THROW) {
      throw new IllegalStateException("op " + op.number());
    }
    if (own.sum() + op.amount() < -50) {
      return new Decision("only " + own.sum() % 3, List.of(), List.of());
    }
    List<@Nullable Trace> after = new ArrayList<>();
    List<Output<String>> outputs = new ArrayList<>();
    switch (op.kind()) {
      case DELETE -> after.add(null);
      case TRANSFER -> {
        after.add(own.after(id, op, -op.amount()));
        after.add(before.get(1).after(id, op, op.amount()));
      }
      case UNSTORABLE -> after.add(new Trace(-1, 0, 0, 0, 0));
      default -> after.add(own.after(id, op, op.amount()));
    }
    for (int i = 0; i < Math.abs(op.amount() % 3); i++) {
      String name = op.number() % 4 == 0 ? AUDIT : Output.DEFAULT;
      outputs.add(new Output<>(name, i + ":" + after.get(0)));
    }
    return new Decision(null, after, outputs);
  }

  static List<String> keys(String key, Op op) {
    return op.kind() == Kind.TRANSFER ? List.of(key, op.other()) : List.of(key);
  }

  static Fold<Trace, Op, String> of(UnaryOperator<Fold.Builder<Trace, Op, String>> remembering) {
    Fold.Builder<Trace, Op, String> builder =
        Fold.of(NAME, Trace.class, Op.class, String.class)
            .initially(Trace.NONE)
            .whenFailed(Fold.WhenFailed.REFUSE)
            .stateCodec(new TraceCodec())
            .eventCodec(new OpCodec())
            .outputCodec(new TextCodec());
    return remembering
        .apply(builder)
        .update(event -> keys(event.key(), event.value()), SimFold::update);
  }

  private static Outcome<States<Trace>, String> update(States<Trace> states, Event<Op> event) {
    List<String> keys = states.keys();
    List<Trace> before = new ArrayList<>();
    for (String key : keys) {
      before.add(states.get(key));
    }
    Decision decision = decide(event.id(), event.value(), before);
    if (decision.rejected() != null) {
      return Outcome.reject(decision.rejected());
    }
    States<Trace> after = states;
    for (int i = 0; i < keys.size(); i++) {
      Trace trace = decision.states().get(i);
      after = trace == null ? after.without(keys.get(i)) : after.with(keys.get(i), trace);
    }
    return new Outcome.Accepted<>(after, decision.outputs());
  }

  private static void pad(int padding, Encoder out) {
    out.writeUnsigned(padding).writeRaw(new byte[padding], 0, padding);
  }

  private static int unpad(Decoder in) {
    int padding = in.readCount();
    in.skip(padding);
    return padding;
  }

  private static final class TraceCodec implements Codec<Trace> {
    @Override
    public String schema() {
      return "trace 1";
    }

    @Override
    public void encode(Trace trace, Encoder out) {
      out.writeSigned(trace.sum()).writeSigned(trace.last()).writeLong(trace.chain());
      if (trace.count() < 0) {
        throw new CodecException("a negative count"); // after a part of the bytes
      }
      out.writeUnsigned(trace.count());
      pad(trace.padding(), out);
    }

    @Override
    public Trace decode(Decoder in) {
      long sum = in.readSigned();
      int last = (int) in.readSigned();
      long chain = in.readLong();
      return new Trace((int) in.readUnsigned(), sum, last, chain, unpad(in));
    }
  }

  private static final class OpCodec implements Codec<Op> {
    @Override
    public String schema() {
      return "op 1";
    }

    @Override
    public void encode(Op op, Encoder out) {
      out.writeString(op.kind().name()).writeSigned(op.amount()).writeString(op.other());
      out.writeUnsigned(op.number());
      pad(op.padding(), out);
    }

    @Override
    public Op decode(Decoder in) {
      Kind kind = kind(in.readString());
      int amount = (int) in.readSigned();
      String other = in.readString();
      int number = (int) in.readUnsigned();
      return new Op(kind, amount, other, number, unpad(in));
    }
  }

  private static Kind kind(String name) {
    try {
      return Kind.valueOf(name);
    } catch (IllegalArgumentException e) {
      throw new CodecException("there is no kind " + name, e);
    }
  }

  private static final class TextCodec implements Codec<String> {
    @Override
    public String schema() {
      return "text 1";
    }

    @Override
    public void encode(String value, Encoder out) {
      out.writeString(value);
    }

    @Override
    public String decode(Decoder in) {
      return in.readString();
    }
  }
}
