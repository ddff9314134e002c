package dev.oncefold.verify;

/** A child process went its own way: the message says how, and what it said last. */
public final class ChildException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * A child went its own way.
   *
   * @param message how, and what it said last
   */
  public ChildException(String message) {
    super(message);
  }
}
