package dev.oncefold.kafkastreams;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.SipHash;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * The form of events in the repartition topic. Reading never throws: an application's
 * deserialization handler may skip what does, so what cannot be read is told to the fold, which
 * stops.
 *
 * @param <E> the type of the events' values
 */
final class ArrivedSerde<E> implements Serde<Arrived<E>> {
  private static final int FORMAT = 1;

  private final Fold<?, E, ?> fold;
  private final long schema;

  ArrivedSerde(Fold<?, E, ?> fold) {
    this.fold = fold;
    byte[] text = fold.eventCodec().schema().getBytes(StandardCharsets.UTF_8);
    this.schema = new SipHash(0, 0).hash(text, 0, text.length);
  }

  @Override
  public Serializer<Arrived<E>> serializer() {
    return (topic, arrived) -> bytes(arrived);
  }

  @Override
  public Deserializer<Arrived<E>> deserializer() {
    return this::read;
  }

  byte[] bytes(Arrived<E> arrived) {
    Encoder out = new Encoder();
    Origin origin = arrived.origin();
    out.writeByte(FORMAT).writeLong(schema);
    out.writeString(origin.topic()).writeString(origin.topicId());
    out.writeUnsigned(origin.partition()).writeUnsigned(origin.offset());
    out.writeUnsigned(origin.place());
    Event<E> event = arrived.event();
    out.writeBoolean(event != null);
    if (event != null) {
      Instant time = event.time();
      out.writeNullableString(event.id()).writeString(event.key()).writeBoolean(time != null);
      if (time != null) {
        out.writeInstant(time);
      }
      fold.eventCodec().encode(event.value(), out);
    } else {
      byte[] raw = arrived.raw();
      out.writeString(String.valueOf(arrived.undecodable())).writeBoolean(arrived.everywhere());
      out.writeBoolean(raw != null);
      if (raw != null) {
        out.writeBytes(raw);
      }
    }
    return out.toByteArray();
  }

  @Nullable Arrived<E> read(String topic, byte @Nullable [] bytes) {
    if (bytes == null) {
      return null;
    }
    try {
      return read(new Decoder(bytes));
    } catch (RuntimeException e) {
      return Arrived.unreadable(
          "a record of the topic "
              + topic
              + " cannot be read: "
              + e.getMessage()
              + ". Nobody but this application may write there; reset the application if somebody"
              + " has");
    }
  }

  private Arrived<E> read(Decoder in) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "it is of format " + format + ", and " + FORMAT + " is known");
    }
    if (in.readLong() != schema) {
      throw new IllegalStateException(
          "its event was written in another schema than version "
              + fold.version()
              + " of the fold \""
              + fold.name()
              + "\" has. Let the version that wrote it read the topic to its end before events"
              + " change their type");
    }
    Origin origin =
        new Origin(
            in.readString(),
            in.readString(),
            (int) in.readUnsigned(),
            in.readUnsigned(),
            (int) in.readUnsigned());
    if (!in.readBoolean()) {
      String why = in.readString();
      boolean everywhere = in.readBoolean();
      return Arrived.undecodable(origin, why, in.readBoolean() ? in.readBytes() : null, everywhere);
    }
    String id = in.readNullableString();
    String key = in.readString();
    Instant time = in.readBoolean() ? in.readInstant() : null;
    return Arrived.of(origin, new Event<>(id, key, time, fold.eventCodec().decode(in)));
  }
}
