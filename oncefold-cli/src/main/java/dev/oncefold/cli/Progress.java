package dev.oncefold.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.io.Writer;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Tells a person how far a command is: on a terminal in one line that is written again and again,
 * elsewhere in a line now and then.
 */
final class Progress {
  private static final long TERMINAL_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long PLAIN_PAUSE = TimeUnit.SECONDS.toNanos(5);
  private static final String REWRITE = "\r\u001b[K";

  private final PrintWriter out;
  private final boolean terminal;
  private long told;
  private boolean unfinished;

  private Progress(PrintWriter out, boolean terminal, long told) {
    this.out = out;
    this.terminal = terminal;
    this.told = told;
  }

  /** Tells at once how far it is. */
  static Progress now(PrintWriter out, boolean terminal) {
    return new Progress(out, terminal, System.nanoTime() - PLAIN_PAUSE);
  }

  /** Tells nothing of what is over soon. */
  static Progress later(PrintWriter out, boolean terminal) {
    return new Progress(out, terminal, System.nanoTime());
  }

  /** Tells nothing. */
  static Progress none() {
    return new Progress(new PrintWriter(Writer.nullWriter()), false, System.nanoTime());
  }

  /** Whether what this program prints goes to a terminal. */
  @SuppressWarnings("SystemConsoleNull") // where it is not null, the console is asked
  static boolean isTerminal() {
    Console console = System.console();
    if (console == null || "dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      // From Java 22 on there may be a console without a terminal, and it says so.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (IllegalAccessException | InvocationTargetException e) {
      return false;
    }
  }

  /** A step begins. */
  void step(String what) {
    line(what);
  }

  /** It goes on; tells how far it is if the last time is long enough ago. */
  void at(Supplier<String> how) {
    if (System.nanoTime() - told >= (terminal ? TERMINAL_PAUSE : PLAIN_PAUSE)) {
      line(how.get());
    }
  }

  /**
   * Tells how far something is, as long as it goes on.
   *
   * @param work what is done in this thread
   * @param how how far it is; asked once a second, by another thread
   */
  void during(Work work, Supplier<String> how) throws InterruptedException {
    CountDownLatch over = new CountDownLatch(1);
    Thread ticker =
        new Thread(
            () -> {
              try {
                while (!over.await(1, TimeUnit.SECONDS)) {
                  at(how);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "oncefold-progress");
    ticker.setDaemon(true);
    ticker.start();
    try {
      work.work();
    } finally {
      over.countDown();
      ticker.join();
      done();
    }
  }

  /** What takes its time. */
  interface Work {
    void work() throws InterruptedException;
  }

  /** Something that is to be read, whatever comes after it. */
  void notice(String text) {
    done();
    out.println(text);
    out.flush();
  }

  private void line(String text) {
    told = System.nanoTime();
    if (terminal) {
      out.print(REWRITE + text);
      unfinished = true;
    } else {
      out.println(text);
    }
    out.flush();
  }

  /** Clears the way for what comes after. */
  void done() {
    if (unfinished) {
      out.print(REWRITE);
      out.flush();
      unfinished = false;
    }
  }
}
