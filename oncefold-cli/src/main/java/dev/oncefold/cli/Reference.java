package dev.oncefold.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What must come of the payments, worked out a second time: plain maps over the lines of the file,
 * with nothing of what it is held against in between.
 */
final class Reference implements AutoCloseable {
  /** What an account must hold. */
  static final class Expected {
    long cents;
    long payments;
    long trail;

    private void change(String id, long by) {
      cents += by;
      payments++;
      trail = 31 * (31 * trail + id.hashCode()) + by;
    }
  }

  /** An id is remembered for seven days; the payments come again long before or long after. */
  private static final long FORGOTTEN = Duration.ofDays(9).toMillis();

  final Map<String, Expected> accounts = new HashMap<>();
  final List<String> receipts = new ArrayList<>();
  final List<String> refusals = new ArrayList<>();
  long events;
  long applied;
  long duplicates;
  long conflicts;
  long rejected;
  long expired;
  long failed;

  private final String name;
  private final BufferedReader lines;
  private final Map<String, String> known = new HashMap<>();
  private long newest;
  private long offset;

  Reference(Path payments) {
    this.name = String.valueOf(payments.getFileName());
    try {
      this.lines = Files.newBufferedReader(payments, StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How far it has read, in bytes. */
  long offset() {
    return offset;
  }

  /** Reads on, up to an offset in bytes that lies between two lines. */
  void readTo(long end) {
    try {
      while (offset < end) {
        String line = lines.readLine();
        if (line == null) {
          throw new IllegalStateException("the file " + name + " ends before offset " + end);
        }
        judge(line);
        offset += line.length() + 1;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void judge(String line) {
    events++;
    String[] fields = line.split(",", -1);
    String id = fields[0];
    String from = fields[3];
    String to = fields[4];
    long cents;
    try {
      cents = Long.parseLong(fields[5]);
    } catch (NumberFormatException e) {
      failed++;
      refuse(name + '@' + offset, "", "FAILED", "");
      return;
    }
    long time = Long.parseLong(fields[1]);
    String payload = fields[2] + ',' + from + ',' + to + ',' + cents;
    String first = known.get(from + ' ' + id);
    if (first != null && newest - time >= FORGOTTEN) {
      expired++;
      refuse(id, from, "EXPIRED", "");
    } else if (first != null && first.equals(payload)) {
      duplicates++;
    } else if (first != null) {
      conflicts++;
      refuse(id, from, "CONFLICT", "");
    } else {
      known.put(from + ' ' + id, payload);
      newest = Math.max(newest, time);
      pay(id, fields[2], from, to, cents);
    }
  }

  private void pay(String id, String kind, String from, String to, long cents) {
    long change = kind.equals("deposit") ? cents : -cents;
    Expected account = accounts.get(from);
    if ((account == null ? 0 : account.cents) + change < 0) {
      rejected++;
      refuse(id, from, "REJECTED", "insufficient funds");
      return;
    }
    applied++;
    change(id, from, 0, from, change);
    if (kind.equals("transfer")) {
      change(id, from, 1, to, cents);
    }
  }

  private void change(String id, String key, int n, String account, long by) {
    Expected changed = accounts.computeIfAbsent(account, a -> new Expected());
    changed.change(id, by);
    receipts.add(
        "accounts/" + key + '/' + id + '/' + n + ',' + account + ',' + by + ',' + changed.cents);
  }

  private void refuse(String id, String account, String verdict, String reason) {
    refusals.add(id + ',' + account + ',' + verdict + ',' + reason);
  }

  @Override
  public void close() {
    try {
      lines.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
