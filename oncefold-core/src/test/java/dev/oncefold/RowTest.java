package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RowTest {
  record Account(
      BigDecimal balance,
      long payments,
      String name,
      @Nullable Instant last,
      @Nullable Long limit,
      double rate,
      boolean open) {}

  private static final Row.Type ROWS =
      new Row.Type(
          "Account",
          List.of(
              new Row.Column("balance", BigDecimal.class, false),
              new Row.Column("payments", long.class, false),
              new Row.Column("name", String.class, false),
              new Row.Column("last", Instant.class, true),
              new Row.Column("limit", Long.class, true),
              new Row.Column("rate", double.class, false),
              new Row.Column("open", boolean.class, false)));

  private static final Codec<Row> CODEC = Codec.of(ROWS);

  private static final Row FULL =
      ROWS.row(new BigDecimal("10.00"), 3L, "Zoë", Instant.EPOCH, 7L, 0.5, true);

  private static <T> byte[] bytes(Codec<T> codec, T value) {
    Encoder out = new Encoder();
    codec.encode(value, out);
    return out.toByteArray();
  }

  private static Row decoded(Codec<Row> codec, byte[] bytes) {
    Decoder in = new Decoder(bytes);
    Row row = codec.decode(in);
    assertThat(in.remaining()).isZero();
    return row;
  }

  @Test
  void aRowIsWrittenAsTheRecordOfTheSameFields() {
    Codec<Account> records = Codec.of(Account.class);
    assertThat(CODEC.schema()).isEqualTo(records.schema());
    assertThat(bytes(CODEC, FULL))
        .isEqualTo(
            bytes(
                records,
                new Account(new BigDecimal("10.00"), 3, "Zoë", Instant.EPOCH, 7L, 0.5, true)));
    Row sparse = ROWS.row(new BigDecimal("-1"), 0L, "", null, null, -0.0, false);
    assertThat(bytes(CODEC, sparse))
        .isEqualTo(
            bytes(records, new Account(new BigDecimal("-1"), 0, "", null, null, -0.0, false)));
    assertThat(decoded(CODEC, bytes(CODEC, sparse))).isEqualTo(sparse);
    assertThat(decoded(CODEC, bytes(CODEC, FULL))).isEqualTo(FULL).hasSameHashCodeAs(FULL);
  }

  @Test
  void aColumnThatWasAddedTakesTheDefaultsValue() {
    Row.Type old =
        new Row.Type("Account", List.of(new Row.Column("balance", BigDecimal.class, false)));
    Codec<Row> reading = CODEC.reading(Codec.of(old).schema(), FULL);
    assertThat(decoded(reading, bytes(Codec.of(old), old.row(new BigDecimal("2.50")))))
        .isEqualTo(ROWS.row(new BigDecimal("2.50"), 3L, "Zoë", Instant.EPOCH, 7L, 0.5, true));
  }

  @Test
  void aColumnThatIsGoneOrRetypedIsRefused() {
    Row.Type less =
        new Row.Type("Account", List.of(new Row.Column("balance", BigDecimal.class, false)));
    assertThatThrownBy(() -> Codec.of(less).reading(CODEC.schema(), null))
        .hasMessageContaining("field payments (long) was stored and is not in Account any more");
    Row.Type retyped =
        new Row.Type("Account", List.of(new Row.Column("balance", long.class, false)));
    assertThatThrownBy(
            () -> Codec.of(retyped).reading("Account{balance:BigDecimal}", retyped.row(0L)))
        .hasMessageContaining("Account.balance: was stored as BigDecimal and is long now");
  }

  @Test
  void whatAColumnCannotHoldIsRefused() {
    assertThatThrownBy(() -> bytes(CODEC, ROWS.row(null, 3L, "", null, null, 0.5, true)))
        .isInstanceOf(CodecException.class)
        .hasMessage("Account.balance: is null");
    assertThatThrownBy(
            () -> bytes(CODEC, ROWS.row(BigDecimal.ONE, null, "", null, null, 0.5, true)))
        .hasMessage("Account.payments: is null");
    assertThatThrownBy(() -> bytes(CODEC, ROWS.row(BigDecimal.ONE, "3", "", null, null, 0.5, true)))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Account.payments: cannot be written");
    assertThatThrownBy(() -> ROWS.row(1L)).hasMessage("Account has 7 columns, not 1");
  }

  @Test
  void typesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> new Row.Column("a b", String.class, false))
        .hasMessageContaining("is no name for a column");
    assertThatThrownBy(() -> new Row.Column("a", List.class, false))
        .hasMessageContaining("a column cannot be a java.util.List");
    assertThatThrownBy(() -> new Row.Column("a", long.class, true))
        .hasMessageContaining("cannot be null");
    Row.Column a = new Row.Column("a", String.class, true);
    assertThatThrownBy(() -> new Row.Type("T", List.of(a, a)))
        .hasMessageContaining("\"a\" of T is there twice");
    assertThatThrownBy(() -> new Row.Type("long", List.of(a)))
        .hasMessageContaining("is no name for a type of rows");
  }

  @Test
  void columnsAreFoundByNameAndNarrowed() {
    assertThat(FULL.get("name")).isEqualTo("Zoë");
    assertThat(FULL.at(1)).isEqualTo(3L);
    assertThat(ROWS.place("none")).isEqualTo(-1);
    assertThatThrownBy(() -> FULL.get("none")).hasMessageContaining("has no column \"none\"");
    Row other = ROWS.row(new BigDecimal("9.99"), 3L, "Zoë", null, null, 0.0, false);
    assertThat(bytes(CODEC.only("name", "payments"), other))
        .isEqualTo(bytes(CODEC.only("payments", "name"), FULL));
    assertThat(FULL)
        .hasToString(
            "Account[balance=10.00, payments=3, name=Zoë, last=1970-01-01T00:00:00Z, limit=7,"
                + " rate=0.5, open=true]");
  }
}
