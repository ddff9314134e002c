package dev.oncefold.verify;

/**
 * This system cannot do a fault. It was not run, which is no pass: the message, which says why,
 * belongs into what is reported.
 */
public final class NotRunException extends Exception {
  private static final long serialVersionUID = 1;

  /**
   * A fault was not run.
   *
   * @param message what this system cannot do, and what would help
   */
  public NotRunException(String message) {
    super(message);
  }
}
