package dev.oncefold.flink;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * A fold cannot be run so, or on what is stored: the message says why and what to do. In a task it
 * ends the job without a restart.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public sealed class FlinkFoldException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FlinkFoldException(String message) {
    super(message);
  }

  FlinkFoldException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What is stored was judged by other rules; {@link FlinkFold#acceptingChange} goes on. */
  @ThrowableAnnotation(ThrowableType.NonRecoverableError)
  public static final class OtherRules extends FlinkFoldException {
    private static final long serialVersionUID = 1;

    OtherRules(String message) {
      super(message);
    }
  }
}
