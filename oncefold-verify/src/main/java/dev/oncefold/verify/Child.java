package dev.oncefold.verify;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A Java process to be killed, or paused and resumed. None survives the program that started it,
 * however that ends: not even a paused one.
 *
 * <p>For one thread at a time; only {@link #close} may come from another.
 */
public final class Child implements AutoCloseable {
  /** How a process that SIGKILL ended is reported on every Unix. */
  private static final int KILLED = 128 + 9;

  private static final int LAST_LINES = 20;

  private final Process process;
  private final Path log;

  /** Continues the process when its input ends, which it does with this program, too. */
  private @Nullable Process pausing;

  private Child(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * Starts a process with this program's own Java and class path.
   *
   * @param main the class whose main method it runs; on its standard input is what it is {@link
   *     #tell told}
   * @param options for the Java virtual machine
   * @param log the file to which it appends what it prints, made if absent
   * @param args its arguments
   * @return the process
   * @throws IOException if it cannot be started
   */
  public static Child start(Class<?> main, List<String> options, Path log, String... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Before the options, which may name another one: the last counts.
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(options);
    command.addAll(List.of(Leashed.class.getName(), main.getName()));
    command.addAll(List.of(args));
    ProcessBuilder.Redirect to = ProcessBuilder.Redirect.appendTo(log.toFile());
    return new Child(new ProcessBuilder(command).redirectOutput(to).redirectError(to).start(), log);
  }

  /**
   * Options for a life that is too short for the optimizing compiler to pay.
   *
   * @return options for {@link #start}
   */
  public static List<String> shortLived() {
    return List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
  }

  /**
   * Tells it something, whether it listens or not.
   *
   * @param line what it reads as a line of its standard input
   * @throws IOException if it has ended
   */
  public void tell(String line) throws IOException {
    OutputStream to = process.getOutputStream();
    to.write((line + '\n').getBytes(StandardCharsets.UTF_8));
    to.flush();
  }

  /**
   * Its number.
   *
   * @return the process id
   */
  public long pid() {
    return process.pid();
  }

  /**
   * Whether it has not ended yet.
   *
   * @return true of a paused one, too
   */
  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * How it ended.
   *
   * @return its exit code; 128 and the signal's number if a signal ended it
   * @throws IllegalThreadStateException if it is alive
   */
  public int exitCode() {
    return process.exitValue();
  }

  /**
   * Waits for it to end by itself.
   *
   * @param most for how long
   * @return whether it has ended
   * @throws InterruptedException if interrupted
   */
  public boolean awaitEnd(Duration most) throws InterruptedException {
    return process.waitFor(most.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Ends it by SIGKILL, paused or not, and waits for its death.
   *
   * @return whether it died of that; false if it had ended by itself
   * @throws InterruptedException if interrupted
   */
  public boolean kill() throws InterruptedException {
    process.destroyForcibly();
    int code = process.waitFor();
    release();
    return code == KILLED;
  }

  /**
   * Stops it by SIGSTOP: when this returns, none of its threads runs. (Where there is no {@code
   * /proc} to see that in, the signal was sent.)
   *
   * @throws NotRunException where signals cannot be sent
   * @throws IOException if it cannot be seen whether it stopped
   */
  public void pause() throws NotRunException, IOException {
    if (pausing != null) {
      throw new IllegalStateException("the process is paused already");
    }
    Process shell;
    try {
      // The shell continues it when this program closes the pipe or dies: a stopped process would
      // not notice that its parent is gone, and stay for ever.
      String signals = "kill -STOP $0 && echo paused; read end; kill -CONT $0";
      shell =
          new ProcessBuilder("sh", "-c", signals, String.valueOf(pid()))
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      throw new NotRunException(
          "a process can be paused only where there is a shell with kill: " + e.getMessage());
    }
    pausing = shell;
    String answer = shell.inputReader(StandardCharsets.UTF_8).readLine();
    if (!"paused".equals(answer)) {
      release();
      if (!isAlive()) {
        throw new IllegalStateException("the process had ended before it was paused");
      }
      throw new NotRunException("SIGSTOP cannot be sent: " + answer);
    }
    Standstill.await(process.toHandle());
  }

  /** Lets a paused one go on, by SIGCONT. */
  public void resume() {
    if (pausing == null) {
      throw new IllegalStateException("the process is not paused");
    }
    release();
  }

  private void release() {
    Process shell = pausing;
    if (shell != null) {
      try {
        shell.getOutputStream().close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      shell.onExit().join();
      pausing = null;
    }
  }

  /**
   * What it said last.
   *
   * @return up to 20 lines, for a message
   */
  public String lastWords() {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
      return last.isEmpty() ? "it said nothing" : String.join(System.lineSeparator(), last);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes sure that it is gone. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
