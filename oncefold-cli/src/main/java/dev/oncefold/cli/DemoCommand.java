package dev.oncefold.cli;

import dev.oncefold.cli.Report.Plan;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code oncefold demo}. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    subcommands = ServersDemoCommand.class,
    synopsisSubcommandLabel = "[kafka-postgres]",
    description = {
      "Applies payments in a process that it kills again and again with SIGKILL, most of the time"
          + " in the middle of a commit, and then proves that every payment was applied exactly"
          + " once.",
      ""
    },
    footer = {
      "",
      "Exit code: 0 if everything is as it should be, 1 if anything differs or the kills did not"
          + " land, 2 for wrong usage."
    })
final class DemoCommand implements Callable<Integer> {
  private static final long FEWEST_EVENTS = 10_000;
  private static final long MOST_EVENTS = 2_000_000;
  private static final int EVENTS_FOR_A_KILL = 500;

  private final Class<?> worker;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "200000",
      description = "how many payments, 10000 to 2000000 (default: ${DEFAULT-VALUE})")
  private long events;

  @Option(
      names = "--kills",
      paramLabel = "N",
      defaultValue = "24",
      description = "how many kills, at most one for 500 payments (default: ${DEFAULT-VALUE})")
  private int kills;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "makes other payments and other kills (default: ${DEFAULT-VALUE})")
  private long seed;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "work in this new or empty directory and keep it (default: a temporary one)")
  private @Nullable Path dir;

  @Option(names = "--json", description = "end with one JSON object in the last line")
  private boolean json;

  DemoCommand() {
    this(Worker.class);
  }

  /** With another process to be killed: a test gives a broken one. */
  DemoCommand(Class<?> worker) {
    this.worker = worker;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    PrintWriter out = spec().commandLine().getOut();
    AtomicReference<@Nullable Demo> running = new AtomicReference<>();
    Progress progress = Progress.now(out, Progress.isTerminal());
    WorkDirectory directory =
        WorkDirectory.make(
            dir,
            spec().commandLine(),
            () -> {
              Demo demo = running.get();
              if (demo != null) {
                demo.abandon();
              }
              progress.done();
            });
    out.printf(
        Locale.ROOT,
        "oncefold demo: %,d payments over %,d accounts, %d kills, seed %d%n",
        events,
        PaymentFile.ACCOUNTS,
        kills,
        seed);
    Demo demo =
        new Demo(worker, Workplace.at(directory.path()), new Plan(seed, events, kills), progress);
    running.set(demo);
    boolean found = true;
    try {
      Report report = demo.run();
      found = !report.passed();
      progress.done();
      out.println();
      report.lines().forEach(out::println);
      if (json) {
        out.println(report.json());
      }
      return report.passed() ? 0 : 1;
    } finally {
      progress.done();
      demo.abandon();
      if (directory.over(found)) {
        spec()
            .commandLine()
            .getErr()
            .println("Everything the demo wrote is in " + directory.path());
      }
    }
  }

  private void check() {
    if (events < FEWEST_EVENTS || events > MOST_EVENTS) {
      throw usage(
          "--events is %,d; give a number from %,d to %,d", events, FEWEST_EVENTS, MOST_EVENTS);
    }
    if (kills < 1) {
      throw usage("--kills is %d; without a kill there is nothing to prove: give 1 or more", kills);
    }
    if ((long) kills * EVENTS_FOR_A_KILL > events) {
      throw usage(
          "--kills is %d; for %,d payments give at most %d, so that each comes in a part of its"
              + " own, or give more --events",
          kills, events, events / EVENTS_FOR_A_KILL);
    }
  }

  private ParameterException usage(String message, Object... values) {
    return new ParameterException(
        spec().commandLine(), String.format(Locale.ROOT, message, values));
  }

  private CommandSpec spec() {
    return Objects.requireNonNull(spec, "picocli sets it");
  }
}
