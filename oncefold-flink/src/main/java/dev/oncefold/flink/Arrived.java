package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What came in, on its way to the fold: an event, or what none could be made of.
 *
 * @param origin where it was read
 * @param event the event; null where it is undecodable
 * @param undecodable why no event could be made of it
 * @param raw what was read, where that is undecodable and bytes
 * @param <E> the type of the events' values
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Arrived<E>(
    Origin origin, @Nullable Event<E> event, @Nullable String undecodable, byte @Nullable [] raw) {

  static <E> Arrived<E> of(Origin origin, Event<E> event) {
    return new Arrived<>(origin, event, null, null);
  }

  static <E> Arrived<E> undecodable(Origin origin, Exception why, byte @Nullable [] raw) {
    return new Arrived<>(
        origin, null, why.getMessage() == null ? why.toString() : why.getMessage(), raw);
  }

  /** A record that the reading left out: it moves the position, and goes no further. */
  static <E> Arrived<E> nothing(Origin origin) {
    return new Arrived<>(origin, null, null, null);
  }

  boolean isNothing() {
    return event == null && undecodable == null;
  }

  /**
   * What routes it: all events of a key come to one subtask, and so does all of a partition that is
   * no event, which is refused in its order.
   */
  String key() {
    return event == null ? origin.partition() : event.key();
  }

  /** The form between tasks, in unaligned checkpoints, and of events that wait. */
  static final class Form<E> implements CodedType.Form<Arrived<E>> {
    private static final long serialVersionUID = 1;
    private final Shipped<?, E, ?> shipped;
    // Records of a partition come together: mostly it is the same name again.
    private transient @Nullable Name last;

    Form(Shipped<?, E, ?> shipped) {
      this.shipped = shipped;
    }

    @Override
    public String schema() {
      return "arrived 1 " + shipped.fold().eventCodec().schema();
    }

    @Override
    public void write(Arrived<E> arrived, Encoder out) {
      out.writeString(arrived.origin.partition()).writeUnsigned(arrived.origin.offset());
      Event<E> event = arrived.event;
      out.writeBoolean(event != null);
      if (event != null) {
        Instant time = event.time();
        out.writeNullableString(event.id()).writeString(event.key()).writeBoolean(time != null);
        if (time != null) {
          out.writeInstant(time);
        }
        shipped.fold().eventCodec().encode(event.value(), out);
      } else {
        byte[] raw = arrived.raw;
        out.writeString(String.valueOf(arrived.undecodable)).writeBoolean(raw != null);
        if (raw != null) {
          out.writeBytes(raw);
        }
      }
    }

    @Override
    public Arrived<E> read(Decoder in) {
      Origin origin = new Origin(partition(in), in.readUnsigned());
      if (!in.readBoolean()) {
        String why = in.readString();
        return new Arrived<>(origin, null, why, in.readBoolean() ? in.readBytes() : null);
      }
      String id = in.readNullableString();
      String key = in.readString();
      Instant time = in.readBoolean() ? in.readInstant() : null;
      Fold<?, E, ?> fold = shipped.fold();
      return of(origin, new Event<>(id, key, time, fold.eventCodec().decode(in)));
    }

    private String partition(Decoder in) {
      Name known = last;
      int from = in.position();
      if (known != null && known.isNext(in)) {
        in.skip(known.bytes.length);
        return known.text;
      }
      String name = in.readString();
      last = new Name(Arrays.copyOfRange(in.array(), from, in.position()), name);
      return name;
    }

    /** As it was read, with its length, and as text. */
    private static final class Name {
      final byte[] bytes;
      final String text;

      Name(byte[] bytes, String text) {
        this.bytes = bytes;
        this.text = text;
      }

      boolean isNext(Decoder in) {
        int from = in.position();
        return in.remaining() >= bytes.length
            && Arrays.equals(in.array(), from, from + bytes.length, bytes, 0, bytes.length);
      }
    }
  }
}
