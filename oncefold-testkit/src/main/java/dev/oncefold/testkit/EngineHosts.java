package dev.oncefold.testkit;

import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Processes for the engines of a suite, each to be killed by SIGKILL at any moment.
 *
 * <p>To start a Java process takes longer than most scenarios do. So one that was not killed runs
 * the engine of the next scenario, and one more is always started in advance, for whoever starts
 * after a kill. All die with the tests.
 *
 * <p>Safe for use by several threads.
 */
public final class EngineHosts implements AutoCloseable {
  private final Class<? extends HostedEngine> engine;
  private final Path directory;
  private final List<String> options;
  private final List<Child> all = new ArrayList<>();
  private final Deque<Child> free = new ArrayDeque<>();
  private int runs;

  /**
   * Starts the first process.
   *
   * @param engine what they run; it has a constructor without arguments
   * @param directory a directory for what they tell; it outlives the scenarios
   * @param options for the Java virtual machines
   * @throws IOException if none can be started
   */
  public EngineHosts(Class<? extends HostedEngine> engine, Path directory, List<String> options)
      throws IOException {
    this.engine = engine;
    this.directory = directory;
    this.options = List.copyOf(options);
    spare();
  }

  private void spare() throws IOException {
    Path log = directory.resolve("process-" + (all.size() + 1) + ".log");
    Child child = Child.start(HostMain.class, options, log, engine.getName());
    all.add(child);
    free.add(child);
  }

  /**
   * Starts an engine in a process that has none.
   *
   * @param args for {@link HostedEngine#run}
   * @return the engine
   * @throws IOException if it cannot be told, or no process can be started
   */
  public synchronized EngineHost start(String... args) throws IOException {
    Child child = free.remove();
    if (free.isEmpty()) {
      spare();
    }
    Path report = directory.resolve("run-" + ++runs);
    String[] order = new String[args.length + 1];
    order[0] = report.toString();
    System.arraycopy(args, 0, order, 1, args.length);
    try {
      child.tell(Fields.join((Object[]) order));
    } catch (IOException e) {
      throw new IOException("a process for an engine ended early: " + child.lastWords(), e);
    }
    return new EngineHost(this, child, report);
  }

  /** The next one to start takes what is running longest: it is the warmest. */
  synchronized void giveBack(Child child) {
    free.addFirst(child);
  }

  /** Kills them all. */
  @Override
  public synchronized void close() {
    all.forEach(Child::close);
    free.clear();
  }
}
