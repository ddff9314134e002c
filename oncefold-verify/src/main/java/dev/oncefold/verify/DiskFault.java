package dev.oncefold.verify;

import java.util.function.BooleanSupplier;

/** What can go wrong on a {@link SimulatedDisk}. */
public enum DiskFault {
  /** The process dies and the page cache with it: what was not synced is lost, in any part. */
  POWER_LOSS,
  /** The process dies; the page cache stays. */
  KILL,
  /** A write ends half-way. */
  WRITE_ERROR,
  /** A sync fails; what it should have written is written or not, and clean in any case. */
  SYNC_ERROR,
  /** Creating, renaming or deleting a file, or making that durable, fails. */
  DIRECTORY_ERROR,
  /** No space is left after a few bytes more. */
  DISK_FULL;

  /** Where faults strike: the operations of a disk. */
  public enum Op {
    /** A file is opened. */
    OPEN,
    /** A file is made. */
    CREATE,
    /** A file is renamed. */
    RENAME,
    /** A file is deleted. */
    DELETE,
    /** The names of files are made durable. */
    SYNC_DIRECTORY,
    /** The lock is taken. */
    LOCK,
    /** Bytes are written. */
    WRITE,
    /** What was written is made durable. */
    SYNC,
    /** A file is cut off. */
    TRUNCATE;

    /**
     * Whether it changes the directory, or makes changes of it durable.
     *
     * @return true if it does
     */
    public boolean ofDirectory() {
      return this == CREATE || this == RENAME || this == DELETE || this == SYNC_DIRECTORY;
    }
  }

  /** At what a fault is aimed. */
  @FunctionalInterface
  public interface Aim {
    /**
     * Whether a fault may strike an operation.
     *
     * @param op the operation
     * @param name the file; empty for the directory
     * @param openCommit tells whether a commit is written and not synced
     * @return true if it may
     */
    boolean at(Op op, String name, BooleanSupplier openCommit);
  }

  /**
   * Whether the process dies of it.
   *
   * @return true if it does; otherwise it is given an error
   */
  public boolean isCrash() {
    return this == POWER_LOSS || this == KILL;
  }

  /**
   * Its number among the faults of the proof, for a {@link Observation.Fault}.
   *
   * @return F2, F4, F5 (torn), F6 (of a sync) or F7 (no room for a file or for bytes)
   */
  public String number() {
    return switch (this) {
      case KILL -> "F2";
      case POWER_LOSS -> "F4";
      case WRITE_ERROR -> "F5";
      case SYNC_ERROR -> "F6";
      case DIRECTORY_ERROR, DISK_FULL -> "F7";
    };
  }

  boolean strikes(Op op) {
    return switch (this) {
      case POWER_LOSS, KILL -> true;
      case WRITE_ERROR -> op == Op.WRITE || op == Op.TRUNCATE;
      case SYNC_ERROR -> op == Op.SYNC;
      case DIRECTORY_ERROR -> op.ofDirectory();
      case DISK_FULL -> op == Op.WRITE;
    };
  }
}
