package dev.oncefold.kafkastreams;

/** A fold cannot be run so, or on what is stored: the message says why and what to do. */
public final class StreamsFoldException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final boolean again;

  StreamsFoldException(String message) {
    super(message);
    this.again = false;
  }

  StreamsFoldException(String message, Throwable cause) {
    this(message, cause, false);
  }

  StreamsFoldException(String message, Throwable cause, boolean again) {
    super(message, cause);
    this.again = again;
  }

  /** Whether a new thread would get further. */
  boolean again() {
    return again;
  }
}
