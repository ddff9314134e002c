package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Reports for a person. */
final class Told {
  private Told() {}

  static List<String> lines(Verification.Report report) {
    List<String> lines = new ArrayList<>();
    row(
        lines,
        "seed",
        report.seed() + (report.rounds() > 1 ? ", in " + report.rounds() + " rounds" : ""));
    Determinism.Difference difference = report.difference();
    if (difference != null) {
      lines.add("");
      lines.add("FAIL: " + difference.told());
      return lines;
    }
    lines.addAll(lines(report.result()));
    if (!report.passed()) {
      lines.add("The history, for oncefold verify --history: " + report.history());
    }
    return lines;
  }

  static List<String> lines(Result result) {
    Figures figures = result.figures();
    if (figures.observations() == 0) {
      return verdict(result);
    }
    Counts counts = figures.counts();
    List<String> lines = new ArrayList<>();
    row(lines, "events", number(counts.events()));
    row(
        lines,
        "re-sends",
        String.format(
            Locale.ROOT,
            "%,d: %,d duplicates, %,d conflicts, %,d expired",
            counts.duplicates() + counts.conflicts() + counts.expired(),
            counts.duplicates(),
            counts.conflicts(),
            counts.expired()));
    row(
        lines,
        "verdicts",
        String.format(
            Locale.ROOT,
            "%,d applied, %,d rejected, %,d failed",
            counts.applied(),
            counts.rejected(),
            counts.failed()));
    row(
        lines,
        "kills",
        String.format(
            Locale.ROOT, "%d, %d inside an open commit", figures.kills(), figures.openCommits()));
    row(lines, "faults landed", told(figures.landed()));
    if (!figures.missed().isEmpty()) {
      row(lines, "not run", told(figures.missed()));
    }
    row(
        lines,
        "compared",
        String.format(
            Locale.ROOT,
            "%,d recovery points, %,d keys; %,d outputs and %,d refusals as they were read",
            figures.snapshots(),
            figures.keys(),
            figures.outputs(),
            figures.refusals()));
    lines.add("");
    lines.addAll(verdict(result));
    return lines;
  }

  private static String told(java.util.Map<String, Integer> faults) {
    List<String> each = new ArrayList<>();
    faults.forEach((fault, times) -> each.add(fault + " × " + times));
    return String.join(", ", each);
  }

  private static List<String> verdict(Result result) {
    List<String> lines = new ArrayList<>();
    int kills = result.figures().kills();
    if (result instanceof Result.Pass && kills == 0) {
      lines.add("PASS: every event applied exactly once; nothing was killed.");
    } else if (result instanceof Result.Pass) {
      lines.add(
          String.format(
              Locale.ROOT,
              "PASS: every event applied exactly once. No failure in %d kills: at 95 %% confidence"
                  + " fewer than %.1f %% of kills do harm (3/n).",
              kills,
              Math.min(100.0, 300.0 / kills)));
    } else if (result instanceof Result.Invalid invalid) {
      lines.add("INVALID: the run proved nothing.");
      invalid.reasons().forEach(reason -> lines.add("  " + reason));
    } else if (result instanceof Result.Fail fail) {
      for (Result.Violation violation : fail.violations()) {
        lines.add(
            "FAIL: "
                + violation.rule()
                + ", "
                + violation.rule().says()
                + ", is broken: "
                + violation.message());
        violation.witness().forEach(line -> lines.add("  " + line));
      }
    }
    return lines;
  }

  private static String number(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static void row(List<String> lines, String name, String value) {
    lines.add(String.format(Locale.ROOT, "  %-14s  %s", name, value));
  }
}
