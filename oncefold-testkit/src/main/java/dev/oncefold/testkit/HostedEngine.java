package dev.oncefold.testkit;

import java.util.List;

/**
 * An engine that runs in a process of {@link EngineHosts}. It has a constructor without arguments.
 */
public interface HostedEngine {
  /**
   * Runs the engine until it is told to end, then closes all it has opened.
   *
   * @param args what {@link EngineHosts#start} was given
   * @param run tells when to end
   * @throws dev.oncefold.FailedEventException if it stopped for an event that Failed
   * @throws Exception if it cannot or will not run, or died; every exception ends the process
   */
  void run(List<String> args, Run run) throws Exception;

  /** One run of an engine. */
  interface Run {
    /** The engine is open: it was not refused. */
    void ready();

    /**
     * Whether the engine is to end. It asks often.
     *
     * @return true once its scenario is over
     */
    boolean over();
  }
}
