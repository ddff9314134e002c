package dev.oncefold.cli;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A few numbers in a mapped file that the demo and the process it kills both see. What the process
 * stored last stays after its death: that tells where it was killed.
 */
final class Beacon {
  /** What one of the numbers means; its place in the file is fixed. */
  enum Field {
    /** Where the commit in hand is: {@link #CLOSED}, {@link #BEGUN} or {@link #WRITTEN}. */
    COMMIT(0),
    /** Told by the demo: where the next commit waits to be killed; see {@link #HOLD_NOWHERE}. */
    HOLD(1),
    /** Told by the demo: up to which byte of the input the process may read. */
    ALLOWED(2),
    /** Up to which byte of the input events were handed out. */
    HANDED(3),
    /** Up to which byte of the input they are committed. */
    COMMITTED(4),
    /** How many events are committed. */
    EVENTS(5),
    /** How many commits were begun in this life. */
    COMMITS(6),
    /** 1 from when the journal is being opened. */
    OPENING(7),
    /** How long it took from opening to the first event judged, in nanoseconds; 0 before. */
    RECOVERY(8),
    /** How many events were committed when the journal was opened. */
    FOUND(9),
    /** How long it took from the first event read to the last one committed, in nanoseconds. */
    RUNNING(10),
    /** At which byte of the input it went on; {@link #NOT_YET} before it knew. */
    RESUMED(11);

    private final int place;

    Field(int number) {
      this.place = number * Long.BYTES;
    }
  }

  /** No commit is open: none was begun, or the sync of the last one has returned. */
  static final long CLOSED = 0;

  /** A part of the commit's frame is written, at least its first byte. */
  static final long BEGUN = 1;

  /** The frame is written, and its sync has not returned. */
  static final long WRITTEN = 2;

  /** A commit goes through without waiting. From 1 to 999: it waits with that much per mille. */
  static final long HOLD_NOWHERE = 0;

  /** A commit waits before its sync. */
  static final long HOLD_BEFORE_SYNC = 1000;

  /** The value of {@link Field#RESUMED} before the worker knows. */
  static final long NOT_YET = -1;

  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final ByteBuffer fields;

  private Beacon(ByteBuffer fields) {
    this.fields = fields;
  }

  /** Maps a file, made if absent. */
  static Beacon at(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new Beacon(
          channel.map(
              FileChannel.MapMode.READ_WRITE, 0, (long) Field.values().length * Long.BYTES));
    }
  }

  long get(Field field) {
    return (long) LONGS.getVolatile(fields, field.place);
  }

  void set(Field field, long value) {
    LONGS.setVolatile(fields, field.place, value);
  }

  /** Forgets the life of the last process. */
  void clear() {
    for (Field field : Field.values()) {
      if (field != Field.EVENTS && field != Field.COMMITTED) {
        set(field, 0);
      }
    }
    set(Field.RESUMED, NOT_YET);
  }
}
