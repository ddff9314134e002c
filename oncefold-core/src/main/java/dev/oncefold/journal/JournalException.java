package dev.oncefold.journal;

import org.jspecify.annotations.Nullable;

/**
 * The journal cannot be opened, read or written. The message names the file and offset, and says
 * what to do.
 */
public class JournalException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * With a message for a person.
   *
   * @param message what is wrong, where, and what to do
   */
  public JournalException(String message) {
    super(message);
  }

  /**
   * With a message for a person and the cause.
   *
   * @param message what is wrong, where, and what to do
   * @param cause the cause
   */
  public JournalException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Bytes that were durable are not what was written. Nothing was changed by finding that. */
  public static final class Corrupt extends JournalException {
    private static final long serialVersionUID = 1;
    private final String file;
    private final long offset;

    Corrupt(String file, long offset, String what) {
      super(
          "the journal is damaged: "
              + file
              + " at offset "
              + offset
              + ": "
              + what
              + ". Nothing was changed. Restore the file from a copy, or move the journal away and"
              + " apply the sources again");
      this.file = file;
      this.offset = offset;
    }

    /**
     * The damaged file.
     *
     * @return its path
     */
    public String file() {
      return file;
    }

    /**
     * Where the damage begins.
     *
     * @return the offset in bytes in the file
     */
    public long offset() {
      return offset;
    }
  }

  /**
   * The journal belongs to another fold, or to another version of it, or to other rules of that
   * version. It was not changed.
   *
   * @see Journal#rebuild
   */
  public static final class OtherFold extends JournalException {
    private static final long serialVersionUID = 1;

    OtherFold(String message) {
      super(message);
    }
  }
}
