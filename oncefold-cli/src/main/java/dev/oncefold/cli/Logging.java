package dev.oncefold.cli;

/** What the libraries of this program log: warnings, to standard error. */
final class Logging {
  private static final String LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

  private Logging() {}

  /** Warnings only; call it before anything is logged. */
  static void warnings() {
    System.setProperty(LEVEL, "warn");
    // It warns of much that is as it should be; why a job fails is told anyway.
    System.setProperty("org.slf4j.simpleLogger.log.org.apache.flink", "error");
    System.setProperty("org.slf4j.simpleLogger.showDateTime", "true");
    System.setProperty("org.slf4j.simpleLogger.dateTimeFormat", "HH:mm:ss");
    System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
    System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
  }

  /** Nothing; call it before anything is logged. */
  static void off() {
    System.setProperty(LEVEL, "off");
  }
}
