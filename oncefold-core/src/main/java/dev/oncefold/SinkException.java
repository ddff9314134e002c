package dev.oncefold;

/** A sink cannot be opened or written. The message says which, what is wrong and what to do. */
public final class SinkException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person and the cause.
   *
   * @param message what is wrong, where, and what to do
   * @param cause the cause
   */
  public SinkException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * With a message for a person.
   *
   * @param message what is wrong, where, and what to do
   */
  public SinkException(String message) {
    super(message);
  }
}
