package dev.oncefold.cli;

import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine;

/**
 * What a command printed and how it ended.
 *
 * @param exitCode its exit code
 * @param out what it printed
 * @param err what it complained about
 */
record Command(int exitCode, String out, String err) {
  /** Runs {@code oncefold} in this process. */
  static Command oncefold(String... args) {
    return reading(InputStream.nullInputStream(), args);
  }

  /** Runs {@code oncefold} in this process, with something on standard input. */
  static Command reading(InputStream standard, String... args) {
    return run(Main.command(new DemoCommand(), standard), args);
  }

  static Command run(CommandLine command, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    command.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int exitCode = command.execute(args);
    return new Command(exitCode, out.toString(), err.toString());
  }

  String lastLine() {
    List<String> lines = out.lines().toList();
    return lines.get(lines.size() - 1);
  }
}
