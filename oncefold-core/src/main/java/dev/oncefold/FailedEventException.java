package dev.oncefold;

/**
 * A run stopped before an event that {@link Verdict.Failed}. Everything before it is committed,
 * nothing of it is applied; the next run starts with it.
 */
public final class FailedEventException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final String partition;
  private final long offset;
  private final String position;
  private final Verdict.Cause failure;
  private final String reason;

  /**
   * A run stopped.
   *
   * @param partition the event's partition
   * @param received what was read
   * @param failed its verdict
   * @param message where it stands, what is wrong and what to do
   */
  public FailedEventException(
      String partition, Received<?> received, Verdict.Failed<?, ?> failed, String message) {
    super(message);
    this.partition = partition;
    this.offset = received.offset();
    this.position = received.positionId(partition);
    this.failure = failed.cause();
    this.reason = failed.reason();
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
   * Where the event stands, as its id is told where it has none of its own, and as {@link
   * Runner#refusing} takes it.
   *
   * @return {@code partition@offset}
   */
  public String position() {
    return position;
  }

  /**
   * Why the event failed, without where it stands and what to do.
   *
   * @return the reason
   */
  public String reason() {
    return reason;
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
