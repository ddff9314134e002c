package dev.oncefold.postgres;

import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.RejudgeException;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import dev.oncefold.postgres.SqlUpdate.NoState;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link SqlUpdate}: the user's SQL, and in the same transaction position, ids, outputs,
 * refusals and counts. It keeps no states.
 *
 * <pre>{@code
 * try (SqlStore<Order, Receipt> store =
 *     SqlStore.open(
 *         Options.ofSql(url),
 *         SqlStore.named("orders", Order.class, Receipt.class).remembering(Duration.ofDays(7)),
 *         update)) {
 *   new Runner<>(store, store.fold(), List.of(source), Clock.systemUTC()).run();
 * }
 * }</pre>
 *
 * <p>Claims, positions, the fence, ids, the outbox, what happens when the database is away or the
 * answer to a commit is lost, and threading are as with {@link PostgresStore}. With {@link
 * Options.Keys#SHARED} the outputs of all partitions leave in one order, that of the commits.
 *
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class SqlStore<E, O> implements Store<NoState, E, O>, AutoCloseable {
  private final PostgresStore<NoState, E, O> store;
  private final Running running;

  /** What the fold of one store runs on: the savepoints of the batch in hand. */
  private static final class Running {
    private @Nullable EventSavepoint events;

    EventSavepoint events() {
      if (events == null) {
        throw new IllegalStateException(
            "a SqlUpdate runs only in the batches of the SqlStore that it was opened with");
      }
      return events;
    }
  }

  private SqlStore(PostgresStore<NoState, E, O> store, Running running) {
    this.store = store;
    this.running = running;
  }

  /**
   * Begins the definition of an update: say how long ids are remembered at least, and give it to
   * {@link #open}.
   *
   * @param name names it in its store and in the ids of its outputs; never change it
   * @param event the type of the events' values
   * @param output the type of the outputs
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return a builder, to be given to {@link #open} without an update
   */
  public static <E, O> Fold.Builder<NoState, E, O> named(
      String name, Class<E> event, Class<O> output) {
    return Fold.of(name, NoState.class, event, output).initially(NoState.NONE);
  }

  /**
   * Opens it. The bookkeeping tables are made if they are not there; those of the user are the
   * user's.
   *
   * @param options where, and how: {@link Options#ofSql}
   * @param definition what {@link #named} began
   * @param update the SQL
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the store, to be closed
   * @throws StoreException if the database cannot be reached or used, or what is stored is of
   *     another version
   * @throws IllegalArgumentException if the options name a table for states
   */
  public static <E, O> SqlStore<E, O> open(
      Options<NoState, E, O> options,
      Fold.Builder<NoState, E, O> definition,
      SqlUpdate<E, O> update) {
    return open(options, definition, update, new CommitSteps());
  }

  static <E, O> SqlStore<E, O> open(
      Options<NoState, E, O> options,
      Fold.Builder<NoState, E, O> definition,
      SqlUpdate<E, O> update,
      CommitSteps steps) {
    if (options.table() != null) {
      throw new IllegalArgumentException(
          "a SqlStore keeps no states: use Options.ofSql(url), without a table");
    }
    Running running = new Running();
    Fold<NoState, E, O> fold =
        definition.update((state, event) -> running.events().run(update, event));
    return new SqlStore<>(PostgresStore.open(options, fold, steps), running);
  }

  /**
   * What a {@link dev.oncefold.Runner} of this store needs.
   *
   * @return the fold, which runs in this store only
   */
  public Fold<NoState, E, O> fold() {
    return store.fold;
  }

  /**
   * Reads what is committed, without claiming anything.
   *
   * @return the counts and positions of one moment, without states
   */
  public PostgresView<NoState> view() {
    return store.view(List.of());
  }

  @Override
  public int batchSize() {
    return store.batchSize();
  }

  @Override
  public void expect(List<String> partitions) {
    store.expect(partitions);
  }

  @Override
  public Claim claim(String partition) {
    return store.claim(partition);
  }

  @Override
  public void release(Claim claim) {
    store.release(claim);
  }

  @Override
  public void caughtUp(Claim claim) {
    store.caughtUp(claim);
  }

  @Override
  public Collection<Claim> overtaken(Collection<Claim> claims) {
    return store.overtaken(claims);
  }

  @Override
  public void stopping() {
    store.stopping();
  }

  @Override
  public Batch<NoState, E, O> begin(Claim claim, Position from) {
    return new SqlBatch((PostgresBatch<NoState, E, O>) store.begin(claim, from));
  }

  @Override
  public void close() {
    store.close();
  }

  /** The store's batch, with a savepoint for each event. */
  private final class SqlBatch implements Batch<NoState, E, O> {
    private final PostgresBatch<NoState, E, O> batch;

    SqlBatch(PostgresBatch<NoState, E, O> batch) {
      this.batch = batch;
    }

    @Override
    public void load(List<Received<E>> events) {
      batch.load(events);
      Connection connection = batch.connection();
      try {
        running.events = new EventSavepoint(connection, batch::isKnownByNow);
      } catch (SQLException e) {
        throw store.again("a batch with SQL cannot be begun", e);
      }
    }

    /** Lets nothing through once the batch is to be dropped, whatever became of the event. */
    private EventSavepoint untroubled() {
      EventSavepoint events = running.events();
      if (events.trouble() != null) {
        throw dropped(events);
      }
      return events;
    }

    private RuntimeException dropped(EventSavepoint events) {
      Exception trouble = events.trouble();
      if (trouble instanceof SQLException e) {
        return store.again("the SQL of an event was interrupted", e);
      }
      if (trouble instanceof RejudgeException e) {
        return store.again(String.valueOf(e.getMessage()), null);
      }
      return trouble instanceof RuntimeException e ? e : new IllegalStateException(trouble);
    }

    @Override
    public void add(Received<E> received, Verdict<NoState, O> verdict) {
      EventSavepoint events = untroubled();
      // Where it throws, or is none that stays, the next event or the commit undoes what is not
      // kept.
      batch.add(received, verdict);
      if (verdict instanceof Verdict.Applied) {
        events.keep();
      }
    }

    @Override
    public CompletableFuture<Position> commit(Position to, boolean unread) {
      EventSavepoint events = untroubled();
      try {
        events.end();
      } catch (SQLException e) {
        throw dropped(events);
      }
      return batch.commit(to, unread);
    }

    @Override
    public long floor() {
      return batch.floor();
    }

    @Override
    public @Nullable Slot<NoState> slot(String key) {
      return batch.slot(key);
    }

    @Override
    public @Nullable Remembered remembered(String key, String id) {
      return batch.remembered(key, id);
    }

    @Override
    public boolean isFull() {
      return batch.isFull();
    }

    @Override
    public void close() {
      running.events = null;
      batch.close();
    }
  }
}
