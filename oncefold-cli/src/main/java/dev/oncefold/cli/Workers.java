package dev.oncefold.cli;

import dev.oncefold.verify.Child;
import dev.oncefold.verify.NotRunException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Processes that all run one command, {@code oncefold run}, to be killed and paused. */
final class Workers implements AutoCloseable {
  private static final Duration TO_END = Duration.ofSeconds(30);
  // What a run says once it has opened everything.
  private static final String UP = "reads the topic ";

  private final Path directory;
  private final Path pipeline;
  private final @Nullable Child[] children;
  // How long each log was when the worker's life began.
  private final long[] begun;
  private boolean closed;

  /**
   * Prepares workers.
   *
   * @param directory where their logs go
   * @param pipeline what they run
   */
  Workers(Path directory, Path pipeline, int count) {
    this.directory = directory;
    this.pipeline = pipeline;
    this.children = new @Nullable Child[count];
    this.begun = new long[count];
  }

  int count() {
    return children.length;
  }

  synchronized void start(int worker) throws IOException {
    if (closed) {
      return;
    }
    List<String> options = new ArrayList<>(Child.shortLived());
    options.add("-Xmx256m");
    if (Runtime.version().feature() >= 23) {
      options.add("--sun-misc-unsafe-memory-access=allow"); // as the launcher does
    }
    Path log = log(worker);
    begun[worker] = Files.exists(log) ? Files.size(log) : 0;
    children[worker] = Child.start(Main.class, options, log, "run", pipeline.toString());
  }

  Path log(int worker) {
    return directory.resolve("worker-" + (worker + 1) + ".log");
  }

  /**
   * Whether all have opened the store and read: one that starts while the database is away gives up
   * with an error, as it should, and is no part of the demo.
   */
  synchronized boolean areUp() {
    try {
      for (int i = 0; i < children.length; i++) {
        byte[] said = Files.exists(log(i)) ? Files.readAllBytes(log(i)) : new byte[0];
        int from = (int) Math.min(begun[i], said.length);
        if (!new String(said, from, said.length - from, StandardCharsets.UTF_8).contains(UP)) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends one by SIGKILL; answers whether it died of that. */
  boolean kill(int worker) throws InterruptedException {
    Child child = child(worker);
    return child != null && child.kill();
  }

  void pause(int worker) throws IOException {
    Child child = child(worker);
    if (child != null) {
      try {
        child.pause();
      } catch (NotRunException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
  }

  void resume(int worker) {
    Child child = child(worker);
    if (child != null) {
      child.resume();
    }
  }

  private synchronized @Nullable Child child(int worker) {
    return children[worker];
  }

  /** Which of them have ended though nobody ended them: the number of each, from 1. */
  List<Integer> ended() {
    List<Integer> ended = new ArrayList<>();
    for (int i = 0; i < children.length; i++) {
      Child child = child(i);
      if (child != null && !child.isAlive()) {
        ended.add(i + 1);
      }
    }
    return ended;
  }

  /** Asks all to stop, as Ctrl-C does; answers those that do not end in order. */
  List<String> stop() throws InterruptedException {
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < children.length; i++) {
      Child child = child(i);
      if (child != null) {
        ProcessHandle.of(child.pid()).ifPresent(ProcessHandle::destroy);
      }
    }
    for (int i = 0; i < children.length; i++) {
      Child child = child(i);
      if (child == null) {
        continue;
      }
      if (!child.awaitEnd(TO_END)) {
        wrong.add("worker " + (i + 1) + " does not end when it is asked to");
      } else if (child.exitCode() != 0) {
        wrong.add(
            "worker "
                + (i + 1)
                + " ended with "
                + child.exitCode()
                + ": see "
                + log(i).getFileName());
      }
    }
    return wrong;
  }

  /** Ends them all, also paused ones, and starts none any more. */
  @Override
  public synchronized void close() {
    closed = true;
    for (Child child : children) {
      if (child != null) {
        child.close();
      }
    }
  }
}
