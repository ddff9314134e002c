package dev.oncefold.journal;

import dev.oncefold.verify.DiskFault;
import java.util.function.BooleanSupplier;

/** At what of a journal a fault is aimed. */
enum SimAim implements DiskFault.Aim {
  ANYTHING,
  SNAPSHOT,
  ROLL,
  /** The names of files. */
  NAMES,
  SINK,
  COMMIT,
  /** Where a commit is written and not synced. */
  OPEN_COMMIT;

  @Override
  public boolean at(DiskFault.Op op, String name, BooleanSupplier openCommit) {
    return switch (this) {
      case ANYTHING -> true;
      case COMMIT ->
          name.endsWith(Log.SUFFIX) && (op == DiskFault.Op.WRITE || op == DiskFault.Op.SYNC);
      case OPEN_COMMIT -> openCommit.getAsBoolean();
      case ROLL -> name.endsWith(Log.SUFFIX + Log.TEMPORARY);
      case SNAPSHOT ->
          name.contains(Snapshot.SUFFIX) && op != DiskFault.Op.DELETE && op != DiskFault.Op.OPEN;
      case NAMES -> op.ofDirectory();
      case SINK -> name.endsWith(".txt") && op != DiskFault.Op.OPEN;
    };
  }
}
