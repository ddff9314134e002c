package dev.oncefold.pipeline;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where the events of a pipeline come from. */
public sealed interface Origin {
  /**
   * A file.
   *
   * @param path the file
   * @param partition under which name the store keeps how far it was read
   */
  record File(Path path, String partition) implements Origin {}

  /**
   * Standard input.
   *
   * @param partition its name in the store
   */
  record Standard(String partition) implements Origin {}

  /**
   * A topic of Kafka. Its records have one JSON object each as their value.
   *
   * @param bootstrap the brokers to ask first, as {@code host:port}
   * @param topic the topic
   * @param group the consumer group that shares out the partitions; null where one reader has all
   *     of them
   * @param start where a partition that was never read begins
   * @param name what the names of its partitions in the store begin with: {@code name-0}
   * @param properties further settings of the client
   */
  record Kafka(
      String bootstrap,
      String topic,
      @Nullable String group,
      Start start,
      String name,
      Settings properties)
      implements Origin {}

  /** Where a partition that was never read begins. */
  enum Start {
    /** With the oldest record that is there. */
    BEGINNING,
    /** With what comes from now on. */
    END
  }
}
