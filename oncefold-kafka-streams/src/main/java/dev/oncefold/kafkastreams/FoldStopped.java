package dev.oncefold.kafkastreams;

/**
 * A stream thread stops, and nothing of what it has not committed stays. It is an Error and no
 * Exception: a {@code processing.exception.handler} may tell Kafka Streams to skip an event that
 * threw an Exception, and events are never skipped.
 *
 * <p>What happens next is up to the application's {@code StreamsUncaughtExceptionHandler}, which is
 * given this; {@link #again} says what to answer. {@link #getCause} tells a stop for an event that
 * Failed ({@link dev.oncefold.FailedEventException}).
 */
public final class FoldStopped extends Error {
  private static final long serialVersionUID = 1;
  private final boolean again;

  FoldStopped(boolean again, String message, Throwable cause) {
    super(message, cause);
    this.again = again;
  }

  FoldStopped(boolean again, String message) {
    super(message);
    this.again = again;
  }

  FoldStopped(boolean again, RuntimeException cause) {
    super(cause.getMessage(), cause);
    this.again = again;
  }

  /**
   * Whether a new thread in place of this one would get further ({@code REPLACE_THREAD}); otherwise
   * it would stop at the same place.
   *
   * @return true where the thread is to be replaced
   */
  public boolean again() {
    return again;
  }
}
