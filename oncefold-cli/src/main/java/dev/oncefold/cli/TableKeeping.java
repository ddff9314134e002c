package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Store;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.postgres.Options;
import dev.oncefold.postgres.PostgresStore;
import dev.oncefold.postgres.StoreException;
import java.util.Map;

/** The results of a run go into a table of PostgreSQL, and from there to topics. */
final class TableKeeping implements Keeping {
  private final Pipeline pipeline;
  private final PostgresStore<Row, Row, String> store;

  private TableKeeping(Pipeline pipeline, PostgresStore<Row, Row, String> store) {
    this.pipeline = pipeline;
    this.store = store;
  }

  /**
   * Opens the table and what leaves it.
   *
   * @param acceptChange whether to go on where the stored rules are others
   */
  static TableKeeping open(PipelineFile given, Pipeline pipeline, boolean acceptChange) {
    Options<Row, Row, String> options = Table.options((Storage.Postgres) pipeline.store());
    try {
      return new TableKeeping(
          pipeline,
          PostgresStore.open(acceptChange ? options.acceptingChange() : options, pipeline.fold()));
    } catch (StoreException.OtherFold e) {
      throw new Stop(
          given.path()
              + ": "
              + e.getMessage()
              + "\nTo keep what was judged, and go on by the rules of the pipeline as they are now:\n  "
              + given.command("run")
              + " --accept-change");
    }
  }

  @Override
  public Store<Row, Row, String> store() {
    return store;
  }

  @Override
  public Map<String, Position> positions() {
    return Map.of();
  }

  @Override
  public Counts before() {
    return Counts.NONE;
  }

  /** What the runner has counted: what the others of a group count meanwhile is theirs. */
  @Override
  public Counts counted(Counts judged) {
    return judged;
  }

  @Override
  public Counts total(Counts judged) {
    return judged;
  }

  @Override
  public boolean haveFailed() {
    return false; // the store itself fails, where what leaves it can never go on
  }

  @Override
  public String refusalsAre(String those) {
    Destination refusals = pipeline.refusals();
    return those
        + " in "
        + (refusals != null
            ? Places.told(refusals)
            : "the table " + ((Storage.Postgres) pipeline.store()).schema() + ".refusals")
        + ", with the reasons.";
  }

  @Override
  public void close() {
    store.close();
  }
}
