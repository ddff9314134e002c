package dev.oncefold.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Tells a person how far the demo is: on a terminal in one line that is written again and again,
 * elsewhere in a line now and then.
 */
final class Progress {
  private static final long TERMINAL_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long PLAIN_PAUSE = TimeUnit.SECONDS.toNanos(5);
  private static final String REWRITE = "\r\u001b[K";

  private final PrintWriter out;
  private final boolean terminal;
  private final long events;
  private final int kills;
  private final long begin = System.nanoTime();
  private long told = begin - PLAIN_PAUSE;
  private boolean unfinished;

  Progress(PrintWriter out, boolean terminal, long events, int kills) {
    this.out = out;
    this.terminal = terminal;
    this.events = events;
    this.kills = kills;
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

  /** Events are being applied; tells it if the last time is long enough ago. */
  void applying(long applied, Kills.Tally tally) {
    long now = System.nanoTime();
    if (now - told < (terminal ? TERMINAL_PAUSE : PLAIN_PAUSE)) {
      return;
    }
    line(
        String.format(
            Locale.ROOT,
            "  %,9d of %,d events, %d of %d kills (%d in an open commit), %d s",
            applied,
            events,
            tally.kills,
            kills,
            tally.insideCommit,
            TimeUnit.NANOSECONDS.toSeconds(now - begin)));
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
