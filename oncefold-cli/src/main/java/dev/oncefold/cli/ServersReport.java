package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the demo with Kafka and PostgreSQL found out.
 *
 * @param counts the verdicts that the store counted
 * @param landed the faults, as they were carried out
 * @param comparison what came of comparing
 * @param seconds how long everything took
 */
record ServersReport(
    Counts counts, List<ServersDemo.Landed> landed, ServersComparison comparison, double seconds) {

  /** Whether everything is as it should be, and the faults came while there was work. */
  boolean passed() {
    return comparison.differences() == 0 && provedSomething();
  }

  private boolean provedSomething() {
    return landed.size() == ServersDemo.Fault.values().length
        && 2 * atWork() >= landed.size()
        && counts.duplicates() > 0
        && counts.conflicts() > 0
        && counts.rejected() > 0;
  }

  private long atWork() {
    return landed.stream().filter(fault -> fault.pending() > 0).count();
  }

  /** The verdict in one sentence. */
  String verdict() {
    if (comparison.differences() > 0) {
      return String.format(
          Locale.ROOT,
          "FAIL: %,d differences between what is there and what should be; %,d effects lost, %,d"
              + " doubled.",
          comparison.differences(),
          comparison.lost(),
          comparison.doubled());
    }
    if (!provedSomething()) {
      return String.format(
          Locale.ROOT,
          "FAIL: nothing differs, but it proves nothing: of %d faults %d were carried out, %d of"
              + " them while there was work. Run it again, or with more events.",
          ServersDemo.Fault.values().length,
          landed.size(),
          atWork());
    }
    return String.format(
        Locale.ROOT,
        "PASS: %d faults, %d while there was work; every payment applied exactly once, every receipt"
            + " in the topic once and in order.",
        landed.size(),
        atWork());
  }

  /** The table for a person, with the first differences and the verdict. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    row(lines, "events", counts.events(), "each in exactly one of the next six counts");
    row(lines, "  applied", counts.applied(), "changed a row");
    row(lines, "  duplicates", counts.duplicates(), "sent again, and recognised");
    row(lines, "  conflicts", counts.conflicts(), "sent again with another amount: refused");
    row(lines, "  rejected", counts.rejected(), "overdrafts");
    row(lines, "  expired", counts.expired(), "all are sent again within their 7 days");
    row(lines, "  failed", counts.failed(), "records that are no payment: refused");
    row(lines, "outputs", counts.outputs(), "receipts in a topic, one for each that was applied");
    lines.add("");
    row(lines, "faults", landed.size(), "with so many events sent and not committed:");
    for (ServersDemo.Landed fault : landed) {
      row(lines, "", fault.pending(), fault.fault().told());
    }
    lines.add("");
    row(lines, "lost", comparison.lost(), "effects that should be there and are not");
    row(lines, "doubled", comparison.doubled(), "effects that are there more than once");
    lines.add("");
    lines.add(
        String.format(
            Locale.ROOT, "  %-15s%10s   %s", "seconds", told(seconds), "for all of this"));
    lines.add("");
    if (comparison.differences() > 0) {
      lines.add("The first differences:");
      comparison.shown().forEach(line -> lines.add("  " + line));
      lines.add("");
    }
    lines.add(verdict());
    return lines;
  }

  private static String told(double seconds) {
    return String.format(Locale.ROOT, "%.1f", seconds);
  }

  private static void row(List<String> lines, String name, long number, String what) {
    lines.add(String.format(Locale.ROOT, "  %-15s%,10d   %s", name, number, what));
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("verdict", passed() ? "PASS" : "FAIL").put("message", verdict());
    json.setAll(CountTable.json(counts));
    ArrayNode faults = json.putArray("faults");
    for (ServersDemo.Landed fault : landed) {
      faults
          .addObject()
          .put("fault", fault.fault().name().toLowerCase(Locale.ROOT))
          .put("pending", fault.pending());
    }
    json.put("lost", comparison.lost()).put("doubled", comparison.doubled());
    json.put("differences", comparison.differences());
    comparison.shown().forEach(json.putArray("firstDifferences")::add);
    return json.put("seconds", Math.round(seconds * 10) / 10.0);
  }
}
