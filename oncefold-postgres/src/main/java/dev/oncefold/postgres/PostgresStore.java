package dev.oncefold.postgres;

import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.RejudgeException;
import dev.oncefold.Sink;
import dev.oncefold.Store;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A fold kept in PostgreSQL: states in an ordinary table of the user's, and in the same transaction
 * position, ids, outputs, refusals and counts.
 *
 * <p>Used by one thread, but for {@link #stopping} and {@link #trouble}. Several stores, in one
 * process or in many, may be open on one fold; each claims partitions of its own.
 *
 * <p>A database that is away is waited for, without end, until {@link #stopping}; only opening
 * needs it to be there.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class PostgresStore<S, E, O> implements Store<S, E, O>, AutoCloseable {
  /** How often in a row something is tried that other transactions get in the way of. */
  static final int MOST_TRIES = 100;

  private static final String TAKEN_OVER = "another claim has taken it over";
  private static final long LOOK_EVERY = TimeUnit.SECONDS.toNanos(1);
  private static final String SHARED_LANE = "all";
  private static final Duration DRAIN = Duration.ofSeconds(5);

  final Options<S, E, O> options;
  final Fold<S, E, O> fold;
  final Session session;
  final CommitSteps steps;
  final @Nullable Table<S> table; // null where a SqlStore is around it
  final Cache<S> cache;
  final int id;
  final int revision;
  final Partitions partitions;
  final Ids ids;
  final KnownIds known;
  final Generations generations;
  final Outbox outbox;
  final Leaving.Limits limits;
  private final @Nullable Relay relay;
  private int dropped; // batches in a row
  private long lookedAt = System.nanoTime() - LOOK_EVERY;
  private volatile boolean stopping;

  private PostgresStore(
      Options<S, E, O> options,
      Fold<S, E, O> fold,
      Session session,
      @Nullable Table<S> table,
      Registry.Registered registered,
      Leaving.Limits limits,
      CommitSteps steps) {
    this.options = options;
    this.fold = fold;
    this.session = session;
    this.steps = steps;
    this.table = table;
    this.cache = new Cache<>(isShared() ? 0 : options.cachedKeys());
    this.id = registered.id();
    this.revision = registered.revision();
    this.partitions = new Partitions(options.schema(), id);
    this.ids = new Ids(options.schema(), id, registered.k0(), registered.k1());
    this.known =
        new KnownIds(
            options.schema(), id, () -> new Session(options, "ids of " + fold.name()).connect());
    this.generations = new Generations(options.schema(), id, fold.ids(), partitions);
    this.outbox = new Outbox(options.schema().quoted(), id);
    this.limits = limits;
    this.relay = relay(options.sink());
  }

  private @Nullable Relay relay(@Nullable Sink sink) {
    if (sink == null) {
      return null;
    }
    Relay.Limits usual = Relay.Limits.USUAL;
    Relay.Limits limits =
        new Relay.Limits(
            usual.rows(),
            usual.bytes(),
            options.outboxBytes(),
            usual.poll(),
            usual.leastBackOff(),
            options.longestBackOff());
    Relay.Connecting connecting = () -> new Session(options, "relay of " + fold.name()).connect();
    return isShared()
        ? Relay.ofFold(outbox, sink, connecting, limits, SHARED_LANE)
        : Relay.ofPartitions(outbox, sink, connecting, limits);
  }

  /**
   * Opens a fold. Its tables are made if they are not there, and checked if they are.
   *
   * @param options where, and how
   * @param fold the fold
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the store, to be closed
   * @throws StoreException if the database cannot be reached or used, a table is not as the fold
   *     needs it, or what is stored is of another version of the fold
   * @throws dev.oncefold.SinkException if the sink cannot tell how large its messages may be, as
   *     where a topic is missing or its cluster is away
   * @throws IllegalArgumentException if the options do not fit the fold
   */
  public static <S, E, O> PostgresStore<S, E, O> open(
      Options<S, E, O> options, Fold<S, E, O> fold) {
    if (options.table() == null) {
      throw new IllegalArgumentException(
          "options without a table are those of a SqlStore: use Options.of(url, table)");
    }
    return open(options, fold, new CommitSteps());
  }

  static <S, E, O> PostgresStore<S, E, O> open(
      Options<S, E, O> options, Fold<S, E, O> fold, CommitSteps steps) {
    if (fold.hasSeveralKeys() && options.keys() != Options.Keys.SHARED) {
      throw new IllegalArgumentException(
          "the fold \""
              + fold.name()
              + "\" changes several keys at once, which may be rows of several partitions: it needs"
              + " keys shared (Options.keys(Keys.SHARED))");
    }
    if (options.sink() == null && (!options.outputs().isEmpty() || options.refusals() != null)) {
      throw new IllegalArgumentException("outputs or refusals are routed, but there is no sink");
    }
    checkRoutes(options);
    Table<S> named = table(options, fold);
    TableCheck check = named == null ? null : new TableCheck(named);
    Session session = new Session(options, "oncefold " + fold.name());
    try {
      session.open();
      Opened<S> opened =
          session.run(
              "cannot open the fold \"" + fold.name() + "\"",
              connection -> {
                new Migrations(options.schema()).run(connection);
                boolean made = check != null && !check.exists(connection);
                if (check != null && made) {
                  check.create(connection);
                }
                Name target = check == null ? null : check.resolved(connection);
                Registry.Registered found =
                    new Registry(options.schema()).open(connection, fold, options, target);
                if (made && new Partitions(options.schema(), found.id()).anyCommit(connection)) {
                  throw new StoreException(
                      "there is no table "
                          + options.table()
                          + ", though the fold \""
                          + fold.name()
                          + "\" has committed states to it: it was dropped, or renamed, or is not"
                          + " to be seen by this user. Restore it, or name it as it is now. To"
                          + " begin anew, delete the fold's row in "
                          + Name.of("folds").in(options.schema()).quoted());
                }
                if (check != null && named != null) {
                  if (!made && options.acceptChange()) {
                    check.addColumns(connection, named.values(fold.initial()));
                  }
                  check.check(connection);
                }
                Table<S> table = target == null || named == null ? null : named.called(target);
                return new Opened<>(table, found);
              });
      return new PostgresStore<>(
          options,
          fold,
          session,
          opened.table(),
          opened.registered(),
          Leaving.Limits.of(options),
          steps);
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  private record Opened<S>(@Nullable Table<S> table, Registry.Registered registered) {}

  /** What the sink cannot take would wait in the outbox for ever. */
  private static void checkRoutes(Options<?, ?, ?> options) {
    Sink sink = options.sink();
    if (sink == null) {
      return;
    }
    for (String output : options.outputs().keySet()) {
      if (!sink.takes(output)) {
        throw new IllegalArgumentException(
            "the sink has no place for the output \"" + output + "\", which is sent to it");
      }
    }
    if (options.refusals() != null && !sink.takes(null)) {
      throw new IllegalArgumentException(
          "the sink has no place for the refusals, which are sent to it");
    }
  }

  static <S> @Nullable Table<S> table(Options<S, ?, ?> options, Fold<S, ?, ?> fold) {
    Name name = options.table();
    if (name == null) {
      return null;
    }
    Columns<S> columns = options.columns();
    return new Table<>(
        name, options.keyColumn(), columns != null ? columns : Columns.of(fold.initial()));
  }

  boolean isShared() {
    return options.keys() == Options.Keys.SHARED;
  }

  /** The lane of the outbox that a partition's messages leave by. */
  String lane(String partition) {
    return isShared() ? SHARED_LANE : partition;
  }

  @Override
  public int batchSize() {
    return options.batchSize();
  }

  @Override
  public void expect(List<String> names) {
    names.forEach(PostgresStore::checkPartition);
    session.perform(
        "cannot note the partitions", connection -> partitions.expect(connection, names));
  }

  @Override
  public Claim claim(String partition) {
    checkPartition(partition);
    Claim claim =
        session.run(
            "cannot claim the partition \"" + partition + "\"",
            connection -> partitions.claim(connection, partition));
    cache.claimed(partition);
    if (relay != null) {
      relay.claimed(partition, claim.epoch());
    }
    return claim;
  }

  /**
   * Says that nothing comes any more of a partition that no source reads, such as one of a topic
   * that is gone, or of a source that was given another name: it holds the floor no longer. What
   * still waits of it in the outbox leaves while this store is open. Its position and its counts
   * stay; a source that claims it again goes on from there.
   *
   * @param partition the partition's name
   * @throws StoreException if there is no such partition, or another worker of the fold is
   *     connected: it may be reading it. Nothing was changed
   */
  public void retire(String partition) {
    Claim claim =
        session.run(
            "cannot retire the partition \"" + partition + "\"",
            connection -> {
              // First of all: whoever claims it from here on waits, and comes after.
              Claim last = partitions.claimKnown(connection, partition);
              if (last == null) {
                throw new StoreException(
                    "the fold \""
                        + fold.name()
                        + "\" has no partition \""
                        + partition
                        + "\"; they are in "
                        + Name.of("partitions").in(options.schema()).quoted());
              }
              long others = session.others(connection);
              if (others > 0) {
                throw new StoreException(
                    "the partition \""
                        + partition
                        + "\" is not retired: "
                        + others
                        + " other "
                        + (others == 1 ? "worker" : "workers")
                        + " of the fold \""
                        + fold.name()
                        + "\" may be reading it. Stop all others, and start them again afterwards");
              }
              partitions.caughtUp(connection, last);
              return last;
            });
    if (relay != null) {
      relay.claimed(partition, claim.epoch());
    }
  }

  private static void checkPartition(String name) {
    if (!Text.isStorable(name)) {
      throw new IllegalArgumentException(
          "\"" + Text.shown(name) + "\" cannot be the name of a partition in PostgreSQL");
    }
  }

  @Override
  public void release(Claim claim) {
    cache.released(claim.partition());
    if (relay != null) {
      relay.released(claim.partition());
    }
  }

  @Override
  public void caughtUp(Claim claim) {
    boolean noted =
        session.run(
            "cannot note that the partition \"" + claim.partition() + "\" is read to its end",
            connection -> partitions.caughtUp(connection, claim));
    if (!noted) {
      throw fenced(claim, TAKEN_OVER);
    }
  }

  /** Asks the database, once a second. */
  @Override
  public Collection<Claim> overtaken(Collection<Claim> claims) {
    long now = System.nanoTime();
    if (claims.isEmpty() || now - lookedAt < LOOK_EVERY) {
      return List.of();
    }
    lookedAt = now;
    List<Claim> overtaken =
        session.run(
            "cannot look at the claims of the fold \"" + fold.name() + "\"",
            connection -> partitions.overtaken(connection, claims));
    if (!overtaken.isEmpty()) {
      forget();
      known.clear();
    }
    return overtaken;
  }

  /**
   * Starts a batch. Where more than its bound waits for the sink, it waits too.
   *
   * @throws dev.oncefold.SinkException if what is committed does not fit to what the sink has
   */
  @Override
  public Batch<S, E, O> begin(Claim claim, Position from) {
    if (relay != null) {
      try {
        while (!relay.awaitRoom(Duration.ofMillis(100))) {
          if (stopping) {
            throw new StoreException.Stopped(
                "stopped while the outbox was full: " + relay.trouble(), null);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreException("interrupted while the outbox was full", e);
      }
    }
    return new PostgresBatch<>(this, claim, from);
  }

  /**
   * What keeps outputs and refusals from leaving at the moment. They wait in the database, in their
   * order, and leave as soon as it is mended. To be asked from any thread, and after closing too.
   *
   * @return what is wrong, for a person; null if nothing is
   */
  public @Nullable String trouble() {
    return relay == null ? null : relay.trouble();
  }

  @Override
  public void stopping() {
    stopping = true;
    session.stopping();
  }

  /**
   * Reads what is committed, without claiming anything.
   *
   * @param keys the keys to read the states of; null for all
   * @return the counts, positions and states of one moment
   */
  public PostgresView<S> view(@Nullable List<String> keys) {
    return PostgresView.read(options, fold, keys);
  }

  // ---------------------------------------------------------------- what batches tell

  /** A batch is committed; looks after the ids then. */
  void committed(Claim claim, Head head, Partitions.Move by, long sent) {
    dropped = 0;
    if (relay != null && sent > 0) {
      relay.committed(sent);
    }
    if (generations.isDue(head, by)) {
      session.perform(
          "cannot forget old ids", connection -> generations.forget(connection, claim.partition()));
      session.perform("cannot drop a table of old ids", connection -> generations.drop(connection));
    }
  }

  /** Nothing of the batch in hand is committed: what is in memory may not be what is stored. */
  void forget() {
    cache.clear();
  }

  FencedException fenced(Claim claim, String why) {
    session.rollback();
    forget();
    // It may be an older state of the database, which did not have all of that.
    known.clear();
    return new FencedException(
        "the partition \""
            + claim.partition()
            + "\" of the fold \""
            + fold.name()
            + "\" cannot be gone on with under claim "
            + claim.epoch()
            + ": "
            + why);
  }

  /** The batch in hand is to be judged again; an error where that leads nowhere. */
  RuntimeException again(String why, @Nullable SQLException e) {
    forget();
    RuntimeException told;
    if (e == null) {
      session.rollback();
      told = new RejudgeException(why);
    } else {
      told = session.dropped(why, e);
    }
    if (told instanceof RejudgeException && ++dropped >= MOST_TRIES) {
      return new StoreException(
          MOST_TRIES
              + " times in a row nothing was committed: "
              + told.getMessage()
              + ". If updates take longer than "
              + options.idle()
              + " a batch, make batches smaller (Options.batchSize) or that time longer"
              + " (Options.idle)",
          told);
    }
    return told;
  }

  /** Closes the connection; what waits in the outbox has some seconds to leave. */
  @Override
  public void close() {
    if (relay != null) {
      relay.close(DRAIN);
    }
    known.close();
    session.close();
  }
}
