package dev.oncefold.cli;

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

/** {@code oncefold demo kafka-postgres}. */
@Command(
    name = "kafka-postgres",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Starts a real Kafka broker and a real PostgreSQL in a scratch directory, sends payments, some"
          + " again and again, and has two workers apply them (\"oncefold run\"). It kills and pauses"
          + " the workers, kills the broker and the database, and then proves that every payment was"
          + " applied exactly once. No Docker, nothing to install.",
      ""
    },
    footer = {
      "",
      "Exit code: 0 if everything is as it should be, 1 if anything differs or the faults did not"
          + " land, 2 for wrong usage."
    })
final class ServersDemoCommand implements Callable<Integer> {
  private static final long FEWEST_EVENTS = 1_000;
  private static final long MOST_EVENTS = 2_000_000;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "50000",
      description =
          "how many payments at least, 1000 to 2000000 (default: ${DEFAULT-VALUE}); they go on until"
              + " the faults are over")
  private long events;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "makes other payments, and chooses other workers (default: ${DEFAULT-VALUE})")
  private long seed;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "work in this new or empty directory and keep it (default: a temporary one)")
  private @Nullable Path dir;

  @Option(names = "--json", description = "end with one JSON object in the last line")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    CommandSpec command = Objects.requireNonNull(spec, "picocli sets it");
    PrintWriter out = command.commandLine().getOut();
    if (events < FEWEST_EVENTS || events > MOST_EVENTS) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "--events is %,d; give a number from %,d to %,d",
              events,
              FEWEST_EVENTS,
              MOST_EVENTS));
    }
    // The clients of this process complain of a broker that it has killed itself.
    Logging.off();
    AtomicReference<@Nullable ServersDemo> running = new AtomicReference<>();
    Progress progress = Progress.now(out, Progress.isTerminal());
    WorkDirectory directory =
        WorkDirectory.make(
            dir,
            command.commandLine(),
            () -> {
              ServersDemo demo = running.get();
              if (demo != null) {
                demo.close();
              }
              progress.done();
            });
    out.printf(
        Locale.ROOT,
        "oncefold demo kafka-postgres: %,d payments or more over %,d accounts, %d faults, seed %d%n",
        events,
        TopicPayments.ACCOUNTS,
        ServersDemo.Fault.values().length,
        seed);
    boolean found = true;
    try (ServersDemo demo = ServersDemo.of(Servers.in(directory.path()), seed, events, progress)) {
      running.set(demo);
      ServersReport report = demo.run();
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
      if (directory.over(found)) {
        command
            .commandLine()
            .getErr()
            .println("Everything the demo wrote is in " + directory.path());
      }
    }
  }
}
