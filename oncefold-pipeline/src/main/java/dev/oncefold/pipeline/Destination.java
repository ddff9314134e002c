package dev.oncefold.pipeline;

import java.nio.file.Path;

/** Where an output, or the refusals, of a pipeline go. */
public sealed interface Destination {
  /**
   * A file, one object a line.
   *
   * @param path the file
   */
  record File(Path path) implements Destination {}

  /**
   * A topic of Kafka, one object a record.
   *
   * @param bootstrap the brokers to ask first, as {@code host:port}
   * @param topic the topic
   * @param properties further settings of the client
   */
  record Kafka(String bootstrap, String topic, Settings properties) implements Destination {}
}
