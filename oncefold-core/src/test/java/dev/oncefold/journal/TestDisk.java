package dev.oncefold.journal;

import dev.oncefold.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A disk in memory that counts syncs and fails when it is told to. It never loses a write. */
final class TestDisk implements Disk {
  /** What a disk can be told to refuse. */
  interface Fault {
    void before(String operation, String name) throws IOException;
  }

  private final Map<String, Content> files = new ConcurrentHashMap<>();
  private final Set<String> locks = new HashSet<>();
  final AtomicInteger syncs = new AtomicInteger();
  private volatile Fault fault = (operation, name) -> {};

  private static final class Content {
    volatile String name;
    byte[] bytes = new byte[0];

    Content(String name) {
      this.name = name;
    }
  }

  /** From now on the operation fails: "write", "sync", "create", "rename", "delete", "open". */
  void failing(String failing, String suffix, String message) {
    fault =
        (operation, name) -> {
          if (operation.equals(failing) && name.endsWith(suffix)) {
            throw new IOException(message);
          }
        };
  }

  void before(Fault next) {
    fault = next;
  }

  void mended() {
    fault = (operation, name) -> {};
  }

  /** A second disk with the same files, as a copy taken at this moment. */
  TestDisk copy() {
    TestDisk copy = new TestDisk();
    files.forEach((name, content) -> copy.put(name, bytes(name)));
    return copy;
  }

  byte[] bytes(String name) {
    Content content = content(name);
    synchronized (content) {
      return content.bytes.clone();
    }
  }

  void put(String name, byte[] bytes) {
    Content content = new Content(name);
    content.bytes = bytes.clone();
    files.put(name, content);
  }

  void flip(String name, int at) {
    Content content = content(name);
    synchronized (content) {
      content.bytes[at] ^= 0x10;
    }
  }

  void cut(String name, int size) {
    put(name, Arrays.copyOf(bytes(name), size));
  }

  void remove(String name) {
    files.remove(name);
  }

  List<String> names(String suffix) {
    return files.keySet().stream().filter(name -> name.endsWith(suffix)).sorted().toList();
  }

  private Content content(String name) {
    Content content = files.get(name);
    if (content == null) {
      throw new AssertionError("no file " + name);
    }
    return content;
  }

  @Override
  public List<String> list() {
    return new ArrayList<>(files.keySet());
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    fault.before("open", name);
    Content content = files.get(name);
    if (content == null) {
      throw new NoSuchFileException(name);
    }
    return new Open(content);
  }

  @Override
  public Handle create(String name) throws IOException {
    fault.before("create", name);
    Content content = new Content(name);
    files.put(name, content);
    return new Open(content);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    fault.before("rename", to);
    Content content = files.remove(from);
    if (content == null) {
      throw new NoSuchFileException(from);
    }
    content.name = to;
    files.put(to, content);
  }

  @Override
  public void delete(String name) throws IOException {
    fault.before("delete", name);
    files.remove(name);
  }

  @Override
  public void sync() throws IOException {
    fault.before("sync", "");
  }

  @Override
  public @Nullable Closeable lock(String name) {
    synchronized (locks) {
      return locks.add(name) ? () -> unlock(name) : null;
    }
  }

  private void unlock(String name) {
    synchronized (locks) {
      locks.remove(name);
    }
  }

  @Override
  public String path(String name) {
    return "disk/" + name;
  }

  private final class Open implements Handle {
    private final Content content;

    Open(Content content) {
      this.content = content;
    }

    @Override
    public long size() {
      synchronized (content) {
        return content.bytes.length;
      }
    }

    @Override
    public int read(long at, ByteBuffer into) {
      synchronized (content) {
        if (at >= content.bytes.length) {
          return -1;
        }
        int length = (int) Math.min(into.remaining(), content.bytes.length - at);
        into.put(content.bytes, (int) at, length);
        return length;
      }
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      fault.before("write", content.name);
      synchronized (content) {
        int end = (int) at + from.remaining();
        if (content.bytes.length < end) {
          content.bytes = Arrays.copyOf(content.bytes, end);
        }
        from.get(content.bytes, (int) at, from.remaining());
      }
    }

    @Override
    public void sync() throws IOException {
      fault.before("sync", content.name);
      syncs.incrementAndGet();
    }

    @Override
    public void truncate(long size) throws IOException {
      fault.before("truncate", content.name);
      synchronized (content) {
        content.bytes = Arrays.copyOf(content.bytes, (int) size);
      }
    }

    @Override
    public void close() {}
  }
}
