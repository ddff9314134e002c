package dev.oncefold.verify;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;

/**
 * A few numbers in a mapped file that the rig and the process it kills both see. What the process
 * stored last stays after its death: that tells where it was killed.
 *
 * <p>Positions are those of one input: bytes of a file, for one. Safe for use by several threads;
 * each number but {@link Field#HOLD} and {@link Field#ALLOWED} is stored by the process only.
 */
public final class Beacon {
  /** What one of the numbers means; its place in the file is fixed. */
  public enum Field {
    /** Where the commit in hand is: {@link #CLOSED}, {@link #BEGUN} or {@link #WRITTEN}. */
    COMMIT(0),
    /** Told by the rig: where the next commit waits for its fault; see {@link #HOLD_NOWHERE}. */
    HOLD(1),
    /** Told by the rig: up to which position the process may read. */
    ALLOWED(2),
    /** Up to which position events were handed out. */
    HANDED(3),
    /** Up to which position they are committed, and answered. */
    COMMITTED(4),
    /** How many events are committed. */
    EVENTS(5),
    /** How many commits were begun in this life. */
    COMMITS(6),
    /** 1 from when the store is being opened. */
    OPENING(7),
    /** How long it took from opening to the first event judged, in nanoseconds; 0 before. */
    RECOVERY(8),
    /** How many events were committed when the store was opened. */
    FOUND(9),
    /** How long it took from the first event read to the last one committed, in nanoseconds. */
    RUNNING(10),
    /** At which position it went on; {@link #NOT_YET} before it knew. */
    RESUMED(11);

    private final int place;

    Field(int number) {
      this.place = number * Long.BYTES;
    }
  }

  /** No commit is open: none was begun, or the last one is durable. */
  public static final long CLOSED = 0;

  /** A part of the commit is written or sent, at least its first byte. */
  public static final long BEGUN = 1;

  /** All of the commit is written or sent, and there is no answer to it. */
  public static final long WRITTEN = 2;

  /** A commit goes through without waiting. From 1 to 999: it waits with that much per mille. */
  public static final long HOLD_NOWHERE = 0;

  /** A commit waits when all of it is written: before its sync, or its answer. */
  public static final long HOLD_BEFORE_SYNC = 1000;

  /** The value of {@link Field#RESUMED} before the process knows. */
  public static final long NOT_YET = -1;

  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final ByteBuffer fields;

  private Beacon(ByteBuffer fields) {
    this.fields = fields;
  }

  /**
   * Maps a file, made if absent.
   *
   * @param file the file
   * @return the beacon in it
   * @throws IOException if it cannot be mapped
   */
  public static Beacon at(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new Beacon(
          channel.map(
              FileChannel.MapMode.READ_WRITE, 0, (long) Field.values().length * Long.BYTES));
    }
  }

  /**
   * Reads a number.
   *
   * @param field which
   * @return what either side stored last
   */
  public long get(Field field) {
    return (long) LONGS.getVolatile(fields, field.place);
  }

  /**
   * Stores a number.
   *
   * @param field which
   * @param value the number
   */
  public void set(Field field, long value) {
    LONGS.setVolatile(fields, field.place, value);
  }

  /** Told by the rig between two lives: forgets the last one, but not how far it came. */
  void clear() {
    for (Field field : Field.values()) {
      if (field != Field.EVENTS && field != Field.COMMITTED) {
        set(field, 0);
      }
    }
    set(Field.RESUMED, NOT_YET);
  }

  /**
   * A commit begins, told by the process. It writes so many bytes and then calls {@link #begun};
   * where that is all of them, it need not.
   *
   * @param length the length of the commit in bytes, at least 1
   * @return how many to write first, at least 1
   */
  public int begin(int length) {
    set(Field.COMMITS, get(Field.COMMITS) + 1);
    long hold = get(Field.HOLD);
    return hold == HOLD_NOWHERE
        ? length
        : (int) Math.max(1, Math.min(length, length * hold / HOLD_BEFORE_SYNC));
  }

  /** A part of the commit is written. Waits here if the rig wants it. */
  public void begun() {
    set(Field.COMMIT, BEGUN);
    if (get(Field.HOLD) != HOLD_BEFORE_SYNC) {
      awaitRelease();
    }
  }

  /** All of the commit is written. Waits here if the rig wants it. */
  public void written() {
    set(Field.COMMIT, WRITTEN);
    if (get(Field.HOLD) == HOLD_BEFORE_SYNC) {
      awaitRelease();
    }
  }

  /** The commit is durable; nobody was answered yet. */
  public void closed() {
    set(Field.COMMIT, CLOSED);
  }

  private void awaitRelease() {
    while (get(Field.HOLD) != HOLD_NOWHERE) {
      LockSupport.parkNanos(100_000);
    }
  }
}
