package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.Output;
import dev.oncefold.verify.SimulatedDisk;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The sinks of a run: one of outputs, and one of refusals or none. */
final class SimSinks {
  private static final String OUTPUTS = "outputs.txt";
  private static final String REFUSALS = "refusals.txt";

  private final SimulatedDisk disk;
  private final SimLedger ledger;
  private final boolean withRefusals;
  private @Nullable FileSink<SimFold.Trace, SimFold.Op, String> outputs;
  private @Nullable FileSink<SimFold.Trace, SimFold.Op, String> refusals;

  SimSinks(SimulatedDisk disk, SimLedger ledger, boolean withRefusals) {
    this.disk = disk;
    this.ledger = ledger;
    this.withRefusals = withRefusals;
  }

  void open(Journal<SimFold.Trace, SimFold.Op, String> journal, Disk on) {
    Function<Emitted<String>, String> line = SimReference::line;
    outputs =
        FileSink.open(journal, on, OUTPUTS, FileSink.outputs(journal, Output.DEFAULT, line), false);
    if (withRefusals) {
      Function<Entry<SimFold.Trace, SimFold.Op, String>, String> refusal =
          entry -> SimReference.refusal(entry.sequence(), entry.verdict(), entry.key());
      refusals = FileSink.open(journal, on, REFUSALS, FileSink.refusals(journal, refusal), false);
    }
    hold(false, "after opening the sinks");
  }

  /** Each writes what is new; false if there was nothing. */
  boolean step(Journal<SimFold.Trace, SimFold.Op, String> journal, Runnable check) {
    boolean stepped = outputs != null && outputs.step();
    check.run(); // a group may have been written to make room for the sink's record
    stepped |= refusals != null && refusals.step();
    check.run();
    hold(false, "after a step of the sinks");
    return stepped;
  }

  /** That the files are the beginning of what they should become, or all of it. */
  void hold(boolean all, String when) {
    SimChecks.file(disk.content(OUTPUTS), ledger.committed().outputs, all, when);
    if (withRefusals) {
      SimChecks.file(disk.content(REFUSALS), ledger.committed().refusals, all, when);
    }
  }

  void close() {
    if (outputs != null) {
      outputs.close();
    }
    if (refusals != null) {
      refusals.close();
    }
  }

  /** Closes both, whatever they say. */
  void closeFailed() {
    closeFailed(outputs);
    closeFailed(refusals);
  }

  private static void closeFailed(@Nullable FileSink<SimFold.Trace, SimFold.Op, String> sink) {
    try {
      if (sink != null) {
        sink.close();
      }
    } catch (JournalException e) {
      // Told before.
    }
  }
}
