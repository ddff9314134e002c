package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.Fold;
import dev.oncefold.Store;
import java.io.IOException;
import java.time.Clock;

/** What a test breaks to see it caught. */
class SimBreakage {
  Disk disk(Disk disk) {
    return disk;
  }

  Log log(Disk disk, int segmentBytes) throws IOException {
    return new Log(disk, segmentBytes);
  }

  <S> Memory<S> memory(Fold.Ids ids, long k0, long k1, Clock clock) {
    return new Memory<>(ids, k0, k1);
  }

  /** What the runner commits to. */
  Store<SimFold.Trace, SimFold.Op, String> store(Store<SimFold.Trace, SimFold.Op, String> store) {
    return store;
  }

  /** What somebody who asks is shown. */
  View<SimFold.Trace> query(
      Journal<SimFold.Trace, SimFold.Op, String> journal, Memory<SimFold.Trace> memory) {
    return journal.view();
  }

  /** Whether any fault strikes. */
  boolean faults() {
    return true;
  }

  /** Whether processes are killed and nothing else goes wrong. */
  boolean killsOnly() {
    return false;
  }

  /** Whether memory is checked too, or only what can be seen from outside. */
  boolean looksInside() {
    return true;
  }
}
