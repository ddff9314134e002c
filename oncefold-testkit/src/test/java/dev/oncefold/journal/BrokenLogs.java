package dev.oncefold.journal;

import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Encoder;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Logs that are wrong on purpose. */
final class BrokenLogs {
  private BrokenLogs() {}

  /** Takes every frame for whole, whatever its checksums say. */
  static final class ChecksumIgnored extends Log {
    ChecksumIgnored(Disk disk, int segmentBytes) throws IOException {
      super(disk, segmentBytes);
    }

    @Override
    boolean intact(int stored, int computed) {
      return true;
    }
  }

  /** Goes on behind a torn frame instead of in its place. */
  static final class TornTailKept extends Log {
    private final Disk disk;

    TornTailKept(Disk disk, int segmentBytes) throws IOException {
      super(disk, segmentBytes);
      this.disk = disk;
    }

    @Override
    long checkTail(Cursor cursor) throws IOException {
      long end = super.checkTail(cursor);
      long segment = segmentStarts().get(segmentStarts().size() - 1);
      try (Disk.Handle file = disk.open(name(segment, SUFFIX), false)) {
        ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
        while (bytes.hasRemaining() && file.read(bytes.position(), bytes) > 0) {}
        long last = bytes.position();
        while (last > end - segment && bytes.get((int) last - 1) == 0) {
          last--;
        }
        return segment + last;
      }
    }
  }

  /** Writes how far a partition is applied in a frame of its own, before what was applied. */
  static final class PositionFirst extends Log {
    PositionFirst(Disk disk, int segmentBytes) throws IOException {
      super(disk, segmentBytes);
    }

    @Override
    void append(Encoder frame, byte kind, int events, long sequence, long time) throws IOException {
      if (kind != Frame.COMMIT || events == 0) {
        super.append(frame, kind, events, sequence, time);
        return;
      }
      Encoder positions = Frame.start(new Encoder());
      Encoder rest = Frame.start(new Encoder());
      Decoder in = new Decoder(frame.array(), Frame.HEADER, frame.length() - Frame.HEADER);
      EventRecord record = new EventRecord();
      while (in.remaining() > 0) {
        int at = in.position();
        int tag = in.readByte();
        switch (tag) {
          case EventRecord.TAG -> record.read(in);
          case Memory.POSITION -> {
            in.readString();
            in.readUnsigned();
            in.readSigned();
            in.readLong();
            in.readSigned();
          }
          case Memory.FLOOR -> in.readSigned();
          default -> {
            in.readString();
            in.readSigned();
            in.readSigned();
            in.readLong();
          }
        }
        Encoder to = tag == Memory.POSITION ? positions : rest;
        to.writeRaw(frame.array(), at, in.position() - at);
      }
      super.append(positions, kind, 0, sequence, time);
      super.append(rest, kind, events, sequence, time);
    }
  }
}
