package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.pipeline.References;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.postgres.Options;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A table of PostgreSQL as a pipeline names it. */
final class Table {
  private Table() {}

  /**
   * How the table is opened.
   *
   * @throws References.Missing if what the password or another setting refers to is not there
   * @throws IllegalArgumentException if a name cannot be one
   */
  static Options<Row, Row, String> options(Storage.Postgres table) {
    Options<Row, Row, String> options = named(table);
    for (Map.Entry<String, String> property : References.followed(table.properties()).entrySet()) {
      options = options.property(property.getKey(), property.getValue());
    }
    return options;
  }

  private static Options<Row, Row, String> named(Storage.Postgres table) {
    return Options.<Row, Row, String>of(table.url(), table.table())
        .keyColumn(table.key())
        .schema(table.schema())
        .keys(table.keys() == Storage.Keys.SHARED ? Options.Keys.SHARED : Options.Keys.OWNED);
  }

  /** What can be known to keep it from being opened, without asking the database. */
  static List<String> problems(Storage.Postgres table) {
    List<String> problems = new ArrayList<>(References.missing(table.properties()));
    try {
      named(table);
    } catch (IllegalArgumentException e) {
      problems.add("store: postgres: " + e.getMessage());
    }
    return problems;
  }
}
