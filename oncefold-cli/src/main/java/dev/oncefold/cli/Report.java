package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * What a demo found out.
 *
 * @param plan what was asked for
 * @param counts the verdicts that the journal counted
 * @param kills what was done to the worker
 * @param comparison what came of comparing
 * @param seconds how long everything took
 */
record Report(Plan plan, Counts counts, Kills.Tally kills, Comparison comparison, double seconds) {

  /**
   * What was asked for.
   *
   * @param seed the seed of the payments and of the kills
   * @param events how many events
   * @param kills how many kills
   */
  record Plan(long seed, long events, int kills) {}

  /** Whether everything is as it should be, and the kills came where they prove something. */
  boolean passed() {
    return comparison.differences() == 0 && provedSomething();
  }

  private boolean provedSomething() {
    return kills.kills >= plan.kills() && 2 * kills.insideCommit >= kills.kills;
  }

  /** The verdict in one sentence. */
  String verdict() {
    if (comparison.differences() > 0) {
      return String.format(
          Locale.ROOT,
          "FAIL: %,d differences between what is stored and what should be; %,d effects lost, %,d"
              + " doubled.",
          comparison.differences(),
          comparison.lost(),
          comparison.doubled());
    }
    if (!provedSomething()) {
      return String.format(
          Locale.ROOT,
          "FAIL: nothing differs, but it proves nothing: of %d kills %d landed, %d of them inside"
              + " an open commit, fewer than half. Run it again, or with more events.",
          plan.kills(),
          kills.kills,
          kills.insideCommit);
    }
    return String.format(
        Locale.ROOT,
        "PASS: %d %s, %d inside an open commit; every payment applied exactly once.",
        kills.kills,
        kills.kills == 1 ? "kill" : "kills",
        kills.insideCommit);
  }

  /** The table for a person, with the first differences and the verdict. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    row(lines, "events", counts.events(), "each in exactly one of the next six counts");
    row(lines, "  applied", counts.applied(), "changed an account, a transfer two");
    row(lines, "  duplicates", counts.duplicates(), "sent again, and recognised");
    row(lines, "  conflicts", counts.conflicts(), "sent again with another amount: refused");
    row(lines, "  rejected", counts.rejected(), "overdrafts");
    row(lines, "  expired", counts.expired(), "sent again after 10 days or more: refused");
    row(lines, "  failed", counts.failed(), "lines that are no payment: refused");
    row(lines, "outputs", counts.outputs(), "receipts, one for each change of an account");
    lines.add("");
    row(lines, "kills", kills.kills, "by SIGKILL; all accounts compared after each");
    row(lines, "  in a commit", kills.insideCommit, "its first byte written, its fsync not over");
    row(lines, "  half-written", kills.halfWritten, "of these: in the middle of the frame");
    row(lines, "  in recovery", kills.recovering, "before the first event was judged again");
    row(lines, "recovery", millis(0.5), "to the first event judged; at most " + millis(1));
    lines.add("");
    row(lines, "lost", comparison.lost(), "effects that should be there and are not");
    row(lines, "doubled", comparison.doubled(), "effects that are there more than once");
    lines.add("");
    row(lines, "events/s", rate(), "of the last run, not killed: " + lastRun());
    row(lines, "seconds", String.format(Locale.ROOT, "%.1f", seconds), "for all of this");
    lines.add("");
    if (comparison.differences() > 0) {
      lines.add("The first differences:");
      comparison.shown().forEach(line -> lines.add("  " + line));
      lines.add("");
    }
    lines.add(verdict());
    return lines;
  }

  private String lastRun() {
    return String.format(Locale.ROOT, "%,d events, cold", kills.lastRunEvents);
  }

  private String millis(double quantile) {
    return String.format(Locale.ROOT, "%,d ms", recoveryMillis(quantile));
  }

  private static void row(List<String> lines, String name, long number, String what) {
    row(lines, name, String.format(Locale.ROOT, "%,d", number), what);
  }

  private static void row(List<String> lines, String name, String number, String what) {
    lines.add(String.format(Locale.ROOT, "  %-15s%10s   %s", name, number, what));
  }

  private long rate() {
    return kills.lastRunNanos == 0
        ? 0
        : kills.lastRunEvents * TimeUnit.SECONDS.toNanos(1) / kills.lastRunNanos;
  }

  private long recoveryMillis(double quantile) {
    List<Long> sorted = new ArrayList<>(kills.recoveryNanos);
    if (sorted.isEmpty()) {
      return 0;
    }
    Collections.sort(sorted);
    int at = (int) Math.ceil(quantile * sorted.size()) - 1;
    return TimeUnit.NANOSECONDS.toMillis(sorted.get(Math.max(0, at)));
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("verdict", passed() ? "PASS" : "FAIL").put("message", verdict());
    json.put("seed", plan.seed()).put("events", counts.events());
    json.put("applied", counts.applied()).put("duplicates", counts.duplicates());
    json.put("conflicts", counts.conflicts()).put("rejected", counts.rejected());
    json.put("expired", counts.expired()).put("failed", counts.failed());
    json.put("outputs", counts.outputs()).put("kills", kills.kills);
    json.put("killsInsideCommit", kills.insideCommit);
    json.put("killsInHalfWrittenFrame", kills.halfWritten);
    json.put("killsWhileRecovering", kills.recovering).put("restarts", kills.restarts);
    json.put("recoveryMillisMedian", recoveryMillis(0.5));
    json.put("recoveryMillisMax", recoveryMillis(1));
    json.put("lost", comparison.lost())
        .put("doubled", comparison.doubled())
        .put("differences", comparison.differences());
    comparison.shown().forEach(json.putArray("firstDifferences")::add);
    json.put("lastRunEvents", kills.lastRunEvents).put("lastRunEventsPerSecond", rate());
    return json.put("seconds", Math.round(seconds * 10) / 10.0);
  }
}
