package dev.oncefold.verify;

/** What a test tells a {@link SimulatedDisk} of what writes to it, and is told by the disk. */
public interface DiskObserver {
  /** Knows of no commits and looks at nothing. */
  DiskObserver NONE = new DiskObserver() {};

  /**
   * Whether a write opens a commit. It is open until its file is synced.
   *
   * @param name the file
   * @param bytes what is written there at once
   * @return true if it does
   */
  default boolean opensCommit(String name, byte[] bytes) {
    return false;
  }

  /**
   * A fault landed.
   *
   * @param fault which
   * @param op in which operation; of a failed sync of the directory, the change of names that it
   *     should have made durable last
   * @param name the file; empty where it struck between two operations
   * @param openCommit whether a commit was open
   */
  default void landed(DiskFault fault, DiskFault.Op op, String name, boolean openCommit) {}

  /**
   * A file was renamed.
   *
   * @param to its new name
   */
  default void renamed(String to) {}

  /**
   * A file was deleted.
   *
   * @param name the name that it had
   */
  default void deleted(String name) {}
}
