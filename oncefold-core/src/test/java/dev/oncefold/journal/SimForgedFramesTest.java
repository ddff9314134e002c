package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * Frames and snapshots that nobody wrote but whose checksums are right: as good as never met by
 * chance, so all that matters is that the reader says so or reads something, and takes no memory
 * for what is not there.
 */
class SimForgedFramesTest {
  private static final int FORGERIES = 6000;
  private static final Options OPTIONS = Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(2000);

  private final ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static Journal<Bank.Account, Bank.Payment, Bank.Receipt> open(TestDisk disk) {
    return Journal.open(disk, Bank.withTransfers(), OPTIONS, new Bank.ByHand());
  }

  private static TestDisk written() {
    TestDisk disk = new TestDisk();
    Random random = new Random(3);
    try (var journal = open(disk)) {
      for (int i = 0; i < 60; i++) {
        String key = "k" + random.nextInt(5);
        List<String> unused =
            switch (random.nextInt(4)) {
              case 0 -> Bank.settle(journal, Bank.transfer("t" + i, key, key + "x", i));
              case 1 -> Bank.settle(journal, Bank.event("w" + i, key, "withdraw", 50));
              default -> Bank.settle(journal, Bank.deposit("d" + random.nextInt(i + 1), key, i));
            };
      }
    }
    return disk;
  }

  @Test
  void whatIsWholeButMakesNoSenseIsRefused() {
    TestDisk sound = written();
    String log = sound.names(Log.SUFFIX).get(0);
    String snapshot = sound.names(Snapshot.SUFFIX).get(0);
    // The first reading takes memory for classes; the second what reading takes.
    assertThat(reads(sound.copy(), Long.MAX_VALUE)).isTrue();
    long before = allocated();
    assertThat(reads(sound.copy(), Long.MAX_VALUE)).isTrue();
    long most = 4 * (allocated() - before);
    int opened = 0;
    for (int seed = 0; seed < FORGERIES; seed++) {
      Random random = new Random(seed);
      TestDisk disk = sound.copy();
      boolean ofLog = random.nextInt(3) > 0;
      if (ofLog) {
        // Without the snapshot all of the log is read.
        disk.remove(snapshot);
        disk.put(log, forgedLog(sound.bytes(log), random));
      } else {
        disk.put(snapshot, forgedSnapshot(sound.bytes(snapshot), random));
      }
      try {
        opened += reads(disk, most) ? 1 : 0;
      } catch (AssertionError | RuntimeException e) {
        fail("seed " + seed, e);
      }
    }
    assertThat(opened).as("opened all the same").isBetween(FORGERIES / 20, FORGERIES * 19 / 20);
  }

  private long allocated() {
    return memory.getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  private boolean reads(TestDisk disk, long most) {
    long before = allocated();
    boolean opened = false;
    try (var journal = open(disk)) {
      opened = true;
      assertThat(journal.view().slots()).isNotNull();
      journal.history(entry -> assertThat(entry.verdict()).isNotNull());
      assertThat(journal.asOf(journal.sequence() / 2)).isNotNull();
    } catch (JournalException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
    assertThat(allocated() - before).as("bytes allocated").isLessThan(most);
    return opened;
  }

  private static byte[] forgedLog(byte[] bytes, Random random) {
    List<Integer> frames = new ArrayList<>();
    for (int at = 0; at + Frame.HEADER <= bytes.length; ) {
      frames.add(at);
      at += Frame.HEADER + Frame.read(bytes, at).length();
    }
    int frame = frames.get(random.nextInt(frames.size()));
    int length = Frame.read(bytes, frame).length();
    if (length > 0 && random.nextInt(5) > 0) {
      forge(bytes, frame + Frame.HEADER, length, random);
    } else {
      // Not the length: then the frames behind it would not follow.
      int field = List.of(8, 9, 20, 24, 32, 40, 48).get(random.nextInt(7));
      forge(bytes, frame + field, field == 8 || field == 9 ? 1 : 4, random);
    }
    ByteBuffer header = ByteBuffer.wrap(bytes);
    boolean defines = Frame.read(bytes, frame).kind() == Frame.DEFINITION;
    long k0 = defines ? 0 : 11;
    long k1 = defines ? 0 : 12;
    header.putInt(frame + 16, Frame.crc(k0, k1, frame, bytes, frame + Frame.HEADER, length));
    header.putInt(frame + 4, Frame.crc(k0, k1, frame, bytes, frame + 8, Frame.HEADER - 8));
    return bytes;
  }

  private static byte[] forgedSnapshot(byte[] bytes, Random random) {
    List<Integer> blocks = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    for (int at = 0; at < bytes.length; at += 8 + buffer.getInt(at)) {
      blocks.add(at);
    }
    int block = blocks.get(random.nextInt(blocks.size()));
    int length = buffer.getInt(block);
    forge(bytes, block + 8, length, random);
    CRC32C crc = new CRC32C();
    crc.update(bytes, block + 8, length);
    buffer.putInt(block + 4, (int) crc.getValue());
    return bytes;
  }

  /** Changes some bytes, often to what a huge number looks like. */
  private static void forge(byte[] bytes, int from, int length, Random random) {
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      int at = from + random.nextInt(length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> {
          for (int j = at; j < Math.min(from + length, at + 5); j++) {
            bytes[j] = (byte) 0xff;
          }
        }
        default -> bytes[at] = (byte) random.nextInt(8);
      }
    }
  }
}
