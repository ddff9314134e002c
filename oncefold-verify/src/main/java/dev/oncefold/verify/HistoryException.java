package dev.oncefold.verify;

/** A history cannot be read: the message says where, and what is wrong. */
public final class HistoryException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * A history cannot be read.
   *
   * @param message where, and what is wrong
   * @param cause what was caught, or null
   */
  public HistoryException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
    super(message, cause);
  }
}
