package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of each method of the encoder, and that the decoder takes those and no others. */
class EncoderTest {
  private static final List<Consumer<Encoder>> EACH =
      List.of(
          out -> out.writeByte(200),
          out -> out.writeBoolean(true),
          out -> out.writeUnsigned(300),
          out -> out.writeSigned(Long.MIN_VALUE),
          out -> out.writeInt(1),
          out -> out.writeLong(1),
          out -> out.writeDouble(1),
          out -> out.writeString("ab"),
          out -> out.writeNullableString("é"),
          out -> out.writeBytes(new byte[3]),
          out -> out.writeInstant(Instant.ofEpochSecond(70, 130)));

  private static final List<Function<Decoder, ?>> EACH_READ =
      List.of(
          Decoder::readByte,
          Decoder::readBoolean,
          Decoder::readUnsigned,
          Decoder::readSigned,
          Decoder::readInt,
          Decoder::readLong,
          Decoder::readDouble,
          Decoder::readString,
          in -> String.valueOf(in.readNullableString()),
          Decoder::readBytes,
          Decoder::readInstant);

  @ParameterizedTest
  @CsvSource({
    "0,00",
    "1,01",
    "127,7f",
    "128,8001",
    "300,ac02",
    "16383,ff7f",
    "16384,808001",
    "9223372036854775807,ffffffffffffffff7f",
    "-1,ffffffffffffffffff01",
    "-9223372036854775808,80808080808080808001"
  })
  void unsignedNumbers(long v, String hex) {
    assertThat(hex(out -> out.writeUnsigned(v))).isEqualTo(hex);
    Decoder in = in(hex);
    assertThat(in.readUnsigned()).isEqualTo(v);
    assertThat(in.remaining()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0,00",
    "-1,01",
    "1,02",
    "-2,03",
    "63,7e",
    "-64,7f",
    "64,8001",
    "9223372036854775807,feffffffffffffffff01",
    "-9223372036854775808,ffffffffffffffffff01"
  })
  void signedNumbers(long v, String hex) {
    assertThat(hex(out -> out.writeSigned(v))).isEqualTo(hex);
    assertThat(in(hex).readSigned()).isEqualTo(v);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8000",
        "ff00",
        "808000",
        "ffffffffffffffffff00",
        "ffffffffffffffffff02",
        "ffffffffffffffffff7f",
        "ffffffffffffffffffff01",
        "80808080808080808080808080808080808001"
      })
  void refusesNumbersThatAreTooLong(String hex) {
    assertThatThrownBy(() -> in(hex).readUnsigned()).isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> in(hex).readSigned()).isInstanceOf(CodecException.class);
  }

  @Test
  void fixedNumbers() {
    assertThat(hex(out -> out.writeByte(0x1ff).writeInt(0x01020384).writeLong(0x0102030485060788L)))
        .isEqualTo("ff010203840102030485060788");
    Decoder in = in("ff01020384fefdfcfb85060788");
    assertThat(in.readByte()).isEqualTo(255);
    assertThat(in.readInt()).isEqualTo(0x01020384);
    assertThat(in.readLong()).isEqualTo(0xfefdfcfb85060788L);
  }

  @Test
  void doublesAreWhatEqualsTellsApart() {
    assertThat(hex(out -> out.writeDouble(1.5))).isEqualTo("3ff8000000000000");
    assertThat(in("8000000000000000").readDouble()).isEqualTo(-0.0);
    assertThat(hex(out -> out.writeDouble(Double.longBitsToDouble(0x7ff8000000000001L))))
        .isEqualTo("7ff8000000000000");
    assertThat(in("7ff8000000000000").readDouble()).isNaN();
    assertThatThrownBy(() -> in("7ff8000000000001").readDouble())
        .isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> in("fff8000000000000").readDouble())
        .isInstanceOf(CodecException.class);
  }

  @Test
  void booleansAreZeroOrOne() {
    assertThat(hex(out -> out.writeBoolean(true).writeBoolean(false))).isEqualTo("0100");
    Decoder in = in("010002");
    assertThat(in.readBoolean()).isTrue();
    assertThat(in.readBoolean()).isFalse();
    assertThatThrownBy(in::readBoolean)
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("2, not 0 or 1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "withdraw",
        "\u0000\u007f",
        "\u0080",
        "\u07ff",
        "\u0800",
        "\ud7ff\ue000",
        "\uffff",
        "\ufffd",
        "a?\ufffdé",
        "😀",
        "abc😀déf",
        "\udbff\udfff"
      })
  void textIsUtf8(String text) {
    byte[] utf8 = text.getBytes(UTF_8);
    Encoder out = new Encoder(0).writeString(text).writeNullableString(text);
    assertThat(out.toByteArray())
        .isEqualTo(
            new Encoder()
                .writeBytes(utf8)
                .writeUnsigned(utf8.length + 1)
                .writeRaw(utf8, 0, utf8.length)
                .toByteArray());
    Decoder in = new Decoder(out.toByteArray());
    assertThat(in.readString()).isEqualTo(text);
    assertThat(in.readNullableString()).isEqualTo(text);
    assertThat(in.remaining()).isZero();
  }

  /** The decoder knows the text before, and must not take another for it. */
  @Test
  void textsAreReadOneAfterAnother() {
    List<String> texts = List.of("", "a1", "a1", "a2", "1a", "a2", "", "", "é", "a1");
    Encoder out = new Encoder();
    texts.forEach(out::writeString);
    Decoder in = new Decoder(out.toByteArray());
    for (String text : texts) {
      assertThat(in.readString()).isEqualTo(text);
    }
    assertThat(in.remaining()).isZero();
  }

  @Test
  void longTextGrowsTheBuffer() {
    for (String part : List.of("a", "é", "€", "😀")) {
      String text = "x".repeat(200) + part.repeat(5_000);
      Encoder out = new Encoder(1).writeString(text);
      assertThat(new Decoder(out.array(), 0, out.length()).readString()).isEqualTo(text);
    }
  }

  @Test
  void nullTextIsZero() {
    assertThat(hex(out -> out.writeNullableString(null).writeNullableString(""))).isEqualTo("0001");
    Decoder in = in("0001");
    assertThat(in.readNullableString()).isNull();
    assertThat(in.readNullableString()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\ud800",
        "\udc00",
        "abc\ud800",
        "\ud800abc",
        "\udc00\ud800",
        "é\ud83d\ud83d\ude00",
        "\ud83d\ude00\ude00"
      })
  void halfASurrogatePairIsRefused(String text) {
    Encoder out = new Encoder().writeString("before");
    int length = out.length();
    assertThatThrownBy(() -> out.writeString(text))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("lacks its other half");
    assertThatThrownBy(() -> out.writeNullableString(text)).isInstanceOf(CodecException.class);
    assertThat(out.length()).isEqualTo(length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "01ff", // never in UTF-8
        "0180", // the middle of a character
        "01c3", // half a character
        "02c080", // 0 in two bytes
        "03eda080", // half a surrogate pair
        "04f4908080", // beyond the last character
        "04efbfbdff" // U+FFFD itself is fine, what follows it is not
      })
  void brokenTextIsRefused(String hex) {
    assertThatThrownBy(() -> in(hex).readString())
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void bytesWithAndWithoutTheirCount() {
    byte[] bytes = {1, 2, 3, 4};
    assertThat(hex(out -> out.writeBytes(bytes).writeRaw(bytes, 1, 2))).isEqualTo("04010203040203");
    Decoder in = in("0401020304");
    byte[] read = in.readBytes();
    assertThat(read).isEqualTo(bytes);
    read[0] = 9;
    assertThat(in.array()[1]).as("a copy").isEqualTo((byte) 1);
    assertThatThrownBy(() -> new Encoder().writeRaw(bytes, 2, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void instants() {
    assertThat(hex(out -> out.writeInstant(Instant.ofEpochSecond(-1, 999_999_999))))
        .isEqualTo("01ff93ebdc03");
    for (Instant time : List.of(Instant.MIN, Instant.MAX, Instant.EPOCH)) {
      assertThat(new Decoder(new Encoder().writeInstant(time).toByteArray()).readInstant())
          .isEqualTo(time);
    }
    for (Encoder bad :
        List.of(
            new Encoder().writeSigned(0).writeUnsigned(1_000_000_000),
            new Encoder().writeSigned(0).writeUnsigned(-1),
            new Encoder().writeSigned(Long.MAX_VALUE).writeUnsigned(0),
            new Encoder().writeSigned(Instant.MAX.getEpochSecond() + 1).writeUnsigned(0))) {
      assertThatThrownBy(() -> new Decoder(bad.toByteArray()).readInstant())
          .isInstanceOf(CodecException.class);
    }
  }

  @Test
  void countsAreAtMostTheBytesLeft() {
    assertThat(in("020000").readCount()).isEqualTo(2);
    for (String hex : List.of("030000", "ffffffff07", "ffffffffffffffffff01", "8080808010")) {
      assertThatThrownBy(() -> in(hex).readCount())
          .isInstanceOf(CodecException.class)
          .hasMessageContaining("bytes are left");
      assertThatThrownBy(() -> in(hex).readBytes()).isInstanceOf(CodecException.class);
      assertThatThrownBy(() -> in(hex).readString()).isInstanceOf(CodecException.class);
    }
  }

  @Test
  void everyTruncationIsRefused() {
    for (int i = 0; i < EACH.size(); i++) {
      Encoder out = new Encoder();
      EACH.get(i).accept(out);
      Function<Decoder, ?> read = EACH_READ.get(i);
      Decoder whole = new Decoder(out.toByteArray());
      assertThat((Object) read.apply(whole)).isNotNull();
      assertThat(whole.remaining()).isZero();
      for (int length = 0; length < out.length(); length++) {
        // The rest is in the array, but not in the part that is given.
        Decoder part = new Decoder(out.array(), 0, length);
        assertThatThrownBy(() -> read.apply(part)).isInstanceOf(CodecException.class);
      }
    }
  }

  @Test
  void aPartOfAnArrayIsRead() {
    byte[] bytes = {9, 1, 2, 3, 9};
    Decoder in = new Decoder(bytes, 1, 3);
    assertThat(in.array()).isSameAs(bytes);
    assertThat(in.position()).isEqualTo(1);
    assertThat(in.readByte()).isEqualTo(1);
    assertThat(in.position()).isEqualTo(2);
    assertThat(in.remaining()).isEqualTo(2);
    in.skip(1);
    assertThat(in.readByte()).isEqualTo(3);
    in.skip(0);
    assertThatThrownBy(() -> in.skip(1)).isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> in.skip(-1)).isInstanceOf(CodecException.class);
    assertThatThrownBy(in::readByte).isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> new Decoder(bytes, 3, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void theBufferIsUsedAgain() {
    Encoder out = new Encoder(2);
    out.writeLong(1);
    byte[] array = out.array();
    out.truncate(0);
    assertThat(out.length()).isZero();
    out.writeInt(7);
    assertThat(out.array()).isSameAs(array);
    out.truncate(3);
    assertThat(out.toByteArray()).isEqualTo(new byte[3]);
    assertThatThrownBy(() -> out.truncate(4)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> out.truncate(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void numbersAreWrittenOverLater() {
    Encoder out = new Encoder().writeByte(1).writeInt(0).writeLong(0).writeByte(2);
    out.setInt(1, 0x01020304);
    out.setLong(5, 0x1112131415161718L);
    assertThat(HexFormat.of().formatHex(out.toByteArray()))
        .isEqualTo("01010203041112131415161718" + "02");
    assertThatThrownBy(() -> out.setInt(11, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> out.setLong(7, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> out.setInt(-1, 0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static String hex(Consumer<Encoder> writes) {
    Encoder out = new Encoder(0);
    writes.accept(out);
    return HexFormat.of().formatHex(out.toByteArray());
  }

  private static Decoder in(String hex) {
    return new Decoder(HexFormat.of().parseHex(hex));
  }
}
