package dev.oncefold.cli;

import dev.oncefold.SourceException;
import dev.oncefold.journal.JournalException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code oncefold} command. */
@Command(
    name = "oncefold",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = {"Applies every event to your state exactly once, and lets you prove it.", ""},
    footer = {"", "Each command explains itself: oncefold COMMAND --help"})
public final class Main implements Runnable {
  private static final int FAILED = 1;

  @Spec private @Nullable CommandSpec spec;

  private Main() {}

  /**
   * Runs a command and ends with its exit code: 0, 1 where it failed, 2 for wrong usage.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    System.exit(command(new DemoCommand()).execute(args));
  }

  /** The whole command line; it writes where the caller of {@code setOut} says. */
  static CommandLine command(DemoCommand demo) {
    return new CommandLine(new Main())
        .addSubcommand(demo)
        .setParameterExceptionHandler(Main::wrongUsage)
        .setExecutionExceptionHandler(Main::failed);
  }

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec, "picocli sets it").commandLine(), "No command is given");
  }

  private static int wrongUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getErr();
    err.println(name + ": " + told(e));
    err.println("For help: " + name + " --help");
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static String told(ParameterException e) {
    CommandLine command = e.getCommandLine();
    if (e instanceof UnmatchedArgumentException unmatched && command.getParent() == null) {
      String first = unmatched.getUnmatched().get(0);
      if (!first.startsWith("-")) {
        return "There is no command \""
            + first
            + "\"; there is "
            + String.join(", ", command.getSubcommands().keySet());
      }
    }
    return String.valueOf(e.getMessage());
  }

  /** What goes wrong in the world is told in a sentence; what is a mistake of ours in full. */
  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    PrintWriter err = command.getErr();
    String name = command.getCommandSpec().qualifiedName();
    if (e instanceof JournalException
        || e instanceof SourceException
        || e instanceof Kills.WorkerException) {
      err.println(name + ": " + e.getMessage());
    } else if (e instanceof IOException || e instanceof UncheckedIOException) {
      err.println(name + ": reading or writing failed: " + e);
    } else {
      err.println(name + ": this should not have happened, please report it:");
      e.printStackTrace(err);
    }
    return FAILED;
  }

  /** The version as the jar tells it. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"oncefold " + (version == null ? "(not packaged)" : version)};
    }
  }
}
