package dev.oncefold.testkit;

import dev.oncefold.CodecException;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.SipHash;
import dev.oncefold.Verdict;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one event came to, small enough to keep one for each: all that would be stored as a hash,
 * and the beginning of it in words.
 *
 * @param key the event's key
 * @param id the event's id, or null
 * @param input the hash of the event
 * @param result the hash of its verdict, the new states and the outputs, as they would be stored
 * @param words the same for a person; cut off where it is long
 */
record Imprint(String key, @Nullable String id, long input, long result, String words) {
  private static final int MOST = 2000;

  /** Whether the same event came to the same. Words do not count: they may hold an address. */
  boolean sameAs(Imprint other) {
    return input == other.input && result == other.result;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeUTF(cut(key));
    out.writeBoolean(id != null);
    out.writeUTF(cut(Objects.requireNonNullElse(id, "")));
    out.writeLong(input);
    out.writeLong(result);
    out.writeUTF(cut(words));
  }

  static Imprint read(DataInputStream in) throws IOException {
    String key = in.readUTF();
    boolean hasId = in.readBoolean();
    String id = in.readUTF();
    return new Imprint(key, hasId ? id : null, in.readLong(), in.readLong(), in.readUTF());
  }

  private static String cut(String text) {
    return text.length() <= MOST ? text : text.substring(0, MOST) + "…";
  }

  /** A verdict in words. */
  static String words(Verdict<?, ?> verdict) {
    if (verdict instanceof Verdict.Rejected<?, ?> rejected) {
      return "Rejected: " + rejected.reason();
    } else if (verdict instanceof Verdict.Failed<?, ?> failed) {
      return "Failed: " + failed.reason();
    } else if (verdict instanceof Verdict.Duplicate<?, ?> duplicate) {
      return "Duplicate of an event that was "
          + (duplicate.rejected() == null ? "Applied" : "Rejected: " + duplicate.rejected());
    } else if (verdict instanceof Verdict.Applied<?, ?> applied) {
      StringBuilder text = new StringBuilder("Applied");
      for (String key : applied.states().keys()) {
        Object state = applied.states().orNull(key);
        text.append(", \"").append(key).append('"');
        text.append(state == null ? " deleted" : " is " + state);
      }
      for (Output<?> output : applied.outputs()) {
        text.append(", to ").append(output.name()).append(": ").append(output.value());
      }
      return text.toString();
    }
    return verdict.toString();
  }

  /**
   * Makes them. Not thread-safe.
   *
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   */
  static final class Maker<S, E, O> {
    private final Fold<S, E, O> fold;
    private final Encoder scratch = new Encoder();
    private final SipHash hash = new SipHash(0, 0);

    Maker(Fold<S, E, O> fold) {
      this.fold = fold;
    }

    Imprint of(Event<E> event, Verdict<S, O> verdict) {
      return new Imprint(event.key(), event.id(), input(event), result(verdict), words(verdict));
    }

    long input(Event<E> event) {
      scratch.truncate(0);
      scratch.writeString(event.key());
      scratch.writeString(String.valueOf(event.id()));
      scratch.writeString(String.valueOf(event.time()));
      try {
        fold.eventCodec().encode(event.value(), scratch);
      } catch (CodecException e) {
        scratch.writeString(String.valueOf(e.getMessage()));
      }
      return hashed();
    }

    long state(@Nullable S state) {
      scratch.truncate(0);
      add(state);
      return hashed();
    }

    long result(Verdict<S, O> verdict) {
      scratch.truncate(0);
      scratch.writeString(verdict.kind().name());
      if (verdict instanceof Verdict.Applied<S, O> applied) {
        for (String key : applied.states().keys()) {
          scratch.writeString(key);
          add(applied.states().orNull(key));
        }
        for (Output<O> output : applied.outputs()) {
          scratch.writeString(output.name());
          fold.outputCodec().encode(output.value(), scratch);
        }
      } else {
        scratch.writeString(words(verdict));
      }
      return hashed();
    }

    private void add(@Nullable S state) {
      scratch.writeBoolean(state != null);
      if (state != null) {
        fold.stateCodec().encode(state, scratch);
      }
    }

    private long hashed() {
      return hash.hash(scratch.array(), 0, scratch.length());
    }
  }
}
