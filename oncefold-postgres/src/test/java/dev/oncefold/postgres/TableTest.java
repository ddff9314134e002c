package dev.oncefold.postgres;

import static dev.oncefold.Verdict.Kind.APPLIED;
import static dev.oncefold.Verdict.Kind.FAILED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.CodecException;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Row;
import dev.oncefold.Slot;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The user's table: what it is made as, what is refused, and values that come back equal. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TableTest {
  enum Colour {
    RED,
    GREEN
  }

  sealed interface Shape {
    record Circle(double radius, @Nullable Instant at) implements Shape {}

    record Square(BigDecimal side, List<String> names) implements Shape {}
  }

  record Inner(String text, long number, @Nullable Colour colour, boolean isOpen) {
    // Looks like a property, and is none.
    public boolean isEmpty() {
      return text.isEmpty();
    }
  }

  record Everything(
      byte b,
      short s,
      int i,
      long bigNumber,
      float f,
      double d,
      boolean flag,
      char c,
      @Nullable Long boxed,
      @Nullable String text,
      @Nullable BigDecimal decimal,
      @Nullable BigInteger integer,
      @Nullable Instant time,
      @Nullable LocalDate date,
      @Nullable Duration duration,
      @Nullable UUID uuid,
      @Nullable Colour colour,
      @Nullable Inner inner,
      @Nullable List<@Nullable Inner> list,
      @Nullable Shape shape,
      @Nullable List<List<Shape>> nested) {}

  private static final Everything NOTHING =
      new Everything(
          (byte) 0, (short) 0, 0, 0, 0, 0, false, 'x', null, null, null, null, null, null, null,
          null, null, null, null, null, null);

  private static Everything numbers(
      long n, float f, double d, @Nullable BigDecimal decimal, @Nullable Instant time) {
    return new Everything(
        (byte) n,
        (short) n,
        (int) n,
        n,
        f,
        d,
        n % 2 == 0,
        (char) (0x41 + (n & 0xf)),
        n,
        "t" + n,
        decimal,
        BigInteger.valueOf(n).pow(5),
        time,
        LocalDate.of(2026, 2, 28),
        Duration.ofNanos(n),
        new UUID(n, ~n),
        Colour.GREEN,
        new Inner("in", n, Colour.RED, true),
        Arrays.asList(new Inner("", 0, null, false), null),
        new Shape.Circle(d, time),
        List.of(
            List.of(new Shape.Square(new BigDecimal("1.50"), List.of("a", "'\"\\{}"))), List.of()));
  }

  private static <T> Fold<T, T, String> keeps(Class<T> type, T initial) {
    return Fold.of("keeps", type, type, String.class)
        .initially(initial)
        .rememberingNoIds()
        .whenFailed(Fold.WhenFailed.REFUSE)
        .update((state, event) -> Outcome.accept(event.value()));
  }

  private Database database;

  @BeforeEach
  void anEmptyDatabase() throws SQLException {
    database = Database.create();
  }

  private <T> Options<T, T, String> options() {
    return Options.of(database.url(), "things");
  }

  private static <T> Event<T> event(String key, T value) {
    return new Event<>(null, key, null, value);
  }

  @Test
  void everyTypeComesBackEqual() throws SQLException {
    List<Everything> values = new ArrayList<>();
    values.add(NOTHING);
    for (long n : new long[] {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 40}) {
      values.add(numbers(n, (float) n, (double) n, null, null));
    }
    for (double d :
        new double[] {
          -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, Double.MAX_VALUE, 0.1
        }) {
      values.add(numbers(3, (float) d, d, null, null));
    }
    for (String decimal : new String[] {"0.00", "-1.10", "1e-300", "12345678901234567890.5"}) {
      values.add(numbers(4, 0.1f, 0.1, new BigDecimal(decimal), null));
    }
    for (String time :
        new String[] {
          "1970-01-01T00:00:00Z",
          "2026-11-25T08:25:53.123456Z",
          "0001-01-01T00:00:00Z",
          "-0001-12-31T23:59:59.999999Z",
          "-4712-01-01T00:00:00Z",
          "1582-10-10T00:00:00.000001Z",
          "+294276-12-31T23:59:59.999999Z"
        }) {
      values.add(numbers(5, 0, 0, null, Instant.parse(time)));
    }
    Fold<Everything, Everything, String> fold = keeps(Everything.class, NOTHING);
    try (Teller<Everything, Everything, String> teller =
        new Teller<>(this.<Everything>options(), fold).claim("p")) {
      for (int i = 0; i < values.size(); i++) {
        // One by one for each kind of statement, and all nulls beside no null.
        assertThat(
                teller.feed("p", event("k" + i, values.get(i)), event("again" + i, values.get(0))))
            .containsOnly(APPLIED);
        teller.feed("p", event("again" + i, values.get(i)));
      }
    }
    PostgresView<Everything> view = PostgresView.read(options(), fold, null);
    for (int i = 0; i < values.size(); i++) {
      assertThat(view.slots().get("k" + i)).isEqualTo(new Slot<>(values.get(i), 1));
      assertThat(view.slots().get("again" + i)).isEqualTo(new Slot<>(values.get(i), 2));
    }
    assertThat(
            database.query(
                "select attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull from"
                    + " pg_attribute where attrelid = 'things'::regclass and attnum > 0 order by"
                    + " attnum"))
        .containsExactly(
            "key text true",
            "b bigint true",
            "s bigint true",
            "i bigint true",
            "big_number bigint true",
            "f double precision true",
            "d double precision true",
            "flag boolean true",
            "c text true",
            "boxed bigint false",
            "text text false",
            "decimal numeric false",
            "integer numeric false",
            "time timestamp with time zone false",
            "date text false",
            "duration text false",
            "uuid text false",
            "colour text false",
            "inner jsonb false",
            "list jsonb false",
            "shape jsonb false",
            "nested jsonb false",
            "oncefold_version bigint true");
    assertThat(database.query("select shape #>> '{Circle,radius}' from things where key = 'k1'"))
        .containsExactly("0.0");
  }

  @Test
  void aRowAndABasicTypeAndASealedInterfaceAreStatesToo() {
    Row.Type type =
        new Row.Type(
            "Account",
            List.of(
                new Row.Column("balance", BigDecimal.class, false),
                new Row.Column("lastSeen", Instant.class, true),
                new Row.Column("n", long.class, false)));
    Row row = type.row(new BigDecimal("1.20"), null, 3L);
    Fold<Row, Row, String> rows =
        Fold.of("keeps", Row.class, Row.class, String.class)
            .stateCodec(dev.oncefold.Codec.of(type))
            .eventCodec(dev.oncefold.Codec.of(type))
            .initially(type.row(BigDecimal.ZERO, null, 0L))
            .rememberingNoIds()
            .update((state, event) -> Outcome.accept(event.value()));
    try (Teller<Row, Row, String> teller = new Teller<>(this.<Row>options(), rows).claim("p")) {
      teller.feed("p", event("a", row));
    }
    assertThat(PostgresView.read(options(), rows, List.of("a")).slots().get("a"))
        .isEqualTo(new Slot<>(row, 1));

    Fold<Long, Long, String> longs = keeps(Long.class, 0L);
    Options<Long, Long, String> other =
        Options.<Long, Long, String>of(database.url(), "l").schema("b");
    try (Teller<Long, Long, String> teller = new Teller<>(other, longs).claim("p")) {
      teller.feed("p", event("a", 42L));
    }
    assertThat(PostgresView.read(other, longs, null).slots().get("a"))
        .isEqualTo(new Slot<>(42L, 1));

    Shape initial = new Shape.Circle(1, null);
    Fold<Shape, Shape, String> shapes = keeps(Shape.class, initial);
    Options<Shape, Shape, String> json =
        Options.<Shape, Shape, String>of(database.url(), "s")
            .schema("c")
            .columns(Columns.json(Shape.class));
    Shape square = new Shape.Square(new BigDecimal("2.0"), List.of());
    try (Teller<Shape, Shape, String> teller = new Teller<>(json, shapes).claim("p")) {
      teller.feed("p", event("a", square), event("b", initial));
    }
    assertThat(PostgresView.read(json, shapes, null).slots().get("a"))
        .isEqualTo(new Slot<>(square, 1));
  }

  @Test
  void whatTheDatabaseCouldNotGiveBackFails() throws SQLException {
    Fold<Everything, Everything, String> fold = keeps(Everything.class, NOTHING);
    String half = "half \ud83d of a pair";
    try (Teller<Everything, Everything, String> teller =
        new Teller<>(this.<Everything>options(), fold).claim("p")) {
      assertThat(
              teller.feed(
                  "p",
                  event("a", numbers(1, 0, 0, new BigDecimal("1e3"), null)),
                  event("a", numbers(1, 0, 0, null, Instant.parse("2026-01-01T00:00:00.0000001Z"))),
                  event("a", numbers(1, 0, 0, null, Instant.MAX)),
                  event("a", with("nul\0", "fine")),
                  event("a", with(half, "fine")),
                  event("a", with("fine", "nul\0")),
                  event("a", with("fine", half)),
                  event("nul\0key", NOTHING),
                  event("half\udc00", NOTHING),
                  event("k".repeat(3000), NOTHING),
                  event("a", with("fine", "fine")),
                  event("\u20ac \ud83d\ude00 'quoted\" \\ {,} NULL", NOTHING),
                  event("NULL", NOTHING),
                  event("", NOTHING)))
          .containsExactly(
              FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED,
              APPLIED, APPLIED, APPLIED, APPLIED);
      teller.feed("p", event("\u20ac \ud83d\ude00 'quoted\" \\ {,} NULL", NOTHING));
    }
    assertThat(PostgresView.read(options(), fold, null).slots())
        .containsOnlyKeys("", "NULL", "a", "\u20ac \ud83d\ude00 'quoted\" \\ {,} NULL");
    assertThat(
            database.query(
                "select reason from oncefold.refusals where record_offset in (0, 3, 5) order by"
                    + " record_offset"))
        .satisfiesExactly(
            one -> assertThat(one).contains("column \"decimal\"").contains("negative scale"),
            two -> assertThat(two).contains("column \"text\"").contains("U+0000"),
            three -> assertThat(three).contains("column \"inner\"").contains("U+0000"));
  }

  private static Everything with(String text, String inner) {
    return new Everything(
        (byte) 0,
        (short) 0,
        0,
        0,
        0,
        0,
        false,
        'x',
        null,
        text,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        new Inner(inner, 1, null, true),
        null,
        null,
        null);
  }

  @Test
  void oddNamesAreQuoted() throws SQLException {
    record Odd(long select, @Nullable String from) {}
    String table = "my \"schema\".drop table; --'$1?";
    database.execute("create schema \"my \"\"schema\"\"\"");
    Fold<Odd, Odd, String> fold = keeps(Odd.class, new Odd(0, null));
    Options<Odd, Odd, String> options =
        Options.<Odd, Odd, String>of(database.url(), table)
            .schema("Sch\u00f6n \"und\" gut")
            .keyColumn("the key; drop");
    try (Teller<Odd, Odd, String> teller = new Teller<>(options, fold).claim("p'\"\\0")) {
      teller.feed("p'\"\\0", event("a", new Odd(1, "x")));
      teller.feed("p'\"\\0", event("a", new Odd(2, "y")));
    }
    PostgresView<Odd> view = PostgresView.read(options, fold, null);
    assertThat(view.slots().get("a")).isEqualTo(new Slot<>(new Odd(2, "y"), 2));
    assertThat(view.positions()).containsOnlyKeys("p'\"\\0");
    for (String bad :
        new String[] {"", " ", "a\0b", "x".repeat(64), "\u20ac".repeat(22), ".t", "s."}) {
      assertThatThrownBy(() -> Options.of(database.url(), bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no name for PostgreSQL");
    }
  }

  @Test
  void aTableThatDoesNotFitIsRefusedWithEveryDifference() throws SQLException {
    database.execute(
        "create table things (key varchar(10), balance numeric(10, 2), gone text not null, at"
            + " timestamptz not null, oncefold_version int)");
    record State(BigDecimal balance, @Nullable Instant at, long count) {}
    assertThatThrownBy(
            () ->
                PostgresStore.open(
                    this.<State>options(), keeps(State.class, new State(BigDecimal.ZERO, null, 0))))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "the table things is not as the fold needs it:\n"
                + "- \"key\" is character varying(10), not text\n"
                + "- \"key\" is neither the primary key nor has it a unique index of its own\n"
                + "- \"balance\" is numeric(10,2), not numeric\n"
                + "- \"at\" must not be null, and the state may have none: drop its not null\n"
                + "- there is no column \"count\" bigint\n"
                + "- \"oncefold_version\" is integer, not bigint\n"
                + "- \"gone\" must not be null, and no field of the state fills it: drop it, or give"
                + " it a default\n"
                + "Change the table, or name another one, which is made then");
    assertThat(database.query("select 1 from pg_namespace where nspname = 'oncefold'")).isEmpty();
  }

  @Test
  void aTableOfTheUsersOwnMayHaveMore() throws SQLException {
    database.execute(
        "create table things (id int generated always as identity primary key, key text not null"
            + " unique, count bigint, note text default 'none', oncefold_version bigint);"
            + " create view v as select * from things");
    record State(long count) {}
    Fold<State, State, String> fold = keeps(State.class, new State(0));
    try (Teller<State, State, String> teller =
        new Teller<>(this.<State>options(), fold).claim("p")) {
      teller.feed("p", event("a", new State(1)));
      teller.feed("p", event("a", new State(2)));
    }
    assertThat(database.query("select key || count || note from things")).containsExactly("a2none");
    database.execute("update things set count = null");
    assertThatThrownBy(() -> PostgresView.read(options(), fold, null))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("the key \"a\"");
    assertThatThrownBy(
            () ->
                PostgresStore.open(
                    Options.<State, State, String>of(database.url(), "v").schema("x"), fold))
        .hasMessageContaining("it is no ordinary table");
  }

  @Test
  void aStateWhoseFieldsCannotBeColumnsIsRefused() {
    record Key(long key) {}
    record Twice(long aB, long a_b) {}
    assertThatThrownBy(() -> PostgresStore.open(this.<Key>options(), keeps(Key.class, new Key(0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Options.keyColumn");
    assertThatThrownBy(() -> Columns.of(new Twice(0, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a_b");
    assertThatThrownBy(() -> Columns.of(new StringBuilder()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Options.columns");
    assertThatThrownBy(() -> Columns.of(new Key(0)).state(new @Nullable Object[] {null}))
        .isInstanceOf(CodecException.class);
  }
}
