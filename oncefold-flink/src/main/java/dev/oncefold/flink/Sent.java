package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What leaves the fold in a job of the user's: an output or a refusal. */
record Sent<S, E, O>(@Nullable Emitted<O> output, @Nullable Entry<S, E, O> refusal) {
  boolean isOutput(String name) {
    return output != null && output.name().equals(name);
  }

  /** Takes what the user has asked for. */
  static final class Asked<S, E, O> implements Outlet<S, E, O, Sent<S, E, O>> {
    private static final long serialVersionUID = 1;
    private final Shipped<S, E, O> shipped;
    private final HashSet<String> taken = new HashSet<>();
    private @Nullable Boolean refusals;
    private transient @Nullable Encoder scratch;

    Asked(Shipped<S, E, O> shipped) {
      this.shipped = shipped;
    }

    void take(String output) {
      taken.add(output);
    }

    void takeRefusals() {
      refusals = true;
    }

    void leaveOutRefusals() {
      if (refusals == null) {
        refusals = false;
      }
    }

    @Override
    public CodedType<Sent<S, E, O>> type() {
      return new CodedType<>(Sent.class, new Form<>(shipped));
    }

    @Override
    public void check(Output<O> output) {
      Encoder out = scratch;
      if (out == null) {
        out = new Encoder();
        scratch = out;
      }
      out.truncate(0);
      shipped.fold().outputCodec().encode(output.value(), out);
    }

    @Override
    public @Nullable Sent<S, E, O> output(Emitted<O> output) {
      return taken.contains(output.name()) ? new Sent<>(output, null) : null;
    }

    @Override
    public @Nullable Boolean takesRefusals() {
      return refusals;
    }

    @Override
    public Sent<S, E, O> refusal(Entry<S, E, O> refusal) {
      return new Sent<>(null, refusal);
    }
  }

  /** The form of outputs between tasks. */
  static final class OutputForm<O> implements CodedType.Form<Emitted<O>> {
    private static final long serialVersionUID = 1;
    private final Shipped<?, ?, O> shipped;

    OutputForm(Shipped<?, ?, O> shipped) {
      this.shipped = shipped;
    }

    @Override
    public String schema() {
      return "output 1 " + shipped.fold().outputCodec().schema();
    }

    @Override
    public void write(Emitted<O> output, Encoder out) {
      out.writeString(output.id()).writeString(output.name()).writeString(output.key());
      out.writeUnsigned(output.sequence());
      shipped.fold().outputCodec().encode(output.value(), out);
    }

    @Override
    public Emitted<O> read(Decoder in) {
      return new Emitted<>(
          in.readString(),
          in.readString(),
          in.readString(),
          in.readUnsigned(),
          shipped.fold().outputCodec().decode(in));
    }
  }

  /** The form of refusals between tasks. */
  static final class RefusalForm<S, E, O> implements CodedType.Form<Entry<S, E, O>> {
    private static final long serialVersionUID = 1;
    private final Shipped<S, E, O> shipped;

    RefusalForm(Shipped<S, E, O> shipped) {
      this.shipped = shipped;
    }

    @Override
    public String schema() {
      return "refusal 1 " + shipped.fold().eventCodec().schema();
    }

    @Override
    public void write(Entry<S, E, O> entry, Encoder out) {
      out.writeUnsigned(entry.sequence()).writeInstant(entry.committed());
      out.writeUnsigned(entry.foldVersion()).writeString(entry.verdict().name());
      Verdict.Cause failure = entry.failure();
      out.writeNullableString(entry.reason());
      out.writeNullableString(failure == null ? null : failure.name());
      write(entry.floor(), out);
      out.writeNullableString(entry.key()).writeNullableString(entry.id());
      out.writeBoolean(entry.ownId());
      write(entry.time(), out);
      E value = entry.value();
      out.writeBoolean(value != null);
      if (value != null) {
        shipped.fold().eventCodec().encode(value, out);
      }
      byte[] raw = entry.raw();
      out.writeBoolean(raw != null);
      if (raw != null) {
        out.writeBytes(raw);
      }
    }

    private static void write(@Nullable Instant time, Encoder out) {
      out.writeBoolean(time != null);
      if (time != null) {
        out.writeInstant(time);
      }
    }

    private static @Nullable Instant time(Decoder in) {
      return in.readBoolean() ? in.readInstant() : null;
    }

    @Override
    public Entry<S, E, O> read(Decoder in) {
      Fold<S, E, O> fold = shipped.fold();
      long sequence = in.readUnsigned();
      Instant committed = in.readInstant();
      int version = (int) in.readUnsigned();
      Verdict.Kind verdict = Verdict.Kind.valueOf(in.readString());
      String reason = in.readNullableString();
      String failure = in.readNullableString();
      return new Entry<>(
          sequence,
          committed,
          version,
          verdict,
          reason,
          failure == null ? null : Verdict.Cause.valueOf(failure),
          time(in),
          in.readNullableString(),
          in.readNullableString(),
          in.readBoolean(),
          time(in),
          in.readBoolean() ? fold.eventCodec().decode(in) : null,
          in.readBoolean() ? in.readBytes() : null,
          List.of(),
          List.of());
    }
  }

  /** The form of both. */
  static final class Form<S, E, O> implements CodedType.Form<Sent<S, E, O>> {
    private static final long serialVersionUID = 1;
    private final OutputForm<O> outputs;
    private final RefusalForm<S, E, O> refusals;

    Form(Shipped<S, E, O> shipped) {
      this.outputs = new OutputForm<>(shipped);
      this.refusals = new RefusalForm<>(shipped);
    }

    @Override
    public String schema() {
      return outputs.schema() + ' ' + refusals.schema();
    }

    @Override
    public void write(Sent<S, E, O> sent, Encoder out) {
      Emitted<O> output = sent.output;
      Entry<S, E, O> refusal = sent.refusal;
      out.writeBoolean(output != null);
      if (output != null) {
        outputs.write(output, out);
      } else if (refusal != null) {
        refusals.write(refusal, out);
      }
    }

    @Override
    public Sent<S, E, O> read(Decoder in) {
      return in.readBoolean()
          ? new Sent<>(outputs.read(in), null)
          : new Sent<>(null, refusals.read(in));
    }
  }
}
