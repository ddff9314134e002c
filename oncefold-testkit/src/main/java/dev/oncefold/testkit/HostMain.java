package dev.oncefold.testkit;

import dev.oncefold.FailedEventException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What runs in a process of {@link EngineHosts}: one engine after another, as it is told. It ends
 * when an engine ends otherwise than it was told to.
 */
final class HostMain implements HostedEngine.Run {
  static final String READY = "ready";
  static final String OVER = "over";
  static final String END = "";
  static final int STOPPED = 3;
  private static final int DIED = 1;

  private final Path report;
  private volatile boolean over;

  private HostMain(Path report) {
    this.report = report;
  }

  /**
   * Waits to be told what to run: the file that tells how it goes, and the engine's arguments.
   *
   * @param args the engine's class
   */
  public static void main(String[] args) throws Exception {
    Constructor<? extends HostedEngine> constructor =
        Class.forName(args[0]).asSubclass(HostedEngine.class).getDeclaredConstructor();
    constructor.setAccessible(true);
    HostedEngine engine = constructor.newInstance();
    BufferedReader told =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (true) {
      List<String> order = Fields.split(told.readLine());
      HostMain run = new HostMain(Path.of(order.get(0)));
      List<String> arguments = order.subList(1, order.size());
      Thread thread = new Thread(() -> run.run(engine, arguments), "engine");
      thread.start();
      if (!told.readLine().equals(END)) {
        throw new IllegalStateException("told to run an engine while one runs");
      }
      run.over = true;
      thread.join();
    }
  }

  private void run(HostedEngine engine, List<String> arguments) {
    try {
      engine.run(arguments, this);
      if (!over) {
        throw new IllegalStateException("the engine ended, and nobody had told it to");
      }
      report(OVER);
    } catch (FailedEventException e) {
      report(String.valueOf(e.getMessage()));
      System.exit(STOPPED);
    } catch (Throwable e) {
      e.printStackTrace();
      report(String.valueOf(e.getMessage()));
      System.exit(DIED);
    }
  }

  private void report(String what) {
    try {
      Files.writeString(report, what);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void ready() {
    report(READY);
  }

  @Override
  public boolean over() {
    return over;
  }
}
