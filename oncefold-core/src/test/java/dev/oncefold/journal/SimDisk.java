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
  /** The process dies here: nothing below may catch it, and no handle works afterwards. */
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

  /** Where faults strike. */
  enum Op {
    OPEN,
    CREATE,
    RENAME,
    DELETE,
    SYNC_DIRECTORY,
    LOCK,
    WRITE,
    SYNC,
    TRUNCATE;

    boolean ofDirectory() {
      return this == CREATE || this == RENAME || this == DELETE || this == SYNC_DIRECTORY;
    }
  }

  /** Kinds of fault. */
  enum Fault {
    /** The process dies and the cache with it. */
    POWER_LOSS,
    /** The process dies; the cache stays. */
    KILL,
    /** A write ends half-way. */
    WRITE_ERROR,
    /** A sync fails; what it should have written is written or not, and clean in any case. */
    SYNC_ERROR,
    /** Creating, renaming or deleting a file, or making that durable, fails. */
    DIRECTORY_ERROR,
    /** No space is left after a few bytes more. */
    DISK_FULL;

    boolean strikes(Op op) {
      return switch (this) {
        case POWER_LOSS, KILL -> true;
        case WRITE_ERROR -> op == Op.WRITE || op == Op.TRUNCATE;
        case SYNC_ERROR -> op == Op.SYNC;
        case DIRECTORY_ERROR -> op.ofDirectory();
        case DISK_FULL -> op == Op.WRITE;
      };
    }
  }

  /** At what a fault is aimed. */
  enum Aim {
    ANYTHING,
    COMMIT,
    ROLL,
    SNAPSHOT,
    RETENTION,
    SINK;

    boolean at(Op op, String name) {
      return switch (this) {
        case ANYTHING -> true;
        case COMMIT -> name.endsWith(Log.SUFFIX) && (op == Op.WRITE || op == Op.SYNC);
        case ROLL -> name.endsWith(Log.SUFFIX + Log.TEMPORARY);
        case SNAPSHOT -> name.contains(Snapshot.SUFFIX) && op != Op.DELETE && op != Op.OPEN;
        case RETENTION -> op == Op.DELETE;
        case SINK -> name.endsWith(".txt") && op != Op.OPEN;
      };
    }
  }

  /** Told where a fault landed. */
  interface Observer {
    void landed(Fault fault, Op op, String name, boolean openCommit);
  }

  /** A write, or a truncation to {@code at} where there are no bytes. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Change(int at, byte @Nullable [] bytes) {}

  /** A change of the directory: a creation, a renaming or a deletion. */
  private record NameChange(@Nullable String from, @Nullable String to, @Nullable File file) {}

  private static final class File {
    byte[] cache = new byte[0];
    int size;
    byte[] durable = new byte[0];
    int durableSize;
    // Not synced, in order.
    List<Change> pending = new ArrayList<>();
    // Whether a failed sync left clean pages in the cache that the disk does not have.
    boolean diverged;

    void toCache(Change change) {
      cache = grown(cache, size, end(change));
      size = applied(cache, size, change);
    }

    void toDurable(Change change) {
      durable = grown(durable, durableSize, end(change));
      durableSize = applied(durable, durableSize, change);
    }

    private static int end(Change change) {
      return change.at + (change.bytes == null ? 0 : change.bytes.length);
    }

    private static byte[] grown(byte[] bytes, int size, int needed) {
      if (needed <= bytes.length) {
        return bytes;
      }
      byte[] more = new byte[Math.max(needed, Math.min(bytes.length * 2, needed + 65536))];
      System.arraycopy(bytes, 0, more, 0, size);
      return more;
    }

    private static int applied(byte[] into, int size, Change change) {
      if (change.bytes == null) {
        // What is cut off reads as zeros if the file grows again.
        for (int i = change.at; i < size; i++) {
          into[i] = 0;
        }
        return Math.min(size, change.at);
      }
      System.arraycopy(change.bytes, 0, into, change.at, change.bytes.length);
      return Math.max(size, end(change));
    }

    /** Reads the file from the disk again, as after a restart or an eviction. */
    void reload() {
      cache = Arrays.copyOf(durable, durableSize);
      size = durableSize;
      diverged = false;
      for (Change change : pending) {
        toCache(change);
      }
    }
  }

  private final Random random;
  // Whether unsynced directory operations survive in any combination instead of in order.
  private final boolean strict;
  private final Observer observer;
  private Map<String, File> names = new LinkedHashMap<>();
  private Map<String, File> durableNames = new LinkedHashMap<>();
  private List<NameChange> pendingNames = new ArrayList<>();
  private @Nullable Object lock;
  private int life;
  private final List<String> openFiles = new ArrayList<>();
  private boolean dead;
  private boolean powerLost;
  private @Nullable Fault armed;
  private Aim aim = Aim.ANYTHING;
  private int spared;
  private long capacity = Long.MAX_VALUE;
  private boolean injected;
  // What the journal did, so that a test can tell that it did.
  int segments;
  int snapshots;
  int dropped;

  SimDisk(Random random, boolean strict, Observer observer) {
    this.random = random;
    this.strict = strict;
    this.observer = observer;
  }

  // ---------------------------------------------------------------- faults

  /** Lets a fault strike at what it is aimed at, sparing some operations first. */
  void arm(Fault fault, Aim aim, int spared) {
    this.armed = fault;
    this.aim = aim;
    this.spared = spared;
  }

  void disarm() {
    armed = null;
  }

  void makeRoom() {
    capacity = Long.MAX_VALUE;
  }

  boolean isFull() {
    return capacity != Long.MAX_VALUE;
  }

  /** Whether the process died and no other was started yet. */
  boolean isDead() {
    return dead;
  }

  /** Whether an error was given since the process began. */
  boolean injected() {
    return injected;
  }

  /** The process dies between two operations. */
  void crash(Fault fault) {
    die(fault, null, "", false);
  }

  /** The process ends by itself, and the machine too or not. */
  void end(boolean powerOff) {
    dead = true;
    powerLost = powerOff;
  }

  private void die(Fault fault, @Nullable Op op, String name, boolean inCommit) {
    dead = true;
    powerLost = fault == Fault.POWER_LOSS;
    observer.landed(fault, op == null ? Op.OPEN : op, name, inCommit || commitUnsynced());
  }

  /** A new process: after a power loss the cache is what the disk has. */
  void restart() {
    if (dead && powerLost) {
      losePower();
    }
    for (File file : names.values()) {
      if (file.diverged && random.nextBoolean()) {
        file.reload();
      }
    }
    dead = false;
    powerLost = false;
    lock = null;
    openFiles.clear();
    injected = false;
    life++;
  }

  private boolean commitUnsynced() {
    for (Map.Entry<String, File> entry : names.entrySet()) {
      for (Change change : entry.getValue().pending) {
        if (isCommit(entry.getKey(), change.bytes)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean isCommit(String name, byte @Nullable [] bytes) {
    return name.endsWith(Log.SUFFIX)
        && bytes != null
        && bytes.length >= Frame.HEADER
        && ByteBuffer.wrap(bytes).getInt(0) == Frame.MAGIC
        && bytes[9] == Frame.COMMIT;
  }

  private void losePower() {
    Set<String> lost = new HashSet<>();
    int prefix = random.nextInt(pendingNames.size() + 1);
    for (int i = 0; i < pendingNames.size(); i++) {
      NameChange change = pendingNames.get(i);
      // In the strict mode only operations on the same names keep their order.
      boolean kept =
          strict
              ? !lost.contains(change.from) && !lost.contains(change.to) && random.nextBoolean()
              : i < prefix;
      if (kept) {
        apply(change, durableNames);
      } else {
        lost.add(String.valueOf(change.from));
        lost.add(String.valueOf(change.to));
      }
    }
    pendingNames.clear();
    names = new LinkedHashMap<>(durableNames);
    for (File file : names.values()) {
      losePower(file);
    }
  }

  private void losePower(File file) {
    int size = file.pending.size();
    int whole =
        switch (random.nextInt(4)) {
          case 0 -> 0;
          case 1 -> size;
          case 2 -> size == 0 ? 0 : random.nextInt(size);
          default -> -1; // each by itself
        };
    boolean torn = random.nextBoolean();
    for (int i = 0; i < size; i++) {
      Change change = file.pending.get(i);
      if (whole >= 0 ? i < whole : random.nextInt(3) == 0) {
        file.toDurable(change);
      } else if (whole >= 0 ? torn && i == whole && whole < size : random.nextBoolean()) {
        tear(change).forEach(file::toDurable);
      }
    }
    file.pending.clear();
    file.reload();
  }

  /** Some part of a write: its beginning, its end, or some of its sectors. */
  private List<Change> tear(Change change) {
    byte[] bytes = change.bytes;
    if (bytes == null || bytes.length < 2) {
      return List.of();
    }
    int cut = 1 + random.nextInt(bytes.length - 1);
    List<Change> parts = new ArrayList<>();
    switch (random.nextInt(3)) {
      case 0 -> parts.add(part(change.at, bytes, 0, cut));
      case 1 -> parts.add(part(change.at, bytes, cut, bytes.length));
      default -> {
        int sector = Math.max(1, Math.min(512, bytes.length / 3));
        for (int at = 0; at < bytes.length; at += sector) {
          if (random.nextBoolean()) {
            parts.add(part(change.at, bytes, at, Math.min(bytes.length, at + sector)));
          }
        }
      }
    }
    return parts;
  }

  private static Change part(int at, byte[] bytes, int from, int to) {
    return new Change(at + from, Arrays.copyOfRange(bytes, from, to));
  }

  private static void apply(NameChange change, Map<String, File> to) {
    if (change.from != null) {
      to.remove(change.from);
    }
    if (change.to != null && change.file != null) {
      to.put(change.to, change.file);
    }
  }

  private enum Moment {
    BEFORE,
    HALF_WAY,
    AFTER,
    NEVER
  }

  /** Before each operation; answers when in it the process dies. */
  private Moment begin(Op op, String name) throws IOException {
    if (dead) {
      throw new Crash();
    }
    Fault fault = armed;
    if (fault == null || !aim.at(op, name) || !fault.strikes(op) || spared-- > 0) {
      return Moment.NEVER;
    }
    armed = null;
    switch (fault) {
      case POWER_LOSS, KILL -> {
        Moment moment = Moment.values()[random.nextInt(3)];
        if (moment == Moment.BEFORE) {
          die(fault, op, name, false);
          throw new Crash();
        }
        armed = fault; // struck by end()
        return moment;
      }
      case DISK_FULL -> {
        capacity = used() + random.nextInt(1 << random.nextInt(17));
        // Landed only when a write meets it.
        return Moment.NEVER;
      }
      case WRITE_ERROR -> {
        injected = true;
        observer.landed(fault, op, name, commitUnsynced());
        return Moment.HALF_WAY;
      }
      case SYNC_ERROR, DIRECTORY_ERROR -> {
        injected = true;
        observer.landed(fault, op, name, commitUnsynced());
        throw new Injected("Input/output error");
      }
    }
    throw new AssertionError(fault);
  }

  private void end(Moment moment, Op op, String name, boolean inCommit) {
    Fault fault = armed;
    if (moment != Moment.NEVER && fault != null) {
      armed = null;
      die(fault, op, name, inCommit);
      throw new Crash();
    }
  }

  private long used() {
    long used = 0;
    for (File file : names.values()) {
      used += file.size;
    }
    return used;
  }

  // ---------------------------------------------------------------- the directory

  @Override
  public List<String> list() {
    alive();
    return List.copyOf(names.keySet());
  }

  private void alive() {
    if (dead) {
      throw new Crash();
    }
  }

  private File file(String name) throws NoSuchFileException {
    File file = names.get(name);
    if (file == null) {
      throw new NoSuchFileException(path(name));
    }
    return file;
  }

  @Override
  public Handle open(String name, boolean writable) throws IOException {
    Moment moment = begin(Op.OPEN, name);
    File file = file(name);
    end(moment, Op.OPEN, name, false);
    return new Open(name, file, writable);
  }

  @Override
  public Handle create(String name) throws IOException {
    Moment moment = begin(Op.CREATE, name);
    File file = names.get(name);
    if (file == null) {
      file = new File();
      change(new NameChange(null, name, file));
    } else {
      change(file, new Change(0, null));
    }
    end(moment, Op.CREATE, name, false);
    return new Open(name, file, true);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Moment moment = begin(Op.RENAME, from);
    change(new NameChange(from, to, file(from)));
    snapshots += to.endsWith(Snapshot.SUFFIX) ? 1 : 0;
    segments += to.endsWith(Log.SUFFIX) ? 1 : 0;
    end(moment, Op.RENAME, from, false);
  }

  @Override
  public void delete(String name) throws IOException {
    Moment moment = begin(Op.DELETE, name);
    if (names.containsKey(name)) {
      change(new NameChange(name, null, null));
      dropped += name.endsWith(Log.SUFFIX) ? 1 : 0;
    }
    end(moment, Op.DELETE, name, false);
  }

  private void change(NameChange change) {
    apply(change, names);
    pendingNames.add(change);
  }

  @Override
  public void sync() throws IOException {
    Moment moment = begin(Op.SYNC_DIRECTORY, "");
    if (moment != Moment.HALF_WAY) {
      pendingNames.forEach(change -> apply(change, durableNames));
      pendingNames.clear();
    }
    end(moment, Op.SYNC_DIRECTORY, "", false);
  }

  @Override
  public @Nullable Closeable lock(String name) throws IOException {
    Moment moment = begin(Op.LOCK, name);
    if (!names.containsKey(name)) {
      change(new NameChange(null, name, new File()));
    }
    end(moment, Op.LOCK, name, false);
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

  // ---------------------------------------------------------------- files

  private void change(File file, Change change) {
    file.toCache(change);
    file.pending.add(change);
  }

  private final class Open implements Handle {
    private final String name;
    private final File file;
    private final boolean writable;
    private final int bornIn = life;
    private boolean closed;

    Open(String name, File file, boolean writable) {
      openFiles.add(name);
      this.name = name;
      this.file = file;
      this.writable = writable;
    }

    private void check(boolean write) throws IOException {
      if (bornIn != life || closed) {
        throw new IllegalStateException(name + " is used after it was closed");
      }
      if (write && !writable) {
        throw new IOException(name + " was opened to be read");
      }
    }

    @Override
    public long size() throws IOException {
      alive();
      check(false);
      return file.size;
    }

    @Override
    public int read(long at, ByteBuffer into) throws IOException {
      alive();
      check(false);
      if (at >= file.size) {
        return into.hasRemaining() ? -1 : 0;
      }
      int length = (int) Math.min(into.remaining(), file.size - at);
      into.put(file.cache, (int) at, length);
      return length;
    }

    @Override
    public void write(long at, ByteBuffer from) throws IOException {
      Moment moment = begin(Op.WRITE, name);
      check(true);
      byte[] bytes = new byte[from.remaining()];
      from.get(bytes);
      boolean commit = isCommit(name, bytes);
      int room = (int) Math.min(bytes.length, room(at, bytes.length));
      boolean full = room < bytes.length;
      if (moment == Moment.HALF_WAY) {
        room = Math.min(room, random.nextInt(bytes.length + 1));
      }
      if (room > 0) {
        change(
            file, new Change((int) at, room == bytes.length ? bytes : Arrays.copyOf(bytes, room)));
      }
      end(moment, Op.WRITE, name, commit);
      if (full) {
        if (!injected) {
          observer.landed(Fault.DISK_FULL, Op.WRITE, name, commit || commitUnsynced());
        }
        injected = true;
        throw new Injected("No space left on device");
      }
      if (moment == Moment.HALF_WAY) {
        throw new Injected("Input/output error");
      }
    }

    private long room(long at, int length) {
      if (capacity == Long.MAX_VALUE || at + length <= file.size) {
        return length;
      }
      long more = Math.max(0, capacity - used());
      return Math.max(0, file.size + more - at);
    }

    @Override
    public void sync() throws IOException {
      Moment moment;
      try {
        moment = begin(Op.SYNC, name);
      } catch (Injected e) {
        for (Change change : file.pending) {
          if (random.nextBoolean()) {
            file.toDurable(change);
          }
        }
        file.pending.clear();
        file.diverged = true;
        throw e;
      }
      check(true);
      boolean commit = file.pending.stream().anyMatch(change -> isCommit(name, change.bytes));
      if (moment != Moment.HALF_WAY) {
        file.pending.forEach(file::toDurable);
        file.pending.clear();
      }
      end(moment, Op.SYNC, name, commit);
    }

    @Override
    public void truncate(long size) throws IOException {
      Moment moment = begin(Op.TRUNCATE, name);
      check(true);
      if (moment != Moment.HALF_WAY && size < file.size) {
        change(file, new Change((int) size, null));
      }
      end(moment, Op.TRUNCATE, name, false);
      if (moment == Moment.HALF_WAY) {
        throw new Injected("Input/output error");
      }
    }

    @Override
    public void close() {
      if (!closed && bornIn == life) {
        openFiles.remove(name);
      }
      closed = true;
    }
  }

  // ---------------------------------------------------------------- for the checker

  /** The files that the process has open. */
  List<String> openFiles() {
    return List.copyOf(openFiles);
  }

  /** What a process reads from a file, or null where there is none. */
  byte @Nullable [] content(String name) {
    File file = names.get(name);
    return file == null ? null : Arrays.copyOf(file.cache, file.size);
  }

  /** Puts a file there, durably. */
  void put(String name, byte[] bytes) {
    File file = new File();
    file.durable = bytes.clone();
    file.durableSize = bytes.length;
    file.reload();
    names.put(name, file);
    durableNames.put(name, file);
  }

  /** A disk with the same content, all of it durable, and no faults. */
  SimDisk copy() {
    SimDisk copy = new SimDisk(new Random(0), strict, (fault, op, name, open) -> {});
    names.forEach((name, file) -> copy.put(name, Arrays.copyOf(file.cache, file.size)));
    return copy;
  }
}
