package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.FailedEventException;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The embedded engine in a process of its own, which is killed by SIGKILL. */
final class ChildFixture extends FileFixture {
  private static final int STOPPED = 3;
  private static final String READY = "ready";

  private @Nullable Child process;
  private Path log;
  private @Nullable Setup setup;
  private @Nullable String stopped;
  private int lives;

  ChildFixture(Path directory) {
    super(directory);
    log = directory.resolve("log");
  }

  /** What runs in the process: the directory, the setup, the file that tells how it goes. */
  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    Path log = Path.of(args[2]);
    try {
      Disk disk = Disk.at(EmbeddedEngine.journal(directory));
      try (EmbeddedEngine engine = new EmbeddedEngine(disk, directory, Setup.of(args[1]))) {
        Files.writeString(log, READY);
        engine.run();
      }
    } catch (FailedEventException e) {
      Files.writeString(log, String.valueOf(e.getMessage()));
      System.exit(STOPPED);
    } catch (RuntimeException e) {
      Files.writeString(log, String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private static Child spawn(Path directory, Setup what, Path log) throws IOException {
    return Child.start(
        ChildFixture.class,
        Child.shortLived(),
        Path.of(log + ".out"),
        directory.toString(),
        what.text(),
        log.toString());
  }

  @Override
  void run(Setup what) throws Exception {
    stopped = null;
    log = directory.resolve("log" + ++lives);
    process = spawn(directory, what, log);
    // Other rules may be refused. The same rules are not: so the next crash may come before it is
    // ready.
    if (!what.equals(setup)) {
      Patience.await(
          patience(), () -> !works() || told(log).equals(READY) ? null : "a ready process");
    }
    setup = what;
  }

  private static String told(Path log) throws IOException {
    return Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
  }

  @Override
  boolean works() throws Exception {
    Child running = process;
    if (running == null) {
      throw new IllegalStateException("the engine is down");
    }
    if (running.isAlive()) {
      return true;
    }
    if (running.exitCode() != STOPPED) {
      throw new IllegalStateException(
          "the engine ended with exit code " + running.exitCode() + ": " + running.lastWords());
    }
    stopped = told(log);
    return false;
  }

  @Override
  public @Nullable String stopped() {
    return stopped;
  }

  @Override
  @Nullable View<Trace> view() {
    Path journal = EmbeddedEngine.journal(directory);
    return Journal.describe(journal) == null
        ? null
        : Journal.view(journal, Setup.rememberingForever().fold());
  }

  @Override
  public void crash() {
    // By SIGKILL.
    close();
  }

  /** The first is paused meanwhile, and wakes up as if nothing had happened. */
  @Override
  public @Nullable String second() throws Exception {
    Child first = process;
    Setup same = setup;
    if (first == null || same == null) {
      throw new IllegalStateException("there is no first owner");
    }
    first.pause();
    Path rivalLog = directory.resolve("rival");
    try (Child rival = spawn(directory, same, rivalLog)) {
      if (!rival.awaitEnd(patience())) {
        throw new IllegalStateException("the second owner is neither refused nor dead");
      }
      return told(rivalLog);
    } finally {
      first.resume();
    }
  }

  @Override
  public List<Judged> history(String key) {
    List<Judged> events = new ArrayList<>();
    Journal.history(
        EmbeddedEngine.journal(directory),
        Setup.rememberingForever().fold(),
        key,
        entry -> events.add(judged(entry)));
    return events;
  }

  @Override
  public void close() {
    Child victim = process;
    if (victim != null) {
      victim.close();
    }
    process = null;
  }
}
