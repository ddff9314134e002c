package dev.oncefold.flink;

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

/** Makes messages of what leaves the fold. */
final class Outlet<S, E, O> implements KafkaRecordSerializationSchema<Sent<S, E, O>> {
  private static final long serialVersionUID = 1;

  private final HashMap<String, Out<Emitted<O>>> outputs;
  private final @Nullable Out<Entry<S, E, O>> refusals;

  /** A topic and the form of its messages. */
  record Out<T>(String topic, SerializableFunction<T, byte[]> format) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  Outlet(Map<String, Out<Emitted<O>>> outputs, @Nullable Out<Entry<S, E, O>> refusals) {
    this.outputs = new HashMap<>(outputs);
    this.refusals = refusals;
  }

  @Override
  public @Nullable ProducerRecord<byte[], byte[]> serialize(
      Sent<S, E, O> sent, KafkaSinkContext context, @Nullable Long timestamp) {
    Emitted<O> output = sent.output();
    Entry<S, E, O> refusal = sent.refusal();
    if (output != null) {
      Out<Emitted<O>> to = outputs.get(output.name());
      if (to == null) {
        throw new IllegalStateException("nobody takes " + output.name());
      }
      return message(to.topic, output.key(), output.id(), to.format.apply(output));
    }
    Out<Entry<S, E, O>> to = refusals;
    if (to == null || refusal == null) {
      return null;
    }
    String key = refusal.key();
    return message(
        to.topic, key == null ? "" : key, String.valueOf(refusal.id()), to.format.apply(refusal));
  }

  private static ProducerRecord<byte[], byte[]> message(
      String topic, String key, String id, byte[] value) {
    ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(topic, bytes(key), value);
    message.headers().add(FlinkJob.ID, bytes(id));
    return message;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
