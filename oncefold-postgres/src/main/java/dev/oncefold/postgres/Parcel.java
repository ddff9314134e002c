package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Sink;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The messages that one batch sends on one lane, packed: what a row of the outbox holds. A name of
 * an output is written once.
 *
 * <p>Not thread-safe; to be used again after {@link #clear}.
 */
final class Parcel {
  private static final int FORMAT = 1;
  private static final int REFUSAL = 0;

  private final Encoder out = new Encoder(1 << 16);
  private final List<String> names = new ArrayList<>();
  private int markedLength;
  private int markedNames;

  Parcel() {
    clear();
  }

  /** Empties it. */
  void clear() {
    out.truncate(0);
    out.writeByte(FORMAT);
    names.clear();
    mark();
  }

  /** Remembers this place for {@link #undo}. */
  void mark() {
    markedLength = out.length();
    markedNames = names.size();
  }

  /** Drops what was added since the last {@link #mark} or {@link #clear}. */
  void undo() {
    out.truncate(markedLength);
    names.subList(markedNames, names.size()).clear();
  }

  /**
   * Adds a message.
   *
   * @throws CodecException if a text in it cannot be written: then {@link #undo} must follow
   */
  void add(@Nullable String output, String key, String id, byte[] value) {
    if (output == null) {
      out.writeByte(REFUSAL);
    } else {
      int known = names.indexOf(output);
      if (known >= 0) {
        out.writeUnsigned(known + 1L);
      } else {
        names.add(output);
        out.writeUnsigned(names.size()).writeString(output);
      }
    }
    out.writeString(key).writeString(id).writeBytes(value);
  }

  boolean isEmpty() {
    return out.length() == 1;
  }

  /** How many bytes it takes. */
  int size() {
    return out.length();
  }

  /** A copy of the packed messages. */
  byte[] bytes() {
    return out.toByteArray();
  }

  /**
   * Reads the messages of a row, in order.
   *
   * @throws CodecException if a newer version wrote them, or nobody did
   */
  static List<Sink.Message> read(byte[] packed) {
    Decoder in = new Decoder(packed);
    int format = in.readByte();
    if (format != FORMAT) {
      throw new CodecException("its format is " + format + ", not " + FORMAT);
    }
    List<String> names = new ArrayList<>();
    List<Sink.Message> messages = new ArrayList<>();
    while (in.remaining() > 0) {
      long which = in.readUnsigned();
      String output = which == REFUSAL ? null : name(which, names, in);
      messages.add(new Sink.Message(output, in.readString(), in.readString(), in.readBytes()));
    }
    return messages;
  }

  private static String name(long which, List<String> names, Decoder in) {
    if (which == names.size() + 1L) {
      names.add(in.readString());
    } else if (which < 0 || which > names.size()) {
      throw new CodecException("no output has the number " + Long.toUnsignedString(which));
    }
    return names.get((int) which - 1);
  }
}
