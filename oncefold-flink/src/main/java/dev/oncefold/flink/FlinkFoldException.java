package dev.oncefold.flink;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * A fold cannot be run so, or on what is stored: the message says why and what to do. In a task it
 * ends the job without a restart.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class FlinkFoldException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FlinkFoldException(String message) {
    super(message);
  }

  FlinkFoldException(String message, Throwable cause) {
    super(message, cause);
  }
}
