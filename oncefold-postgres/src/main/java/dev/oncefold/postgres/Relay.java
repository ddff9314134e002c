package dev.oncefold.postgres;

import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings what a fold has committed from its outbox to a sink: lane by lane in the order of the
 * commits, nothing skipped, nothing twice.
 *
 * <p>The sink keeps its position and the messages in one atomic step, and it alone says how far it
 * is; rows are deleted after that. Where the relay dies in between, the next one asks the sink.
 * Against a relay that was taken over and does not know it the sink's fence protects; what this
 * class knows about owners only keeps two relays from fencing each other for ever.
 *
 * <p>In the one mode it sends the lanes of the partitions claimed by its store ({@link #claimed},
 * {@link #released}); in the other the one lane of a fold, as long as its connection holds the lock
 * for that.
 *
 * <p>{@link #round} belongs to the relay's own thread, or without it to a test; all else may be
 * called from any.
 */
final class Relay implements AutoCloseable {
  /** Opens a connection: the relay has one of its own. */
  interface Connecting {
    Connection connect() throws SQLException;
  }

  /**
   * The bounds of a relay.
   *
   * @param rows the most rows that are read and sent at once
   * @param bytes how many bytes of rows are read at once, and one row beyond that
   * @param unsent how many bytes may be unsent before {@link #awaitRoom} waits
   * @param poll how often it looks for what nobody told it of
   * @param leastBackOff how long it waits after a first failure; it doubles up to
   * @param mostBackOff this
   */
  record Limits(
      int rows,
      long bytes,
      long unsent,
      Duration poll,
      Duration leastBackOff,
      Duration mostBackOff) {
    static final Limits USUAL =
        new Limits(
            256,
            4 << 20,
            64 << 20,
            Duration.ofSeconds(1),
            Duration.ofMillis(100),
            Duration.ofSeconds(5));
  }

  // Where others write into the lane too, nobody tells of their commits.
  private static final Duration SHARED_POLL = Duration.ofMillis(50);
  private static final int NETWORK_TIMEOUT_MILLIS = 30_000;

  private final Outbox outbox;
  private final Sink sink;
  private final Connecting connecting;
  private final Limits limits;
  private final LongSupplier nanoTime;
  // The one lane of the fold, or null where lanes are those of partitions.
  private final @Nullable String shared;
  private @Nullable Thread thread;

  // Of the relay's thread.
  private final Map<String, RelayLane> lanes = new HashMap<>();
  private @Nullable Connection connection;
  private boolean locked;
  private long connectBackOff;
  private long connectNotBefore;

  // Guarded by this.
  private final Map<String, Long> claims = new HashMap<>();
  private boolean awake;
  private boolean closing;
  private long unsent; // as last measured
  private long since; // what was committed since that began
  private @Nullable String trouble;
  private @Nullable SinkException failure;

  Relay(
      Outbox outbox,
      Sink sink,
      Connecting connecting,
      Limits limits,
      LongSupplier nanoTime,
      @Nullable String shared) {
    this.outbox = outbox;
    this.sink = sink;
    this.connecting = connecting;
    this.limits = limits;
    this.nanoTime = nanoTime;
    this.shared = shared;
  }

  /** A relay for the lanes of claimed partitions, with a thread of its own. */
  static Relay ofPartitions(Outbox outbox, Sink sink, Connecting connecting, Limits limits) {
    return new Relay(outbox, sink, connecting, limits, System::nanoTime, null).start();
  }

  /** A relay for the one lane of a fold, with a thread of its own. */
  static Relay ofFold(Outbox outbox, Sink sink, Connecting connecting, Limits limits, String lane) {
    return new Relay(outbox, sink, connecting, limits, System::nanoTime, lane).start();
  }

  private Relay start() {
    Thread started = new Thread(this::run, "oncefold-relay");
    started.setDaemon(true);
    thread = started;
    started.start();
    return this;
  }

  // ---------------------------------------------------------------- what the store tells and asks

  /** The store has claimed a partition: the lane of its name is this relay's from here on. */
  synchronized void claimed(String partition, long epoch) {
    claims.put(partition, epoch);
    wake();
  }

  /** The store has given a partition up, or lost it. */
  synchronized void released(String partition) {
    claims.remove(partition);
    wake();
  }

  /** The store has committed a row of this many bytes. */
  synchronized void committed(long bytes) {
    since += bytes + Outbox.ROW_OVERHEAD;
    wake();
  }

  private void wake() {
    awake = true;
    notifyAll();
  }

  /**
   * Waits until the bound on what is unsent leaves room for another batch.
   *
   * @param atMost how long to wait
   * @return whether there is room
   * @throws SinkException as {@link #check}
   */
  synchronized boolean awaitRoom(Duration atMost) throws InterruptedException {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (true) {
      check();
      if (unsent + since < limits.unsent()) {
        return true;
      }
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
  }

  /**
   * Fails if a lane can never go on: what is committed does not fit to what the sink has.
   *
   * @throws SinkException which says what is wrong and what to do
   */
  synchronized void check() {
    if (failure != null) {
      throw new SinkException(String.valueOf(failure.getMessage()), failure);
    }
  }

  /** What keeps it from sending at the moment, for a person; null if nothing does. */
  synchronized @Nullable String trouble() {
    return trouble;
  }

  // ---------------------------------------------------------------- the thread

  private void run() {
    try {
      while (true) {
        boolean more = round();
        if (Thread.currentThread().isInterrupted() || (!more && pause())) {
          return;
        }
      }
    } catch (InterruptedException e) {
      // Close waits no longer.
    } catch (RuntimeException | Error e) {
      fail(new SinkException("the relay of the outbox stopped: " + e, e));
    } finally {
      end();
    }
  }

  /** Waits for something to do; answers whether nothing is to be done any more. */
  private synchronized boolean pause() throws InterruptedException {
    long until = nanoTime.getAsLong() + pauseNanos();
    long left = until - nanoTime.getAsLong();
    while (!awake && !closing && left > 0) {
      wait(Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
      left = until - nanoTime.getAsLong();
    }
    boolean over = closing && !awake;
    awake = false;
    return over;
  }

  private long pauseNanos() {
    long now = nanoTime.getAsLong();
    if (connection == null) {
      return Math.max(0, connectNotBefore - now);
    }
    long pause = (locked ? SHARED_POLL : limits.poll()).toNanos();
    for (RelayLane lane : lanes.values()) {
      if (lane.stopped() == null && lane.waits(now)) {
        pause = Math.min(pause, lane.waitsFor(now));
      }
    }
    return pause;
  }

  /**
   * Looks once at every lane, and goes one step on with each where there is anything to do.
   *
   * @return whether there is, or may be, more to do at once
   */
  boolean round() {
    try {
      Connection to = connected();
      if (to == null) {
        return false;
      }
      if (shared != null && !locked) {
        locked = outbox.tryLock(to);
      }
      boolean more = round(to, follow());
      connectBackOff = 0;
      tell(null);
      return more;
    } catch (SQLException e) {
      lost(e);
      return false;
    }
  }

  private boolean round(Connection to, Map<RelayLane, Long> mine) throws SQLException {
    List<RelayLane> all = List.copyOf(mine.keySet());
    List<Outbox.Standing> standings = measure(to, all);
    boolean more = false;
    for (int i = 0; i < all.size(); i++) {
      RelayLane lane = all.get(i);
      Outbox.Standing standing = standings.get(i);
      if (lane.waits(nanoTime.getAsLong()) || !holds(lane, mine.get(lane), standing)) {
        continue;
      }
      more |= lane.advance(to, standing, nanoTime.getAsLong());
      SinkException stopped = lane.stopped();
      if (stopped != null) {
        fail(stopped);
      }
    }
    return more;
  }

  /** Opens no lane for which a newer claim is known: it would only fence its owner. */
  private boolean holds(RelayLane lane, @Nullable Long epoch, Outbox.Standing standing) {
    if (lane.isOpen()) {
      return true;
    }
    if (shared != null) {
      return locked;
    }
    boolean holds = Objects.equals(epoch, standing.epoch());
    if (!holds) {
      synchronized (this) {
        claims.remove(lane.name(), epoch);
      }
    }
    return holds;
  }

  /** The lanes to look at, each with the epoch of its claim; closes those given up. */
  private Map<RelayLane, Long> follow() {
    Map<String, Long> wanted;
    synchronized (this) {
      awake = false;
      wanted = shared == null ? Map.copyOf(claims) : Map.of(shared, 0L);
    }
    for (Iterator<RelayLane> i = lanes.values().iterator(); i.hasNext(); ) {
      RelayLane lane = i.next();
      if (!wanted.containsKey(lane.name()) || (shared != null && !locked)) {
        lane.close();
        i.remove();
      }
    }
    Map<RelayLane, Long> mine = new HashMap<>();
    wanted.forEach(
        (name, epoch) ->
            mine.put(
                lanes.computeIfAbsent(name, n -> new RelayLane(n, outbox, sink, limits)), epoch));
    return mine;
  }

  private List<Outbox.Standing> measure(Connection to, List<RelayLane> all) throws SQLException {
    long before;
    synchronized (this) {
      before = since;
    }
    List<String> names = new ArrayList<>(all.size());
    List<Long> positions = new ArrayList<>(all.size());
    for (RelayLane lane : all) {
      names.add(lane.name());
      positions.add(lane.position());
    }
    List<Outbox.Standing> standings = outbox.standings(to, names, positions);
    synchronized (this) {
      since -= before;
      unsent = standings.stream().mapToLong(Outbox.Standing::unsent).sum();
      notifyAll();
    }
    return standings;
  }

  private @Nullable Connection connected() throws SQLException {
    Connection to = connection;
    if (to == null && (connectBackOff == 0 || nanoTime.getAsLong() - connectNotBefore >= 0)) {
      to = connecting.connect();
      connection = to;
      to.setAutoCommit(true);
      to.setNetworkTimeout(Runnable::run, NETWORK_TIMEOUT_MILLIS);
      try (Statement statement = to.createStatement()) {
        // All it writes is deletions, and one that is lost is done again.
        statement.execute("set synchronous_commit = off");
      }
    }
    return to;
  }

  private void lost(SQLException e) {
    drop();
    connectBackOff =
        Math.min(
            limits.mostBackOff().toNanos(),
            Math.max(limits.leastBackOff().toNanos(), 2 * connectBackOff));
    connectNotBefore = nanoTime.getAsLong() + connectBackOff;
    tell("the relay of the outbox cannot work with the database: " + e.getMessage());
  }

  private void drop() {
    Connection lost = connection;
    connection = null;
    locked = false;
    if (lost != null) {
      try {
        lost.close();
      } catch (SQLException again) {
        // It is lost in any case.
      }
    }
  }

  private void tell(@Nullable String ofTheConnection) {
    String told = ofTheConnection;
    for (RelayLane lane : lanes.values()) {
      told = told == null ? lane.trouble() : told;
    }
    synchronized (this) {
      trouble = told;
    }
  }

  private synchronized void fail(SinkException e) {
    if (failure == null) {
      failure = e;
    }
    notifyAll();
  }

  private void end() {
    lanes.values().forEach(RelayLane::close);
    drop();
  }

  /** Closes it as it stands; its thread, if it has one, first sends what it can within a time. */
  void close(Duration drain) {
    Thread running = thread;
    synchronized (this) {
      closing = true;
      wake();
    }
    if (running == null) {
      end();
      return;
    }
    boolean interrupted = !joined(running, drain);
    if (running.isAlive()) {
      running.interrupt();
      interrupted |= !joined(running, Duration.ofSeconds(1));
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean joined(Thread running, Duration atMost) {
    try {
      running.join(Math.max(1, atMost.toMillis()));
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }
}
