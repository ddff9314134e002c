package dev.oncefold;

/**
 * Thrown by an {@link Update} to make its event {@link Verdict.Failed} with a reason in its own
 * words. What else an update throws is told with the name of its class.
 */
public final class FailureException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * A failure.
   *
   * @param reason why the event cannot be judged, for a person
   */
  public FailureException(String reason) {
    // The reason is all that is used of it, and dirty data may throw it for every event.
    super(reason, null, false, false);
  }
}
