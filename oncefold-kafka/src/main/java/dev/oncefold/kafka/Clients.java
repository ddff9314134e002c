package dev.oncefold.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What a source and a sink have in common. */
final class Clients {
  private static final long JUST_MADE = TimeUnit.SECONDS.toNanos(3);
  private static final long ASK_AGAIN_MILLIS = 50;

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

  /** A question about a topic. */
  @FunctionalInterface
  interface Question<T> {
    KafkaFuture<T> ask();
  }

  /**
   * The answer to a question about a topic. A broker may not know one yet that was just made: it is
   * asked again for a while.
   */
  static <T> T known(Question<T> question) throws ExecutionException, InterruptedException {
    long begin = System.nanoTime();
    while (true) {
      try {
        return question.ask().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
            || System.nanoTime() - begin > JUST_MADE) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(ASK_AGAIN_MILLIS);
      }
    }
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
