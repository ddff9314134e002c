package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Filters spare look-ups and change no verdict. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KnownIdsTest {
  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private Teller<Account, Payment, Receipt> teller() {
    return new Teller<>(Options.of(database.url(), "accounts"), Bank.fold());
  }

  private long lookUps(Teller<?, ?, ?> teller) throws SQLException {
    teller.store.session.perform(
        "tell",
        connection -> {
          try (var statement = connection.createStatement()) {
            statement.execute("select pg_stat_force_next_flush()");
          }
        });
    return Long.parseLong(
        database
            .query(
                "select coalesce(sum(idx_scan), 0) from pg_stat_user_tables where relname like"
                    + " 'ids%'")
            .get(0));
  }

  @Test
  void aFilterKnowsAllThatWasAddedAndLittleElse() {
    Random random = new Random(1);
    IdFilter filter = new IdFilter();
    long[] ids = random.longs(400_000).toArray();
    for (int i = 0; i < ids.length; i += 2) {
      filter.add(ids[i], ids[i + 1]);
    }
    for (int i = 0; i < ids.length; i += 2) {
      assertThat(filter.mayHave(ids[i], ids[i + 1])).isTrue();
    }
    int passed = 0;
    for (int i = 0; i < 100_000; i++) {
      passed += filter.mayHave(random.nextLong(), random.nextLong()) ? 1 : 0;
    }
    assertThat(passed).isLessThan(1_000);
    assertThat(filter.size()).isEqualTo(200_000);
  }

  @Test
  void whatIsNewIsLookedUpNowhereAndWhatIsNotIsFound() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = teller().claim("p0")) {
      for (int day = 0; day < 7; day++) {
        for (int i = 0; i < 20; i++) {
          teller.feed("p0", deposit("e" + day + "-" + i, "alice", 1, day));
        }
      }
      teller.feed("p0", deposit("last", "alice", 1, 6));
      assertThat(database.query("select array_length(live, 1) > 2 from oncefold.folds"))
          .containsExactly("t");
      long before = lookUps(teller);
      for (int i = 0; i < 100; i++) {
        teller.feed("p0", deposit("new" + i, "alice", 1, 6));
      }
      assertThat(lookUps(teller)).isEqualTo(before);
      for (int day = 0; day < 7; day++) {
        for (int i = 0; i < 20; i++) {
          assertThat(teller.feed("p0", deposit("e" + day + "-" + i, "alice", 1, day)))
              .containsExactly(DUPLICATE);
        }
      }
      assertThat(lookUps(teller)).isGreaterThan(before);
    }
  }

  @Test
  void whatOthersRememberIsKnownInEveryTable() {
    try (Teller<Account, Payment, Receipt> one = teller().claim("p0");
        Teller<Account, Payment, Receipt> two = teller().claim("p1")) {
      for (int day = 0; day < 30; day++) {
        assertThat(one.feed("p0", deposit("a" + day, "alice", 1, day))).containsExactly(APPLIED);
        assertThat(two.feed("p1", deposit("b" + day, "bob", 1, day))).containsExactly(APPLIED);
        for (int back = 0; back < 6 && back <= day; back++) {
          int of = day - back;
          assertThat(
                  one.feed(
                      "p0", deposit("b" + of, "bob", 1, of), deposit("a" + of, "alice", 1, of)))
              .containsExactly(DUPLICATE, DUPLICATE);
          assertThat(two.feed("p1", deposit("a" + of, "alice", 1, of))).containsExactly(DUPLICATE);
        }
      }
    }
  }

  @Test
  void afterARestartClosedTablesAreReadAndTheirIdsKnown() {
    try (Teller<Account, Payment, Receipt> before = teller().claim("p0")) {
      for (int day = 0; day < 7; day++) {
        before.feed("p0", deposit("e" + day, "alice", 1, day));
      }
    }
    try (Teller<Account, Payment, Receipt> after = teller().claim("p0")) {
      while (after.store.known.filters() < 2) {
        assertThat(after.feed("p0", deposit("e6", "alice", 1, 6))).containsExactly(DUPLICATE);
      }
      for (int day = 0; day < 7; day++) {
        assertThat(after.feed("p0", deposit("e" + day, "alice", 1, day)))
            .isEqualTo(List.of(DUPLICATE));
      }
    }
  }
}
