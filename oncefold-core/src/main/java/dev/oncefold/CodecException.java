package dev.oncefold;

/**
 * A value that cannot be written, bytes that cannot be read, or two schemas that do not fit
 * together. The message says what is wrong and, where that is known, in which field.
 *
 * <p>The codecs of users throw it too; what else they throw while reading is wrapped in it.
 */
public final class CodecException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private String where = "";

  /**
   * An exception without a cause.
   *
   * @param message what is wrong
   */
  public CodecException(String message) {
    super(message);
  }

  /**
   * An exception with a cause.
   *
   * @param message what is wrong
   * @param cause why
   */
  public CodecException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What a user's code threw while a value was taken apart; a CodecException stays what it is. */
  static CodecException of(String message, RuntimeException e) {
    return e instanceof CodecException already
        ? already
        : new CodecException(message + ": " + e, e);
  }

  /**
   * Puts a step in front of the path to the trouble. The path is made while the exception passes
   * through the callers, so that values in good order pay nothing for it.
   */
  CodecException at(String step) {
    where = step + where;
    return this;
  }

  /** Says what is wrong, after the path of the field where that is known: "Account.cents: …". */
  @Override
  public String getMessage() {
    String what = String.valueOf(super.getMessage());
    return where.isEmpty() ? what : where + ": " + what;
  }
}
