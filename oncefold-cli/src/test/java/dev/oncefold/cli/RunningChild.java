package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** {@code oncefold} as a process of its own, to be stopped and killed. */
final class RunningChild implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);

  private final Process process;
  private final Path log;

  private RunningChild(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Starts a command; what it prints goes to a file. */
  static RunningChild start(Path log, String... args) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // Its life is too short for the optimizing compiler to pay.
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                // The classes were verified often enough, and it is a third of the start.
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:-BytecodeVerificationRemote",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    if (Runtime.version().feature() >= 23) {
      command.add(1, "--sun-misc-unsafe-memory-access=allow"); // as the launcher does
    }
    // What it leaves behind when it is killed goes with the test.
    command.add(1, "-Djava.io.tmpdir=" + Files.createDirectories(temporary(log)));
    command.add(1, "-D" + Flink.CLASS_PATH + "=" + System.getProperty(Flink.CLASS_PATH));
    command.addAll(List.of(args));
    ProcessBuilder.Redirect to = ProcessBuilder.Redirect.appendTo(log.toFile());
    return new RunningChild(
        new ProcessBuilder(command).redirectOutput(to).redirectError(to).start(), log);
  }

  /** The temporary directory of all that are started with logs in one directory. */
  static Path temporary(Path log) {
    return log.resolveSibling("tmp");
  }

  /** Waits until something is so, as long as the process lives. */
  void await(BooleanSupplier done) throws IOException {
    long begin = System.nanoTime();
    while (!done.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() - begin > PATIENCE) {
        throw new AssertionError(
            (process.isAlive()
                    ? "nothing came in a minute"
                    : "it ended with " + process.exitValue())
                + "; it said: "
                + said());
      }
      LockSupport.parkNanos(500_000);
    }
  }

  /** Writes to its standard input, which stays open. */
  void write(byte[] bytes) throws IOException {
    process.getOutputStream().write(bytes);
    process.getOutputStream().flush();
  }

  /** SIGTERM, as {@code kill} and a closing terminal send it; answers the exit code. */
  int terminate() throws InterruptedException {
    process.toHandle().destroy(); // Process.destroy closes its standard input, too
    return process.waitFor();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor()).as("killed by SIGKILL").isEqualTo(128 + 9);
  }

  /** The number of the process. */
  long number() {
    return process.pid();
  }

  String said() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
