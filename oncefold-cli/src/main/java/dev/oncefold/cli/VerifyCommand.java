package dev.oncefold.cli;

import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Rehearsal;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.testkit.Verification;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.Result;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code oncefold verify}. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Runs a pipeline under crashes and says whether every event was applied exactly once: PASS,"
          + " FAIL with a witness, or INVALID where the run proved nothing.",
      "",
      "It works on copies in a directory of its own. The journal, the outputs and the refusals that"
          + " the pipeline names are never opened; its source is read as a sample.",
      ""
    },
    footer = {"", "Exit code: 0 for PASS, 1 for FAIL and INVALID, 2 for wrong usage."})
final class VerifyCommand implements Callable<Integer> {
  private static final int EVENTS_FOR_A_KILL = 500;
  private static final int FEWEST_EVENTS = 1000;
  private static final int MOST_EVENTS = 2_000_000;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "PIPELINE",
      description = "the pipeline file, in YAML")
  private @Nullable Path file;

  @Option(
      names = "--source",
      paramLabel = "FILE",
      description =
          "take events from this file, not from the source in the pipeline. Without either, events"
              + " are made up from the types and the rules")
  private @Nullable Path sample;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "20000",
      description = "how many events, 1000 to 2000000 (default: ${DEFAULT-VALUE})")
  private int events;

  @Option(
      names = "--kills",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "how many kills in a round, at most one for 500 events (default: ${DEFAULT-VALUE})")
  private int kills;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      description = "go on in rounds, each with the next seed, for this long: 90s, 5m, 2h")
  private @Nullable String time;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "makes other events and other faults (default: ${DEFAULT-VALUE})")
  private long seed;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "work in this new or empty directory and keep it (default: a temporary one)")
  private @Nullable Path dir;

  @Option(
      names = "--history",
      paramLabel = "FILE",
      description = "run nothing: judge the history in this file, as --dir leaves it")
  private @Nullable Path history;

  @Option(names = "--json", description = "end with one JSON object in the last line")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path recorded = history;
    Path pipeline = file;
    if (recorded != null) {
      if (pipeline != null) {
        throw usage("--history judges a file that is there: leave PIPELINE out");
      }
      return judge(recorded);
    } else if (pipeline == null) {
      throw usage("Name the PIPELINE to verify, or a history with --history FILE");
    }
    check();
    return verify(pipeline, time == null ? Duration.ZERO : duration(time));
  }

  private void check() {
    if (events < FEWEST_EVENTS || events > MOST_EVENTS) {
      throw usage(
          String.format(
              Locale.ROOT,
              "--events is %,d; give a number from %,d to %,d",
              events,
              FEWEST_EVENTS,
              MOST_EVENTS));
    }
    if (kills < 1 || kills > events / EVENTS_FOR_A_KILL) {
      throw usage(
          String.format(
              Locale.ROOT,
              "--kills is %,d; for %,d events give 1 to %,d, so that each comes in a part of its own,"
                  + " or give more --events",
              kills,
              events,
              events / EVENTS_FOR_A_KILL));
    }
  }

  private Duration duration(String text) {
    try {
      Duration given = Duration.parse("PT" + text);
      if (!given.isNegative() && !given.isZero()) {
        return given;
      }
    } catch (DateTimeParseException e) {
      // Told below.
    }
    throw usage("--for " + text + " is no time; write 90s, 5m or 2h");
  }

  // ---------------------------------------------------------------- a history

  private int judge(Path recorded) {
    Result result = Checker.check(new HistoryFile(recorded));
    PrintWriter out = out();
    Verification.lines(result).forEach(out::println);
    if (json) {
      out.println(VerifyReport.json(result));
    }
    return result instanceof Result.Pass ? 0 : 1;
  }

  // ---------------------------------------------------------------- a run

  private int verify(Path pipelineFile, Duration least) throws IOException, InterruptedException {
    PrintWriter out = out();
    Rehearsal rehearsal = Rehearsal.of(pipelineFile, sample);
    checkVerifiable(pipelineFile, rehearsal.pipeline());
    Progress progress = Progress.now(out, Progress.isTerminal());
    WorkDirectory directory = WorkDirectory.make(dir, spec().commandLine(), progress::done);
    boolean found = true;
    try {
      touches(pipelineFile, rehearsal.pipeline(), directory.path());
      long begin = System.nanoTime();
      VerifyInput input = VerifyInput.make(rehearsal, seed, events, directory.path());
      out.println("input    " + input.told());
      input.notes().forEach(note -> out.println("         note: " + note));
      Verification verification =
          Verification.of(
                  PipelineSubject.class,
                  pipelineFile.toAbsolutePath().toString(),
                  sample == null ? "" : sample.toAbsolutePath().toString(),
                  input.file().toAbsolutePath().toString(),
                  directory.path().resolve("unused").toAbsolutePath().toString())
              .seed(seed)
              .kills(kills)
              .atLeast(least)
              .watched(progress::at);
      out.println();
      out.println("The faults of the first round, by the seed " + seed + ":");
      verification.schedule().table().forEach(out::println);
      out.flush();
      Verification.Report report = verification.run(directory.path());
      progress.done();
      found = !report.passed();
      double seconds = (System.nanoTime() - begin) / 1e9;
      out.println();
      VerifyReport told = new VerifyReport(rehearsal.pipeline(), input, report, seconds);
      told.lines().forEach(out::println);
      if (json) {
        out.println(told.json());
      }
      return report.passed() ? 0 : 1;
    } finally {
      progress.done();
      if (directory.over(found)) {
        spec().commandLine().getErr().println("Everything it wrote is in " + directory.path());
      }
    }
  }

  private static void checkVerifiable(Path file, Pipeline pipeline) {
    if (!(pipeline.store() instanceof Storage.Journal)
        || pipeline.origin() instanceof Origin.Kafka) {
      throw new Stop(
          file
              + ": verify runs a file into a journal, and "
              + (pipeline.store() instanceof Storage.Postgres
                  ? "the state of this pipeline is kept in PostgreSQL"
                  : "this pipeline reads a topic")
              + ". What kills and pauses do to such a one shows: oncefold demo kafka-postgres");
    }
  }

  /** What it reads, what it writes, and what it leaves alone. */
  private void touches(Path pipelineFile, Pipeline pipeline, Path directory) {
    PrintWriter out = out();
    out.println("oncefold verify: " + pipelineFile);
    Path source = sample == null ? pipeline.sourceFile() : sample;
    out.println(
        "reads    "
            + PipelineFile.shown(pipelineFile)
            + (source == null ? "" : ", and as a sample " + PipelineFile.shown(source)));
    out.println("writes   " + directory + " and nothing else");
    StringBuilder left = new StringBuilder(PipelineFile.shown(pipeline.journal().directory()));
    Places.all(pipeline).values().forEach(place -> left.append(", ").append(Places.told(place)));
    out.println("leaves   " + left + " alone");
    out.flush();
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec().commandLine(), message);
  }

  private PrintWriter out() {
    return spec().commandLine().getOut();
  }

  private CommandSpec spec() {
    return Objects.requireNonNull(spec, "picocli sets it");
  }
}
