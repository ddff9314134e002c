package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.SimulatedDisk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A simulated disk as the threads of one process see it, until power is lost. From then on whatever
 * they try fails; the next process has a view of its own.
 */
final class OneLife implements Disk {
  private final SimulatedDisk disk;
  private boolean over;

  OneLife(SimulatedDisk disk) {
    this.disk = disk;
  }

  private interface Operation<T> {
    T run() throws IOException;
  }

  private <T> T alive(Operation<T> operation) throws IOException {
    synchronized (disk) {
      if (over) {
        throw new IOException("the disk has no power");
      }
      return operation.run();
    }
  }

  private void done(Effect effect) throws IOException {
    alive(
        () -> {
          effect.run();
          return 0;
        });
  }

  private interface Effect {
    void run() throws IOException;
  }

  /** Of what was not synced any part is lost. */
  OneLife losePower() {
    synchronized (disk) {
      over = true;
      disk.crash(DiskFault.POWER_LOSS);
      disk.restart();
      return new OneLife(disk);
    }
  }

  @Override
  public List<String> list() throws IOException {
    return alive(disk::list);
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    return alive(() -> new Open(disk.open(name, writable)));
  }

  @Override
  public Handle create(String name) throws IOException {
    return alive(() -> new Open(disk.create(name)));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    done(() -> disk.rename(from, to));
  }

  @Override
  public void delete(String name) throws IOException {
    done(() -> disk.delete(name));
  }

  @Override
  public void sync() throws IOException {
    done(disk::sync);
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    Optional<Closeable> held = alive(() -> Optional.ofNullable(disk.lock(name)));
    return held.<Closeable>map(lock -> () -> release(lock)).orElse(null);
  }

  private void release(Closeable held) throws IOException {
    synchronized (disk) {
      held.close();
    }
  }

  @Override
  public String path(String name) {
    return disk.path(name);
  }

  private final class Open implements Handle {
    private final Handle file;

    Open(Handle file) {
      this.file = file;
    }

    @Override
    public long size() throws IOException {
      return alive(file::size);
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      return alive(() -> file.read(at, into));
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      done(() -> file.write(at, from));
    }

    @Override
    public void sync() throws IOException {
      done(file::sync);
    }

    @Override
    public void truncate(long size) throws IOException {
      done(() -> file.truncate(size));
    }

    @Override
    public void close() throws IOException {
      synchronized (disk) {
        if (!over) {
          file.close();
        }
      }
    }
  }
}
