package dev.oncefold.flinkjob;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.flink.util.FileUtils;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a second process of this machine from going on from the same checkpoints: for a while both
 * would write some, and the last of them need not be that of the one whose outputs are committed.
 * The lock is the system's, and goes with the process.
 */
final class DirectoryLock implements AutoCloseable {
  private final @Nullable FileChannel channel;
  private final @Nullable Path work;

  private DirectoryLock(@Nullable FileChannel channel, @Nullable Path work) {
    this.channel = channel;
    this.work = work;
  }

  /**
   * Takes the lock of a job; answers null where another process has it. What is no directory of
   * this machine is not locked.
   */
  static @Nullable DirectoryLock take(String directory, String job) throws IOException {
    URI uri = URI.create(directory);
    if (!"file".equals(uri.getScheme())) {
      return new DirectoryLock(null, null);
    }
    Path file = Files.createDirectories(Path.of(uri.getPath())).resolve("." + job + ".lock");
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // another in this process
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    Path work =
        Path.of(
            System.getProperty("java.io.tmpdir"),
            "oncefold-" + job + "-" + Integer.toHexString(uri.hashCode()));
    return lock == null ? null : new DirectoryLock(channel, work);
  }

  /**
   * An empty directory for what the job keeps on a disk while it runs, such as RocksDB's files; the
   * same each time, so that what a process that was killed has left there is removed. Null where
   * the checkpoints are not on this machine.
   */
  @Nullable Path work() {
    if (work != null) {
      try {
        FileUtils.deleteDirectory(work.toFile());
        Files.createDirectory(work);
      } catch (IOException e) {
        throw new UncheckedIOException(
            "the directory "
                + work
                + " for the job's files while it runs cannot be made: "
                + e
                + ". Remove it, or name another directory above it with -Djava.io.tmpdir=DIRECTORY",
            e);
      }
    }
    return work;
  }

  @Override
  public void close() throws IOException {
    if (work != null) {
      FileUtils.deleteDirectoryQuietly(work.toFile()); // else the next run does
    }
    if (channel != null) {
      channel.close();
    }
  }
}
