package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.CodecException;
import dev.oncefold.FencedException;
import dev.oncefold.SinkException;
import dev.oncefold.SourceException;
import dev.oncefold.journal.JournalException;
import dev.oncefold.pipeline.PipelineException;
import dev.oncefold.pipeline.References;
import dev.oncefold.postgres.StoreException;
import dev.oncefold.verify.ChildException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
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
    Logging.warnings();
    System.exit(
        command(new DemoCommand(), System.in)
            // JSON is UTF-8, whatever this terminal's language.
            .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
            .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
            .execute(args));
  }

  /** The whole command line; it writes where the caller of {@code setOut} says. */
  static CommandLine command(DemoCommand demo, InputStream standard) {
    return new CommandLine(new Main())
        .addSubcommand(demo)
        .addSubcommand(new CheckCommand(standard))
        .addSubcommand(new RunCommand(standard))
        .addSubcommand(new StateCommand())
        .addSubcommand(new HistoryCommand())
        .addSubcommand(new RebuildCommand(standard))
        .addSubcommand(new VerifyCommand())
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

  private static int failed(Exception e, CommandLine command, ParseResult parsed) {
    return failed(e, command);
  }

  /** What goes wrong in the world is told in a sentence; what is a mistake of ours in full. */
  static int failed(Exception e, CommandLine command) {
    PrintWriter err = command.getErr();
    String name = command.getCommandSpec().qualifiedName();
    String told = null;
    if (e instanceof PipelineException || e instanceof References.Missing || e instanceof Stop) {
      told = String.valueOf(e.getMessage()); // each line of it says where
    } else if (e instanceof JournalException
        || e instanceof SourceException
        || e instanceof FencedException
        || e instanceof SinkException
        || e instanceof StoreException
        || e instanceof CodecException
        || e instanceof ChildException) {
      told = name + ": " + e.getMessage();
    } else if (e instanceof IOException || e instanceof UncheckedIOException) {
      told = name + ": reading or writing failed: " + e;
    } else if (e instanceof InvalidPathException) {
      told =
          name
              + ": a file's name cannot be used: "
              + e.getMessage()
              + ". Where it has letters beyond ASCII, set a locale that has them, such as"
              + " LC_ALL=C.UTF-8";
    }
    if (told == null) {
      err.println(name + ": this should not have happened, please report it:");
      e.printStackTrace(err);
    } else {
      err.println(told);
    }
    ParseResult parsed = command.getParseResult();
    if (parsed != null && parsed.hasMatchedOption("--json")) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      command.getOut().println(json.put("error", told == null ? e.toString() : told));
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
