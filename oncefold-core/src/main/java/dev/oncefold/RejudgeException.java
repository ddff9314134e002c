package dev.oncefold;

/**
 * A batch was dropped whole, for a reason that is over by now or that a fresh look settles: a
 * deadlock, a lost connection, a row that another transaction changed first. Nothing of it is
 * committed and nothing of it is left in memory; the same events are to be judged again from the
 * same position. The store has waited as long as it is useful to wait.
 */
public final class RejudgeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person and the cause.
   *
   * @param message what happened
   * @param cause the cause
   */
  public RejudgeException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * With a message for a person.
   *
   * @param message what happened
   */
  public RejudgeException(String message) {
    super(message);
  }
}
