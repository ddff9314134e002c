package dev.oncefold.testkit;

import dev.oncefold.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A disk in memory that keeps, when it loses power, what was synced and nothing else. */
final class MemoryDisk implements Disk {
  private Map<String, Content> names = new HashMap<>();
  private Map<String, Content> durable = new HashMap<>();
  private final Set<String> locked = new HashSet<>();
  private boolean dead;

  private static final class Content {
    byte[] bytes = new byte[0];
    int size;
    byte[] synced = new byte[0];
  }

  /** From here on everything fails here; the answer is the disk as it is found afterwards. */
  synchronized MemoryDisk losePower() {
    dead = true;
    MemoryDisk found = new MemoryDisk();
    durable.forEach(
        (name, content) -> {
          Content kept = new Content();
          kept.bytes = content.synced.clone();
          kept.size = kept.bytes.length;
          kept.synced = content.synced.clone();
          found.names.put(name, kept);
        });
    found.durable = new HashMap<>(found.names);
    return found;
  }

  private void powered() throws IOException {
    if (dead) {
      throw new IOException("the disk has no power");
    }
  }

  private Content content(String name) throws IOException {
    powered();
    Content content = names.get(name);
    if (content == null) {
      throw new NoSuchFileException(path(name));
    }
    return content;
  }

  @Override
  public synchronized List<String> list() throws IOException {
    powered();
    return List.copyOf(names.keySet());
  }

  @Override
  public synchronized Handle open(String name, boolean writable) throws IOException {
    return new Open(content(name));
  }

  @Override
  public synchronized Handle create(String name) throws IOException {
    powered();
    Content content = new Content();
    names.put(name, content);
    return new Open(content);
  }

  @Override
  public synchronized void rename(String from, String to) throws IOException {
    names.put(to, content(from));
    names.remove(from);
  }

  @Override
  public synchronized void delete(String name) throws IOException {
    content(name);
    names.remove(name);
  }

  @Override
  public synchronized void sync() throws IOException {
    powered();
    durable = new HashMap<>(names);
  }

  @Override
  public synchronized @Nullable Closeable lock(String name) throws IOException {
    powered();
    return locked.add(name) ? () -> unlock(name) : null;
  }

  private synchronized void unlock(String name) {
    locked.remove(name);
  }

  @Override
  public String path(String name) {
    return "memory:" + name;
  }

  private final class Open implements Handle {
    private final Content content;

    Open(Content content) {
      this.content = content;
    }

    @Override
    public long size() throws IOException {
      synchronized (MemoryDisk.this) {
        powered();
        return content.size;
      }
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      synchronized (MemoryDisk.this) {
        powered();
        int length = (int) Math.min(into.remaining(), content.size - at);
        if (length <= 0) {
          return into.hasRemaining() ? -1 : 0;
        }
        into.put(content.bytes, (int) at, length);
        return length;
      }
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      synchronized (MemoryDisk.this) {
        powered();
        int end = (int) at + from.remaining();
        if (end > content.bytes.length) {
          content.bytes = Arrays.copyOf(content.bytes, Math.max(end, 2 * content.bytes.length));
        }
        from.get(content.bytes, (int) at, from.remaining());
        content.size = Math.max(content.size, end);
      }
    }

    @Override
    public void sync() throws IOException {
      synchronized (MemoryDisk.this) {
        powered();
        content.synced = Arrays.copyOf(content.bytes, content.size);
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      synchronized (MemoryDisk.this) {
        powered();
        Arrays.fill(content.bytes, (int) size, content.size, (byte) 0);
        content.size = (int) size;
      }
    }

    @Override
    public void close() {}
  }
}
