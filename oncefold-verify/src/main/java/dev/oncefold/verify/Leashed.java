package dev.oncefold.verify;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;

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
    Thread watch = new Thread(Leashed::endWithTheParent, "parent-watch");
    watch.setDaemon(true);
    watch.start();
    Method main = Class.forName(args[0]).getDeclaredMethod("main", String[].class);
    main.setAccessible(true);
    try {
      main.invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static void endWithTheParent() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException e) {
      // As good as closed.
    }
    Runtime.getRuntime().halt(1);
  }
}
