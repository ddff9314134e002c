package dev.oncefold.testkit;

import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An engine that runs in a process of {@link EngineHosts}.
 *
 * <p>For one thread at a time.
 */
public final class EngineHost {
  private final EngineHosts hosts;
  private final Child child;
  private final Path report;
  private @Nullable String stopped;
  private boolean ended;

  EngineHost(EngineHosts hosts, Child child, Path report) {
    this.hosts = hosts;
    this.child = child;
    this.report = report;
  }

  /**
   * Waits until it was not refused.
   *
   * @param patience for how long
   * @throws Exception what {@link #works} throws where it will not run, and what {@link Patience}
   *     throws
   */
  public void awaitReady(Duration patience) throws Exception {
    Patience.await(
        patience, () -> !works() || told().equals(HostMain.READY) ? null : "a ready engine");
  }

  /**
   * Whether it still works.
   *
   * @return false where it has stopped for an event that Failed
   * @throws IllegalStateException if it died of anything else: with what it said
   * @throws IOException if that cannot be read
   */
  public boolean works() throws IOException {
    if (child.isAlive()) {
      return true;
    }
    if (child.exitCode() != HostMain.STOPPED) {
      throw new IllegalStateException(
          "the engine ended with exit code "
              + child.exitCode()
              + ": "
              + told()
              + System.lineSeparator()
              + child.lastWords());
    }
    stopped = told();
    return false;
  }

  /**
   * Why it stopped for an event that Failed, once {@link #works} has answered false.
   *
   * @return the message; null where it did not stop
   */
  public @Nullable String stopped() {
    return stopped;
  }

  /**
   * What it said last.
   *
   * @return why it ended, or how far it is; empty where it has said nothing yet
   * @throws IOException if that cannot be read
   */
  public String told() throws IOException {
    return Files.exists(report) ? Files.readString(report, StandardCharsets.UTF_8) : "";
  }

  /**
   * Its process, to be paused, resumed and killed.
   *
   * @return the process
   */
  public Child process() {
    return child;
  }

  /**
   * Lets an engine end whose scenario is over, so that its process runs the next one. One that has
   * ended by itself or was killed stays so.
   *
   * @param patience how long it may take to close what it has opened
   * @throws IOException if it takes longer
   */
  public void end(Duration patience) throws IOException {
    if (ended || !child.isAlive()) {
      return;
    }
    ended = true;
    try {
      child.tell(HostMain.END);
      Patience.await(
          patience,
          () -> child.isAlive() && !told().equals(HostMain.OVER) ? "an end of the engine" : null);
    } catch (Exception e) {
      child.close();
      throw new IOException("the engine does not end: " + child.lastWords(), e);
    }
    if (child.isAlive()) {
      hosts.giveBack(child);
    }
  }
}
