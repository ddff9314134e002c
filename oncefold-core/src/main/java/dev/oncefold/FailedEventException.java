package dev.oncefold;

/**
 * A run stopped before an event that {@link Verdict.Failed}. Everything before it is committed,
 * nothing of it is applied; the next run starts with it.
 */
public final class FailedEventException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final String partition;
  private final long offset;
  private final Verdict.Cause failure;

  FailedEventException(String partition, long offset, Verdict.Cause failure, String message) {
    super(message);
    this.partition = partition;
    this.offset = offset;
    this.failure = failure;
  }

  /**
   * The event's partition.
   *
   * @return its name
   */
  public String partition() {
    return partition;
  }

  /**
   * Where the event stands in its partition.
   *
   * @return the offset
   */
  public long offset() {
    return offset;
  }

  /**
   * What kind of failure it was.
   *
   * @return the cause
   */
  public Verdict.Cause failure() {
    return failure;
  }
}
