package dev.oncefold.sandbox;

import dev.oncefold.verify.Standstill;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * One life of a server and of the processes that it starts itself. It ends with this program,
 * however that ends, and paused or not.
 */
final class ServerProcess {
  /** How long a start may take on a machine that does other things, too. */
  private static final long PATIENCE = TimeUnit.MINUTES.toNanos(2);

  private static final long NAP = 2_000_000;
  private static final int LAST_LINES = 30;

  /**
   * Starts the server, tells its number, and ends as it does. The watch beside it reads a pipe on
   * which nothing comes: it ends when this program does. Until the server is gone it is told again
   * to go, as one that has just begun ignores signals.
   */
  private static final String LEASH =
      """
      log=$1; signal=$2; shift 2
      exec 3<&0
      "$@" 3<&- </dev/null >>"$log" 2>&1 &
      server=$!
      {
        read -r end <&3
        while kill -CONT $server && kill -$signal $server; do sleep 1; done
      } </dev/null >/dev/null 2>&1 &
      watch=$!
      exec 3<&-
      echo $server
      wait $server
      code=$?
      kill -KILL $watch 2>/dev/null
      exit $code
      """;

  private final String name;
  private final Path log;
  private final Process leash;
  private final ProcessHandle server;
  private List<ProcessHandle> paused = List.of();

  private ServerProcess(String name, Path log, Process leash, ProcessHandle server) {
    this.name = name;
    this.log = log;
    this.leash = leash;
    this.server = server;
  }

  /**
   * Starts a server.
   *
   * @param name what a message calls it
   * @param log the file to which what it prints is appended
   * @param lastSignal what ends it, with every process of its own, when this program has ended
   */
  static ServerProcess start(String name, Path log, String lastSignal, List<String> command)
      throws IOException {
    List<String> leashed = new ArrayList<>();
    leashed.addAll(List.of("sh", "-c", LEASH, "sh", log.toString(), lastSignal));
    leashed.addAll(command);
    Process leash =
        new ProcessBuilder(leashed).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    BufferedReader answer = leash.inputReader(StandardCharsets.UTF_8);
    String pid = answer.readLine();
    if (pid == null) {
      throw new IOException(name + " cannot be started: the shell does not start " + command);
    }
    ProcessHandle server =
        ProcessHandle.of(Long.parseLong(pid))
            .orElseThrow(() -> new IOException(name + " ended at once" + lastWords(log)));
    return new ServerProcess(name, log, leash, server);
  }

  /** Something that is awaited. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException;
  }

  /** Waits until it is up, and fails with its last words if it ends before, or takes too long. */
  void awaitUp(Condition up) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    while (!up.holds()) {
      if (!leash.isAlive()) {
        throw new IOException(
            name + " ended with exit code " + leash.exitValue() + " at its start" + lastWords(log));
      }
      if (System.nanoTime() - begin > PATIENCE) {
        kill();
        throw new IOException(
            name
                + " was not up after "
                + Duration.ofNanos(PATIENCE).toSeconds()
                + " s, and was ended"
                + lastWords(log));
      }
      LockSupport.parkNanos(NAP);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  long pid() {
    return server.pid();
  }

  /** Of its own account, too: an interrupt from the terminal ends the shell that leads it. */
  boolean isAlive() {
    return leash.isAlive() || !hasEnded(server);
  }

  /** Ends all its processes by SIGKILL, at once and paused or not, and waits for their deaths. */
  void kill() throws IOException {
    if (isAlive()) {
      List<ProcessHandle> all = stop();
      all.forEach(ProcessHandle::destroyForcibly);
      awaitEnd(all);
    }
    paused = List.of();
  }

  private void awaitEnd(List<ProcessHandle> processes) {
    leash.onExit().join();
    for (ProcessHandle process : processes) {
      while (!hasEnded(process)) {
        LockSupport.parkNanos(NAP);
      }
    }
  }

  /** Whether it runs no more, though no one may have taken note of that. */
  static boolean hasEnded(ProcessHandle process) {
    try {
      Path stat = Path.of("/proc", String.valueOf(process.pid()), "stat");
      return !process.isAlive() || Standstill.state(stat) == 'Z';
    } catch (IOException e) {
      return !process.isAlive(); // it is gone by now, or there is no /proc here
    }
  }

  /** Ends it by a signal at which it ends its own processes; waits for its death. */
  void end(String signal) throws IOException {
    if (!paused.isEmpty()) {
      resume();
    }
    if (isAlive()) {
      signal(signal, List.of(server));
      awaitEnd(List.of(server));
    }
  }

  /** Stops all its processes by SIGSTOP; when this returns, no thread of them runs. */
  void pause() throws IOException {
    if (!paused.isEmpty()) {
      throw new IllegalStateException(name + " is paused already");
    }
    requireAlive();
    paused = stop();
  }

  private List<ProcessHandle> stop() throws IOException {
    // The first one first: the list of those that it has started is complete then.
    signal("STOP", List.of(server));
    Standstill.await(server);
    List<ProcessHandle> all = new ArrayList<>();
    try (Stream<ProcessHandle> children = server.descendants()) {
      children.forEach(all::add);
    }
    if (!all.isEmpty()) {
      signal("STOP", all);
    }
    for (ProcessHandle child : all) {
      Standstill.await(child);
    }
    all.add(server);
    return all;
  }

  /** Lets all its processes go on. */
  void resume() throws IOException {
    if (paused.isEmpty()) {
      throw new IllegalStateException(name + " is not paused");
    }
    signal("CONT", paused);
    paused = List.of();
  }

  private void requireAlive() {
    if (!isAlive()) {
      throw new IllegalStateException(name + " is not running" + lastWords(log));
    }
  }

  private static void signal(String signal, List<ProcessHandle> processes) throws IOException {
    List<String> command = new ArrayList<>(List.of("sh", "-c", "kill -$0 \"$@\"", signal));
    processes.forEach(process -> command.add(String.valueOf(process.pid())));
    // One that has ended meanwhile cannot be told, and need not be.
    new ProcessBuilder(command)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start()
        .onExit()
        .join();
  }

  /** Runs a command to its end, and fails with what it said if that is not a good one. */
  static void run(String what, Path log, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    int code = process.waitFor();
    if (code != 0) {
      throw new IOException(what + " ended with exit code " + code + lastWords(log));
    }
  }

  private static String lastWords(Path log) {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
      return last.isEmpty()
          ? ". It said nothing (" + log + ")"
          : ". The last lines of " + log + ":\n" + String.join("\n", last);
    } catch (IOException e) {
      return ". There is no log: " + e;
    }
  }
}
