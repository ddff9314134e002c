package dev.oncefold.kafkastreams;

/**
 * A stream thread stops, and would stop at the same place again; nothing of what it has not
 * committed stays. It is an Error and no Exception: a {@code processing.exception.handler} may tell
 * Kafka Streams to skip an event that threw an Exception, and events are never skipped.
 *
 * <p>What happens next is up to the application's {@code StreamsUncaughtExceptionHandler}, which is
 * given this. {@link #getCause} tells a stop for an event that Failed: a {@link
 * dev.oncefold.FailedEventException}.
 */
public final class FoldStopped extends Error {
  private static final long serialVersionUID = 1;

  FoldStopped(String message) {
    super(message);
  }

  FoldStopped(RuntimeException cause) {
    super(cause.getMessage(), cause);
  }
}
