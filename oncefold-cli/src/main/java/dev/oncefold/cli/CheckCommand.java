package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.pipeline.PipelineException;
import dev.oncefold.pipeline.Problem;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code oncefold check}. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Says what is wrong in a pipeline file, and whether its journal can go on with it. Whether the"
          + " source and the output files are still what was read and written, run finds out; so it"
          + " does what a database or Kafka say. Only the cluster of an engine is asked, Kafka"
          + " Streams or Flink, for settings that break or weaken what is promised.",
      ""
    },
    footer = {"", "Exit code: 0 if the pipeline can run, 1 if it cannot, 2 for wrong usage."})
final class CheckCommand implements Callable<Integer> {
  private final InputStream standard;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private final PipelineFile given = new PipelineFile();

  @Option(names = "--json", description = "print one JSON object instead")
  private boolean json;

  CheckCommand(InputStream standard) {
    this.standard = standard;
  }

  @Override
  public Integer call() {
    PrintWriter out = Objects.requireNonNull(spec, "picocli sets it").commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Check check;
    try {
      check = Check.of(given, given.load(standard));
    } catch (PipelineException e) {
      err.println(e.getMessage());
      if (json) {
        out.println(json(e.problems()));
      }
      return 1;
    }
    List<String> problems = new ArrayList<>(check.problems(false));
    problems.addAll(check.refused());
    problems.forEach(problem -> err.println(given.path() + ": " + problem));
    if (json) {
      ObjectNode found = check.json().put("runs", problems.isEmpty());
      ArrayNode told = found.putArray("problems");
      problems.forEach(problem -> told.addObject().put("message", problem));
      out.println(found);
    } else {
      check.lines().forEach(out::println);
      out.println(problems.isEmpty() ? "It can run." : "It cannot run.");
    }
    return problems.isEmpty() ? 0 : 1;
  }

  private static ObjectNode json(List<Problem> problems) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("runs", false);
    ArrayNode told = json.putArray("problems");
    for (Problem problem : problems) {
      ObjectNode one = told.addObject().put("message", problem.message());
      if (problem.line() > 0) {
        one.put("line", problem.line());
      }
      if (problem.column() > 0) {
        one.put("column", problem.column());
      }
    }
    return json;
  }
}
