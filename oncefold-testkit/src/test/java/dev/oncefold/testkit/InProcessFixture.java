package dev.oncefold.testkit;

import dev.oncefold.FailedEventException;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.View;
import dev.oncefold.verify.DiskObserver;
import dev.oncefold.verify.SimulatedDisk;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The embedded engine in this process. Its journal lies on a disk in memory; a crash is a power
 * loss, which leaves of the journal what was synced, and any part of the rest.
 */
class InProcessFixture extends FileFixture {
  private static final long SEED = 1;

  private OneLife disk = new OneLife(new SimulatedDisk(new Random(SEED), false, DiskObserver.NONE));
  private @Nullable EmbeddedEngine engine;
  private @Nullable Thread thread;
  private volatile boolean ending;
  private volatile @Nullable Throwable died;
  private @Nullable String stopped;

  InProcessFixture(Path directory) {
    super(directory);
  }

  @Override
  void run(Setup setup) {
    EmbeddedEngine started = new EmbeddedEngine(disk, directory, setup);
    engine = started;
    died = null;
    ending = false;
    stopped = null;
    thread =
        new Thread(
            () -> {
              try {
                started.run(() -> ending);
              } catch (Throwable e) {
                died = e;
              }
            },
            "engine");
    thread.start();
  }

  private EmbeddedEngine running() {
    EmbeddedEngine running = engine;
    if (running == null) {
      throw new IllegalStateException("the engine is down");
    }
    return running;
  }

  @Override
  boolean works() throws Exception {
    Throwable failure = died;
    if (failure == null) {
      return true;
    }
    if (failure instanceof FailedEventException) {
      stopped = failure.getMessage();
      return missing(true) != null; // its sinks go on
    }
    throw new IllegalStateException("the engine died", failure);
  }

  @Override
  public @Nullable String stopped() {
    return stopped;
  }

  @Override
  @Nullable View<Trace> view() {
    EmbeddedEngine running = engine;
    return running == null ? null : running.journal.view();
  }

  @Override
  public void crash() throws IOException {
    EmbeddedEngine dying = engine;
    if (dying != null) {
      disk = disk.losePower();
      end(dying);
    }
  }

  private void end(EmbeddedEngine dying) throws IOException {
    ending = true;
    if (thread != null) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new InterruptedIOException("interrupted while the engine ended");
      }
    }
    dying.abandon();
    engine = null;
  }

  @Override
  public @Nullable String second() {
    try {
      Setup any = Setup.rememberingForever();
      Journal.open(disk, any.fold(), EmbeddedEngine.options(any)).close();
      return null;
    } catch (JournalException e) {
      return e.getMessage();
    }
  }

  @Override
  public List<Judged> history(String key) {
    List<Judged> events = new ArrayList<>();
    running().journal.history(key, entry -> events.add(judged(entry)));
    return events;
  }

  @Override
  public void close() throws IOException {
    crash();
  }
}
