package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import dev.oncefold.Event;
import dev.oncefold.Slot;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Feeds the reader of a journal with bytes that nobody wrote: it opens with what was once there, or
 * says why not with a {@link JournalException}; it never fails otherwise, and never takes more
 * memory than the files account for.
 */
class JournalFuzzTest {
  private static final int MUTATIONS = 4000;
  // Opening takes some buffers of its own; a length field that was believed would take gigabytes.
  private static final long MOST_ALLOCATED = 64L << 20;
  private static final Options OPTIONS = Bank.OPTIONS.segmentBytes(1 << 16).snapshotBytes(1 << 15);

  private final ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static Journal<Bank.Account, Bank.Payment, Bank.Receipt> open(TestDisk disk) {
    return Journal.open(disk, Bank.withTransfers(), OPTIONS, new Bank.ByHand());
  }

  /** A journal of several segments, with a snapshot, closed; its truth by sequence. */
  private static TestDisk written(
      int events, int padding, List<Map<String, Slot<Bank.Account>>> truth) {
    TestDisk disk = new TestDisk();
    Random random = new Random(7);
    try (var journal = open(disk)) {
      truth.add(Map.of());
      for (int i = 0; i < events; i++) {
        String key = "k" + random.nextInt(5);
        Event<Bank.Payment> event =
            switch (random.nextInt(5)) {
              case 0 -> Bank.transfer("t" + i, key, key + "x", random.nextInt(50));
              case 1 -> Bank.event("w" + i, key, "withdraw", random.nextInt(90));
              case 2 -> Bank.deposit("d" + random.nextInt(i + 1), key, 7);
              default ->
                  new Event<>(
                      "d" + i, key, Bank.NOW, new Bank.Payment("deposit", i, "p".repeat(padding)));
            };
        List<String> unused = Bank.settle(journal, event);
        truth.add(journal.view().slots());
      }
    }
    return disk;
  }

  /** Opens a journal, and checks that it holds what it once held. */
  private boolean opens(TestDisk disk, List<Map<String, Slot<Bank.Account>>> truth) {
    long before = memory.getThreadAllocatedBytes(Thread.currentThread().getId());
    boolean opened = false;
    try (var journal = open(disk)) {
      opened = true;
      int sequence = (int) journal.sequence();
      assertThat(sequence).isLessThan(truth.size());
      assertThat(journal.view().slots()).isEqualTo(truth.get(sequence));
      try {
        journal.history(entry -> {});
      } catch (JournalException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    } catch (JournalException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
    long allocated = memory.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    assertThat(allocated).as("bytes allocated").isLessThan(MOST_ALLOCATED);
    return opened;
  }

  @Test
  void mutatedFilesAreReadAsOnceWrittenOrRefused() {
    List<Map<String, Slot<Bank.Account>>> truth = new ArrayList<>();
    TestDisk sound = written(120, 1500, truth);
    assertThat(sound.names(".log")).hasSizeGreaterThan(1);
    assertThat(sound.names(".snapshot")).isNotEmpty();
    int opened = 0;
    for (int seed = 0; seed < MUTATIONS; seed++) {
      Random random = new Random(seed);
      TestDisk disk = sound.copy();
      List<String> files = new ArrayList<>(disk.names(".log"));
      files.addAll(disk.names(".snapshot"));
      String file = files.get(random.nextInt(files.size()));
      byte[] other = sound.bytes(files.get(random.nextInt(files.size())));
      disk.put(file, mutated(disk.bytes(file), other, random));
      try {
        opened += opens(disk, truth) ? 1 : 0;
      } catch (AssertionError | RuntimeException e) {
        fail("seed " + seed + ", " + file, e);
      }
    }
    // Cutting the tail of the last segment, above all, leaves a journal that opens.
    assertThat(opened).isBetween(MUTATIONS / 100, MUTATIONS / 2);
  }

  private static byte[] mutated(byte[] bytes, byte[] other, Random random) {
    byte[] copy = bytes.clone();
    int at = random.nextInt(copy.length);
    int length = 1 + random.nextInt(Math.min(3000, copy.length - at));
    switch (random.nextInt(9)) {
      case 0 -> copy[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> copy = Arrays.copyOf(copy, at);
      case 2 -> Arrays.fill(copy, at, at + length, (byte) 0);
      case 3 -> {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, copy, at, length);
      }
      case 4 -> System.arraycopy(bytes, random.nextInt(copy.length - length + 1), copy, at, length);
      case 5 -> {
        // A length field set to a huge value: four bytes that begin like a large int.
        copy[at] = 0x7f;
        Arrays.fill(copy, at, Math.min(copy.length, at + 4), (byte) 0x7f);
      }
      case 6 -> {
        copy = Arrays.copyOf(copy, copy.length + other.length);
        System.arraycopy(other, 0, copy, bytes.length, other.length);
      }
      case 7 -> copy = other.clone();
      default -> {
        // A range is left out, and what follows moves up.
        System.arraycopy(bytes, at + length, copy, at, copy.length - at - length);
        copy = Arrays.copyOf(copy, copy.length - length);
      }
    }
    return copy;
  }

  @Test
  void randomBytesAreRefused() {
    List<Map<String, Slot<Bank.Account>>> truth = List.of(Map.of());
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      byte[] noise = new byte[random.nextInt(5000)];
      random.nextBytes(noise);
      TestDisk disk = new TestDisk();
      disk.put("00000000000000000000.log", noise);
      if (random.nextBoolean()) {
        disk.put("00000000000000000100.snapshot", noise);
      }
      assertThat(opens(disk, truth)).as("seed " + seed).isFalse();
    }
  }

  @Test
  void everyFlippedBitOfAClosedLogIsToldButThoseOfTheClosingMarks() {
    List<Map<String, Slot<Bank.Account>>> truth = new ArrayList<>();
    TestDisk sound = written(12, 0, truth);
    String file = sound.names(".log").get(0);
    byte[] bytes = sound.bytes(file);
    // The mark of an idle writer, and that of closing: neither holds anything.
    int closingMarks = bytes.length - 2 * Frame.HEADER;
    for (int at = 0; at < bytes.length; at++) {
      for (int bit = at % 3; bit < 8; bit += 3) {
        TestDisk disk = sound.copy();
        byte[] flipped = bytes.clone();
        flipped[at] ^= (byte) (1 << bit);
        disk.put(file, flipped);
        JournalException told = null;
        try (var journal = open(disk)) {
          assertThat(journal.sequence()).isEqualTo(12);
          assertThat(journal.view().slots()).isEqualTo(truth.get(12));
        } catch (JournalException e) {
          told = e;
        }
        check(at, closingMarks, told);
      }
    }
  }

  private static void check(int at, int closingMarks, @Nullable JournalException told) {
    if (at >= closingMarks) {
      assertThat(told).as("at " + at + ", in the closing marks").isNull();
    } else {
      assertThat(told).as("at " + at).isNotNull();
    }
  }
}
