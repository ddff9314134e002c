package dev.oncefold.flink;

import dev.oncefold.FailedEventException;
import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * The job stops for an event that Failed: {@link #getCause} is the {@link FailedEventException}. It
 * is not restarted, since it would stop at the same place again.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class FoldStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FoldStoppedException(FailedEventException cause) {
    super(cause.getMessage(), cause);
  }
}
