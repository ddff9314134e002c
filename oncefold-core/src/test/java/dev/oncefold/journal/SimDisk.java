package dev.oncefold.journal;

import dev.oncefold.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A directory in memory with a page cache in front of it. What was written but not synced is in the
 * cache only: a killed process leaves it there, a power loss keeps any part of it. What happens is
 * decided by one source of random numbers, so that it happens again.
 */
final class SimDisk implements Disk {
  /** The process dies here: no handle works afterwards. */
  static final class Crash extends Error {
    private static final long serialVersionUID = 1;

    Crash() {
      super("crash", null, false, false);
    }
  }

  /** An error of the disk, made on purpose. */
  static final class Injected extends IOException {
    private static final long serialVersionUID = 1;

    Injected(String message) {
      super(message);
    }
  }

  /** A change of the directory: a creation, a renaming or a deletion. */
  private record NameChange(@Nullable String from, @Nullable String to, @Nullable SimFile file) {}

  private final Random random;
  // Whether unsynced changes of names survive in any combination instead of in order.
  private final boolean unordered;
  private final SimFault.Observer observer;
  private Map<String, SimFile> names = new LinkedHashMap<>();
  private final Map<String, SimFile> durableNames = new LinkedHashMap<>();
  private final List<NameChange> pendingNames = new ArrayList<>();

  // Of the present process.
  private int life;
  private boolean dead;
  private boolean powerLost;
  private boolean injected;
  private @Nullable Object lock;
  private final List<SimFile> openFiles = new ArrayList<>();

  private @Nullable SimFault armed;
  private SimFault.Aim aim = SimFault.Aim.ANYTHING;
  private int spared;
  private long capacity = Long.MAX_VALUE;

  // What the journal did, so that a test can tell that it did.
  int segments;
  int snapshots;
  int dropped;

  SimDisk(Random random, boolean unordered, SimFault.Observer observer) {
    this.random = random;
    this.unordered = unordered;
    this.observer = observer;
  }

  // ---------------------------------------------------------------- faults

  /** Lets a fault strike at what it is aimed at, sparing some operations first. */
  void arm(SimFault fault, SimFault.Aim at, int sparing) {
    armed = fault;
    aim = at;
    spared = sparing;
  }

  void disarm() {
    armed = null;
  }

  void makeRoom() {
    capacity = Long.MAX_VALUE;
  }

  /** Whether an error was given since the process began. */
  boolean injected() {
    return injected;
  }

  /** Whether the process died and no other was started yet. */
  boolean isDead() {
    return dead;
  }

  /** The process dies between two operations. */
  void crash(SimFault fault) {
    die(fault, SimFault.Op.OPEN, "", false);
  }

  /** The process ends by itself, and the machine too or not. */
  void end(boolean powerOff) {
    dead = true;
    powerLost = powerOff;
  }

  private void die(SimFault fault, SimFault.Op op, String name, boolean inCommit) {
    end(fault == SimFault.POWER_LOSS);
    landed(fault, op, name, inCommit || hasOpenCommit());
  }

  private boolean hasOpenCommit() {
    return names.values().stream().anyMatch(SimFile::hasOpenCommit);
  }

  /** A new process begins; after a power loss it finds what the disk has. */
  void restart() {
    if (dead && powerLost) {
      losePower();
    } else {
      names.values().stream().filter(file -> random.nextBoolean()).forEach(SimFile::evict);
    }
    dead = false;
    powerLost = false;
    injected = false;
    lock = null;
    openFiles.clear();
    life++;
  }

  private void losePower() {
    Set<@Nullable String> lost = new HashSet<>();
    int prefix = random.nextInt(pendingNames.size() + 1);
    for (int i = 0; i < pendingNames.size(); i++) {
      NameChange change = pendingNames.get(i);
      // Changes of the same names keep their order in any case.
      boolean kept =
          unordered
              ? !lost.contains(change.from) && !lost.contains(change.to) && random.nextBoolean()
              : i < prefix;
      if (kept) {
        apply(change, durableNames);
      } else {
        lost.add(change.from == null ? change.to : change.from);
        lost.add(change.to == null ? change.from : change.to);
      }
    }
    pendingNames.clear();
    names = new LinkedHashMap<>(durableNames);
    names.forEach(
        (name, file) -> {
          file.name = name;
          file.losePower(random);
        });
  }

  private static void apply(NameChange change, Map<String, SimFile> to) {
    if (change.from != null) {
      to.remove(change.from);
    }
    if (change.to != null && change.file != null) {
      to.put(change.to, change.file);
      change.file.name = change.to;
    }
  }

  private void alive() {
    if (dead) {
      throw new Crash();
    }
  }

  /** Before each operation; answers when in it the process dies, or half-way where it fails. */
  private SimFault.Moment begin(SimFault.Op op, String name) throws IOException {
    alive();
    SimFault fault = armed;
    if (fault == null
        || !aim.at(op, name, this::hasOpenCommit)
        || !fault.strikes(op)
        || spared-- > 0) {
      return SimFault.Moment.NEVER;
    }
    armed = null;
    switch (fault) {
      case POWER_LOSS, KILL -> {
        if (random.nextInt(3) == 0) {
          die(fault, op, name, false);
          throw new Crash();
        }
        armed = fault; // strikes in end()
        return random.nextBoolean() ? SimFault.Moment.HALF_WAY : SimFault.Moment.AFTER;
      }
      case DISK_FULL -> {
        // It lands when a write meets it.
        capacity = used() + random.nextInt(1 << random.nextInt(17));
        return SimFault.Moment.NEVER;
      }
      case WRITE_ERROR -> {
        inject(fault, op, name);
        return SimFault.Moment.HALF_WAY;
      }
      case SYNC_ERROR, DIRECTORY_ERROR -> {
        inject(fault, op, name);
        throw new Injected("Input/output error");
      }
    }
    throw new AssertionError(fault);
  }

  private void inject(SimFault fault, SimFault.Op op, String name) {
    injected = true;
    landed(fault, op, name, hasOpenCommit());
  }

  private void landed(SimFault fault, SimFault.Op op, String name, boolean openCommit) {
    NameChange last = pendingNames.isEmpty() ? null : pendingNames.get(pendingNames.size() - 1);
    if (op != SimFault.Op.SYNC_DIRECTORY || last == null) {
      observer.landed(fault, op, name, openCommit);
    } else if (last.to == null) {
      // Told as what it should have made durable.
      observer.landed(fault, SimFault.Op.DELETE, String.valueOf(last.from), openCommit);
    } else {
      observer.landed(fault, SimFault.Op.RENAME, last.to, openCommit);
    }
  }

  /** After each operation, done or done half-way. */
  private void end(SimFault.Moment moment, SimFault.Op op, String name, boolean inCommit)
      throws IOException {
    SimFault fault = armed;
    if (moment == SimFault.Moment.NEVER) {
      return;
    }
    if (fault != null) {
      armed = null;
      die(fault, op, name, inCommit);
      throw new Crash();
    }
    throw new Injected("Input/output error");
  }

  private long used() {
    long used = 0;
    for (SimFile file : names.values()) {
      used += file.size();
    }
    return used;
  }

  // ---------------------------------------------------------------- the directory

  @Override
  public List<String> list() {
    alive();
    return List.copyOf(names.keySet());
  }

  private SimFile file(String name) throws NoSuchFileException {
    SimFile file = names.get(name);
    if (file == null) {
      throw new NoSuchFileException(path(name));
    }
    return file;
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.OPEN, name);
    SimFile file = file(name);
    end(moment, SimFault.Op.OPEN, name, false);
    return new Open(file, writable);
  }

  @Override
  public Handle create(String name) throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.CREATE, name);
    SimFile file = names.get(name);
    if (file == null) {
      file = new SimFile(name);
      change(new NameChange(null, name, file));
    } else {
      file.truncate(0);
    }
    end(moment, SimFault.Op.CREATE, name, false);
    return new Open(file, true);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.RENAME, from);
    change(new NameChange(from, to, file(from)));
    snapshots += to.endsWith(Snapshot.SUFFIX) ? 1 : 0;
    segments += to.endsWith(Log.SUFFIX) ? 1 : 0;
    end(moment, SimFault.Op.RENAME, from, false);
  }

  @Override
  public void delete(String name) throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.DELETE, name);
    if (names.containsKey(name)) {
      change(new NameChange(name, null, null));
      dropped += name.endsWith(Log.SUFFIX) ? 1 : 0;
    }
    end(moment, SimFault.Op.DELETE, name, false);
  }

  private void change(NameChange change) {
    apply(change, names);
    pendingNames.add(change);
  }

  @Override
  public void sync() throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.SYNC_DIRECTORY, "");
    if (moment != SimFault.Moment.HALF_WAY) {
      pendingNames.forEach(change -> apply(change, durableNames));
      pendingNames.clear();
    }
    end(moment, SimFault.Op.SYNC_DIRECTORY, "", false);
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    SimFault.Moment moment = begin(SimFault.Op.LOCK, name);
    if (!names.containsKey(name)) {
      change(new NameChange(null, name, new SimFile(name)));
    }
    end(moment, SimFault.Op.LOCK, name, false);
    if (lock != null) {
      return null;
    }
    Object held = new Object();
    lock = held;
    return () -> {
      if (lock == held) {
        lock = null;
      }
    };
  }

  @Override
  public String path(String name) {
    return "sim/" + name;
  }

  // ---------------------------------------------------------------- open files

  private final class Open implements Handle {
    private final SimFile file;
    private final boolean writable;
    private final int bornIn = life;
    private boolean closed;

    Open(SimFile file, boolean writable) {
      openFiles.add(file);
      this.file = file;
      this.writable = writable;
    }

    private void check(boolean write) throws IOException {
      alive();
      if (bornIn != life || closed) {
        throw new IllegalStateException(file.name + " is used after it was closed");
      }
      if (write && !writable) {
        throw new IOException(file.name + " was opened to be read");
      }
    }

    @Override
    public long size() throws IOException {
      check(false);
      return file.size();
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      check(false);
      return file.read(at, into);
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      check(true);
      SimFault.Moment moment = begin(SimFault.Op.WRITE, file.name);
      byte[] bytes = new byte[from.remaining()];
      from.get(bytes);
      boolean commit = file.isCommit(bytes);
      int room = room(at, bytes.length);
      int written =
          moment == SimFault.Moment.HALF_WAY
              ? Math.min(room, random.nextInt(bytes.length + 1))
              : room;
      if (written > 0) {
        file.write(at, written == bytes.length ? bytes : Arrays.copyOf(bytes, written));
      }
      end(moment, SimFault.Op.WRITE, file.name, commit);
      if (room < bytes.length) {
        if (!injected) {
          inject(SimFault.DISK_FULL, SimFault.Op.WRITE, file.name);
        }
        throw new Injected("No space left on device");
      }
    }

    private int room(long at, int length) {
      if (capacity == Long.MAX_VALUE || at + length <= file.size()) {
        return length;
      }
      long more = Math.max(0, capacity - used());
      return (int) Math.min(length, Math.max(0, file.size() + more - at));
    }

    @Override
    public void sync() throws IOException {
      check(true);
      SimFault.Moment moment;
      try {
        moment = begin(SimFault.Op.SYNC, file.name);
      } catch (Injected e) {
        file.failSync(random);
        throw e;
      }
      boolean commit = file.hasOpenCommit();
      if (moment != SimFault.Moment.HALF_WAY) {
        file.sync();
      }
      end(moment, SimFault.Op.SYNC, file.name, commit);
    }

    @Override
    public void truncate(long size) throws IOException {
      check(true);
      SimFault.Moment moment = begin(SimFault.Op.TRUNCATE, file.name);
      if (moment != SimFault.Moment.HALF_WAY) {
        file.truncate(size);
      }
      end(moment, SimFault.Op.TRUNCATE, file.name, false);
    }

    @Override
    public void close() {
      if (!closed && bornIn == life) {
        openFiles.remove(file);
      }
      closed = true;
    }
  }

  // ---------------------------------------------------------------- for the checker

  /** The files that the process has open. */
  List<String> openFiles() {
    return openFiles.stream().map(file -> file.name).toList();
  }

  boolean has(String name) {
    return names.containsKey(name);
  }

  /** What a process reads from a file; nothing where there is none. */
  byte[] content(String name) {
    SimFile file = names.get(name);
    return file == null ? new byte[0] : file.content();
  }

  /** Puts a file there, durably. */
  void put(String name, byte[] bytes) {
    SimFile file = new SimFile(name, bytes);
    names.put(name, file);
    durableNames.put(name, file);
  }

  /** A disk with the same content, all of it durable, and no faults. */
  SimDisk copy() {
    SimDisk copy = new SimDisk(new Random(0), unordered, (fault, op, name, open) -> {});
    names.forEach((name, file) -> copy.put(name, file.content()));
    return copy;
  }
}
