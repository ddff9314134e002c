package dev.oncefold.bench;

import dev.oncefold.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The limit: the same folding, the same upserts matched on their version and the same position in
 * one transaction a batch, by hand, for one worker that is never fenced; no ids and no outputs.
 */
final class FoldedLimit extends Peer.Loop {
  private final int batch;

  FoldedLimit(int batch) {
    this.batch = batch;
  }

  private static final class Row {
    long cents;
    long payments;
    long version;
    long stored;
  }

  @Override
  public String name() {
    return "limit";
  }

  @Override
  public List<String> tables() {
    return List.of(
        "ALTER TABLE " + Rig.TABLE + " ADD oncefold_version bigint NOT NULL DEFAULT 0",
        "CREATE TABLE positions (name text PRIMARY KEY, next bigint NOT NULL, applied bigint NOT"
            + " NULL) WITH (fillfactor = 50)",
        "INSERT INTO positions VALUES ('events', 0, 0)");
  }

  @Override
  void run(Rig rig, String topic) throws Exception {
    Map<String, Row> rows = new HashMap<>();
    try (Consumer<byte[], byte[]> consumer = rig.consumer(topic, batch);
        Connection connection = rig.connect("&prepareThreshold=1")) {
      connection.setAutoCommit(false);
      PreparedStatement position =
          connection.prepareStatement(
              "UPDATE positions SET next = ?, applied = applied + ? WHERE name = 'events' AND"
                  + " next = ?");
      PreparedStatement select =
          connection.prepareStatement(
              "SELECT key, cents, payments, oncefold_version FROM "
                  + Rig.TABLE
                  + " WHERE key = ANY (?)");
      PreparedStatement update =
          connection.prepareStatement(
              "UPDATE "
                  + Rig.TABLE
                  + " t SET cents = u.cents, payments = u.payments, oncefold_version = u.version"
                  + " FROM (SELECT unnest(?::text[]) AS key, unnest(?::bigint[]) AS cents,"
                  + " unnest(?::bigint[]) AS payments, unnest(?::bigint[]) AS version,"
                  + " unnest(?::bigint[]) AS stored) u"
                  + " WHERE t.key = u.key AND t.oncefold_version = u.stored");
      long next = 0;
      while (!stopping()) {
        List<Event<Workload.Payment>> events = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(100))) {
          events.add(Payments.decode(each.value()));
        }
        if (!events.isEmpty()) {
          position.setLong(1, next + events.size());
          position.setLong(2, events.size());
          position.setLong(3, next);
          require(position.executeUpdate(), 1);
          read(connection, select, events, rows);
          write(connection, update, fold(events, rows));
          connection.commit();
          next += events.size();
        }
      }
    }
  }

  private static void read(
      Connection connection,
      PreparedStatement select,
      List<Event<Workload.Payment>> events,
      Map<String, Row> rows)
      throws SQLException {
    Object[] absent =
        events.stream().map(Event::key).filter(key -> !rows.containsKey(key)).distinct().toArray();
    if (absent.length == 0) {
      return;
    }
    select.setArray(1, connection.createArrayOf("text", absent));
    try (ResultSet found = select.executeQuery()) {
      while (found.next()) {
        Row row = new Row();
        row.cents = found.getLong(2);
        row.payments = found.getLong(3);
        row.version = found.getLong(4);
        row.stored = row.version;
        rows.put(found.getString(1), row);
      }
    }
  }

  private static SortedMap<String, Row> fold(
      List<Event<Workload.Payment>> events, Map<String, Row> rows) {
    SortedMap<String, Row> changed = new TreeMap<>();
    for (Event<Workload.Payment> event : events) {
      Row row = rows.get(event.key());
      if (row == null) {
        throw new IllegalStateException("no row for " + event.key());
      }
      long cents = OneByOne.cents(event.value());
      if (row.cents + cents >= 0) {
        row.cents += cents;
        row.payments++;
        row.version++;
        changed.put(event.key(), row);
      }
    }
    return changed;
  }

  private static void write(
      Connection connection, PreparedStatement update, SortedMap<String, Row> changed)
      throws SQLException {
    int count = changed.size();
    Long[][] columns = new Long[4][count];
    int i = 0;
    for (Row row : changed.values()) {
      columns[0][i] = row.cents;
      columns[1][i] = row.payments;
      columns[2][i] = row.version;
      columns[3][i] = row.stored;
      row.stored = row.version;
      i++;
    }
    update.setArray(1, connection.createArrayOf("text", changed.keySet().toArray()));
    for (int column = 0; column < columns.length; column++) {
      update.setArray(column + 2, connection.createArrayOf("bigint", columns[column]));
    }
    require(update.executeUpdate(), count);
  }

  private static void require(int changed, int expected) {
    if (changed != expected) {
      throw new IllegalStateException(changed + " rows changed instead of " + expected);
    }
  }
}
