package dev.oncefold.journal;

import java.util.function.BooleanSupplier;

/** Kinds of fault. */
enum SimFault {
  /** The process dies and the page cache with it. */
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

  /** Where faults strike. */
  enum Op {
    OPEN,
    CREATE,
    RENAME,
    DELETE,
    SYNC_DIRECTORY,
    LOCK,
    WRITE,
    SYNC,
    TRUNCATE;

    boolean ofDirectory() {
      return this == CREATE || this == RENAME || this == DELETE || this == SYNC_DIRECTORY;
    }
  }

  /** When in an operation the process dies. */
  enum Moment {
    BEFORE,
    HALF_WAY,
    AFTER,
    /** It does not. */
    NEVER
  }

  /** At what a fault is aimed. */
  enum Aim {
    ANYTHING,
    SNAPSHOT,
    ROLL,
    /** The names of files. */
    NAMES,
    SINK,
    COMMIT,
    /** Where a commit is written and not synced. */
    OPEN_COMMIT;

    boolean at(Op op, String name, BooleanSupplier openCommit) {
      return switch (this) {
        case ANYTHING -> true;
        case COMMIT -> name.endsWith(Log.SUFFIX) && (op == Op.WRITE || op == Op.SYNC);
        case OPEN_COMMIT -> openCommit.getAsBoolean();
        case ROLL -> name.endsWith(Log.SUFFIX + Log.TEMPORARY);
        case SNAPSHOT -> name.contains(Snapshot.SUFFIX) && op != Op.DELETE && op != Op.OPEN;
        case NAMES -> op.ofDirectory();
        case SINK -> name.endsWith(".txt") && op != Op.OPEN;
      };
    }
  }

  /** Told where a fault landed. */
  interface Observer {
    void landed(SimFault fault, Op op, String name, boolean openCommit);
  }

  boolean isCrash() {
    return this == POWER_LOSS || this == KILL;
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
