package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Store;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Pipeline;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The results of a run go into a journal, and from there to files and topics. */
final class JournalKeeping implements Keeping {
  private final Pipeline pipeline;
  private final Journal<Row, Row, String> journal;
  private final Sinks sinks;
  private final Counts before;

  private JournalKeeping(
      Pipeline pipeline, Journal<Row, Row, String> journal, Sinks sinks, Counts before) {
    this.pipeline = pipeline;
    this.journal = journal;
    this.sinks = sinks;
    this.before = before;
  }

  /**
   * Opens the journal and what it writes.
   *
   * @param rewritten outputs, or the refusals, whose files are written anew from the journal
   */
  static JournalKeeping open(Pipeline pipeline, Options options, Collection<String> rewritten) {
    Journal<Row, Row, String> journal =
        Journal.open(pipeline.journal().directory(), pipeline.fold(), options);
    boolean opened = false;
    try {
      Counts before = journal.counts();
      Sinks sinks = Sinks.open(pipeline, journal, rewritten);
      opened = true;
      return new JournalKeeping(pipeline, journal, sinks, before);
    } finally {
      if (!opened) {
        journal.close();
      }
    }
  }

  @Override
  public Store<Row, Row, String> store() {
    return journal;
  }

  @Override
  public Map<String, Position> positions() {
    return journal.positions();
  }

  @Override
  public Counts before() {
    return before;
  }

  @Override
  public Counts counted(Counts judged) {
    return journal.counts().minus(before);
  }

  @Override
  public Counts total(Counts judged) {
    return journal.counts();
  }

  @Override
  public boolean haveFailed() {
    return sinks.haveFailed();
  }

  @Override
  public @Nullable String trouble() {
    return sinks.trouble();
  }

  @Override
  public Set<String> holding() {
    return Set.of();
  }

  @Override
  public void retire(String partition) {
    throw new IllegalStateException("in a journal no partition holds the floor that nobody reads");
  }

  @Override
  public String refusalsAre(String those) {
    Destination refusals = pipeline.refusals();
    if (refusals != null) {
      return those + " in " + Places.told(refusals) + ", with the reasons.";
    }
    return pipeline.journal().history()
        ? those
            + " in the journal only. To have them in a file, write \"refusals: { file:"
            + " refused.ndjson }\" in the pipeline and run it again."
        : those + " only counted: the pipeline names no file for refusals.";
  }

  @Override
  public void close() {
    try (journal) {
      sinks.close();
    }
  }
}
