package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The refusals of a batch on their way into the table for people. Not thread-safe. */
final class Refusals {
  private static final int WIDTH = 7; // texts of a row

  private final String insert;
  private final List<Long> offsets = new ArrayList<>();
  private final List<@Nullable String[]> texts = new ArrayList<>();
  private final List<byte @Nullable []> raws = new ArrayList<>();

  Refusals(Name schema) {
    this.insert =
        "insert into "
            + Name.of("refusals").in(schema).quoted()
            + " (fold, partition, record_offset, verdict, failure, reason, key, id, time, event,"
            + " raw) select ?, ?, u.* from unnest(?::bigint[], ?::text[], ?::text[], ?::text[],"
            + " ?::text[], ?::text[], ?::timestamptz[], ?::text[], ?::bytea[]) as u";
  }

  void add(Received<?> received, Verdict<?, ?> verdict, @Nullable String reason) {
    Event<?> event = received.event();
    offsets.add(received.offset());
    raws.add(event == null ? received.raw() : null);
    texts.add(
        new @Nullable String[] {
          verdict.kind().name(),
          verdict instanceof Verdict.Failed<?, ?> failed ? failed.cause().name() : null,
          Text.shownOrNull(reason),
          event == null ? null : Text.shown(event.key()),
          event == null ? null : Text.shownOrNull(event.id()),
          event == null ? null : time(event.time()),
          event == null ? null : Json.shown(event.value())
        });
  }

  private static @Nullable String time(@Nullable Instant time) {
    return time == null || time.isBefore(Form.FIRST) || time.isAfter(Form.LAST)
        ? null
        : Times.text(time.truncatedTo(ChronoUnit.MICROS));
  }

  void clear() {
    offsets.clear();
    texts.clear();
    raws.clear();
  }

  void insert(Connection connection, int fold, String partition) throws SQLException {
    if (offsets.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      statement.setInt(1, fold);
      statement.setString(2, partition);
      statement.setObject(3, offsets.stream().mapToLong(Long::longValue).toArray());
      for (int column = 0; column < WIDTH; column++) {
        @Nullable String[] values = new @Nullable String[texts.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = texts.get(i)[column];
        }
        statement.setArray(
            4 + column, connection.createArrayOf(column == 5 ? "timestamptz" : "text", values));
      }
      statement.setArray(4 + WIDTH, connection.createArrayOf("bytea", raws.toArray(byte[][]::new)));
      statement.executeUpdate();
    }
  }
}
