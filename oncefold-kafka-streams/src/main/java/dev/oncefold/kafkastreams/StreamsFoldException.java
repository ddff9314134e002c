package dev.oncefold.kafkastreams;

/** A fold cannot be run so, or on what is stored: the message says why and what to do. */
public final class StreamsFoldException extends RuntimeException {
  private static final long serialVersionUID = 1;

  StreamsFoldException(String message) {
    super(message);
  }

  StreamsFoldException(String message, Throwable cause) {
    super(message, cause);
  }
}
