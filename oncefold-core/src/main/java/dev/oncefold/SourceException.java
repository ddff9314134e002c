package dev.oncefold;

/** An input cannot be read, or is not what it was. The message says which, where and what to do. */
public final class SourceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person.
   *
   * @param message what is wrong, where, and what to do
   */
  public SourceException(String message) {
    super(message);
  }

  /**
   * With a message for a person and the cause.
   *
   * @param message what is wrong, where, and what to do
   * @param cause the cause
   */
  public SourceException(String message, Throwable cause) {
    super(message, cause);
  }
}
