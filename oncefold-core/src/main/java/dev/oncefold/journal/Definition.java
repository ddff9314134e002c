package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Says what the bytes behind it mean: which fold wrote them, in which schemas. Stands at the head
 * of every segment and snapshot.
 *
 * @param k0 the first half of the journal's secret key, for the hashes of ids and the checksums
 * @param k1 the second half
 * @param fold the fold's name
 * @param version the fold's version
 * @param ids how ids are remembered: a {@link Fold.Ids.Kind}
 * @param full whether each event and the state after it are kept
 * @param state the schema of states
 * @param event the schema of the values of events
 * @param output the schema of outputs
 * @param base the snapshot that takes the place of all that stands before this segment, or null
 * @param rules the text of the fold's rules; empty where none was given
 */
record Definition(
    long k0,
    long k1,
    String fold,
    int version,
    String ids,
    boolean full,
    String state,
    String event,
    String output,
    @Nullable String base,
    String rules) {

  static Definition of(Fold<?, ?, ?> fold, long k0, long k1, boolean full, @Nullable String base) {
    return new Definition(
        k0,
        k1,
        fold.name(),
        fold.version(),
        fold.ids().kind().name(),
        full,
        fold.stateCodec().schema(),
        fold.eventCodec().schema(),
        fold.outputCodec().schema(),
        base,
        fold.rules());
  }

  /** The same with another base, or other rules. */
  Definition with(@Nullable String base, String rules) {
    return new Definition(k0, k1, fold, version, ids, full, state, event, output, base, rules);
  }

  /** The lines that are gone ("- ") and new ("+ ") in another text of rules, in order. */
  static List<String> changedLines(String before, String after) {
    List<String> old = before.lines().toList();
    List<String> now = after.lines().toList();
    List<String> changed = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < old.size() || j < now.size()) {
      int[] same = firstSame(old.subList(i, old.size()), now.subList(j, now.size()));
      old.subList(i, i + same[0]).forEach(line -> changed.add("- " + line));
      now.subList(j, j + same[1]).forEach(line -> changed.add("+ " + line));
      i += same[0] + 1;
      j += same[1] + 1;
    }
    return changed;
  }

  /** Where two texts agree again after the fewest lines; behind both where they do not. */
  private static int[] firstSame(List<String> old, List<String> now) {
    for (int lines = 0; lines <= old.size() + now.size() - 2; lines++) {
      for (int i = Math.max(0, lines - now.size() + 1); i <= lines && i < old.size(); i++) {
        if (old.get(i).equals(now.get(lines - i))) {
          return new int[] {i, lines - i};
        }
      }
    }
    return new int[] {old.size(), now.size()};
  }

  /** Whether bytes written under the one can follow bytes written under the other. */
  boolean sameAs(Definition other) {
    return version == other.version
        && ids.equals(other.ids)
        && full == other.full
        && state.equals(other.state)
        && event.equals(other.event)
        && output.equals(other.output)
        && rules.equals(other.rules);
  }

  Description description() {
    return new Description(fold, version, Fold.Ids.Kind.valueOf(ids), rules, full, state);
  }

  void encode(Encoder out) {
    out.writeLong(k0).writeLong(k1).writeString(fold).writeUnsigned(version);
    out.writeString(ids).writeBoolean(full);
    out.writeString(state).writeString(event).writeString(output).writeNullableString(base);
    out.writeString(rules);
  }

  static Definition decode(Decoder in) {
    return new Definition(
        in.readLong(),
        in.readLong(),
        in.readString(),
        (int) in.readUnsigned(),
        in.readString(),
        in.readBoolean(),
        in.readString(),
        in.readString(),
        in.readString(),
        in.readNullableString(),
        in.readString());
  }

  /**
   * The codecs that read what was written under a definition as the types of a fold.
   *
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   */
  static final class Codecs<S, E, O> {
    private final Definition written;
    private final Fold<S, E, O> fold;
    private @Nullable Codec<S> state;
    private @Nullable Codec<E> event;
    private @Nullable Codec<O> output;

    Codecs(Definition written, Fold<S, E, O> fold) {
      this.written = written;
      this.fold = fold;
    }

    Codec<S> state() {
      if (state == null) {
        state = reading("states", fold.stateCodec(), written.state(), fold.initial());
      }
      return state;
    }

    // Values of events and outputs are decoded only where somebody asks for them, so a schema that
    // cannot be read any more does not keep the journal from opening.
    Codec<E> event() {
      if (event == null) {
        event = reading("events", fold.eventCodec(), written.event(), null);
      }
      return event;
    }

    Codec<O> output() {
      if (output == null) {
        output = reading("outputs", fold.outputCodec(), written.output(), null);
      }
      return output;
    }

    private <T> Codec<T> reading(String what, Codec<T> codec, String schema, @Nullable T defaults) {
      try {
        return codec.reading(schema, defaults);
      } catch (CodecException e) {
        throw new JournalException(
            "the "
                + what
                + " that version "
                + written.version()
                + " of the fold \""
                + written.fold()
                + "\" stored cannot be read as the ones of version "
                + fold.version()
                + ": "
                + e.getMessage()
                + ". Keep the stored fields, or rebuild the journal from its history",
            e);
      }
    }
  }
}
