package dev.oncefold.journal;

import java.time.Clock;
import java.util.Objects;

/**
 * How a journal is kept. Immutable: each method answers a new value.
 *
 * @param history whether each event and the state after it are kept
 * @param acceptChange whether a journal of another version of the fold, or of other rules, goes on
 *     under the new ones
 * @param clock held against event times, and stamped on commits
 * @param segmentBytes how large one file of the log grows
 * @param snapshotBytes how much log is written between two snapshots, at least
 * @param retainBytes how much log is kept behind the newest snapshot for history; what a sink has
 *     not passed is kept in any case
 * @param groupBytes how large a group of commits grows while the one before is written; then
 *     batches wait
 * @param queue how many submitted events may wait to be judged; then {@link Journal#submit} waits
 */
public record Options(
    History history,
    boolean acceptChange,
    Clock clock,
    int segmentBytes,
    long snapshotBytes,
    long retainBytes,
    int groupBytes,
    int queue) {

  /** What is kept of events that are judged. */
  public enum History {
    /** Each event and the state after it, for history, as-of and rebuild. */
    FULL,
    /** Only what recovery and the sinks need. */
    NONE
  }

  public Options {
    Objects.requireNonNull(history);
    Objects.requireNonNull(clock);
    if (segmentBytes < 1 << 16) {
      throw new IllegalArgumentException("a segment is at least 65536 bytes, not " + segmentBytes);
    }
    if (snapshotBytes < 1 || retainBytes < 0 || groupBytes < 1 || queue < 1) {
      throw new IllegalArgumentException("sizes are positive");
    }
  }

  /**
   * Full history, kept for ever; the system's clock; segments of 64 MiB; a snapshot each 64 MiB of
   * log or more; groups of up to 1 MiB; 8192 waiting events.
   *
   * @return the options
   */
  public static Options defaults() {
    return new Options(
        History.FULL, false, Clock.systemUTC(), 1 << 26, 1 << 26, Long.MAX_VALUE, 1 << 20, 8192);
  }

  /**
   * Sets what is kept of events. With {@link History#NONE} old segments go once a snapshot and all
   * sinks have passed them, unless {@link #retainBytes(long)} says otherwise afterwards.
   *
   * @param history the choice
   * @return new options
   */
  public Options history(History history) {
    return new Options(
        history,
        acceptChange,
        clock,
        segmentBytes,
        snapshotBytes,
        history == History.NONE ? 0 : Long.MAX_VALUE,
        groupBytes,
        queue);
  }

  /**
   * Goes on under another version of the fold, or under other rules: remembered verdicts and states
   * stay as they are.
   *
   * @return new options
   */
  public Options acceptingChange() {
    return new Options(
        history, true, clock, segmentBytes, snapshotBytes, retainBytes, groupBytes, queue);
  }

  /**
   * Sets the clock.
   *
   * @param clock the clock
   * @return new options
   */
  public Options clock(Clock clock) {
    return new Options(
        history, acceptChange, clock, segmentBytes, snapshotBytes, retainBytes, groupBytes, queue);
  }

  /**
   * Sets how large one file of the log grows.
   *
   * @param bytes at least 65536; a larger group makes a larger segment
   * @return new options
   */
  public Options segmentBytes(int bytes) {
    return new Options(
        history, acceptChange, clock, bytes, snapshotBytes, retainBytes, groupBytes, queue);
  }

  /**
   * Sets how much log is written between two snapshots, at least: also never less than the size of
   * the last snapshot.
   *
   * @param bytes the amount
   * @return new options
   */
  public Options snapshotBytes(long bytes) {
    return new Options(
        history, acceptChange, clock, segmentBytes, bytes, retainBytes, groupBytes, queue);
  }

  /**
   * Sets how much log is kept behind the newest snapshot.
   *
   * @param bytes the amount; whole segments are kept
   * @return new options
   */
  public Options retainBytes(long bytes) {
    return new Options(
        history, acceptChange, clock, segmentBytes, snapshotBytes, bytes, groupBytes, queue);
  }

  /**
   * Sets how large a group of commits grows before batches wait for the disk.
   *
   * @param bytes the size
   * @return new options
   */
  public Options groupBytes(int bytes) {
    return new Options(
        history, acceptChange, clock, segmentBytes, snapshotBytes, retainBytes, bytes, queue);
  }

  /**
   * Sets how many submitted events may wait.
   *
   * @param events the count
   * @return new options
   */
  public Options queue(int events) {
    return new Options(
        history, acceptChange, clock, segmentBytes, snapshotBytes, retainBytes, groupBytes, events);
  }
}
