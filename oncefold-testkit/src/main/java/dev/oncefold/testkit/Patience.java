package dev.oncefold.testkit;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Waiting that ends: for what a fixture cannot be told of. */
public final class Patience {
  /** Enough for a loaded machine; a working engine needs a fraction of it. */
  public static final Duration USUAL = Duration.ofSeconds(30);

  private static final long PAUSE_MILLIS = 2;

  private Patience() {}

  /**
   * Waits until nothing is missing.
   *
   * @param patience how long
   * @param missing what is missing, for a person; null once nothing is. What it throws ends the
   *     waiting
   * @throws IllegalStateException if something is still missing in the end
   * @throws Exception what {@code missing} throws
   */
  public static void await(Duration patience, Callable<@Nullable String> missing) throws Exception {
    long began = System.nanoTime();
    for (String still = missing.call(); still != null; still = missing.call()) {
      if (System.nanoTime() - began > patience.toNanos()) {
        throw new IllegalStateException(
            "after " + patience.toSeconds() + " s this is still missing: " + still);
      }
      Thread.sleep(PAUSE_MILLIS);
    }
  }
}
