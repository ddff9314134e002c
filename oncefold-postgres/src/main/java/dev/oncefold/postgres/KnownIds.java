package dev.oncefold.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Spares look-ups of ids that are nowhere, which are nearly all. It has a filter of an id table
 * only where that is complete: of the newest as long as its count says that nobody else has put
 * anything into it, of a closed one, which never changes, once all of it was read. Of any other
 * table everything is looked up.
 *
 * <p>Used by one thread; it has another one that reads closed tables.
 */
final class KnownIds implements AutoCloseable {
  private final Name schema;
  private final int fold;
  private final Relay.Connecting connecting;
  private final String count;
  private final Map<Integer, IdFilter> closed = new ConcurrentHashMap<>();
  private final Set<Integer> asked = new HashSet<>();
  private @Nullable ExecutorService reading;
  // Of what was read in an earlier one nothing is believed.
  private int era; // guarded by closed
  private int newest = -1;
  private IdFilter ofNewest = new IdFilter();

  KnownIds(Name schema, int fold, Relay.Connecting connecting) {
    this.schema = schema;
    this.fold = fold;
    this.connecting = connecting;
    this.count =
        "select ids from "
            + Name.of("generations").in(schema).quoted()
            + " where fold = ? and generation = ?";
  }

  /** What is to be looked up in the tables that have a filter, and those that have none. */
  record Split(List<Integer> filtered, List<Ids.Id> candidates, List<Integer> unfiltered) {}

  /**
   * Divides a look-up.
   *
   * @param head what the batch rests on
   * @param waited whether others may have committed since that was read, as while this waited for
   *     locks on rows: then what they added to the newest table is not known
   */
  Split split(Connection connection, Head head, Collection<Ids.Id> ids, boolean waited)
      throws SQLException {
    List<Integer> filtered = new ArrayList<>();
    List<Integer> unfiltered = new ArrayList<>();
    List<IdFilter> filters = new ArrayList<>();
    follow(connection, head);
    for (int generation : head.live()) {
      IdFilter filter = generation == newest ? ofNewest : closed.get(generation);
      if (filter == null
          || (generation == newest && (waited || ofNewest.size() != head.newest()))) {
        unfiltered.add(generation);
      } else {
        filtered.add(generation);
        filters.add(filter);
      }
    }
    List<Ids.Id> candidates = new ArrayList<>();
    for (Ids.Id id : ids) {
      for (IdFilter filter : filters) {
        if (filter.mayHave(id.hi(), id.lo())) {
          candidates.add(id);
          break;
        }
      }
    }
    return new Split(filtered, candidates, unfiltered);
  }

  /** Takes note of tables that are new, closed or gone. */
  private void follow(Connection connection, Head head) throws SQLException {
    int last = head.live().get(head.live().size() - 1);
    if (last != newest) {
      if (head.live().contains(newest) && count(connection, newest) == ofNewest.size()) {
        closed.put(newest, ofNewest);
      }
      newest = last;
      ofNewest = new IdFilter();
    }
    closed.keySet().retainAll(head.live());
    asked.retainAll(head.live());
    for (int generation : head.live()) {
      if (generation != newest && !closed.containsKey(generation) && asked.add(generation)) {
        read(generation);
      }
    }
  }

  private long count(Connection connection, int generation) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(count)) {
      statement.setInt(1, fold);
      statement.setInt(2, generation);
      try (ResultSet answer = statement.executeQuery()) {
        return answer.next() ? answer.getLong(1) : -1;
      }
    }
  }

  /** A batch that remembers ids in the newest table is committed. */
  void committed(Head head, Collection<Ids.Entry> entries) {
    if (head.live().get(head.live().size() - 1) == newest) {
      for (Ids.Entry entry : entries) {
        ofNewest.add(entry.id().hi(), entry.id().lo());
      }
    }
  }

  /** Trusts nothing that was known: everything is looked up until it is read again. */
  void clear() {
    synchronized (closed) {
      era++;
      closed.clear();
    }
    newest = -1;
    ofNewest = new IdFilter();
    asked.clear();
  }

  private void read(int generation) {
    if (reading == null) {
      reading =
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, "oncefold-ids");
                thread.setDaemon(true);
                return thread;
              });
    }
    int of;
    synchronized (closed) {
      of = era;
    }
    reading.execute(
        () -> {
          try {
            IdFilter filter = all(generation);
            synchronized (closed) {
              if (of == era) {
                closed.put(generation, filter);
              }
            }
          } catch (SQLException e) {
            // It is looked up, as before.
          }
        });
  }

  private IdFilter all(int generation) throws SQLException {
    IdFilter filter = new IdFilter();
    try (Connection connection = connecting.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("set enable_seqscan = on");
      statement.setFetchSize(10_000);
      try (ResultSet answer =
          statement.executeQuery("select hi, lo from " + Ids.table(schema, fold, generation))) {
        while (answer.next()) {
          filter.add(answer.getLong(1), answer.getLong(2));
        }
      }
    }
    return filter;
  }

  /** How many tables have a filter. */
  int filters() {
    return closed.size();
  }

  @Override
  public void close() {
    if (reading != null) {
      reading.shutdownNow();
    }
  }
}
