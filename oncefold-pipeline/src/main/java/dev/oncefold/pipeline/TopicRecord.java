package dev.oncefold.pipeline;

import org.jspecify.annotations.Nullable;

/** One record of a topic, by its parts. */
public interface TopicRecord {
  /** The timestamp of a record that has none. */
  long NO_TIMESTAMP = -1;

  /**
   * The key.
   *
   * @return the key as it is, or null
   */
  byte @Nullable [] key();

  /**
   * The value.
   *
   * @return the value as it is, or null
   */
  byte @Nullable [] value();

  /**
   * The timestamp.
   *
   * @return epoch milliseconds, or {@link #NO_TIMESTAMP}
   */
  long timestamp();

  /**
   * A header.
   *
   * @param name its name
   * @return the value of the last one of that name, or null
   */
  byte @Nullable [] header(String name);
}
