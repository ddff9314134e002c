package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.Received;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The record of one judged event in the body of a frame.
 *
 * <pre>
 * tag EVENT, flags (verdict in the three lowest bits), key?, id?, time?, fingerprint?,
 * what the verdict says, value? or raw bytes?,
 * if applied: count, then for each key: key? (the event's own if left out), version, state?
 *             count, then for each output: name? (the default if left out), value
 * </pre>
 *
 * <p>Written by static methods, read into one object that is used again for each record. Not
 * thread-safe.
 */
final class EventRecord {
  static final int TAG = 1;
  private static final int KIND = 0x07;
  private static final int OWN_ID = 0x08;
  private static final int POSITION_ID = 0x10;
  private static final int TIME = 0x20;
  private static final int VALUE = 0x40;
  private static final int RAW = 0x80;
  // A kind's and a cause's number in the log is its place here: only ever append.
  private static final List<Verdict.Kind> KINDS =
      List.of(
          Verdict.Kind.APPLIED,
          Verdict.Kind.REJECTED,
          Verdict.Kind.DUPLICATE,
          Verdict.Kind.CONFLICT,
          Verdict.Kind.EXPIRED,
          Verdict.Kind.FAILED);
  private static final List<Verdict.Cause> CAUSES =
      List.of(
          Verdict.Cause.UNDECODABLE,
          Verdict.Cause.NO_TIME,
          Verdict.Cause.AHEAD_OF_CLOCK,
          Verdict.Cause.UPDATE);

  private byte[] bytes = new byte[0];
  private Verdict.Kind kind = Verdict.Kind.FAILED;
  private @Nullable String key;
  private @Nullable String id;
  private boolean ownId;
  private @Nullable Instant time;
  private long fingerprint;
  private @Nullable String reason;
  private Verdict.Cause cause = Verdict.Cause.UPDATE;
  private long floor;
  private boolean hasValue;
  private boolean hasRaw;
  private int valueAt;
  private int valueLength;
  private final List<@Nullable String> slotKeys = new ArrayList<>();
  private final List<long[]> slots = new ArrayList<>(); // version, at, length
  private final List<@Nullable String> outputNames = new ArrayList<>();
  private final List<int[]> outputs = new ArrayList<>(); // at, length

  // ---------------------------------------------------------------- writing

  /** Writes a value behind its length, which takes one byte for the usual small value. */
  static <T> void writeSized(Codec<T> codec, T value, Encoder out) {
    int at = out.length();
    out.writeByte(0);
    codec.encode(value, out);
    int length = out.length() - at - 1;
    if (length < 0x80) {
      out.array()[at] = (byte) length;
      return;
    }
    int more = (31 - Integer.numberOfLeadingZeros(length)) / 7;
    out.writeRaw(new byte[more], 0, more);
    byte[] array = out.array();
    System.arraycopy(array, at + 1, array, at + 1 + more, length);
    int rest = length;
    for (int i = 0; i <= more; i++) {
      array[at + i] = (byte) (i == more ? rest : (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
  }

  /**
   * Writes everything but what an applied event changed and emitted.
   *
   * @param value the encoded value, where it is to be kept
   */
  static void write(
      Received<?> received,
      String partition,
      Verdict<?, ?> verdict,
      @Nullable Encoder value,
      long fingerprint,
      Encoder out) {
    Event<?> event = received.event();
    out.writeByte(TAG);
    if (verdict instanceof Verdict.Duplicate<?, ?> duplicate && value == null) {
      // Counted only; but every event is a record, so that the counts can be told from them.
      out.writeByte(number(Verdict.Kind.DUPLICATE)).writeNullableString(null);
      out.writeNullableString(duplicate.rejected());
      return;
    }
    String ownId = event == null ? null : event.id();
    boolean own = ownId != null;
    Instant time = event == null ? null : event.time();
    byte[] raw = received.raw();
    int flags = number(verdict.kind());
    flags |= own ? OWN_ID : POSITION_ID;
    flags |= time != null ? TIME : 0;
    flags |= value != null ? VALUE : 0;
    flags |= event == null && raw != null ? RAW : 0;
    out.writeByte(flags).writeNullableString(event == null ? null : event.key());
    out.writeString(ownId == null ? received.positionId(partition) : ownId);
    if (time != null) {
      out.writeInstant(time);
    }
    if (verdict instanceof Verdict.Applied) {
      writeFingerprint(own, fingerprint, out);
    } else if (verdict instanceof Verdict.Rejected<?, ?> rejected) {
      writeFingerprint(own, fingerprint, out);
      out.writeString(rejected.reason());
    } else if (verdict instanceof Verdict.Duplicate<?, ?> duplicate) {
      out.writeNullableString(duplicate.rejected());
    } else if (verdict instanceof Verdict.Expired<?, ?> expired) {
      out.writeSigned(expired.floor().toEpochMilli());
    } else if (verdict instanceof Verdict.Failed<?, ?> failed) {
      out.writeByte(CAUSES.indexOf(failed.cause())).writeString(failed.reason());
    }
    if (value != null) {
      out.writeUnsigned(value.length()).writeRaw(value.array(), 0, value.length());
    } else if (event == null && raw != null) {
      out.writeBytes(raw);
    }
  }

  /** A kind's place in {@link #KINDS}. */
  private static int number(Verdict.Kind kind) {
    return switch (kind) {
      case APPLIED -> 0;
      case REJECTED -> 1;
      case DUPLICATE -> 2;
      case CONFLICT -> 3;
      case EXPIRED -> 4;
      case FAILED -> 5;
    };
  }

  private static void writeFingerprint(boolean own, long fingerprint, Encoder out) {
    if (own) {
      out.writeLong(fingerprint);
    }
  }

  static <S> void writeSlot(
      @Nullable String key, @Nullable Slot<S> slot, Codec<S> codec, Encoder out) {
    out.writeNullableString(key).writeUnsigned(slot == null ? 0 : slot.version());
    if (slot != null) {
      writeSized(codec, slot.state(), out);
    }
  }

  static <O> void writeOutput(Output<O> output, Codec<O> codec, Encoder out) {
    out.writeNullableString(output.name().equals(Output.DEFAULT) ? null : output.name());
    writeSized(codec, output.value(), out);
  }

  // ---------------------------------------------------------------- reading

  /** Reads a record whose tag was read. */
  void read(Decoder in) {
    bytes = in.array();
    int flags = in.readByte();
    if ((flags & KIND) >= KINDS.size()) {
      throw new CodecException("no verdict has the number " + (flags & KIND));
    }
    kind = KINDS.get(flags & KIND);
    ownId = (flags & OWN_ID) != 0;
    hasValue = (flags & VALUE) != 0;
    hasRaw = (flags & RAW) != 0;
    key = in.readNullableString();
    id = ownId || (flags & POSITION_ID) != 0 ? in.readString() : null;
    time = (flags & TIME) != 0 ? in.readInstant() : null;
    reason = null;
    switch (kind) {
      case APPLIED -> fingerprint = ownId ? in.readLong() : 0;
      case REJECTED -> {
        fingerprint = ownId ? in.readLong() : 0;
        reason = in.readString();
      }
      case DUPLICATE -> reason = in.readNullableString();
      case CONFLICT -> {}
      case EXPIRED -> floor = in.readSigned();
      case FAILED -> {
        int ordinal = in.readByte();
        if (ordinal >= CAUSES.size()) {
          throw new CodecException("no cause has the number " + ordinal);
        }
        cause = CAUSES.get(ordinal);
        reason = in.readString();
      }
    }
    if (hasValue || hasRaw) {
      valueLength = in.readCount();
      valueAt = in.position();
      in.skip(valueLength);
    }
    slots.clear();
    slotKeys.clear();
    outputs.clear();
    outputNames.clear();
    if (kind == Verdict.Kind.APPLIED) {
      readEffects(in);
    }
  }

  private void readEffects(Decoder in) {
    int count = in.readCount();
    for (int i = 0; i < count; i++) {
      slotKeys.add(in.readNullableString());
      long version = in.readUnsigned();
      int length = version == 0 ? 0 : in.readCount();
      slots.add(new long[] {version, in.position(), length});
      in.skip(length);
    }
    count = in.readCount();
    for (int i = 0; i < count; i++) {
      outputNames.add(in.readNullableString());
      int length = in.readCount();
      outputs.add(new int[] {in.position(), length});
      in.skip(length);
    }
  }

  Verdict.Kind kind() {
    return kind;
  }

  @Nullable String key() {
    return key;
  }

  /** The event's own id, or null where its position is its id. */
  @Nullable String ownId() {
    return ownId ? id : null;
  }

  long fingerprint() {
    return fingerprint;
  }

  @Nullable Instant time() {
    return time;
  }

  @Nullable String reason() {
    return reason;
  }

  int slotCount() {
    return slots.size();
  }

  String slotKey(int i) {
    String own = slotKeys.get(i);
    if (own != null) {
      return own;
    }
    if (key == null) {
      throw new CodecException("a changed key is left out, but the event has none");
    }
    return key;
  }

  <S> @Nullable Slot<S> slot(int i, Codec<S> codec) {
    long[] slot = slots.get(i);
    return slot[0] == 0 ? null : new Slot<>(whole(codec, (int) slot[1], (int) slot[2]), slot[0]);
  }

  int outputCount() {
    return outputs.size();
  }

  String outputName(int i) {
    String name = outputNames.get(i);
    return name == null ? Output.DEFAULT : name;
  }

  <O> O output(int i, Codec<O> codec) {
    return whole(codec, outputs.get(i)[0], outputs.get(i)[1]);
  }

  /** The id of the i-th output. */
  String outputId(int i, String fold) {
    return Output.id(fold, String.valueOf(key), String.valueOf(id), i);
  }

  private <T> T whole(Codec<T> codec, int at, int length) {
    Decoder in = new Decoder(bytes, at, length);
    T value = codec.decode(in);
    if (in.remaining() != 0) {
      throw new CodecException(in.remaining() + " bytes are left over behind a value");
    }
    return value;
  }

  /** Whether the record holds an event on which new rules could have another opinion. */
  boolean canBeJudgedAgain() {
    return hasValue
        && !(kind == Verdict.Kind.FAILED
            && (cause == Verdict.Cause.AHEAD_OF_CLOCK || cause == Verdict.Cause.NO_TIME));
  }

  /** The event as the update saw it. */
  <E> Event<E> event(Codec<E> codec) {
    if (key == null) {
      throw new CodecException("an event has a value, but no key");
    }
    return new Event<>(ownId(), key, time, whole(codec, valueAt, valueLength));
  }

  /** All of the record, for those who look at history. */
  <S, E, O> Entry<S, E, O> entry(
      long sequence,
      Instant committed,
      Fold<S, E, O> fold,
      Definition.Codecs<S, E, O> codecs,
      int version) {
    E value = hasValue ? whole(codecs.event(), valueAt, valueLength) : null;
    byte[] raw = hasRaw ? Arrays.copyOfRange(bytes, valueAt, valueAt + valueLength) : null;
    List<Entry.Change<S>> changes = new ArrayList<>(slots.size());
    for (int i = 0; i < slots.size(); i++) {
      changes.add(new Entry.Change<>(slotKey(i), slot(i, codecs.state())));
    }
    List<Emitted<O>> emitted = new ArrayList<>(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      emitted.add(emitted(i, sequence, fold.name(), codecs.output()));
    }
    return new Entry<>(
        sequence,
        committed,
        version,
        kind,
        kind == Verdict.Kind.EXPIRED
            ? "ids up to " + Instant.ofEpochMilli(floor) + " may have been forgotten"
            : reason,
        kind == Verdict.Kind.FAILED ? cause : null,
        kind == Verdict.Kind.EXPIRED ? Instant.ofEpochMilli(floor) : null,
        key,
        id,
        ownId,
        time,
        value,
        raw,
        changes,
        emitted);
  }

  <O> Emitted<O> emitted(int i, long sequence, String fold, Codec<O> codec) {
    return new Emitted<>(
        outputId(i, fold), outputName(i), String.valueOf(key), sequence, output(i, codec));
  }
}
