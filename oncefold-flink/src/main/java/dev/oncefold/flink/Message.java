package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Output;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.util.function.SerializableFunction;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * What leaves a whole job: a message, ready for its topic. One sink sends all of them.
 *
 * @param topic where to
 * @param key the key of the event
 * @param id of the output or the refusal
 * @param value the value; null is one, too
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Message(String topic, String key, String id, byte @Nullable [] value) {
  /** Where messages of one kind go, and how they are made. */
  record To<T>(String topic, SerializableFunction<T, byte[]> format) implements Serializable {
    private static final long serialVersionUID = 1;

    Message of(String key, String id, T value) {
      return new Message(topic, key, id, format.apply(value));
    }
  }

  /** Makes the messages of a job. */
  static final class Formats<S, E, O> implements Outlet<S, E, O, Message> {
    private static final long serialVersionUID = 1;
    private final HashMap<String, To<Emitted<O>>> outputs;
    private final @Nullable To<Entry<S, E, O>> refusals;

    Formats(Map<String, To<Emitted<O>>> outputs, @Nullable To<Entry<S, E, O>> refusals) {
      this.outputs = new HashMap<>(outputs);
      this.refusals = refusals;
    }

    @Override
    public CodedType<Message> type() {
      return new CodedType<>(Message.class, new Form());
    }

    /** Only the bytes of a message are ever written. */
    @Override
    public void check(Output<O> output) {}

    @Override
    public @Nullable Message output(Emitted<O> output) {
      To<Emitted<O>> to = outputs.get(output.name());
      return to == null ? null : to.of(output.key(), output.id(), output);
    }

    @Override
    public Boolean takesRefusals() {
      return refusals != null;
    }

    @Override
    public Message refusal(Entry<S, E, O> refusal) {
      if (refusals == null) {
        throw new IllegalStateException("nobody takes refusals");
      }
      String key = refusal.key();
      return refusals.of(key == null ? "" : key, String.valueOf(refusal.id()), refusal);
    }
  }

  /** The form between tasks. */
  static final class Form implements CodedType.Form<Message> {
    private static final long serialVersionUID = 1;

    @Override
    public String schema() {
      return "message 1";
    }

    @Override
    public void write(Message message, Encoder out) {
      out.writeString(message.topic).writeString(message.key).writeString(message.id);
      byte[] value = message.value;
      out.writeBoolean(value != null);
      if (value != null) {
        out.writeBytes(value);
      }
    }

    @Override
    public Message read(Decoder in) {
      return new Message(
          in.readString(),
          in.readString(),
          in.readString(),
          in.readBoolean() ? in.readBytes() : null);
    }
  }

  /** For Flink's sink. */
  static final class Sending implements KafkaRecordSerializationSchema<Message> {
    private static final long serialVersionUID = 1;

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Message message, KafkaSinkContext context, @Nullable Long timestamp) {
      ProducerRecord<byte[], byte[]> record =
          new ProducerRecord<>(message.topic, bytes(message.key), message.value);
      record.headers().add(FlinkJob.ID, bytes(message.id));
      return record;
    }

    private static byte[] bytes(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
  }
}
