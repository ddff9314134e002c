package dev.oncefold.kafkastreams;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.jspecify.annotations.Nullable;

/**
 * What leaves a whole application: a message, ready for its topic. One sink sends all of them.
 *
 * @param topic where to
 * @param value its value; null is one, too
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Message(String topic, byte @Nullable [] value) {
  /** Writes the value as it is, so that nothing can fail where a handler may skip the message. */
  static Serde<Message> serde() {
    return Serdes.serdeFrom(
        (topic, message) -> message.value(),
        (topic, bytes) -> {
          throw new UnsupportedOperationException("messages are written only");
        });
  }

  /** Where messages of one kind go, and how they are made. */
  record To<T>(String topic, Function<T, byte[]> format) {
    Message of(T value) {
      return new Message(topic, format.apply(value));
    }
  }

  /** Makes the messages of an application. */
  static final class Formats<S, E, O> implements Outlet<S, E, O, Message> {
    private final Map<String, To<Emitted<O>>> outputs;
    private final @Nullable To<Entry<S, E, O>> refusals;

    Formats(Map<String, To<Emitted<O>>> outputs, @Nullable To<Entry<S, E, O>> refusals) {
      this.outputs = new HashMap<>(outputs);
      this.refusals = refusals;
    }

    @Override
    public @Nullable Message output(Emitted<O> output) {
      To<Emitted<O>> to = outputs.get(output.name());
      return to == null ? null : to.of(output);
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
      return refusals.of(refusal);
    }
  }
}
