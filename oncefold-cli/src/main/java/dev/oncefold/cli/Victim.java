package dev.oncefold.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A running {@link Worker}, to be killed. */
final class Victim {
  /** How a process that SIGKILL ended is reported on every Unix. */
  private static final int KILLED = 128 + 9;

  private final Process process;
  private final Workplace at;

  private Victim(Process process, Workplace at) {
    this.process = process;
    this.at = at;
  }

  /** Starts a worker on a directory, with this program's own Java and classes. */
  static Victim start(Workplace at, Class<?> worker) throws IOException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            // Its life is too short for the optimizing compiler to pay.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            worker.getName(),
            at.directory().toString());
    ProcessBuilder.Redirect log = ProcessBuilder.Redirect.appendTo(at.log().toFile());
    return new Victim(
        new ProcessBuilder(command).redirectOutput(log).redirectError(log).start(), at);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** SIGKILL, and waits for the death; false if it had ended by itself. */
  boolean kill() throws InterruptedException {
    process.destroyForcibly();
    return process.waitFor() == KILLED;
  }

  /** Makes sure that it is gone, for when the demo itself ends. */
  void abandon() {
    process.destroyForcibly().onExit().join();
  }

  /** Waits for it to end by itself. */
  boolean awaitEnd(long millis) throws InterruptedException {
    return process.waitFor(millis, TimeUnit.MILLISECONDS);
  }

  int exitValue() {
    return process.exitValue();
  }

  /** What it said last, for a message. */
  String lastWords() {
    try {
      List<String> lines = Files.readAllLines(at.log(), StandardCharsets.UTF_8);
      List<String> last = lines.subList(Math.max(0, lines.size() - 20), lines.size());
      return last.isEmpty() ? "it said nothing" : String.join(System.lineSeparator(), last);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
