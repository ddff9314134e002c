package dev.oncefold.verify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Whether a process that was told to stop, by SIGSTOP, has done so with all of its threads. */
public final class Standstill {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

  private Standstill() {}

  /**
   * Waits until none of its threads runs, or it has ended. Where there is no {@code /proc} to see
   * that in, this returns at once.
   *
   * @param process a process to which SIGSTOP was sent
   * @throws IOException if it does not stop within 30 s
   */
  public static void await(ProcessHandle process) throws IOException {
    Path threads = Path.of("/proc", String.valueOf(process.pid()), "task");
    long begin = System.nanoTime();
    while (process.isAlive() && Files.isDirectory(threads) && !allStopped(threads)) {
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IOException("process " + process.pid() + " does not stop, though it was told to");
      }
      LockSupport.parkNanos(100_000);
    }
  }

  private static boolean allStopped(Path threads) throws IOException {
    try (Stream<Path> each = Files.list(threads)) {
      for (Path thread : each.toList()) {
        char state = state(thread.resolve("stat"));
        if (state != 'T' && state != 'Z') {
          return false;
        }
      }
      return true;
    } catch (NoSuchFileException e) {
      return false; // a thread has just ended, so not everything stands still
    }
  }

  /**
   * The state of a process or a thread, by Linux.
   *
   * @param stat its file in {@code /proc}
   * @return for example R for running, T for stopped, Z for dead and not yet taken note of
   * @throws IOException if there is no such file
   */
  public static char state(Path stat) throws IOException {
    String text = Files.readString(stat, StandardCharsets.ISO_8859_1);
    // The state follows the name, which stands in parentheses and may hold any.
    return text.charAt(text.lastIndexOf(')') + 2);
  }
}
