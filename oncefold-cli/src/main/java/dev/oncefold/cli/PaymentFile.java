package dev.oncefold.cli;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * Writes the demo's payments, the same ones for the same seed: four weeks of deposits, withdrawals
 * and transfers, of which some are sent again.
 *
 * <p>A re-send comes at once, within the time for which ids are remembered, or long after it; never
 * near its end, where it depends on the batches whether an id is still known.
 */
final class PaymentFile {
  static final int ACCOUNTS = 10_000;

  /** A re-send within the memory comes at most this late. */
  static final Duration SOON = Payments.REMEMBERED.minusDays(1);

  /** A re-send beyond the memory comes at least this late. */
  static final Duration LATE = Payments.REMEMBERED.plusDays(3);

  private static final long BEGIN = Instant.parse("2024-01-01T00:00:00Z").toEpochMilli();
  private static final long MILLIS = Duration.ofDays(28).toMillis();
  private static final int HOT_ACCOUNTS = 20;

  private final Random random;
  private final long events;
  private final PriorityQueue<Resend> resends = new PriorityQueue<>();

  /** A line that is sent again, and before which event of the file. */
  private record Resend(long due, long number, String line) implements Comparable<Resend> {
    @Override
    public int compareTo(Resend other) {
      return due != other.due ? Long.compare(due, other.due) : Long.compare(number, other.number);
    }
  }

  private PaymentFile(long seed, long events) {
    this.random = new Random(seed);
    this.events = events;
  }

  /** Writes a file of so many lines. */
  static void write(Path file, long seed, long events) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.US_ASCII)) {
      new PaymentFile(seed, events).write(out);
    }
  }

  private void write(BufferedWriter out) throws IOException {
    long fresh = 0;
    for (long at = 0; at < events; at++) {
      Resend due = resends.peek();
      if (due != null && due.due() <= at) {
        resends.remove();
        out.write(due.line());
      } else {
        out.write(fresh(++fresh, at));
      }
      out.write('\n');
    }
  }

  private String fresh(long number, long at) {
    String id = "p-" + number;
    String sent = id + ',' + (BEGIN + MILLIS * at / events);
    int dice = random.nextInt(10_000);
    String account = account();
    String fields;
    long cents;
    if (dice < 4_500) {
      fields = sent + ",deposit," + account + ",,";
      cents = 1L + random.nextInt(50_000);
    } else if (dice < 7_500) {
      fields = sent + ",withdraw," + account + ",,";
      cents = 1L + random.nextInt(40_000);
    } else {
      String to = account();
      while (to.equals(account)) {
        to = account();
      }
      fields = sent + ",transfer," + account + ',' + to + ',';
      cents = 1L + random.nextInt(30_000);
    }
    if (random.nextInt(10_000) == 0) {
      return fields + cents + "x"; // what a broken sender writes: no amount
    }
    // A little more than one in twenty, since some would come after the end of the file.
    if (random.nextInt(1_000) < 60) {
      resend(number, at, fields, cents);
    }
    return fields + cents;
  }

  private void resend(long number, long at, String fields, long cents) {
    int dice = random.nextInt(100);
    long changed = dice % 5 == 0 ? cents + 1 : cents;
    long due;
    if (dice < 40) {
      due = at + 1;
    } else if (dice < 92) {
      due = at + 1 + (long) (random.nextDouble() * lines(SOON));
    } else {
      due = at + 1 + lines(LATE) + (long) (random.nextDouble() * lines(SOON));
    }
    resends.add(new Resend(due, number, fields + changed));
  }

  private long lines(Duration span) {
    return events * span.toMillis() / MILLIS;
  }

  /** One payment in five goes to one of few accounts. */
  private String account() {
    int number = random.nextInt(random.nextInt(5) == 0 ? HOT_ACCOUNTS : ACCOUNTS);
    return "acct-" + (ACCOUNTS + number);
  }
}
