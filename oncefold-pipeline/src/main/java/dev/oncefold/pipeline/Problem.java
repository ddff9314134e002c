package dev.oncefold.pipeline;

/**
 * Something in a pipeline file that keeps it from running.
 *
 * @param line the line in the file, from 1; 0 where it is about the file as a whole
 * @param column the column in the line, from 1; 0 where it is about the whole line or file
 * @param message what is wrong and what to do, for a person
 */
public record Problem(int line, int column, String message) {
  /**
   * The problem behind its place, as compilers print it.
   *
   * @param file the file as the user named it
   * @return {@code file:line:column: message}
   */
  public String told(String file) {
    return file
        + (line > 0 ? ":" + line : "")
        + (line > 0 && column > 0 ? ":" + column : "")
        + ": "
        + message;
  }
}
