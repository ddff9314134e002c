package dev.oncefold.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What should come of the records of a topic, worked out once more in plain Java: it shares nothing
 * with the fold, the pipeline or the stores.
 */
final class TopicReference {
  private static final Pattern PAYMENT =
      Pattern.compile(
          "\\{\"id\":\"([^\"]*)\",\"account\":\"([^\"]*)\",\"type\":\"([^\"]*)\","
              + "\"amount\":(\\d+)\\.(\\d\\d),\"at\":\"[^\"]*\"}");

  /** What is in a row of an account. */
  record Row(long cents, long payments) {}

  final Map<String, Row> rows = new TreeMap<>();
  // By account, in order: the values of the receipts.
  final Map<String, List<String>> receipts = new TreeMap<>();
  // Each with its verdict; how often each is there.
  final Map<String, Integer> refusals = new TreeMap<>();
  long events;
  long applied;
  long duplicates;
  long rejected;
  long conflicts;
  long failed;
  private final Map<String, String> remembered = new HashMap<>();

  /** Takes the next record of a partition. */
  void next(String partition, long offset, String value) {
    events++;
    Matcher payment = PAYMENT.matcher(value);
    if (!payment.matches()) {
      failed++;
      refuse(partition + "@" + offset, "failed");
      return;
    }
    String id = payment.group(1);
    String account = payment.group(2);
    String content = payment.group(3) + " " + payment.group(4) + "." + payment.group(5);
    String before = remembered.putIfAbsent(account + " " + id, content);
    if (before != null) {
      if (before.equals(content)) {
        duplicates++;
      } else {
        conflicts++;
        refuse(id, "conflict");
      }
      return;
    }
    Row row = rows.getOrDefault(account, new Row(0, 0));
    long cents = 100 * Long.parseLong(payment.group(4)) + Long.parseLong(payment.group(5));
    long after = row.cents() + (payment.group(3).equals("withdraw") ? -cents : cents);
    if (after < 0) {
      rejected++;
      refuse(id, "rejected");
      return;
    }
    applied++;
    rows.put(account, new Row(after, row.payments() + 1));
    receipts
        .computeIfAbsent(account, name -> new ArrayList<>())
        .add(
            String.format(
                Locale.ROOT,
                "{\"id\":\"accounts/%s/%s/0\",\"account\":\"%s\",\"balance\":%d.%02d}",
                account,
                id,
                account,
                after / 100,
                after % 100));
  }

  private void refuse(String id, String verdict) {
    refusals.merge(id + " " + verdict, 1, Integer::sum);
  }
}
