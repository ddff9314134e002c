package dev.oncefold.cli;

import dev.oncefold.journal.Options;
import dev.oncefold.pipeline.Change;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code oncefold run}. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Applies the events of a pipeline's source to its state, each exactly once. Stopped, or killed,"
          + " and started again it goes on where it was.",
      ""
    },
    footer = {
      "",
      "Ctrl-C stops it after the batch in hand. A topic of Kafka has no end: to have more workers,"
          + " start the same command again, here or on another machine.",
      "Exit code: 0 if the source is applied to its end, or was followed until you stopped it; 130"
          + " or 143 if you stopped it before the end, with Ctrl-C or kill; 1 if it could not go on,"
          + " 2 for wrong usage."
    })
final class RunCommand implements Callable<Integer> {
  private final InputStream standard;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private final PipelineFile given = new PipelineFile();

  @Option(names = "--follow", description = "at the end of the file wait for more")
  private boolean follow;

  @Option(
      names = "--refuse",
      paramLabel = "POSITION",
      description =
          "let the event at this position go to the refusals if it fails, also where the pipeline"
              + " stops for failed events; the message of such a stop names the position")
  private List<String> refused = List.of();

  @Option(
      names = "--accept-change",
      description =
          "the rules of the pipeline have changed: keep what was judged by the old ones, and go on"
              + " by the new ones")
  private boolean acceptChange;

  @Option(
      names = "--rewrite",
      paramLabel = "OUTPUT",
      description =
          "write the file of this output, or of the \"refusals\", anew from the journal's beginning:"
              + " for a file that was lost, changed or moved. Where there is one, move it away first")
  private List<String> rewritten = List.of();

  @Option(
      names = "--retire",
      paramLabel = "PARTITION",
      description =
          "nothing comes any more of this partition, of a topic that is gone or of a source that"
              + " was called otherwise: it keeps ids from being forgotten no longer. Stop all other"
              + " workers before. With PostgreSQL only")
  private List<String> retired = List.of();

  @Option(names = "--json", description = "print one JSON object instead")
  private boolean json;

  RunCommand(InputStream standard) {
    this.standard = standard;
  }

  @Override
  public Integer call() throws InterruptedException, IOException {
    PrintWriter err = spec().commandLine().getErr();
    Pipeline pipeline = given.load(standard);
    checkRewritten(pipeline);
    if (!retired.isEmpty() && !(pipeline.store() instanceof Storage.Postgres)) {
      throw new ParameterException(
          spec().commandLine(),
          "--retire is for PostgreSQL: elsewhere only what is read now keeps ids from being"
              + " forgotten");
    }
    Check check = Check.of(given, pipeline);
    List<String> problems = check.problems(acceptChange);
    if (!problems.isEmpty()) {
      throw new Stop(given.path() + ": " + String.join("\n" + given.path() + ": ", problems));
    }
    if (check.change().kind() != Change.Kind.NONE) {
      say(changed(check));
    }
    Reading reading = Reading.of(given, pipeline, follow);
    checkRefused(reading);
    Running run = running(pipeline, check, reading);
    Interruption interruption = new Interruption(run::stop, reading.isEndless());
    int exitCode = 1;
    try {
      exitCode = report(run.run(this::say, progress()));
      run.unmet()
          .forEach(
              position ->
                  err.println(
                      "oncefold run: no event that was read now stands at "
                          + position
                          + ", so --refuse did nothing there"));
    } catch (RuntimeException e) {
      exitCode = Main.failed(e, spec().commandLine());
      if (String.valueOf(e.getMessage()).contains("forget the sink")) {
        err.println(
            "To write it anew: "
                + given.command("run")
                + " --rewrite "
                + String.valueOf(e.getMessage())
                    .replaceFirst("(?s).*forget the sink \"(output:)?([^\"]*)\".*", "$2"));
      }
    } finally {
      interruption.over(exitCode);
    }
    return exitCode;
  }

  private Running running(Pipeline pipeline, Check check, Reading reading) {
    if (pipeline.store() instanceof Storage.KafkaStreams) {
      return new StreamsRunning(given, pipeline, reading, refused, acceptChange);
    }
    return pipeline.store() instanceof Storage.Flink
        ? new FlinkRunning(given, pipeline, reading, refused, acceptChange)
        : new Run(pipeline, reading, () -> keeping(pipeline, check), refused, retired);
  }

  private Keeping keeping(Pipeline pipeline, Check check) {
    if (pipeline.store() instanceof Storage.Journal journal) {
      Options options = journal.options();
      return JournalKeeping.open(
          pipeline,
          check.change().kind() == Change.Kind.NONE ? options : options.acceptingChange(),
          rewritten);
    }
    return TableKeeping.open(given, pipeline, acceptChange);
  }

  private void checkRefused(Reading reading) {
    for (String position : refused) {
      if (!reading.isPosition(position)) {
        throw new ParameterException(
            spec().commandLine(),
            "--refuse "
                + position
                + " is no position of this source; they are told as "
                + reading.positionLike());
      }
    }
  }

  private void checkRewritten(Pipeline pipeline) throws IOException {
    for (String name : rewritten) {
      Destination place = Places.all(pipeline).get(name);
      if (place == null) {
        throw new ParameterException(
            spec().commandLine(),
            "--rewrite "
                + name
                + ": the pipeline writes no such output; there is "
                + String.join(", ", Places.all(pipeline).keySet()));
      }
      Path file = place instanceof Destination.File written ? written.path() : null;
      if (file == null) {
        throw new Stop(
            "oncefold run: --rewrite "
                + name
                + ": it goes to "
                + Places.told(place)
                + ", and what was sent to Kafka stays there. Only a file is written anew, from a journal");
      }
      // Now: once the journal has forgotten the file, no run goes on with it.
      if (Check.hasSomething(file)) {
        throw new Stop(
            "oncefold run: "
                + PipelineFile.shown(file)
                + " is still there: move it away, and --rewrite "
                + name
                + " writes it anew. Nothing is changed");
      }
    }
  }

  private static String changed(Check check) {
    return check.change().kind() == Change.Kind.STATE_ADDED
        ? "the state has new fields, which begin with their first values: " + check.addedFields()
        : "the rules have changed, and what was judged by the old ones stays:\n"
            + String.join("\n", check.changedLines());
  }

  private Progress progress() {
    return json ? Progress.none() : Progress.later(out(), Progress.isTerminal());
  }

  private void say(String text) {
    if (!json) {
      out().println(text);
      out().flush();
    }
  }

  private int report(Summary summary) {
    if (json) {
      out().println(summary.json());
    } else {
      out().println();
      summary.lines().forEach(out()::println);
    }
    out().flush();
    if (summary.problem() != null) {
      PrintWriter err = spec().commandLine().getErr();
      err.println("oncefold run: " + summary.problem());
      return 1;
    }
    return 0;
  }

  private PrintWriter out() {
    return spec().commandLine().getOut();
  }

  private CommandSpec spec() {
    return Objects.requireNonNull(spec, "picocli sets it");
  }
}
