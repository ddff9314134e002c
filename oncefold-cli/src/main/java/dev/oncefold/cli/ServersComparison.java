package dev.oncefold.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.oncefold.Counts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Holds what is in the table and the topics against the {@link TopicReference}. */
final class ServersComparison {
  private static final int SHOWN = 5;
  private static final JsonMapper JSON = new JsonMapper();

  private final TopicReference expected;
  private final Map<String, List<String>> receipts = new HashMap<>();
  private final Map<String, Integer> refusals = new HashMap<>();
  private final List<String> shown = new ArrayList<>();
  private long differences;
  private long lost;
  private long doubled;

  ServersComparison(TopicReference expected) {
    this.expected = expected;
  }

  /** How many differences there are, of every sort. */
  long differences() {
    return differences;
  }

  /** How many expected effects are not there. */
  long lost() {
    return lost;
  }

  /** How many effects are there once more than expected. */
  long doubled() {
    return doubled;
  }

  /** The first of the differences, as a person would tell them. */
  List<String> shown() {
    return shown;
  }

  /** Something that should not have happened, besides what is compared here. */
  void differs(String how) {
    differences++;
    if (shown.size() < SHOWN) {
      shown.add(how);
    }
  }

  /** Takes a record of the topic of receipts. */
  void receipt(String account, String value) {
    receipts.computeIfAbsent(account, name -> new ArrayList<>()).add(value);
  }

  /** Takes a record of the topic of refusals. */
  void refusal(String value) {
    try {
      JsonNode refusal = JSON.readTree(value);
      refusals.merge(
          refusal.path("id").asText() + " " + refusal.path("verdict").asText(), 1, Integer::sum);
    } catch (JsonProcessingException e) {
      differs("a refusal is no JSON: " + value);
    }
  }

  /** Compares the table. */
  void rows(Map<String, TopicReference.Row> rows) {
    for (String account : both(expected.rows.keySet(), rows.keySet())) {
      TopicReference.Row none = new TopicReference.Row(0, 0);
      TopicReference.Row should = expected.rows.getOrDefault(account, none);
      TopicReference.Row is = rows.getOrDefault(account, none);
      if (!should.equals(is)) {
        differs("the row of " + account + " is " + is + ", not " + should);
        lost += Math.max(0, should.payments() - is.payments());
        doubled += Math.max(0, is.payments() - should.payments());
      }
    }
  }

  /** Compares what the store has counted. */
  void counts(Counts counts) {
    number("events", expected.events, counts.events());
    number("applied", expected.applied, counts.applied());
    number("duplicates", expected.duplicates, counts.duplicates());
    number("rejected", expected.rejected, counts.rejected());
    number("conflicts", expected.conflicts, counts.conflicts());
    number("expired", 0, counts.expired());
    number("failed", expected.failed, counts.failed());
    number("outputs", expected.applied, counts.outputs());
  }

  private void number(String what, long should, long is) {
    if (should != is) {
      differs("the count of " + what + " is " + is + ", not " + should);
    }
  }

  /** Compares the topics, once all their records are taken. */
  void topics() {
    for (String account : both(expected.receipts.keySet(), receipts.keySet())) {
      List<String> should = expected.receipts.getOrDefault(account, List.of());
      List<String> is = receipts.getOrDefault(account, List.of());
      if (!should.equals(is)) {
        receipts(account, should, is);
      }
    }
    for (String refusal : both(expected.refusals.keySet(), refusals.keySet())) {
      int should = expected.refusals.getOrDefault(refusal, 0);
      int is = refusals.getOrDefault(refusal, 0);
      if (should != is) {
        differs("the refusal " + refusal + " is there " + is + " times, not " + should);
        lost += Math.max(0, should - is);
        doubled += Math.max(0, is - should);
      }
    }
  }

  private void receipts(String account, List<String> should, List<String> is) {
    int first = 0;
    while (first < Math.min(should.size(), is.size()) && should.get(first).equals(is.get(first))) {
      first++;
    }
    differs(
        "receipt "
            + (first + 1)
            + " of "
            + account
            + " is "
            + told(is, first)
            + ", not "
            + told(should, first));
    Map<String, Integer> missing = new HashMap<>();
    should.forEach(value -> missing.merge(value, 1, Integer::sum));
    is.forEach(value -> missing.merge(value, -1, Integer::sum));
    for (int times : missing.values()) {
      lost += Math.max(0, times);
      doubled += Math.max(0, -times);
    }
  }

  private static String told(List<String> values, int at) {
    return at < values.size() ? values.get(at) : "nothing";
  }

  private static Set<String> both(Set<String> one, Set<String> other) {
    Set<String> both = new TreeSet<>(one);
    both.addAll(other);
    return both;
  }
}
