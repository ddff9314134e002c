package dev.oncefold;

/** The store refuses a batch: another owner has taken the partition over, or has moved it on. */
public final class FencedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person.
   *
   * @param message which partition, and who holds it
   */
  public FencedException(String message) {
    super(message);
  }
}
