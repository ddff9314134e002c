package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.CodecException;
import dev.oncefold.Sink;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The messages of a batch, packed into one row and read from it. */
class ParcelTest {
  private final Parcel parcel = new Parcel();

  private void add(@Nullable String output, String key, String id, String value) {
    parcel.add(output, key, id, value.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> read(byte[] packed) {
    List<String> read = new ArrayList<>();
    for (Sink.Message message : Parcel.read(packed)) {
      read.add(
          message.output()
              + "|"
              + message.key()
              + "|"
              + message.id()
              + "|"
              + new String(message.value(), StandardCharsets.UTF_8));
    }
    return read;
  }

  @Test
  void isReadAsItWasPacked() {
    assertThat(parcel.isEmpty()).isTrue();
    add("receipts", "a", "f/a/1/0", "one");
    add(null, "b", "2", "refused");
    add("audit", "ключ", "f/a/3/0", "");
    add("receipts", "", "f//4/0", "four");
    assertThat(parcel.isEmpty()).isFalse();

    assertThat(read(parcel.bytes()))
        .containsExactly(
            "receipts|a|f/a/1/0|one",
            "null|b|2|refused",
            "audit|ключ|f/a/3/0|",
            "receipts||f//4/0|four");
    parcel.clear();
    assertThat(parcel.isEmpty()).isTrue();
    assertThat(read(parcel.bytes())).isEmpty();
  }

  @Test
  void aNameIsWrittenOnce() {
    add("receipts".repeat(100), "a", "1", "");
    int one = parcel.size();
    add("receipts".repeat(100), "a", "1", "");
    assertThat(parcel.size() - one).isLessThan(10);
  }

  @Test
  void whatIsUndoneIsGoneAndItsNameWithIt() {
    add("receipts", "a", "1", "one");
    parcel.mark();
    add("audit", "a", "2", "two");
    assertThatThrownBy(() -> add("receipts", "a\uD800", "3", "half a letter"))
        .isInstanceOf(CodecException.class);
    parcel.undo();
    add("audit", "a", "4", "four");
    assertThat(read(parcel.bytes())).containsExactly("receipts|a|1|one", "audit|a|4|four");
  }

  @Test
  void whatNobodyPackedIsRefused() {
    assertThatThrownBy(() -> Parcel.read(new byte[0])).isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> Parcel.read(new byte[] {2}))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("format is 2, not 1");
    assertThatThrownBy(() -> Parcel.read(new byte[] {1, 5, 0, 0, 0}))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("no output has the number 5");
    add("receipts", "a", "1", "one");
    add(null, "b", "2", "two");
    byte[] good = parcel.bytes();
    Random random = new Random(5);
    for (int i = 0; i < 10_000; i++) {
      byte[] bad = good.clone();
      bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      try {
        Parcel.read(bad);
      } catch (CodecException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }
}
