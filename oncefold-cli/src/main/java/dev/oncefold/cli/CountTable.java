package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import java.util.List;
import java.util.Locale;

/** Counts beside other counts. */
final class CountTable {
  private CountTable() {}

  /** The counts in two columns, in the order in which a person asks. */
  static void lines(String left, Counts one, String right, Counts other, List<String> to) {
    to.add(row("", left, right));
    row("events", one.events(), other.events(), to);
    row("  applied", one.applied(), other.applied(), to);
    row("  duplicates", one.duplicates(), other.duplicates(), to);
    row("  rejected", one.rejected(), other.rejected(), to);
    row("  conflicts", one.conflicts(), other.conflicts(), to);
    row("  expired", one.expired(), other.expired(), to);
    row("  failed", one.failed(), other.failed(), to);
    row("outputs", one.outputs(), other.outputs(), to);
  }

  private static void row(String name, long one, long other, List<String> to) {
    to.add(
        row(
            name,
            String.format(Locale.ROOT, "%,d", one),
            String.format(Locale.ROOT, "%,d", other)));
  }

  static String row(String name, String one, String other) {
    return String.format(Locale.ROOT, "  %-12s%15s%15s", name, one, other).stripTrailing();
  }

  /** The same for machines. */
  static ObjectNode json(Counts counts) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("events", counts.events()).put("applied", counts.applied());
    json.put("duplicates", counts.duplicates()).put("rejected", counts.rejected());
    json.put("conflicts", counts.conflicts()).put("expired", counts.expired());
    return json.put("failed", counts.failed()).put("outputs", counts.outputs());
  }
}
