package dev.oncefold.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets a command end in order when somebody ends this program, with Ctrl-C or {@code kill}: it is
 * asked to stop, and the program waits for it.
 */
final class Interruption {
  private final CountDownLatch over = new CountDownLatch(1);
  private final Thread hook;
  private volatile int exitCode;

  /**
   * Waits for an interruption from now on.
   *
   * @param stop asks the command to stop
   * @param usual whether to be stopped is how the command ends: then its own exit code is the
   *     program's, and otherwise that of the signal
   */
  Interruption(Runnable stop, boolean usual) {
    hook =
        new Thread(
            () -> {
              stop.run();
              awaitEnd();
              if (usual) {
                Runtime.getRuntime().halt(exitCode);
              }
            },
            "oncefold-stop");
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      // Somebody is ending this program already, and nothing has begun.
      park();
    }
  }

  private void awaitEnd() {
    while (true) {
      try {
        over.await();
        return;
      } catch (InterruptedException e) {
        // Nobody interrupts a hook; the command ends in any case.
      }
    }
  }

  /** The command has ended, and has said all that it had to say. */
  void over(int code) {
    exitCode = code;
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      over.countDown();
      park();
    }
  }

  /** The program ends under whoever calls this. */
  private static void park() {
    while (true) {
      LockSupport.park();
    }
  }
}
