package dev.oncefold.kafkastreams;

/** A fold cannot be run so, or on what is stored: the message says why and what to do. */
public sealed class StreamsFoldException extends RuntimeException {
  private static final long serialVersionUID = 1;

  StreamsFoldException(String message) {
    super(message);
  }

  StreamsFoldException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What is stored was judged by other rules; {@link StreamsFold#acceptingChange} goes on. */
  public static final class OtherRules extends StreamsFoldException {
    private static final long serialVersionUID = 1;

    OtherRules(String message) {
      super(message);
    }
  }
}
