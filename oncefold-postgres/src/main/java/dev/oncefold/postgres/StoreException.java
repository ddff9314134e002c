package dev.oncefold.postgres;

import org.jspecify.annotations.Nullable;

/**
 * The store in PostgreSQL cannot be opened, or cannot go on. The message names the table, setting
 * or key, and says what to do. Nothing of the batch in hand is committed.
 */
public class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person.
   *
   * @param message what is wrong, where, and what to do
   */
  public StoreException(String message) {
    super(message);
  }

  /**
   * With a message for a person and the cause.
   *
   * @param message what is wrong, where, and what to do
   * @param cause the cause
   */
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * What is stored belongs to another version of the fold, or to other rules of that version.
   * Nothing was changed.
   *
   * @see Options#acceptingChange
   */
  public static final class OtherFold extends StoreException {
    private static final long serialVersionUID = 1;

    OtherFold(String message) {
      super(message);
    }
  }

  /**
   * The run was told to stop while the database was away, and waited no longer. Nothing of the
   * batch in hand is committed, or it is found out by whoever goes on.
   */
  public static final class Stopped extends StoreException {
    private static final long serialVersionUID = 1;

    Stopped(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
