package dev.oncefold.flinkjob;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a second process of this machine from going on from the same checkpoints: for a while both
 * would write some, and the last of them need not be that of the one whose outputs are committed.
 * The lock is the system's, and goes with the process.
 */
final class DirectoryLock implements AutoCloseable {
  private final @Nullable FileChannel channel;

  private DirectoryLock(@Nullable FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock of a job; answers null where another process has it. What is no directory of
   * this machine is not locked.
   */
  static @Nullable DirectoryLock take(String directory, String job) throws IOException {
    URI uri = URI.create(directory);
    if (!"file".equals(uri.getScheme())) {
      return new DirectoryLock(null);
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
    return lock == null ? null : new DirectoryLock(channel);
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
