package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.testkit.Determinism;
import dev.oncefold.testkit.Verification;
import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Result;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a verification of a pipeline found, to be forwarded.
 *
 * @param pipeline the pipeline
 * @param input what it was given
 * @param report what came of it
 * @param seconds how long everything took
 */
record VerifyReport(
    Pipeline pipeline, VerifyInput input, Verification.Report report, double seconds) {
  private static final String PROMISE =
      "state, outputs, refusals and counts are, after every crash and at the end, those of the input"
          + " up to one position, each event applied exactly once";

  /** The report for a person. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(row("promise", PROMISE));
    lines.add(
        row(
            "fold",
            pipeline.fold().name()
                + " version "
                + pipeline.fold().version()
                + ", deterministic: "
                + (report.difference() == null ? "yes, as far as can be seen" : "no")));
    lines.add(row("engine", engine()));
    lines.add(row("machine", machine()));
    lines.addAll(report.lines());
    lines.add("");
    lines.add(String.format(Locale.ROOT, "%.0f seconds, %s", seconds, today()));
    return lines;
  }

  private static String row(String name, String value) {
    return String.format(Locale.ROOT, "  %-14s  %s", name, value);
  }

  private static String engine() {
    String version = Main.class.getPackage().getImplementationVersion();
    return "embedded journal, oncefold " + (version == null ? "(not packaged)" : version);
  }

  private static String machine() {
    return "Java "
        + Runtime.version()
        + ", "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.arch")
        + ", "
        + Runtime.getRuntime().availableProcessors()
        + " processors";
  }

  private static String today() {
    return LocalDate.now(ZoneOffset.UTC).toString();
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = json(report.result());
    json.put(
        "verdict",
        report.passed() ? "PASS" : report.difference() != null ? "FAIL" : verdict(report.result()));
    json.put("promise", PROMISE).put("fold", pipeline.fold().name());
    json.put("foldVersion", pipeline.fold().version());
    json.put("engine", engine()).put("machine", machine()).put("date", today());
    json.put("seed", report.seed()).put("rounds", report.rounds());
    json.put("inputEvents", input.events()).put("sampled", input.sampled());
    input.notes().forEach(json.putArray("notes")::add);
    Determinism.Difference difference = report.difference();
    if (difference != null) {
      json.putObject("difference")
          .put("kind", difference.kind().name())
          .put("event", difference.position())
          .put("key", difference.key())
          .put("id", difference.id())
          .put("one", difference.one())
          .put("how", difference.how())
          .put("other", difference.other());
    }
    return json.put("seconds", Math.round(seconds * 10) / 10.0);
  }

  private static String verdict(Result result) {
    return result instanceof Result.Pass
        ? "PASS"
        : result instanceof Result.Fail ? "FAIL" : "INVALID";
  }

  /** What the checker says. */
  static ObjectNode json(Result result) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("verdict", verdict(result));
    Figures figures = result.figures();
    Counts counts = figures.counts();
    json.put("events", counts.events()).put("applied", counts.applied());
    json.put("duplicates", counts.duplicates()).put("conflicts", counts.conflicts());
    json.put("rejected", counts.rejected()).put("expired", counts.expired());
    json.put("failed", counts.failed()).put("outputs", counts.outputs());
    json.put("outputsRead", figures.outputs()).put("refusalsRead", figures.refusals());
    json.put("keys", figures.keys());
    json.put("recoveryPoints", figures.snapshots()).put("kills", figures.kills());
    json.put("killsInsideCommit", figures.openCommits());
    if (figures.kills() > 0) {
      json.put("bound", 3.0 / figures.kills());
    }
    ObjectNode landed = json.putObject("faultsLanded");
    figures.landed().forEach(landed::put);
    ObjectNode missed = json.putObject("faultsNotRun");
    figures.missed().forEach(missed::put);
    if (result instanceof Result.Invalid invalid) {
      invalid.reasons().forEach(json.putArray("reasons")::add);
    } else if (result instanceof Result.Fail fail) {
      ArrayNode violations = json.putArray("violations");
      for (Result.Violation violation : fail.violations()) {
        ObjectNode told =
            violations
                .addObject()
                .put("rule", violation.rule().name())
                .put("line", violation.line())
                .put("message", violation.message());
        violation.witness().forEach(told.putArray("witness")::add);
      }
    }
    return json;
  }
}
