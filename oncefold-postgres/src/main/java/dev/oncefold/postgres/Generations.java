package dev.oncefold.postgres;

import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When ids are forgotten, and how: the floor rises, which makes ids of its time unknown; a new id
 * table begins when the newest spans a quarter of the span, or holds a quarter of the bound or
 * {@link #MOST_IDS}; and one whose ids are all forgotten is dropped whole. All of it happens
 * between batches, when no batch of any worker is open.
 */
final class Generations {
  // Each page of the newest table's index is written whole once per checkpoint.
  private static final long MOST_IDS = 3_000_000;
  // Each is looked into. Beyond it a table grows until an old one can go.
  private static final int MOST_TABLES = 12;

  private final Name schema;
  private final int fold;
  private final Fold.Ids choice;
  private final Partitions partitions;
  private final String folds;
  private final String rows;
  private final String generations;

  Generations(Name schema, int fold, Fold.Ids choice, Partitions partitions) {
    this.schema = schema;
    this.fold = fold;
    this.choice = choice;
    this.partitions = partitions;
    this.folds = Name.of("folds").in(schema).quoted();
    this.rows = Name.of("partitions").in(schema).quoted();
    this.generations = Name.of("generations").in(schema).quoted();
  }

  /** How many ids a batch may bring, so that the bound on their count is not passed by far. */
  long mostOfBatch() {
    return choice.atMost() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(1, choice.atMost() / 4);
  }

  /** Whether there is anything to do after a batch that began so and moved its partition so. */
  boolean isDue(Head head, Partitions.Move by) {
    if (choice.kind() == Fold.Ids.Kind.NONE) {
      return false;
    }
    long newest = head.newest() + by.ids();
    Long greatest = greater(head.newestGreatest(), by.greatest());
    Long least = lesser(head.newestLeast(), by.least());
    if (isFull(newest, head.live().size(), start(head.started(), least), greatest)) {
      return true;
    }
    if (newest + head.closed() > choice.atMost() && head.live().size() > 1) {
      return true;
    }
    Long own = greater(head.watermark(), by.watermark());
    return !head.lagging()
        && next(head.floor(), lesser(own, head.others()), own, lesser(least, head.closedLeast()))
            > head.floor();
  }

  private static @Nullable Long start(@Nullable Long started, @Nullable Long least) {
    return started != null ? started : least;
  }

  private boolean isFull(long ids, int tables, @Nullable Long start, @Nullable Long greatest) {
    if (ids == 0) {
      return false;
    }
    if (ids >= mostOfBatch()) {
      return true;
    }
    boolean wide =
        choice.kind() == Fold.Ids.Kind.SPAN
            && start != null
            && greatest != null
            && greatest != Ids.NO_TIME
            && greatest - start >= Math.max(1, choice.span().toMillis() / 4);
    return tables < MOST_TABLES && (wide || ids >= MOST_IDS);
  }

  private long next(long floor, @Nullable Long waits, @Nullable Long own, @Nullable Long oldest) {
    return waits == null || own == null || oldest == null
        ? floor
        : choice.nextFloor(floor, waits, oldest);
  }

  private static @Nullable Long greater(@Nullable Long a, @Nullable Long b) {
    return a == null ? b : b == null ? a : (Long) Math.max(a, b);
  }

  private static @Nullable Long lesser(@Nullable Long a, @Nullable Long b) {
    return a == null ? b : b == null ? a : (Long) Math.min(a, b);
  }

  private record Closed(int number, long ids, @Nullable Long greatest) {}

  /**
   * Does what is due, in a transaction that no batch overlaps.
   *
   * @param partition the partition of the batch that found it due: the floor waits for it too
   */
  void forget(Connection connection, String partition) throws SQLException {
    partitions.exclude(connection);
    Head head = partitions.begin(connection, partition);
    if (head == null || head.live().isEmpty()) {
      return;
    }
    List<Integer> live = new ArrayList<>(head.live());
    if (isFull(
        head.newest(),
        live.size(),
        start(head.started(), head.newestLeast()),
        head.newestGreatest())) {
      live.add(close(connection, live.get(live.size() - 1)));
    }
    long floor = head.floor();
    if (!head.lagging()) {
      floor =
          next(
              floor,
              lesser(head.watermark(), head.others()),
              head.watermark(),
              lesser(head.newestLeast(), head.closedLeast()));
    }
    List<Closed> closed = closed(connection);
    long total = closed.stream().mapToLong(Closed::ids).sum();
    total += live.size() > head.live().size() ? 0 : head.newest();
    for (Closed table : closed) {
      Long greatest = table.greatest();
      if (total <= choice.atMost() || (greatest != null && greatest == Ids.NO_TIME)) {
        break;
      }
      // The oldest go early: what is as old as anything in there is expired from here on.
      total -= table.ids();
      floor = greatest == null ? floor : Math.max(floor, greatest);
    }
    for (Closed table : closed) {
      Long greatest = table.greatest();
      if (greatest == null || greatest <= floor) {
        live.remove((Integer) table.number());
        gone(connection, table.number());
      }
    }
    write(connection, floor, live);
  }

  /** Closes the newest table and makes the next, whose number it answers. */
  private int close(Connection connection, int newest) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement(
                "insert into "
                    + generations
                    + " (fold, generation, ids, least_time, greatest_time) select ?, ?, sum(ids),"
                    + " min(least_time), max(greatest_time) from "
                    + rows
                    + " where fold = ?");
        Statement plain = connection.createStatement()) {
      statement.setInt(1, fold);
      statement.setInt(2, newest);
      statement.setInt(3, fold);
      statement.executeUpdate();
      plain.executeUpdate(
          "update "
              + rows
              + " set ids = 0, least_time = null, greatest_time = null where fold = "
              + fold
              + " and ids > 0");
      plain.executeUpdate(
          "update "
              + folds
              + " set started = (select max(watermark) from "
              + rows
              + " where fold = "
              + fold
              + ") where id = "
              + fold);
    }
    Ids.create(connection, schema, fold, newest + 1);
    return newest + 1;
  }

  private List<Closed> closed(Connection connection) throws SQLException {
    List<Closed> closed = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select generation, ids, greatest_time from "
                    + generations
                    + " where not gone and fold = "
                    + fold
                    + " order by generation")) {
      while (answer.next()) {
        closed.add(new Closed(answer.getInt(1), answer.getLong(2), Partitions.nullable(answer, 3)));
      }
    }
    return closed;
  }

  private void gone(Connection connection, int number) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "update "
              + generations
              + " set gone = true where fold = "
              + fold
              + " and generation = "
              + number);
    }
  }

  private void write(Connection connection, long floor, List<Integer> live) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("update " + folds + " set floor = ?, live = ? where id = ?")) {
      if (floor == Kernel.NO_FLOOR) {
        statement.setNull(1, java.sql.Types.BIGINT);
      } else {
        statement.setLong(1, floor);
      }
      statement.setObject(2, live.stream().mapToInt(Integer::intValue).toArray());
      statement.setInt(3, fold);
      statement.executeUpdate();
    }
  }

  /**
   * Drops the tables that are looked into no more, in one transaction each. Where somebody reads
   * one, such as a backup, it stays until the next time.
   */
  void drop(Connection connection) throws SQLException {
    List<Integer> gone = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet answer =
            statement.executeQuery(
                "select generation from " + generations + " where gone and fold = " + fold)) {
      while (answer.next()) {
        gone.add(answer.getInt(1));
      }
    }
    connection.commit();
    for (int number : gone) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("set local lock_timeout = 200");
        statement.execute("drop table if exists " + Ids.table(schema, fold, number));
        statement.executeUpdate(
            "delete from " + generations + " where fold = " + fold + " and generation = " + number);
        connection.commit();
      } catch (SQLException e) {
        if (Session.trouble(e) != Session.Trouble.AGAIN) {
          throw e;
        }
        connection.rollback();
      }
    }
  }
}
