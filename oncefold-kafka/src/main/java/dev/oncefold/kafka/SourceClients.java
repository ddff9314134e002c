package dev.oncefold.kafka;

import dev.oncefold.SourceException;
import java.util.Locale;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The consumer of a {@link KafkaSource}, and what it fails with in words for a person. */
final class SourceClients {
  private static final String DESERIALIZER = ByteArrayDeserializer.class.getName();

  private SourceClients() {}

  /** What the user set and what must be so. */
  static Settings settings(KafkaSource.Plan<?> plan) {
    Settings settings =
        new Settings(plan.properties(), System::getenv, SourceException::new)
            .force("bootstrap.servers", plan.bootstrap(), "the source names the cluster")
            .force(
                "enable.auto.commit",
                "false",
                "where to go on is committed by the store, together with the state")
            .force(
                "auto.offset.reset",
                "none",
                "where to begin is said once, by startingAt; events that are gone are never skipped")
            .force(
                "isolation.level",
                "read_committed",
                "events of transactions that may still be aborted are never applied")
            .force("key.deserializer", DESERIALIZER, "the source's decoding gets the bytes")
            .force("value.deserializer", DESERIALIZER, "the source's decoding gets the bytes")
            .preset("allow.auto.create.topics", "false")
            .preset("max.poll.records", "10000")
            // Partitions that are added are noticed by this.
            .preset("metadata.max.age.ms", "30000");
    String group = plan.group();
    if (group != null) {
      settings.force("group.id", group, "the source names the group");
      if (!"consumer".equals(protocol(settings))) {
        settings.preset("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
      }
    } else if (settings.has("group.id")) {
      throw new SourceException(
          "the setting group.id is not for properties: name the group by KafkaSource.group");
    }
    return settings;
  }

  private static String protocol(Settings settings) {
    String protocol = settings.get("group.protocol");
    return protocol == null ? "classic" : protocol.toLowerCase(Locale.ROOT);
  }

  static Consumer<byte[], byte[]> consumer(Settings settings) {
    return new KafkaConsumer<>(settings.map());
  }

  static SourceException failed(KafkaSource.Plan<?> plan, Settings settings, Throwable e) {
    if (e instanceof SourceException told) {
      return told;
    }
    String advice =
        e instanceof AuthorizationException
            ? ". The user needs the rights READ and DESCRIBE on the topic"
                + (plan.group() == null ? "" : ", and READ on the group \"" + plan.group() + "\"")
            : Clients.advice(e);
    String message = plan + " cannot be read: " + settings.told(e) + advice;
    Throwable cause = settings.cause(e);
    return cause == null ? new SourceException(message) : new SourceException(message, cause);
  }
}
