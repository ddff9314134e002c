package dev.oncefold;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One directory of files: all that Oncefold asks of a file system, in one small seam, so that a
 * simulated disk can stand in. Names are relative to the directory.
 *
 * <p>Safe for use by several threads; of one file, reads at several places at a time and one
 * writer.
 */
public interface Disk {
  /**
   * A directory of the default file system, made if absent.
   *
   * @param directory the directory
   * @return its disk
   * @throws IOException if it cannot be made or is no directory
   */
  static Disk at(Path directory) throws IOException {
    return RealDisk.at(directory);
  }

  /**
   * A directory of the default file system, if it is there. Nothing is made.
   *
   * @param directory the directory
   * @return its disk, or null where there is none
   * @throws IOException if it is no directory
   */
  static @Nullable Disk existing(Path directory) throws IOException {
    return RealDisk.existing(directory);
  }

  /**
   * Lists the files.
   *
   * @return their names, in no order
   * @throws IOException if the directory cannot be read
   */
  List<String> list() throws IOException;

  /**
   * Opens a file that exists.
   *
   * @param name its name
   * @param writable whether it will be written
   * @return the file
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws IOException if it cannot be opened
   */
  Handle open(String name, boolean writable) throws IOException;

  /**
   * Makes an empty file, in place of one of that name.
   *
   * @param name its name
   * @return the file
   * @throws IOException if it cannot be made
   */
  Handle create(String name) throws IOException;

  /**
   * Renames a file, in place of one of the new name, atomically.
   *
   * @param from the old name
   * @param to the new name
   * @throws IOException if it cannot be renamed
   */
  void rename(String from, String to) throws IOException;

  /**
   * Deletes a file.
   *
   * @param name its name
   * @throws IOException if it cannot be deleted
   */
  void delete(String name) throws IOException;

  /**
   * Makes the names of files durable: what was created, renamed and deleted before.
   *
   * @throws IOException if that failed
   */
  void sync() throws IOException;

  /**
   * Takes the lock against other processes, and against other users in this one.
   *
   * @param name the lock file's name
   * @return released when closed; null where somebody else holds it
   * @throws IOException if the lock file cannot be made
   */
  @Nullable Closeable lock(String name) throws IOException;

  /**
   * Names a file for a message.
   *
   * @param name its name
   * @return its path, as a person would look for it
   */
  String path(String name);

  /** An open file. */
  interface Handle extends Closeable {
    /**
     * The file's size.
     *
     * @return the size in bytes
     * @throws IOException if it cannot be told
     */
    long size() throws IOException;

    /**
     * Reads some bytes.
     *
     * @param at where
     * @param into filled from its position towards its limit
     * @return how many were read, at least one unless the buffer is full; -1 at the end of the file
     * @throws IOException if they cannot be read
     */
    int read(long at, ByteBuffer into) throws IOException;

    /**
     * Writes all bytes of a buffer.
     *
     * @param at where
     * @param from the bytes between its position and limit
     * @throws IOException if they cannot all be written; a part may be
     */
    void write(long at, ByteBuffer from) throws IOException;

    /**
     * Makes what was written, and the size, durable.
     *
     * @throws IOException if that failed; then nothing is known of any write since the last sync
     */
    void sync() throws IOException;

    /**
     * Cuts the file off.
     *
     * @param size the new size, at most the present one
     * @throws IOException if that failed
     */
    void truncate(long size) throws IOException;
  }
}
