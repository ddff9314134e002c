package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.DUPLICATE;
import static dev.oncefold.postgres.Bank.deposit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import dev.oncefold.Slot;
import dev.oncefold.postgres.Bank.Account;
import dev.oncefold.postgres.Bank.Payment;
import dev.oncefold.postgres.Bank.Receipt;
import dev.oncefold.sandbox.PostgresServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What opening makes, and what it refuses. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class OpeningTest {
  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private Options<Account, Payment, Receipt> options() {
    return Options.of(database.url(), "accounts");
  }

  private static void open(Options<Account, Payment, Receipt> options) {
    open(options, Bank.fold());
  }

  private static <S, E, O> void open(Options<S, E, O> options, Fold<S, E, O> fold) {
    PostgresStore.open(options, fold).close();
  }

  @Test
  void workersThatOpenANewDatabaseAtOnceMakeItOnce() throws SQLException {
    List<CompletableFuture<Void>> workers =
        Stream.generate(() -> CompletableFuture.runAsync(() -> open(options()))).limit(8).toList();
    workers.forEach(CompletableFuture::join);
    assertThat(database.query("select name from oncefold.folds")).containsExactly("bank");
    assertThat(database.query("select version from oncefold.version")).containsExactly("1");
  }

  @Test
  void bookkeepingOfANewerVersionIsRefusedAndOfAnOlderBroughtUp() throws Exception {
    open(options());
    database.execute("update oncefold.version set version = 2");
    assertThatThrownBy(() -> open(options()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("has the version 2, and this program knows versions up to 1");
    // A step more, as a later version of this program would have it.
    database.execute("update oncefold.version set version = 1");
    Name schema = Name.of("oncefold");
    Migrations later =
        new Migrations(
            schema, List.of(List.of("no SQL"), List.of("create table oncefold.more ()")));
    try (Session session = new Session(options(), "test")) {
      for (int twice = 0; twice < 2; twice++) {
        session.perform("migrate", later::run);
      }
    }
    assertThat(database.query("select version from oncefold.version")).containsExactly("2");
    assertThat(database.query("select count(*) from oncefold.more")).containsExactly("0");
  }

  @Test
  void aServerThatDoesNotSyncIsRefused(@TempDir Path directory) throws Exception {
    try (PostgresServer server = PostgresServer.in(directory).with("fsync", "off").start()) {
      assertThatThrownBy(() -> open(Options.of(server.jdbcUrl("postgres"), "accounts")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("fsync=off");
    }
  }

  /** The server says so itself: its answer about its version is another one's in this schema. */
  @Test
  void aServerOlderThan13IsRefused() throws SQLException {
    database.execute("create schema old");
    for (int version : List.of(120_022, 130_000)) {
      database.execute(
          "create or replace function old.current_setting(text) returns text language sql as $$"
              + " select case $1 when 'server_version_num' then '"
              + version
              + "' else pg_catalog.current_setting($1) end $$");
      Options<Account, Payment, Receipt> options =
          options().property("currentSchema", "old,pg_catalog,public");
      if (version < 130_000) {
        assertThatThrownBy(() -> open(options))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("is older than PostgreSQL 13: it has the version 12");
      } else {
        open(options);
      }
    }
  }

  @Test
  void aStandbyIsRefused(@TempDir Path directory) throws Exception {
    try (PostgresServer server = PostgresServer.start(directory)) {
      Path signal;
      try (Stream<Path> files = Files.walk(directory)) {
        signal =
            files
                .filter(f -> f.endsWith("PG_VERSION"))
                .findFirst()
                .orElseThrow()
                .resolveSibling("standby.signal");
      }
      server.stopImmediately();
      Files.createFile(signal);
      server.start();
      assertThatThrownBy(() -> open(Options.of(server.jdbcUrl("postgres"), "accounts")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("standby");
    }
  }

  @Test
  void aWrongPasswordOrPortIsToldWithoutTheSecret() {
    InetSocketAddress at = database.server().address();
    String url = "jdbc:postgresql://localhost:" + at.getPort() + "/" + database.name();
    Options<Account, Payment, Receipt> options =
        Options.<Account, Payment, Receipt>of(url, "accounts")
            .user(database.server().user())
            .password("sesame-7");
    assertThatThrownBy(() -> open(options))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("password authentication failed")
        .hasMessageNotContaining("sesame-7");
    assertThatThrownBy(
            () -> open(Options.of("jdbc:postgresql://localhost:1/x?password=sesame-7", "accounts")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("localhost:1/x")
        .hasMessageNotContaining("sesame-7");
    assertThatThrownBy(() -> Options.of("postgres://localhost/x", "accounts"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("jdbc:postgresql:");
  }

  /** The driver would repeat them. */
  @Test
  void aUrlThatCannotBeReadIsNotRepeated() {
    for (String url :
        List.of(
            "jdbc:postgresql://bank:sesame-7@db/x",
            "jdbc:postgresql://db:54x2/x?user=u&password=sesame-7",
            "jdbc:postgresql://db?password=sesame-7")) {
      assertThatThrownBy(() -> Options.of(url, "accounts"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot be read")
          .hasMessageNotContaining("sesame-7");
    }
    Options.of("jdbc:postgresql:bank", "accounts");
    Options.of("jdbc:postgresql://one:5432,[::1]:5433/bank?ssl=true&user=a@b", "accounts");
  }

  @Test
  void aTableThatIsGoneIsNotMadeAnewUnderTheOldPositions() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = new Teller<>(options(), Bank.fold())) {
      database.execute("drop table accounts");
      open(options()); // nothing was committed yet
      teller.claim("p0").feed("p0", Bank.deposit("e1", "alice", 1));
    }
    database.execute("alter table accounts rename to elsewhere");
    assertThatThrownBy(() -> open(options()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("there is no table accounts")
        .hasMessageContaining("\"bank\"");
    assertThatThrownBy(() -> open(options().acceptingChange()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("there is no table accounts");
    assertThat(database.query("select to_regclass('accounts')")).containsExactly("null");
    database.execute("alter table elsewhere rename to accounts");
    open(options());
  }

  /**
   * A name is looked for where a user's search path says: for another user it may be another table.
   */
  @Test
  void aTableOfTheSameNameInAnotherSchemaIsAnotherTable() throws SQLException {
    try (Teller<Account, Payment, Receipt> teller = new Teller<>(options(), Bank.fold())) {
      teller.claim("p0").feed("p0", deposit("e1", "alice", 1));
      database.execute("create schema other; create table other.accounts (like public.accounts)");
      database.execute("alter table other.accounts add primary key (key)");
      Options<Account, Payment, Receipt> other =
          options().property("currentSchema", "other,public");
      assertThatThrownBy(() -> open(other))
          .isInstanceOf(StoreException.OtherFold.class)
          .hasMessageContaining("in the table public.accounts, not in other.accounts")
          .hasMessageContaining("with its schema");
      assertThatThrownBy(() -> PostgresView.read(other, Bank.fold(), null))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("in the table public.accounts, not in other.accounts");
      // Its own schema is empty: none is made there for states that are elsewhere.
      database.execute("drop table other.accounts");
      assertThatThrownBy(() -> open(options().property("currentSchema", "other")))
          .hasMessageContaining("in the table public.accounts, not in other.accounts");
      assertThat(database.query("select to_regclass('other.accounts')")).containsExactly("null");
      Options<Account, Payment, Receipt> full = Options.of(database.url(), "public.accounts");
      try (Teller<Account, Payment, Receipt> same =
          new Teller<>(full.property("currentSchema", "other"), Bank.fold())) {
        same.claim("p1").feed("p1", deposit("e2", "bob", 1));
      }
      // What is open stays with its table, wherever it looks for names.
      database.execute("create table other.accounts (like public.accounts)");
      teller.store.session.run(
          "look elsewhere",
          connection -> connection.createStatement().execute("set search_path = other"));
      teller.feed("p0", deposit("e3", "carol", 1));
    }
    assertThat(database.query("select key from public.accounts order by key"))
        .containsExactly("alice", "bob", "carol");
  }

  @Test
  void aSinkWithoutAPlaceForAnOutputIsRefused() {
    Options<Account, Payment, Receipt> routed =
        options().sink(new OnlyReceipts()).output("receipts", emitted -> new byte[0]);
    open(routed);
    assertThatThrownBy(() -> open(routed.output("others", emitted -> new byte[0])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"others\"");
    assertThatThrownBy(() -> open(routed.refusals(entry -> new byte[0])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("refusals");
  }

  /** Has a place for one output. */
  private static final class OnlyReceipts implements Sink {
    @Override
    public boolean takes(@Nullable String output) {
      return "receipts".equals(output);
    }

    @Override
    public Lane open(String lane) {
      throw new SinkException("it is not needed");
    }

    @Override
    public void close() {}
  }

  @Test
  void commitsWaitForTheDiskWhateverTheServerSays() throws SQLException {
    database.execute("alter database " + database.name() + " set synchronous_commit = off");
    try (Session session = new Session(options(), "test")) {
      assertThat(setting(session, "synchronous_commit")).isEqualTo("on");
    }
    database.execute(
        "alter database " + database.name() + " set synchronous_commit = remote_apply");
    try (Session session = new Session(options(), "test")) {
      assertThat(setting(session, "synchronous_commit")).isEqualTo("remote_apply");
      assertThat(setting(session, "idle_in_transaction_session_timeout")).isEqualTo("10s");
    }
  }

  private static String setting(Session session, String name) {
    return session.run(
        "read",
        connection -> {
          try (var statement = connection.createStatement();
              var answer = statement.executeQuery("show " + name)) {
            answer.next();
            return answer.getString(1);
          }
        });
  }

  // ---------------------------------------------------------------- another definition

  record Grown(long cents, long payments, @Nullable String note, long limit) {}

  private static Fold<Grown, Payment, Receipt> grown() {
    return Fold.of("bank", Grown.class, Payment.class, Receipt.class)
        .version(2)
        .initially(new Grown(0, 0, "it's new", 500))
        .remembering(java.time.Duration.ofDays(7))
        .update(
            (account, event) ->
                Outcome.accept(
                    new Grown(
                        account.cents() + event.value().cents(),
                        account.payments() + 1,
                        account.note(),
                        account.limit())));
  }

  @Test
  void anotherVersionIsRefusedUnlessTheChangeIsAccepted() throws SQLException {
    Options<Grown, Payment, Receipt> next = Options.of(database.url(), "accounts");
    try (Teller<Account, Payment, Receipt> old = new Teller<>(options(), Bank.fold()).claim("p0")) {
      old.feed("p0", deposit("e1", "alice", 10));
      assertThatThrownBy(() -> open(next, grown()))
          .isInstanceOf(StoreException.OtherFold.class)
          .hasMessageContaining("is stored by its version 1; this is version 2");
      assertThat(old.feed("p0", deposit("e2", "alice", 1))).containsExactly(APPLIED);
      try (Teller<Grown, Payment, Receipt> now = new Teller<>(next.acceptingChange(), grown())) {
        assertThatThrownBy(() -> old.feed("p0", deposit("e3", "alice", 10)))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("was changed while this ran");
        now.claim("p0");
        assertThat(now.feed("p0", deposit("e1", "alice", 10), deposit("e3", "alice", 1)))
            .containsExactly(DUPLICATE, APPLIED);
        now.feed("p0", deposit("e4", "bob", 1));
      }
    }
    assertThat(PostgresView.read(next, grown(), null).slots())
        .containsEntry("alice", new Slot<>(new Grown(12, 3, "it's new", 500), 3))
        .containsEntry("bob", new Slot<>(new Grown(1, 1, "it's new", 500), 1));
    assertThatThrownBy(() -> open(options())).isInstanceOf(StoreException.OtherFold.class);
    open(next, grown());
  }

  @Test
  void otherRulesIdsKeysOrTablesAreRefused() {
    open(options(), Bank.define().rules("a\nb").update(Bank::rules));
    open(options(), Bank.define().rules("a\r\nb\n").update(Bank::rules));
    open(options());
    assertThatThrownBy(() -> open(options(), Bank.define().rules("a\nc").update(Bank::rules)))
        .isInstanceOf(StoreException.OtherFold.class)
        .hasMessageContaining("the rules of the fold \"bank\" changed");
    assertThatThrownBy(
            () -> open(options(), Bank.define().rememberingForever().update(Bank::rules)))
        .isInstanceOf(StoreException.OtherFold.class)
        .hasMessageContaining("remembers ids by the choice SPAN");
    assertThatThrownBy(() -> open(options().keys(Options.Keys.SHARED)))
        .isInstanceOf(StoreException.OtherFold.class)
        .hasMessageContaining("keys OWNED");
    assertThatThrownBy(() -> open(Options.of(database.url(), "elsewhere")))
        .isInstanceOf(StoreException.OtherFold.class)
        .hasMessageContaining("in the table public.accounts, not in public.elsewhere");
    open(options().keys(Options.Keys.SHARED).acceptingChange());
    open(options().keys(Options.Keys.SHARED));
  }

  @Test
  void idsOfAnEarlierChoiceStayKnown() {
    Fold<Account, Payment, Receipt> forever =
        Bank.define().rememberingForever().update(Bank::rules);
    try (Teller<Account, Payment, Receipt> teller = new Teller<>(options(), forever).claim("p0")) {
      teller.feed("p0", deposit("e1", "alice", 1, 0));
    }
    try (Teller<Account, Payment, Receipt> teller =
        new Teller<>(options().acceptingChange(), Bank.fold()).claim("p0")) {
      for (int day = 1; day < 40; day++) {
        teller.feed("p0", deposit("d" + day, "alice", 1, day));
      }
      assertThat(teller.feed("p0", deposit("e1", "alice", 1, 0))).containsExactly(DUPLICATE);
    }
  }

  @Test
  void aFoldNobodyRanIsNotThere() {
    assertThatThrownBy(() -> PostgresView.read(options(), Bank.fold(), null))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("nothing is stored of the fold \"bank\"");
  }
}
