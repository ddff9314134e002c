package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.verify.Beacon;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A disk that shows on the {@link Beacon} when a commit of the journal is open: from the first byte
 * of its frame until its sync has returned. On request it waits within, so that a kill lands there.
 *
 * <p>As safe for several threads as the disk below it, with one journal.
 */
public final class WatchedDisk implements Disk {
  // The frame's format is described in dev.oncefold.journal.Frame.
  private static final int MAGIC = 0x4f6e6346;
  private static final int KIND = 9;
  private static final byte COMMIT = 2;
  private static final int EVENTS = 20;
  private static final int HEADER = 56;

  private final Disk disk;
  private final Beacon beacon;

  /**
   * Watches a disk.
   *
   * @param disk where the journal is
   * @param beacon where its commits are shown
   */
  public WatchedDisk(Disk disk, Beacon beacon) {
    this.disk = disk;
    this.beacon = beacon;
  }

  /** Whether a write begins a commit of events: not the reserve of zeros, a mark or a new file. */
  private static boolean isCommit(ByteBuffer frame) {
    int at = frame.position();
    return frame.remaining() > HEADER
        && frame.getInt(at) == MAGIC
        && frame.get(at + KIND) == COMMIT
        && frame.getInt(at + EVENTS) > 0;
  }

  /** A segment of the log; one is written under another name before it is in use. */
  private Handle watched(String name, Handle handle) {
    return name.endsWith(".log") || name.endsWith(".log.tmp") ? new Watched(handle) : handle;
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    Handle handle = disk.open(name, writable);
    return writable ? watched(name, handle) : handle;
  }

  @Override
  public Handle create(String name) throws IOException {
    return watched(name, disk.create(name));
  }

  @Override
  public List<String> list() throws IOException {
    return disk.list();
  }

  @Override
  public void rename(String from, String to) throws IOException {
    disk.rename(from, to);
  }

  @Override
  public void delete(String name) throws IOException {
    disk.delete(name);
  }

  @Override
  public void sync() throws IOException {
    disk.sync();
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    return disk.lock(name);
  }

  @Override
  public String path(String name) {
    return disk.path(name);
  }

  private final class Watched implements Handle {
    private final Handle file;

    Watched(Handle file) {
      this.file = file;
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      if (!isCommit(from)) {
        file.write(at, from);
        return;
      }
      int first = beacon.begin(from.remaining());
      if (first < from.remaining()) {
        file.write(at, from.slice(from.position(), first));
        from.position(from.position() + first);
        beacon.begun();
        file.write(at + first, from);
      } else {
        file.write(at, from);
      }
      beacon.written();
    }

    @Override
    public void sync() throws IOException {
      file.sync();
      beacon.closed();
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      return file.read(at, into);
    }

    @Override
    public void truncate(long size) throws IOException {
      file.truncate(size);
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
