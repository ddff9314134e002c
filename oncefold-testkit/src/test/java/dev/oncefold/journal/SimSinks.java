package dev.oncefold.journal;

import dev.oncefold.Disk;
import dev.oncefold.Output;
import dev.oncefold.verify.SimulatedDisk;
import java.util.ArrayList;
import java.util.List;

/** The sinks of a run: of the outputs by name, and of the refusals. */
final class SimSinks {
  private static final String OUTPUTS = "outputs.txt";
  private static final String AUDIT = "audit.txt";
  private static final String REFUSALS = "refusals.txt";

  private final SimulatedDisk disk;
  private final SimLedger ledger;
  private final List<FileSink<SimFold.Trace, SimFold.Op, String>> sinks = new ArrayList<>();

  SimSinks(SimulatedDisk disk, SimLedger ledger) {
    this.disk = disk;
    this.ledger = ledger;
  }

  void open(Journal<SimFold.Trace, SimFold.Op, String> journal, Disk on) {
    sinks.add(
        FileSink.open(
            journal,
            on,
            OUTPUTS,
            FileSink.outputs(journal, Output.DEFAULT, SimReference::line),
            false));
    sinks.add(
        FileSink.open(
            journal,
            on,
            AUDIT,
            FileSink.outputs(journal, SimFold.AUDIT, SimReference::line),
            false));
    sinks.add(
        FileSink.open(journal, on, REFUSALS, FileSink.refusals(journal, SimSinks::refusal), false));
    hold(false, "after opening the sinks");
  }

  static String refusal(Entry<SimFold.Trace, SimFold.Op, String> entry) {
    return SimReference.refusal(
        entry.sequence(), entry.verdict(), entry.key(), String.valueOf(entry.id()));
  }

  /** Each writes what is new; false if there was nothing. */
  boolean step(Runnable check) {
    boolean stepped = false;
    for (FileSink<SimFold.Trace, SimFold.Op, String> sink : sinks) {
      stepped |= sink.step();
      check.run(); // a group may have been written to make room for the sink's record
    }
    hold(false, "after a step of the sinks");
    return stepped;
  }

  /** Tells what a reader finds who reads all files. */
  void tell(SimHistory history, String reader) {
    history.outputs(reader, disk.content(OUTPUTS), disk.content(AUDIT));
    history.refusals(reader, disk.content(REFUSALS));
    history.complete(reader);
  }

  /** That the files are the beginning of what they should become, or all of it. */
  void hold(boolean all, String when) {
    SimReference committed = ledger.committed();
    SimChecks.file(disk.content(OUTPUTS), committed.outputs, all, when);
    SimChecks.file(disk.content(AUDIT), committed.audit, all, when);
    SimChecks.file(disk.content(REFUSALS), committed.refusals, all, when);
  }

  void close() {
    sinks.forEach(FileSink::close);
  }

  /** Closes all, whatever they say. */
  void closeFailed() {
    for (FileSink<SimFold.Trace, SimFold.Op, String> sink : sinks) {
      try {
        sink.close();
      } catch (JournalException e) {
        // Told before.
      }
    }
  }
}
