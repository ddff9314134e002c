package dev.oncefold;

import org.jspecify.annotations.Nullable;

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
   * @param offset where it stands there
   * @param position what {@link #position} tells
   * @param event the event; null where none could be decoded
   * @param failed its verdict
   * @param advice what is applied, and what to do; behind where it stands and what is wrong
   */
  public FailedEventException(
      String partition,
      long offset,
      String position,
      @Nullable Event<?> event,
      Verdict.Failed<?, ?> failed,
      String advice) {
    super(
        "stopped at "
            + position
            + (event == null ? "" : which(event))
            + ": "
            + failed.reason()
            + ". "
            + advice);
    this.partition = partition;
    this.offset = offset;
    this.position = position;
    this.failure = failed.cause();
    this.reason = failed.reason();
  }

  private static String which(Event<?> event) {
    return " (key \""
        + event.key()
        + "\""
        + (event.id() == null ? "" : ", id \"" + event.id() + "\"")
        + ")";
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
   * @return {@code partition@offset}, with more behind it where several events stand there
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
