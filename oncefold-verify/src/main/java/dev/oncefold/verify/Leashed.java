package dev.oncefold.verify;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The main class of every Java child: watches its parent, and runs the main class that is wanted.
 * However the parent ends, its side of the child's standard input closes then, and the child ends.
 */
final class Leashed {
  private Leashed() {}

  /**
   * Runs a main class.
   *
   * @param args the name of the class, and its arguments
   */
  public static void main(String[] args) throws Throwable {
    Heard heard = new Heard();
    InputStream parent = System.in;
    Thread watch = new Thread(() -> endWithTheParent(parent, heard), "parent-watch");
    watch.setDaemon(true);
    watch.start();
    System.setIn(heard);
    Method main = Class.forName(args[0]).getDeclaredMethod("main", String[].class);
    main.setAccessible(true);
    try {
      main.invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static void endWithTheParent(InputStream parent, Heard heard) {
    try {
      for (int next = parent.read(); next >= 0; next = parent.read()) {
        heard.bytes.add(next);
      }
    } catch (IOException e) {
      // As good as closed.
    }
    Runtime.getRuntime().halt(1);
  }

  /** What the parent has told, kept until it is read: it has no end but that of the process. */
  private static final class Heard extends InputStream {
    final BlockingQueue<Integer> bytes = new LinkedBlockingQueue<>();

    @Override
    public int read() throws IOException {
      try {
        return bytes.take();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while nothing was told");
      }
    }

    @Override
    public int read(byte[] to, int from, int most) throws IOException {
      if (most == 0) {
        return 0;
      }
      // Waits for the first alone, so that a line is read when it is there.
      int read = 0;
      for (Integer next = read(); next != null; next = read < most ? bytes.poll() : null) {
        to[from + read++] = next.byteValue();
      }
      return read;
    }
  }
}
