package dev.oncefold.verify;

import dev.oncefold.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A directory in memory with a page cache in front of it, for testing whatever writes to a {@link
 * Disk}. What was written but not synced is in the cache only: a killed process leaves it there, a
 * power loss keeps any part of it, in any order, torn anywhere. A failed sync leaves pages in the
 * cache that the disk does not have. Each is decided by one source of random numbers, so that it
 * happens again.
 *
 * <p>The disk knows nothing of what writes to it: whoever uses it says which write opens a commit
 * and is told what happens ({@link DiskObserver}). For one thread.
 */
public final class SimulatedDisk implements Disk {
  /** The process dies here: no handle works afterwards. */
  public static final class Crash extends Error {
    private static final long serialVersionUID = 1;

    /** A crash; there is no trace of where. */
    public Crash() {
      super("crash", null, false, false);
    }
  }

  /** An error of the disk, made on purpose. */
  public static final class Injected extends IOException {
    private static final long serialVersionUID = 1;

    Injected(String message) {
      super(message);
    }
  }

  /** When in an operation the process dies, or the operation fails. */
  private enum Moment {
    HALF_WAY,
    AFTER,
    NEVER
  }

  private final Random random;
  private final DiskObserver observer;
  private final SimulatedNames names;

  // Of the present process.
  private int life;
  private boolean dead;
  private boolean powerLost;
  private boolean injected;
  private @Nullable Object lock;
  private final List<SimulatedFile> openFiles = new ArrayList<>();

  private @Nullable DiskFault armed;
  private DiskFault.Aim aim = (op, name, openCommit) -> true;
  private int spared;
  private long capacity = Long.MAX_VALUE;

  /**
   * An empty disk.
   *
   * @param random decides what survives
   * @param unorderedNames whether changes of names that were not synced survive a power loss in any
   *     combination, instead of in order
   * @param observer tells which write opens a commit, and is told what happens
   */
  public SimulatedDisk(Random random, boolean unorderedNames, DiskObserver observer) {
    this.random = random;
    this.observer = observer;
    this.names = new SimulatedNames(unorderedNames);
  }

  // ---------------------------------------------------------------- faults

  /**
   * Lets a fault strike once.
   *
   * @param fault which
   * @param at at what it is aimed
   * @param sparing how many operations at which it could strike are spared first
   */
  public void arm(DiskFault fault, DiskFault.Aim at, int sparing) {
    armed = fault;
    aim = at;
    spared = sparing;
  }

  /** A fault that did not strike yet strikes no more. */
  public void disarm() {
    armed = null;
  }

  /** The disk is full no more. */
  public void makeRoom() {
    capacity = Long.MAX_VALUE;
  }

  /**
   * Whether an error was given since the process began.
   *
   * @return true if one was
   */
  public boolean injected() {
    return injected;
  }

  /**
   * Whether the process died and no other was started yet.
   *
   * @return true if so
   */
  public boolean isDead() {
    return dead;
  }

  /**
   * The process dies between two operations.
   *
   * @param fault of what; a {@link DiskFault#isCrash crash}
   */
  public void crash(DiskFault fault) {
    die(fault, DiskFault.Op.OPEN, "", false);
  }

  /**
   * The process ends by itself.
   *
   * @param powerOff whether the machine does too
   */
  public void end(boolean powerOff) {
    dead = true;
    powerLost = powerOff;
  }

  private void die(DiskFault fault, DiskFault.Op op, String name, boolean inCommit) {
    end(fault == DiskFault.POWER_LOSS);
    landed(fault, op, name, inCommit || hasOpenCommit());
  }

  private boolean hasOpenCommit() {
    for (SimulatedFile file : names.files()) {
      if (file.hasOpenCommit()) {
        return true;
      }
    }
    return false;
  }

  /** A new process begins; after a power loss it finds what the disk has. */
  public void restart() {
    if (dead && powerLost) {
      names.losePower(random);
    } else {
      names.files().stream().filter(file -> random.nextBoolean()).forEach(SimulatedFile::evict);
    }
    dead = false;
    powerLost = false;
    injected = false;
    lock = null;
    openFiles.clear();
    life++;
  }

  private void alive() {
    if (dead) {
      throw new Crash();
    }
  }

  /** Before each operation; answers when in it the process dies, or half-way where it fails. */
  private Moment begin(DiskFault.Op op, String name) throws IOException {
    alive();
    DiskFault fault = armed;
    if (fault == null
        || !aim.at(op, name, this::hasOpenCommit)
        || !fault.strikes(op)
        || spared-- > 0) {
      return Moment.NEVER;
    }
    armed = null;
    switch (fault) {
      case POWER_LOSS, KILL -> {
        if (random.nextInt(3) == 0) {
          die(fault, op, name, false);
          throw new Crash();
        }
        armed = fault; // strikes in end()
        return random.nextBoolean() ? Moment.HALF_WAY : Moment.AFTER;
      }
      case DISK_FULL -> {
        // It lands when a write meets it.
        capacity = used() + random.nextInt(1 << random.nextInt(17));
        return Moment.NEVER;
      }
      case WRITE_ERROR -> {
        inject(fault, op, name);
        return Moment.HALF_WAY;
      }
      case SYNC_ERROR, DIRECTORY_ERROR -> {
        inject(fault, op, name);
        throw new Injected("Input/output error");
      }
    }
    throw new AssertionError(fault);
  }

  private void inject(DiskFault fault, DiskFault.Op op, String name) {
    injected = true;
    landed(fault, op, name, hasOpenCommit());
  }

  private void landed(DiskFault fault, DiskFault.Op op, String name, boolean openCommit) {
    SimulatedNames.Change last = names.last();
    if (op != DiskFault.Op.SYNC_DIRECTORY || last == null) {
      observer.landed(fault, op, name, openCommit);
    } else if (last.to() == null) {
      // Told as what it should have made durable.
      observer.landed(fault, DiskFault.Op.DELETE, String.valueOf(last.from()), openCommit);
    } else {
      observer.landed(fault, DiskFault.Op.RENAME, last.to(), openCommit);
    }
  }

  /** After each operation, done or done half-way. */
  private void end(Moment moment, DiskFault.Op op, String name, boolean inCommit)
      throws IOException {
    DiskFault fault = armed;
    if (moment == Moment.NEVER) {
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
    for (SimulatedFile file : names.files()) {
      used += file.size();
    }
    return used;
  }

  // ---------------------------------------------------------------- the directory

  @Override
  public List<String> list() {
    alive();
    return List.copyOf(names.names());
  }

  private SimulatedFile file(String name) throws NoSuchFileException {
    SimulatedFile file = names.get(name);
    if (file == null) {
      throw new NoSuchFileException(path(name));
    }
    return file;
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    Moment moment = begin(DiskFault.Op.OPEN, name);
    SimulatedFile file = file(name);
    end(moment, DiskFault.Op.OPEN, name, false);
    return new Open(file, writable);
  }

  @Override
  public Handle create(String name) throws IOException {
    Moment moment = begin(DiskFault.Op.CREATE, name);
    SimulatedFile file = names.get(name);
    if (file == null) {
      file = new SimulatedFile(name, observer);
      names.change(new SimulatedNames.Change(null, name, file));
    } else {
      file.truncate(0);
    }
    end(moment, DiskFault.Op.CREATE, name, false);
    return new Open(file, true);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Moment moment = begin(DiskFault.Op.RENAME, from);
    names.change(new SimulatedNames.Change(from, to, file(from)));
    observer.renamed(to);
    end(moment, DiskFault.Op.RENAME, from, false);
  }

  @Override
  public void delete(String name) throws IOException {
    Moment moment = begin(DiskFault.Op.DELETE, name);
    if (has(name)) {
      names.change(new SimulatedNames.Change(name, null, null));
      observer.deleted(name);
    }
    end(moment, DiskFault.Op.DELETE, name, false);
  }

  @Override
  public void sync() throws IOException {
    Moment moment = begin(DiskFault.Op.SYNC_DIRECTORY, "");
    if (moment != Moment.HALF_WAY) {
      names.sync();
    }
    end(moment, DiskFault.Op.SYNC_DIRECTORY, "", false);
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    Moment moment = begin(DiskFault.Op.LOCK, name);
    if (!has(name)) {
      names.change(new SimulatedNames.Change(null, name, new SimulatedFile(name, observer)));
    }
    end(moment, DiskFault.Op.LOCK, name, false);
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
    private final SimulatedFile file;
    private final boolean writable;
    private final int bornIn = life;
    private boolean closed;

    Open(SimulatedFile file, boolean writable) {
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
      Moment moment = begin(DiskFault.Op.WRITE, file.name);
      byte[] bytes = new byte[from.remaining()];
      from.get(bytes);
      boolean commit = file.isCommit(bytes);
      int room = room(at, bytes.length);
      int written =
          moment == Moment.HALF_WAY ? Math.min(room, random.nextInt(bytes.length + 1)) : room;
      if (written > 0) {
        file.write(at, written == bytes.length ? bytes : Arrays.copyOf(bytes, written));
      }
      end(moment, DiskFault.Op.WRITE, file.name, commit);
      if (room < bytes.length) {
        if (!injected) {
          inject(DiskFault.DISK_FULL, DiskFault.Op.WRITE, file.name);
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
      Moment moment;
      try {
        moment = begin(DiskFault.Op.SYNC, file.name);
      } catch (Injected e) {
        file.failSync(random);
        throw e;
      }
      boolean commit = file.hasOpenCommit();
      if (moment != Moment.HALF_WAY) {
        file.sync();
      }
      end(moment, DiskFault.Op.SYNC, file.name, commit);
    }

    @Override
    public void truncate(long size) throws IOException {
      check(true);
      Moment moment = begin(DiskFault.Op.TRUNCATE, file.name);
      if (moment != Moment.HALF_WAY) {
        file.truncate(size);
      }
      end(moment, DiskFault.Op.TRUNCATE, file.name, false);
    }

    @Override
    public void close() {
      if (!closed && bornIn == life) {
        openFiles.remove(file);
      }
      closed = true;
    }
  }

  // ---------------------------------------------------------------- for tests

  /**
   * The files that the process has open.
   *
   * @return their names, one for each time that it was opened
   */
  public List<String> openFiles() {
    return openFiles.stream().map(file -> file.name).toList();
  }

  /**
   * Whether a process finds a file.
   *
   * @param name its name
   * @return true if it does
   */
  public boolean has(String name) {
    return names.get(name) != null;
  }

  /**
   * What a process reads from a file.
   *
   * @param name its name
   * @return its content; nothing where there is none
   */
  public byte[] content(String name) {
    SimulatedFile file = names.get(name);
    return file == null ? new byte[0] : file.content();
  }

  /**
   * Puts a file there, durably.
   *
   * @param name its name
   * @param bytes its content
   */
  public void put(String name, byte[] bytes) {
    names.put(name, new SimulatedFile(name, bytes, observer));
  }

  /**
   * A disk with the same content, all of it durable, and no faults.
   *
   * @return a new disk
   */
  public SimulatedDisk copy() {
    SimulatedDisk copy = new SimulatedDisk(new Random(0), names.unordered(), DiskObserver.NONE);
    for (SimulatedFile file : names.files()) {
      copy.put(file.name, file.content());
    }
    return copy;
  }
}
