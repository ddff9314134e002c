package dev.oncefold.postgres;

import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * No statement of a batch ever reads a table from end to end: on the smallest table too, since a
 * plan that was made then is kept while it grows.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PlansTest {
  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private void batches(Options.Keys keys) {
    Options<Account, Payment, Receipt> options =
        Options.<Account, Payment, Receipt>of(database.url(), "accounts").keys(keys).cachedKeys(10);
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options, Bank.fold()).claim("p0")) {
      // Of 1, 2, 4, 8 … events: more than the five after which a plan may be kept.
      int id = 0;
      for (int size = 1; size <= 1024; size *= 2) {
        List<Event<Payment>> events = new ArrayList<>();
        for (int i = 0; i < size; i++) {
          events.add(deposit("e" + id++, "key-" + i, 1, id % 7));
          events.add(Bank.withdraw("w" + id, "key-" + i, Long.MAX_VALUE));
          if (i % 16 == 3) {
            events.add(Bank.close("c" + id, "key-" + i));
          }
        }
        teller.feed("p0", events);
      }
    }
  }

  /** What was read from end to end more often than once: making its index does that. */
  private List<String> scans() throws SQLException {
    // A session tells what it did when it ends.
    while (!database
        .query(
            "select 1 from pg_stat_activity where datname = current_database() and"
                + " application_name like 'oncefold%'")
        .isEmpty()) {
      Thread.onSpinWait();
    }
    return database.query(
        "select relname || ' ' || seq_scan from pg_stat_user_tables where seq_scan > 1 and (relname"
            + " = 'accounts' or relname like 'ids%')");
  }

  @Test
  void everyRowIsFoundByAnIndex() throws SQLException {
    batches(Options.Keys.OWNED);
    assertThat(scans()).isEmpty();
    assertThat(
            database.query(
                "select idx_scan > 1000 from pg_stat_user_tables where relname =" + " 'accounts'"))
        .containsExactly("t");
  }

  @Test
  void everyRowIsFoundByAnIndexWithSharedKeys() throws SQLException {
    batches(Options.Keys.SHARED);
    assertThat(scans()).isEmpty();
  }
}
