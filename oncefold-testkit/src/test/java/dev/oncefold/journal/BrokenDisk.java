package dev.oncefold.journal;

import dev.oncefold.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A disk that does what another does, where a test does not break it. */
class BrokenDisk implements Disk {
  private final Disk disk;

  BrokenDisk(Disk disk) {
    this.disk = disk;
  }

  /** What syncing a file does. */
  void sync(Handle file, String name) throws IOException {
    file.sync();
  }

  /** What syncing the directory does. */
  void sync(Disk directory) throws IOException {
    directory.sync();
  }

  /** What writing to a file does. */
  void write(Handle file, long at, ByteBuffer from) throws IOException {
    file.write(at, from);
  }

  @Override
  public List<String> list() throws IOException {
    return disk.list();
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    return new File(disk.open(name, writable), name);
  }

  @Override
  public Handle create(String name) throws IOException {
    return new File(disk.create(name), name);
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
    sync(disk);
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    return disk.lock(name);
  }

  @Override
  public String path(String name) {
    return disk.path(name);
  }

  private final class File implements Handle {
    private final Handle file;
    private final String name;

    File(Handle file, String name) {
      this.file = file;
      this.name = name;
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
    public void write(long at, ByteBuffer from) throws IOException {
      BrokenDisk.this.write(file, at, from);
    }

    @Override
    public void sync() throws IOException {
      BrokenDisk.this.sync(file, name);
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
