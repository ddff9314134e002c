package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** What holds for all values, and for all bytes and schemas, however broken. */
class CodecPropertiesTest {
  record Everything(
      Primitives primitives,
      @Nullable Boxes boxes,
      @Nullable Others others,
      @Nullable Figure shape,
      List<@Nullable Figure> shapes,
      @Nullable List<@Nullable List<@Nullable String>> lists) {}

  record Primitives(boolean flag, byte b, short s, int i, long l, char c, float f, double d) {}

  record Boxes(
      @Nullable Boolean flag,
      @Nullable Byte b,
      @Nullable Short s,
      @Nullable Integer i,
      @Nullable Long l,
      @Nullable Character c,
      @Nullable Float f,
      @Nullable Double d) {}

  record Others(
      @Nullable String text,
      @Nullable BigInteger integer,
      @Nullable BigDecimal decimal,
      @Nullable Instant instant,
      @Nullable LocalDate date,
      @Nullable Duration duration,
      @Nullable UUID uuid) {}

  sealed interface Figure permits Round, Sum, Color {}

  sealed interface Round extends Figure permits Circle, Dot {}

  record Circle(double radius) implements Round {}

  record Dot() implements Round {}

  record Sum(@Nullable Figure left, List<@Nullable Figure> right, @Nullable Color color)
      implements Figure {}

  enum Color implements Figure {
    RED,
    GREEN,
    BLUE
  }

  private static final Codec<Everything> EVERYTHING = Codec.of(Everything.class);

  @Property(tries = 500)
  void whatIsWrittenIsReadAndWrittenTheSameAgain(@ForAll("everything") Everything value) {
    byte[] bytes = encode(EVERYTHING, value);
    Decoder in = new Decoder(bytes);
    Everything read = EVERYTHING.decode(in);
    assertThat(read).isEqualTo(value);
    assertThat(in.remaining()).isZero();
    assertThat(encode(EVERYTHING, read)).isEqualTo(bytes);
  }

  /** Narrow enough that equal ones are drawn often. */
  @Property(tries = 1000)
  void equalValuesAndNoOthersGiveEqualBytes(@ForAll("few") Sum one, @ForAll("few") Sum two) {
    Codec<Sum> codec = Codec.of(Sum.class);
    assertThat(Arrays.equals(encode(codec, one), encode(codec, two))).isEqualTo(one.equals(two));
    Sum copy = new Sum(one.left(), new ArrayList<>(one.right()), one.color());
    assertThat(encode(codec, copy)).isEqualTo(encode(codec, one));
  }

  /** Canonical: what is not refused is exactly what the encoder writes. */
  @Property(tries = 1000)
  void brokenBytesAreRefusedOrAnothersValue(
      @ForAll("everything") Everything value, @ForAll Random random) {
    assertRefusedOrCanonical(EVERYTHING, broken(encode(EVERYTHING, value), random));
  }

  @Property(tries = 1000)
  void randomBytesAreRefusedOrAValue(@ForAll byte[] bytes) {
    assertRefusedOrCanonical(EVERYTHING, bytes);
    assertRefusedOrCanonical(Codec.of(Figure.class), bytes);
    assertRefusedOrCanonical(Codec.of(Others.class), bytes);
    assertRefusedOrCanonical(Codec.of(Boxes.class), bytes);
    assertRefusedOrCanonical(Codec.of(String.class), bytes);
    assertRefusedOrCanonical(Codec.of(BigDecimal.class), bytes);
  }

  @Property(tries = 300)
  void everyTruncationIsRefused(@ForAll("everything") Everything value) {
    byte[] bytes = encode(EVERYTHING, value);
    for (int length = 0; length < bytes.length; length++) {
      Decoder part = new Decoder(bytes, 0, length);
      assertThatThrownBy(() -> EVERYTHING.decode(part)).isInstanceOf(CodecException.class);
    }
  }

  @Property(tries = 500)
  void brokenBytesTakeLittleMemory(@ForAll("everything") Everything value, @ForAll Random random) {
    byte[] bytes = broken(encode(EVERYTHING, value), random);
    assertThat(allocated(() -> refusedOr(EVERYTHING, new Decoder(bytes)))).isLessThan(1 << 20);
  }

  record Grid(List<List<List<Long>>> cells) {}

  record Nest(List<Nest> all) {}

  @Example
  void promisesTakeNoMemory() {
    Codec<Grid> grid = Codec.of(Grid.class);
    Codec<String> text = Codec.of(String.class);
    Codec<BigDecimal> decimal = Codec.of(BigDecimal.class);
    for (long promise : new long[] {1 << 20, Integer.MAX_VALUE, Long.MAX_VALUE, -1}) {
      byte[] bytes = new Encoder().writeUnsigned(promise).writeLong(0).toByteArray();
      for (Codec<?> codec : List.of(grid, text, decimal)) {
        assertThat(allocated(() -> refusedOr(codec, new Decoder(bytes)))).isLessThan(64 << 10);
      }
    }
    // Each of many lists in each other promises as many elements as there are bytes left.
    int size = 1 << 18;
    Encoder out = new Encoder(size);
    for (int i = 0; i < 31; i++) {
      out.writeUnsigned(size - out.length() - 4).writeByte(1);
    }
    out.writeRaw(new byte[size], 0, size - out.length());
    assertThat(allocated(() -> refusedOr(Codec.of(Nest.class), new Decoder(out.toByteArray()))))
        .isLessThan(8 << 20);
  }

  @Property(tries = 1000)
  void brokenSchemasAreRefusedOrReadNothingElseThanMalformed(
      @ForAll("schemas") String schema,
      @ForAll byte[] bytes,
      @ForAll("everything") Everything any) {
    Codec<Everything> codec;
    try {
      codec = EVERYTHING.reading(schema, any);
    } catch (CodecException e) {
      return;
    }
    refusedOr(codec, new Decoder(bytes));
    refusedOr(codec, new Decoder(encode(EVERYTHING, any)));
  }

  /** Fields in another order, and some of them not there yet. */
  @Property(tries = 300)
  void fieldsAreReadByName(@ForAll("primitives") Primitives value, @ForAll Random random) {
    List<String> fields =
        new ArrayList<>(
            List.of(
                "flag:boolean",
                "b:byte",
                "s:short",
                "i:int",
                "l:long",
                "c:char",
                "f:float",
                "d:double"));
    Collections.shuffle(fields, random);
    List<String> stored = fields.subList(0, random.nextInt(fields.size() + 1));
    Encoder out = new Encoder();
    for (String field : stored) {
      switch (field) {
        case "flag:boolean" -> out.writeBoolean(value.flag());
        case "b:byte" -> out.writeByte(value.b());
        case "s:short" -> out.writeSigned(value.s());
        case "i:int" -> out.writeSigned(value.i());
        case "l:long" -> out.writeSigned(value.l());
        case "c:char" -> out.writeUnsigned(value.c());
        case "f:float" -> out.writeInt(Float.floatToIntBits(value.f()));
        default -> out.writeDouble(value.d());
      }
    }
    Primitives defaults = new Primitives(true, (byte) 9, (short) 9, 9, 9, '9', 9, 9);
    Primitives read =
        Codec.of(Primitives.class)
            .reading("Primitives{" + String.join(",", stored) + "}", defaults)
            .decode(new Decoder(out.toByteArray()));
    assertThat(read)
        .isEqualTo(
            new Primitives(
                stored.contains("flag:boolean") ? value.flag() : defaults.flag(),
                stored.contains("b:byte") ? value.b() : defaults.b(),
                stored.contains("s:short") ? value.s() : defaults.s(),
                stored.contains("i:int") ? value.i() : defaults.i(),
                stored.contains("l:long") ? value.l() : defaults.l(),
                stored.contains("c:char") ? value.c() : defaults.c(),
                stored.contains("f:float") ? value.f() : defaults.f(),
                stored.contains("d:double") ? value.d() : defaults.d()));
  }

  @Property
  void numbersOfAnyLength(@ForAll long v) {
    Decoder in = new Decoder(new Encoder(0).writeUnsigned(v).writeSigned(v).toByteArray());
    assertThat(in.readUnsigned()).isEqualTo(v);
    assertThat(in.readSigned()).isEqualTo(v);
    assertThat(in.remaining()).isZero();
  }

  @Property
  void textIsUtf8OrRefused(@ForAll("chars") String text) {
    Encoder out = new Encoder(0);
    if (UTF_8.newEncoder().canEncode(text)) {
      byte[] utf8 = text.getBytes(UTF_8);
      assertThat(out.writeString(text).toByteArray())
          .isEqualTo(new Encoder().writeBytes(utf8).toByteArray());
      assertThat(new Decoder(out.toByteArray()).readString()).isEqualTo(text);
    } else {
      assertThatThrownBy(() -> out.writeString(text)).isInstanceOf(CodecException.class);
      assertThat(out.length()).isZero();
    }
  }

  @Provide
  Arbitrary<String> chars() {
    return Arbitraries.chars()
        .all()
        .list()
        .ofMaxSize(6)
        .map(
            chars -> {
              StringBuilder text = new StringBuilder();
              chars.forEach(text::append);
              return text.toString();
            })
        .flatMap(text -> Arbitraries.of(text, text + "\ud83d\ude00", text + "plain"));
  }

  @Provide
  Arbitrary<String> schemas() {
    Arbitrary<String> mutated =
        Arbitraries.randoms()
            .map(
                random -> {
                  StringBuilder text = new StringBuilder(EVERYTHING.schema());
                  String symbols = "{}[]()<>,:;.aList \u0000\ud800é";
                  for (int i = random.nextInt(4); i >= 0 && !text.isEmpty(); i--) {
                    int at = random.nextInt(text.length());
                    char symbol = symbols.charAt(random.nextInt(symbols.length()));
                    switch (random.nextInt(5)) {
                      case 0 -> text.setCharAt(at, symbol);
                      case 1 -> text.insert(at, symbol);
                      case 2 -> text.deleteCharAt(at);
                      case 3 -> text.setLength(at + 1);
                      default -> {
                        int to = Math.min(text.length(), at + random.nextInt(40));
                        text.insert(random.nextInt(text.length()), text.substring(at, to));
                      }
                    }
                  }
                  return text.toString();
                });
    Arbitrary<String> retyped =
        Arbitraries.of("int", "long", "String", "Integer", "List<String>", "Figure", "Color", "Dot")
            .flatMap(
                one ->
                    Arbitraries.of("int", "long", "String", "Boxes", "Figure", "Color")
                        .map(other -> EVERYTHING.schema().replace(":" + other, ":" + one)));
    Arbitrary<String> any = Arbitraries.strings().withChars("{}[]()<>,:;.ab").ofMaxLength(30);
    return Arbitraries.frequencyOf(
        Tuple.of(6, mutated), Tuple.of(2, retyped), Tuple.of(1, any), Tuple.of(1, chars()));
  }

  @Provide
  Arbitrary<Sum> few() {
    Arbitrary<Figure> leaf =
        Arbitraries.of(Color.RED, Color.GREEN, new Dot(), new Circle(0.0), new Circle(-0.0));
    return Combinators.combine(
            leaf.injectNull(0.2),
            leaf.injectNull(0.2).list().ofMaxSize(1),
            Arbitraries.of(Color.RED).injectNull(0.5))
        .as(Sum::new);
  }

  @Provide
  Arbitrary<Everything> everything() {
    Arbitrary<@Nullable Figure> shape = shapes(3);
    return Combinators.combine(
            primitives(),
            boxes().injectNull(0.2),
            others().injectNull(0.2),
            shape,
            shape.list().ofMaxSize(3),
            text()
                .injectNull(0.2)
                .list()
                .ofMaxSize(3)
                .injectNull(0.2)
                .list()
                .ofMaxSize(3)
                .injectNull(0.2))
        .as(Everything::new)
        // Thousands of combinations, made anew for each property. CodecTest has the ends of ranges.
        .withoutEdgeCases();
  }

  private static Arbitrary<@Nullable Figure> shapes(int depth) {
    Arbitrary<Figure> leaf =
        Arbitraries.oneOf(
            Arbitraries.of(Color.class),
            Arbitraries.just(new Dot()),
            Arbitraries.doubles().map(Circle::new));
    if (depth == 0) {
      return leaf.injectNull(0.1);
    }
    Arbitrary<Figure> sum =
        Combinators.combine(
                shapes(depth - 1),
                shapes(depth - 1).list().ofMaxSize(2),
                Arbitraries.of(Color.class).injectNull(0.3))
            .as(Sum::new);
    return Arbitraries.oneOf(leaf, sum).injectNull(0.1);
  }

  @Provide
  Arbitrary<Primitives> primitives() {
    return Combinators.combine(
            Arbitraries.of(true, false),
            Arbitraries.bytes(),
            Arbitraries.shorts(),
            Arbitraries.integers(),
            Arbitraries.longs(),
            Arbitraries.chars().all(),
            floats(),
            doubles())
        .as(Primitives::new);
  }

  private static Arbitrary<Boxes> boxes() {
    return Combinators.combine(
            Arbitraries.of(true, false).injectNull(0.2),
            Arbitraries.bytes().injectNull(0.2),
            Arbitraries.shorts().injectNull(0.2),
            Arbitraries.integers().injectNull(0.2),
            Arbitraries.longs().injectNull(0.2),
            Arbitraries.chars().all().injectNull(0.2),
            floats().injectNull(0.2),
            doubles().injectNull(0.2))
        .as(Boxes::new);
  }

  private static Arbitrary<Others> others() {
    Arbitrary<Integer> nanos = Arbitraries.integers().between(0, 999_999_999);
    Arbitrary<BigInteger> integers =
        Arbitraries.bigIntegers()
            .between(BigInteger.TWO.pow(200).negate(), BigInteger.TWO.pow(200));
    return Combinators.combine(
            text().injectNull(0.2),
            integers.injectNull(0.2),
            Combinators.combine(integers, Arbitraries.integers())
                .as(BigDecimal::new)
                .injectNull(0.2),
            Combinators.combine(
                    Arbitraries.longs()
                        .between(Instant.MIN.getEpochSecond(), Instant.MAX.getEpochSecond()),
                    nanos)
                .as((seconds, nano) -> Instant.ofEpochSecond(seconds, nano))
                .injectNull(0.2),
            Arbitraries.longs()
                .between(LocalDate.MIN.toEpochDay(), LocalDate.MAX.toEpochDay())
                .map(LocalDate::ofEpochDay)
                .injectNull(0.2),
            Combinators.combine(Arbitraries.longs(), nanos)
                .as((seconds, nano) -> Duration.ofSeconds(seconds, nano))
                .injectNull(0.2),
            Combinators.combine(Arbitraries.longs(), Arbitraries.longs())
                .as(UUID::new)
                .injectNull(0.2))
        .as(Others::new);
  }

  private static Arbitrary<Float> floats() {
    return Arbitraries.integers().map(Float::intBitsToFloat);
  }

  private static Arbitrary<Double> doubles() {
    return Arbitraries.longs().map(Double::longBitsToDouble);
  }

  private static Arbitrary<String> text() {
    Arbitrary<Integer> points =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 0x7f),
            Arbitraries.integers().between(0x80, 0xd7ff),
            Arbitraries.integers().between(0xe000, 0x10ffff));
    return points
        .list()
        .ofMaxSize(8)
        .map(
            list -> {
              StringBuilder text = new StringBuilder();
              list.forEach(text::appendCodePoint);
              return text.toString();
            });
  }

  private static byte[] broken(byte[] bytes, Random random) {
    Encoder out = new Encoder();
    int at = random.nextInt(bytes.length);
    out.writeRaw(bytes, 0, at);
    switch (random.nextInt(4)) {
      case 0 ->
          out.writeByte(bytes[at] ^ 1 << random.nextInt(8))
              .writeRaw(bytes, at + 1, bytes.length - at - 1);
      case 1 -> out.writeByte(random.nextInt()).writeRaw(bytes, at, bytes.length - at);
      case 2 -> out.writeRaw(bytes, at + 1, bytes.length - at - 1);
      default ->
          out.writeUnsigned(random.nextLong()).writeRaw(bytes, at + 1, bytes.length - at - 1);
    }
    return out.toByteArray();
  }

  private static <T> void assertRefusedOrCanonical(Codec<T> codec, byte[] bytes) {
    Decoder in = new Decoder(bytes);
    T value = refusedOr(codec, in);
    if (value != null) {
      assertThat(encode(codec, value)).isEqualTo(Arrays.copyOf(bytes, in.position()));
    }
  }

  /** The value, or null if the bytes were refused in the one way that is allowed. */
  private static <T> @Nullable T refusedOr(Codec<T> codec, Decoder in) {
    try {
      return codec.decode(in);
    } catch (CodecException e) {
      assertThat(e).hasMessageContaining(": ");
      return null;
    }
  }

  private static long allocated(Runnable run) {
    run.run(); // what is loaded and linked the first time does not count
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    run.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static <T> byte[] encode(Codec<T> codec, T value) {
    Encoder out = new Encoder();
    codec.encode(value, out);
    return out.toByteArray();
  }
}
