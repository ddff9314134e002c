package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.States;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One transaction: begun when the events are told, committed or rolled back at the end.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
final class PostgresBatch<S, E, O> implements Store.Batch<S, E, O> {
  /** The most bytes that a batch's values and messages take before it is full: 16 MiB. */
  static final long MOST_BYTES = 1 << 24;

  private final PostgresStore<S, E, O> store;
  private final Store.Claim claim;
  private final Position from;
  private final boolean remembers;
  private final Kernel<S, E, O> kernel; // for fingerprints only
  private final Counts.Tally tally = new Counts.Tally();
  private final Map<String, Cell<S>> cells = new HashMap<>();
  private final Map<Ids.Id, Remembered> seen = new HashMap<>();
  private final List<Ids.Entry> remembered = new ArrayList<>();
  private final Leaving<S, E, O> leaving;
  private @Nullable Head head;
  private @Nullable Connection connection;
  private @Nullable Long watermark;
  private long bytes;
  private int xid;

  PostgresBatch(PostgresStore<S, E, O> store, Store.Claim claim, Position from) {
    this.store = store;
    this.claim = claim;
    this.from = from;
    this.remembers = store.fold.ids().kind() != Fold.Ids.Kind.NONE;
    this.kernel = new Kernel<>(store.fold);
    this.leaving = new Leaving<>(store.options, store.limits, store.fold, claim.partition());
  }

  // ---------------------------------------------------------------- beginning

  @Override
  public void load(List<Received<E>> events) {
    connection = store.session.connection();
    try {
      begin(connection);
      find(connection, events);
    } catch (SQLException e) {
      end();
      throw store.again(of("cannot be begun"), e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private String of(String what) {
    return "a batch of the partition \"" + claim.partition() + "\" " + what;
  }

  private void begin(Connection on) throws SQLException {
    Head found = store.partitions.begin(on, claim.partition());
    if (found == null) {
      throw store.fenced(claim, "its bookkeeping is gone");
    }
    if (found.revision() != store.revision) {
      throw new StoreException(
          "the definition of the fold \""
              + store.fold.name()
              + "\" was changed while this ran: start it again");
    }
    if (!store.steps.holds(claim, from, found.epoch(), found.position())) {
      throw store.fenced(
          claim,
          found.epoch() != claim.epoch()
              ? "claim " + found.epoch() + " has taken it over"
              : "it is applied up to " + found.position() + ", not up to " + from);
    }
    head = found;
  }

  private void find(Connection on, List<Received<E>> events) throws SQLException {
    Table<S> table = store.table;
    Set<String> keys = new LinkedHashSet<>();
    Set<Ids.Id> ids = new LinkedHashSet<>();
    for (Received<E> received : events) {
      Event<E> event = received.event();
      if (event == null) {
        continue;
      }
      for (String key : table == null ? List.<String>of() : keys(event)) {
        // What cannot be a key is told of when it is to become one.
        if (Text.isStorable(key) && !cells.containsKey(key)) {
          Cell<S> cached = store.cache.get(claim.partition(), key);
          if (cached == null) {
            keys.add(key);
          } else {
            cells.put(key, cached);
          }
        }
      }
      if (remembers && event.id() != null) {
        ids.add(store.ids.id(event.key(), event.id()));
      }
    }
    keys.forEach(key -> cells.put(key, new Cell<>(key)));
    if (table != null) {
      find(on, table, keys);
      if (store.isShared()) {
        keys.removeIf(key -> Objects.requireNonNull(cells.get(key)).isStored());
        if (!keys.isEmpty()) {
          // There is no row to lock, and others may make one.
          store.partitions.lockAbsent(on, keys);
          find(on, table, keys);
        }
      }
    }
    // After the locks on the rows: nobody remembers an id of those keys from here on.
    findIds(on, ids);
  }

  private void find(Connection on, Table<S> table, Set<String> keys) throws SQLException {
    table.find(
        on,
        keys,
        store.isShared(),
        (key, slot, xmin) -> cells.put(key, new Cell<>(key, slot, xmin)));
  }

  private void findIds(Connection on, Set<Ids.Id> ids) throws SQLException {
    Head began = begun();
    if (ids.isEmpty() || began.live().isEmpty()) {
      return;
    }
    KnownIds.Split split = store.known.split(on, began, ids, store.isShared());
    seen.putAll(store.ids.find(on, split.filtered(), began.floor(), split.candidates()));
    seen.putAll(store.ids.find(on, split.unfiltered(), began.floor(), ids));
  }

  /** Whether another batch has remembered an event since this one looked its id up. */
  boolean isKnownByNow(Event<?> event) throws SQLException {
    Head began = begun();
    String id = event.id();
    return remembers
        && id != null
        && !store
            .ids
            .find(connection(), began.live(), began.floor(), List.of(store.ids.id(event.key(), id)))
            .isEmpty();
  }

  private List<String> keys(Event<E> event) {
    try {
      return store.fold.keys(event);
    } catch (RuntimeException e) {
      // The kernel will find out, and tell.
      return List.of();
    }
  }

  private Head begun() {
    if (head == null) {
      throw new IllegalStateException("the batch has not begun, or is over");
    }
    return head;
  }

  // ---------------------------------------------------------------- judging

  @Override
  public long floor() {
    return begun().floor();
  }

  @Override
  public @Nullable Slot<S> slot(String key) {
    Cell<S> cell = cells.get(key);
    if (cell == null) {
      return null;
    }
    cell.relied = true;
    return cell.slot;
  }

  @Override
  public @Nullable Remembered remembered(String key, String id) {
    return seen.get(store.ids.id(key, id));
  }

  @Override
  public void add(Received<E> received, Verdict<S, O> verdict) {
    begun();
    Event<E> event = received.event();
    leaving.mark();
    try {
      prepare(received, event, verdict);
    } catch (RuntimeException e) {
      leaving.undo();
      if (!(verdict instanceof Verdict.Failed<S, O> failed)) {
        throw new CodecException(
            "what the update answered, or the event itself, cannot be stored: " + Kernel.told(e));
      }
      leaving.addBare(received, failed);
    }
    tally.add(verdict);
  }

  /** Whatever can fail comes before whatever changes the batch. */
  private void prepare(Received<E> received, @Nullable Event<E> event, Verdict<S, O> verdict) {
    if (event == null) {
      leaving.addRefusal(received, verdict);
      return;
    }
    if (verdict instanceof Verdict.Applied<S, O> applied) {
      List<@Nullable Object[]> values = values(applied.states());
      Ids.Entry entry = entry(event, null);
      leaving.addOutputs(received, event, applied);
      if (leaving.sinceMark() + sizes(values) > MOST_BYTES) {
        throw new CodecException("it takes more than " + MOST_BYTES + " bytes");
      }
      apply(applied.states(), values);
      remember(event, entry);
    } else if (verdict instanceof Verdict.Rejected<S, O> rejected) {
      Ids.Entry entry = entry(event, Text.checked("the reason", rejected.reason()));
      leaving.addRefusal(received, verdict);
      remember(event, entry);
    } else if (!(verdict instanceof Verdict.Duplicate)) {
      leaving.addRefusal(received, verdict);
    }
  }

  private List<@Nullable Object[]> values(States<S> states) {
    Table<S> table = store.table;
    if (table == null) {
      return List.of();
    }
    List<@Nullable Object[]> values = new ArrayList<>(states.keys().size());
    for (String key : states.keys()) {
      Table.checkKey(key);
      S state = states.orNull(key);
      values.add(state == null ? new @Nullable Object[0] : table.values(state));
    }
    return values;
  }

  private static long sizes(List<@Nullable Object[]> values) {
    long size = 0;
    for (@Nullable Object[] each : values) {
      size += Table.size(each);
    }
    return size;
  }

  private void apply(States<S> states, List<@Nullable Object[]> values) {
    for (int i = 0; i < values.size(); i++) {
      String key = states.keys().get(i);
      S state = states.orNull(key);
      Cell<S> cell = cells.computeIfAbsent(key, Cell::new);
      Slot<S> old = cell.slot;
      bytes += Table.size(values.get(i)) + key.length();
      cell.slot = state == null ? null : new Slot<>(state, old == null ? 1 : old.version() + 1);
      cell.values = values.get(i);
      cell.changed = true;
    }
  }

  private Ids.@Nullable Entry entry(Event<E> event, @Nullable String rejected) {
    String id = event.id();
    if (id == null || !remembers) {
      return null;
    }
    Instant time = event.time();
    return new Ids.Entry(
        store.ids.id(event.key(), id),
        time == null || store.fold.ids().kind() != Fold.Ids.Kind.SPAN
            ? Ids.NO_TIME
            : time.toEpochMilli(),
        new Remembered(kernel.fingerprint(event.value()), rejected));
  }

  private void remember(Event<E> event, Ids.@Nullable Entry entry) {
    if (entry != null) {
      seen.put(entry.id(), entry.remembered());
      remembered.add(entry);
    }
    Instant time = event.time();
    if (time != null && store.fold.ids().kind() == Fold.Ids.Kind.SPAN) {
      long millis = time.toEpochMilli();
      watermark = watermark == null ? millis : Math.max(watermark, millis);
    }
  }

  @Override
  public boolean isFull() {
    return bytes + leaving.size() >= MOST_BYTES
        || remembered.size() >= store.generations.mostOfBatch();
  }

  // ---------------------------------------------------------------- committing

  @Override
  public CompletableFuture<Position> commit(Position to, boolean unread) {
    Head began = begun();
    Connection on = connection();
    Partitions.Move move = move(to, unread);
    boolean asked = false;
    try {
      store.steps.write(on, c -> position(c, began, move), c -> results(c, began));
      asked = true;
      store.steps.commit(on);
    } catch (SQLException e) {
      end();
      if (!asked || Session.trouble(e) != Session.Trouble.LOST) {
        throw store.again(of("was not committed"), e);
      }
      resolve(to, began, e);
      cells.clear(); // what the transaction was called is known, but nothing else is sure
    } catch (RuntimeException e) {
      close();
      throw e;
    }
    end();
    cells.values().forEach(cell -> cell.committed(xid));
    store.cache.put(claim.partition(), cells.values());
    if (!remembered.isEmpty()) {
      store.known.committed(began, remembered);
    }
    store.committed(claim, began, move, leaving.size());
    return CompletableFuture.completedFuture(to);
  }

  /** The connection that has the transaction. */
  Connection connection() {
    if (connection == null) {
      throw new IllegalStateException("the batch has not begun, or is over");
    }
    return connection;
  }

  private Partitions.Move move(Position to, boolean unread) {
    Long least = null;
    Long greatest = null;
    for (Ids.Entry entry : remembered) {
      least = least == null ? entry.time() : Math.min(least, entry.time());
      greatest = greatest == null ? entry.time() : Math.max(greatest, entry.time());
    }
    return new Partitions.Move(
        to, unread, watermark, remembered.size(), least, greatest, tally.counts());
  }

  private void position(Connection on, Head began, Partitions.Move move) throws SQLException {
    Integer moved = store.partitions.move(on, claim, from, began.batch(), move);
    if (moved == null) {
      throw store.fenced(claim, "another claim has taken it over since the batch began");
    }
    xid = moved;
  }

  private void results(Connection on, Head began) throws SQLException {
    if (!remembered.isEmpty() && !store.ids.insert(on, began, remembered)) {
      store.known.clear();
      throw store.again(of("holds an id that another batch has just remembered"), null);
    }
    if (store.table != null) {
      states(on, store.table);
    }
    leaving.write(on, store.id, store.outbox, store.lane(claim.partition()));
  }

  private void states(Connection on, Table<S> table) throws SQLException {
    List<Cell<S>> all = new ArrayList<>(cells.values());
    all.sort(Comparator.comparing(cell -> cell.key));
    List<Cell<S>> changed = only(all, c -> c.changed && c.isStored() && c.slot != null);
    List<Cell<S>> added = only(all, c -> c.changed && !c.isStored() && c.slot != null);
    List<Cell<S>> deleted = only(all, c -> c.changed && c.isStored() && c.slot == null);
    // Of what was read in this batch a look at the same moment says nothing new.
    List<Cell<S>> relied = only(all, c -> !c.changed && c.relied && c.isStored() && c.cached);
    check(on, table, changed, changed.isEmpty() ? 0 : table.update(on, changed), true);
    check(on, table, added, added.isEmpty() ? 0 : table.insert(on, added), true);
    check(on, table, deleted, deleted.isEmpty() ? 0 : table.delete(on, deleted), false);
    check(on, table, relied, relied.isEmpty() ? 0 : table.unchanged(on, relied), false);
  }

  private static <S> List<Cell<S>> only(List<Cell<S>> cells, Predicate<Cell<S>> which) {
    return cells.stream().filter(which).toList();
  }

  private void check(Connection on, Table<S> table, List<Cell<S>> cells, int written, boolean told)
      throws SQLException {
    if (written == cells.size()) {
      return;
    }
    if (store.isShared()) {
      throw store.again(of("was overtaken by another one that has its keys"), null);
    }
    String key = told ? table.taken(on, cells, xid) : null;
    if (key == null) {
      key =
          cells.get(0).key
              + (cells.size() > 1 ? "\" or one of " + cells.size() + " others, \"" : "");
    }
    throw new StoreException(
        "the row of the key \""
            + key
            + "\" in the table "
            + table.name()
            + " is not as the partition \""
            + claim.partition()
            + "\" has left it. Either the key turns up in another partition of the input too: key"
            + " the input by it, or run with keys shared (Options.keys(Keys.SHARED)). Or the row was"
            + " changed by hand: then start again. Nothing of the batch is committed");
  }

  /** Finds out what became of the commit; returns if it is committed. */
  private void resolve(Position to, Head began, SQLException lost) {
    store.forget();
    store.session.after(lost);
    Partitions.Standing standing =
        store
            .session
            .run(
                of("was committed or not; its partition cannot be read"),
                on -> Optional.ofNullable(store.partitions.standing(on, claim.partition())))
            .orElse(null);
    CommitSteps.Outcome outcome = store.steps.outcome(claim, from, to, began.batch(), standing);
    switch (outcome) {
      case COMMITTED -> {}
      case DROPPED -> throw store.again(of("was not committed: " + lost.getMessage()), null);
      case FENCED -> throw store.fenced(claim, "another claim has taken it over during a commit");
    }
  }

  private void end() {
    head = null;
    connection = null;
  }

  @Override
  public void close() {
    if (connection != null) {
      end();
      store.session.rollback();
      store.forget();
    }
  }
}
