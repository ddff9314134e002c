package dev.oncefold.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What a source and a sink have in common. */
final class Clients {
  private Clients() {}

  /** A client for questions about the cluster, with the settings of another client. */
  static Admin admin(Settings settings) {
    Map<String, Object> shared = new HashMap<>(settings.map());
    // What only a consumer or a producer knows; the rest may be for plug-ins of the user's.
    shared
        .keySet()
        .removeIf(
            name ->
                (ConsumerConfig.configNames().contains(name)
                        || ProducerConfig.configNames().contains(name))
                    && !AdminClientConfig.configNames().contains(name));
    return Admin.create(shared);
  }

  /** What to do about an error of Kafka's; empty where that is not known. */
  static String advice(Throwable e) {
    if (e instanceof AuthenticationException) {
      return ". Check security.protocol, and the settings that begin with sasl or ssl";
    } else if (e instanceof UnknownTopicOrPartitionException) {
      return ". Make the topic, or correct its name";
    } else if (e instanceof TimeoutException) {
      return ". Is that the right address, and is a broker running there?";
    }
    return "";
  }
}
