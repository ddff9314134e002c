package dev.oncefold.kafkastreams;

import java.util.Map;
import org.apache.kafka.streams.StreamsConfig;

/** What of an application's settings must be so. */
final class Settings {
  private Settings() {}

  /**
   * Refuses settings under which events are lost or applied twice.
   *
   * @param settings the application's
   * @throws StreamsFoldException saying which setting, and why
   */
  static void check(Map<String, ?> settings) {
    Object guarantee = settings.get(StreamsConfig.PROCESSING_GUARANTEE_CONFIG);
    if (!StreamsConfig.EXACTLY_ONCE_V2.equals(guarantee)) {
      throw new StreamsFoldException(
          "the setting "
              + StreamsConfig.PROCESSING_GUARANTEE_CONFIG
              + " is "
              + (guarantee == null ? "left at " + StreamsConfig.AT_LEAST_ONCE : guarantee)
              + ", and a fold needs "
              + StreamsConfig.EXACTLY_ONCE_V2
              + ": otherwise state, outputs and position are written apart, and a crash between"
              + " them applies events twice. Set "
              + StreamsConfig.PROCESSING_GUARANTEE_CONFIG
              + "="
              + StreamsConfig.EXACTLY_ONCE_V2);
    }
  }
}
