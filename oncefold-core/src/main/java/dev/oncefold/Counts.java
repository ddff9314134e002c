package dev.oncefold;

/**
 * How many events had each verdict, and how many outputs they emitted. Every event is in exactly
 * one of the first six.
 *
 * @param applied accepted and applied
 * @param rejected rejected by the rules
 * @param duplicates re-sends of an event judged before
 * @param conflicts known ids with another payload
 * @param expired unknown ids at or below the floor
 * @param failed events that could not be judged
 * @param outputs values emitted by the applied events
 */
public record Counts(
    long applied,
    long rejected,
    long duplicates,
    long conflicts,
    long expired,
    long failed,
    long outputs) {
  /** No events. */
  public static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

  /**
   * All events counted.
   *
   * @return the sum of all verdicts
   */
  public long events() {
    return applied + rejected + duplicates + conflicts + expired + failed;
  }

  /**
   * The sum of both.
   *
   * @param other the other counts
   * @return the sum, count by count
   */
  public Counts plus(Counts other) {
    return new Counts(
        applied + other.applied,
        rejected + other.rejected,
        duplicates + other.duplicates,
        conflicts + other.conflicts,
        expired + other.expired,
        failed + other.failed,
        outputs + other.outputs);
  }

  /**
   * What these counts have more than earlier ones.
   *
   * @param earlier the earlier counts
   * @return the difference, count by count
   */
  public Counts minus(Counts earlier) {
    return new Counts(
        applied - earlier.applied,
        rejected - earlier.rejected,
        duplicates - earlier.duplicates,
        conflicts - earlier.conflicts,
        expired - earlier.expired,
        failed - earlier.failed,
        outputs - earlier.outputs);
  }

  /** Counts events one by one. Not thread-safe. */
  public static final class Tally {
    private long applied;
    private long rejected;
    private long duplicates;
    private long conflicts;
    private long expired;
    private long failed;
    private long outputs;

    /**
     * Counts one event.
     *
     * @param verdict its verdict
     */
    public void add(Verdict<?, ?> verdict) {
      add(
          verdict.kind(),
          verdict instanceof Verdict.Applied<?, ?> accepted ? accepted.outputs().size() : 0);
    }

    /**
     * Counts one event.
     *
     * @param kind its verdict's kind
     * @param emitted how many outputs it emitted
     */
    public void add(Verdict.Kind kind, int emitted) {
      switch (kind) {
        case APPLIED -> applied++;
        case REJECTED -> rejected++;
        case DUPLICATE -> duplicates++;
        case CONFLICT -> conflicts++;
        case EXPIRED -> expired++;
        case FAILED -> failed++;
      }
      outputs += emitted;
    }

    /**
     * Goes on from earlier counts.
     *
     * @param counts the counts to go on from
     */
    public void reset(Counts counts) {
      applied = counts.applied;
      rejected = counts.rejected;
      duplicates = counts.duplicates;
      conflicts = counts.conflicts;
      expired = counts.expired;
      failed = counts.failed;
      outputs = counts.outputs;
    }

    /**
     * What was counted.
     *
     * @return the counts so far
     */
    public Counts counts() {
      return new Counts(applied, rejected, duplicates, conflicts, expired, failed, outputs);
    }
  }
}
