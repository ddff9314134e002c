package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Store;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.postgres.Options;
import dev.oncefold.postgres.PostgresStore;
import dev.oncefold.postgres.PostgresView;
import dev.oncefold.postgres.StoreException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The results of a run go into a table of PostgreSQL, and from there to topics. */
final class TableKeeping implements Keeping {
  private final Pipeline pipeline;
  private final PostgresStore<Row, Row, String> store;
  private final @Nullable KafkaSink sink;
  private final PostgresView<Row> begun;
  private @Nullable Counts counts;

  private TableKeeping(
      Pipeline pipeline,
      PostgresStore<Row, Row, String> store,
      @Nullable KafkaSink sink,
      PostgresView<Row> begun) {
    this.pipeline = pipeline;
    this.store = store;
    this.sink = sink;
    this.begun = begun;
  }

  /**
   * Opens the table and what leaves it.
   *
   * @param acceptChange whether to go on where the stored rules are others
   */
  static TableKeeping open(PipelineFile given, Pipeline pipeline, boolean acceptChange) {
    Options<Row, Row, String> options = Table.options((Storage.Postgres) pipeline.store());
    KafkaSink sink = Topics.sink(pipeline);
    if (sink != null) {
      options = options.sink(sink);
      for (String output : pipeline.outputs().keySet()) {
        options = options.output(output, emitted -> utf8(Json.line(emitted)));
      }
      if (pipeline.refusals() != null) {
        options = options.refusals(entry -> utf8(Json.line(entry, pipeline)));
      }
    }
    PostgresStore<Row, Row, String> store;
    try {
      store =
          PostgresStore.open(acceptChange ? options.acceptingChange() : options, pipeline.fold());
    } catch (StoreException.OtherFold e) {
      throw new Stop(
          given.path()
              + ": "
              + e.getMessage()
              + "\nTo keep what was judged, and go on by the rules of the pipeline as they are now:\n  "
              + given.command("run")
              + " --accept-change");
    }
    boolean opened = false;
    try {
      TableKeeping keeping = new TableKeeping(pipeline, store, sink, store.view(List.of()));
      opened = true;
      return keeping;
    } finally {
      if (!opened) {
        store.close();
      }
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public Store<Row, Row, String> store() {
    return store;
  }

  @Override
  public Map<String, Position> positions() {
    return begun.positions();
  }

  @Override
  public Counts before() {
    return begun.counts();
  }

  /** What the runner has counted: what the others of a group count meanwhile is theirs. */
  @Override
  public Counts counted(Counts judged) {
    return judged;
  }

  @Override
  public Counts total(Counts judged) {
    return counts == null ? begun.counts().plus(judged) : counts;
  }

  @Override
  public boolean haveFailed() {
    return false; // the store itself fails where what leaves it can never go on
  }

  @Override
  public @Nullable String trouble() {
    return store.trouble();
  }

  @Override
  public Set<String> holding() {
    return pipeline.fold().ids().kind() == Fold.Ids.Kind.SPAN ? begun.unread() : Set.of();
  }

  @Override
  public void retire(String partition) {
    store.retire(partition);
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
    try {
      counts = store.view(List.of()).counts();
    } catch (StoreException e) {
      counts = null; // the database is away: what is known is what this run has counted
    }
    try {
      store.close();
    } finally {
      if (sink != null) {
        sink.close();
      }
    }
  }
}
