package dev.oncefold.verify;

import dev.oncefold.verify.Beacon.Field;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;

/**
 * A process for a nemesis, without an engine: appends the numbers from 0 on to a file, ten in a
 * commit. What is left of a half written commit, it cuts off when it starts.
 */
final class Toy {
  static final long INPUT = 20_000;
  private static final int COMMIT = 10;
  private static final int BYTES = COMMIT * Long.BYTES;

  private Toy() {}

  static Path store(Path directory) {
    return directory.resolve("store");
  }

  static Path beacon(Path directory) {
    return directory.resolve("beacon");
  }

  /** Appends until all are there; the argument is the directory. */
  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[0]);
    Beacon beacon = Beacon.at(beacon(directory));
    long opened = System.nanoTime();
    beacon.set(Field.OPENING, 1);
    try (FileChannel file =
        FileChannel.open(store(directory), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long next = file.size() / BYTES * COMMIT;
      file.truncate(next * Long.BYTES);
      file.position(next * Long.BYTES);
      beacon.set(Field.FOUND, next);
      told(beacon, next);
      beacon.set(Field.HANDED, next);
      beacon.set(Field.RESUMED, next);
      while (next < INPUT) {
        while (beacon.get(Field.ALLOWED) <= next) {
          LockSupport.parkNanos(100_000);
        }
        beacon.set(Field.HANDED, next + COMMIT);
        if (beacon.get(Field.RECOVERY) == 0) {
          beacon.set(Field.RECOVERY, System.nanoTime() - opened);
        }
        commit(file, beacon, next);
        next += COMMIT;
        told(beacon, next);
      }
    }
  }

  private static void told(Beacon beacon, long next) {
    beacon.set(Field.EVENTS, next);
    beacon.set(Field.COMMITTED, next);
  }

  private static void commit(FileChannel file, Beacon beacon, long from) throws IOException {
    ByteBuffer commit = ByteBuffer.allocate(BYTES);
    for (int i = 0; i < COMMIT; i++) {
      commit.putLong(from + i);
    }
    commit.flip();
    int first = beacon.begin(BYTES);
    if (first < BYTES) {
      file.write(commit.limit(first));
      beacon.begun();
      commit.limit(BYTES);
    }
    file.write(commit);
    beacon.written();
    file.force(false);
    beacon.closed();
  }

  /** How many numbers are there, when they are the right ones. */
  static long stored(Path directory) throws IOException {
    ByteBuffer store = ByteBuffer.wrap(Files.readAllBytes(store(directory)));
    long next = 0;
    while (store.remaining() >= Long.BYTES) {
      long number = store.getLong();
      if (number != next++) {
        throw new AssertionError("there is a " + number + " in place of " + (next - 1));
      }
    }
    return next;
  }
}
