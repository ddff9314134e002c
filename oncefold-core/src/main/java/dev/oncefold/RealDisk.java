package dev.oncefold;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The {@link Disk} of the default file system. */
final class RealDisk implements Disk {
  /** The lock files that this process holds. */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path directory;

  private RealDisk(Path directory) {
    this.directory = directory;
  }

  static @Nullable RealDisk existing(Path directory) throws IOException {
    if (Files.notExists(directory)) {
      return null;
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory.toString());
    }
    return new RealDisk(directory);
  }

  static RealDisk at(Path directory) throws IOException {
    RealDisk existing = existing(directory);
    if (existing != null) {
      return existing;
    }
    Path made = directory.toAbsolutePath();
    while (made != null && !Files.exists(made)) {
      made = made.getParent();
    }
    Files.createDirectories(directory);
    // A new directory is as durable as its name in the one above it.
    for (Path at = directory.toAbsolutePath().getParent();
        at != null && made != null && at.startsWith(made);
        at = at.getParent()) {
      syncDirectory(at);
    }
    return new RealDisk(directory);
  }

  @Override
  public List<String> list() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    return new File(
        writable
            ? FileChannel.open(
                directory.resolve(name), StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(directory.resolve(name), StandardOpenOption.READ));
  }

  @Override
  public Handle create(String name) throws IOException {
    return new File(
        FileChannel.open(
            directory.resolve(name),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Files.move(
        directory.resolve(from),
        directory.resolve(to),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(String name) throws IOException {
    Files.deleteIfExists(directory.resolve(name));
  }

  @Override
  public void sync() throws IOException {
    syncDirectory(directory);
  }

  private static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    // Within this process the set decides, before the file is opened: on POSIX systems, closing any
    // channel of a file gives up the locks that the process holds on it through others.
    Path held = directory.toRealPath().resolve(name);
    if (!HELD.add(held)) {
      return null;
    }
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              directory.resolve(name), StandardOpenOption.WRITE, StandardOpenOption.CREATE);
      if (channel.tryLock() != null) {
        // For a person who finds the lock taken; nothing reads it.
        channel.truncate(0);
        channel.write(
            ByteBuffer.wrap(
                (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
        return new Lock(channel, held);
      }
    } catch (OverlappingFileLockException e) {
      // Held by other code in this process: told as held, like any other.
    } catch (IOException | RuntimeException e) {
      unlock(channel, held);
      throw e;
    }
    unlock(channel, held);
    return null;
  }

  private static void unlock(@Nullable FileChannel channel, Path held) throws IOException {
    try {
      if (channel != null) {
        channel.close();
      }
    } finally {
      HELD.remove(held);
    }
  }

  private static final class Lock implements Closeable {
    private final FileChannel channel;
    private final Path held;
    private boolean closed;

    Lock(FileChannel channel, Path held) {
      this.channel = channel;
      this.held = held;
    }

    @Override
    public synchronized void close() throws IOException {
      if (!closed) {
        closed = true;
        unlock(channel, held);
      }
    }
  }

  @Override
  public String path(String name) {
    return directory.resolve(name).toString();
  }

  private record File(FileChannel channel) implements Handle {
    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      return channel.read(into, at);
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      while (from.hasRemaining()) {
        at += channel.write(from, at);
      }
    }

    @Override
    public void sync() throws IOException {
      channel.force(false);
    }

    @Override
    public void truncate(long size) throws IOException {
      channel.truncate(size);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
