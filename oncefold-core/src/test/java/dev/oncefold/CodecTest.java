package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Constructor;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the default codec covers, its schemas and bytes, and what it refuses. */
class CodecTest {
  record Account(long cents, long payments) {}

  record Payment(String account, String kind, long cents) {}

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
      @Nullable UUID uuid,
      @Nullable Color color) {}

  enum Color {
    RED,
    GREEN {
      @Override
      public String toString() {
        return "another class than Color";
      }
    }
  }

  record Line(@Nullable String sku, int count) {}

  record Order(
      @Nullable String id,
      @Nullable List<@Nullable Line> lines,
      @Nullable List<@Nullable List<@Nullable Integer>> numbers,
      @Nullable Line best) {}

  sealed interface Tree permits Leaf, Branch {}

  record Leaf(BigDecimal value) implements Tree {}

  record Branch(@Nullable Tree left, @Nullable Tree right) implements Tree {}

  record Chain(@Nullable Chain next) {}

  record Nested(List<Nested> all) {}

  record Links(@Nullable Links next, @Nullable List<Long> list) {}

  record Empty() {}

  sealed interface Command permits Deposit, Transfer, Mode {}

  sealed interface Transfer extends Command permits In, Out {}

  record Deposit(long cents) implements Command {}

  record In(long cents) implements Transfer {}

  record Out(long cents, @Nullable Transfer answer) implements Transfer {}

  enum Mode implements Command {
    ON,
    OFF
  }

  private record Hidden(int x) {}

  @SuppressWarnings("UnusedTypeParameter")
  record Tagged<T>(long id) {}

  record Tags(@Nullable Tagged<String> tag, @Nullable Tagged<Long> other) {}

  record Positive(long cents) {
    Positive {
      if (cents <= 0) {
        throw new IllegalArgumentException("not positive");
      }
    }
  }

  record Purse(List<Positive> coins) {}

  record Thrower(int a, int b) {
    @Override
    public int b() {
      throw new IllegalStateException("no b today");
    }
  }

  static List<Object> values() {
    return List.of(
        new Account(-5, Long.MAX_VALUE),
        new Payment("alice", "", -1),
        new Primitives(
            true,
            Byte.MIN_VALUE,
            Short.MIN_VALUE,
            Integer.MIN_VALUE,
            Long.MIN_VALUE,
            '\ud800',
            -0f,
            Double.MIN_VALUE),
        new Primitives(
            false,
            (byte) 127,
            Short.MAX_VALUE,
            Integer.MAX_VALUE,
            0,
            '\uffff',
            Float.NaN,
            Double.NaN),
        new Boxes(null, null, null, null, null, null, null, null),
        new Boxes(false, (byte) 0, (short) 0, 0, 0L, 'a', 0f, 0d),
        new Boxes(true, (byte) -1, (short) -1, -1, -1L, '\0', -1f, -1d),
        new Others(null, null, null, null, null, null, null, null),
        new Others(
            "😀",
            BigInteger.ONE.shiftLeft(300).negate(),
            new BigDecimal("1.00"),
            Instant.MIN,
            LocalDate.MAX,
            Duration.ofSeconds(Long.MIN_VALUE, 999_999_999),
            new UUID(-1, 1),
            Color.GREEN),
        new Others(
            "",
            BigInteger.ZERO,
            new BigDecimal(BigInteger.TEN, Integer.MIN_VALUE),
            Instant.MAX,
            LocalDate.MIN,
            Duration.ZERO,
            new UUID(0, 0),
            Color.RED),
        new Order(null, null, null, null),
        new Order(
            "o-1",
            Arrays.asList(new Line("a", 1), null, new Line(null, 0)),
            Arrays.asList(List.of(), null, Arrays.asList(1, null, -1)),
            new Line("b", 2)),
        new Leaf(new BigDecimal("-0.10")),
        new Branch(new Branch(new Leaf(BigDecimal.ZERO), null), null),
        new Chain(new Chain(new Chain(null))),
        new Nested(List.of(new Nested(List.of()), new Nested(List.of()))),
        new Empty(),
        new Hidden(4),
        new Tags(new Tagged<>(1), null),
        "text",
        7,
        -7L,
        'c',
        true,
        (byte) 3,
        (short) 4,
        5f,
        6d,
        new BigDecimal("10.50"),
        BigInteger.TWO,
        Instant.EPOCH,
        LocalDate.EPOCH,
        Duration.ofNanos(-1),
        new UUID(1, 2),
        Color.RED,
        TimeUnit.DAYS);
  }

  @ParameterizedTest
  @MethodSource("values")
  void whatIsWrittenIsReadAndNoByteAfterIt(Object value) {
    assertRoundTrip(codecOf(value), value);
  }

  @ParameterizedTest
  @MethodSource("values")
  void everyTruncationIsRefused(Object value) {
    Codec<Object> codec = codecOf(value);
    byte[] bytes = encode(codec, value);
    for (int length = 0; length < bytes.length; length++) {
      Decoder part = new Decoder(bytes, 0, length);
      assertThatThrownBy(() -> codec.decode(part)).isInstanceOf(CodecException.class);
    }
  }

  @Test
  void sealedInterfaces() {
    Codec<Command> codec = Codec.of(Command.class);
    for (Command command :
        List.of(new Deposit(1), new In(2), new Out(3, new In(4)), new Out(5, null), Mode.OFF)) {
      assertRoundTrip(codec, command);
    }
    assertRoundTrip(Codec.of(Tree.class), new Branch(null, new Leaf(BigDecimal.ONE)));
  }

  @Test
  void primitiveClassesToo() {
    assertRoundTrip(Codec.of(int.class), 3);
    assertThat(Codec.of(int.class).schema()).isEqualTo("int");
  }

  @Test
  void schemasAreReadable() {
    assertThat(Codec.of(Account.class).schema()).isEqualTo("Account{cents:long,payments:long}");
    assertThat(Codec.of(Primitives.class).schema())
        .isEqualTo("Primitives{flag:boolean,b:byte,s:short,i:int,l:long,c:char,f:float,d:double}");
    assertThat(Codec.of(Boxes.class).schema())
        .isEqualTo(
            "Boxes{flag:Boolean,b:Byte,s:Short,i:Integer,l:Long,c:Character,f:Float,d:Double}");
    assertThat(Codec.of(Others.class).schema())
        .isEqualTo(
            "Others{text:String,integer:BigInteger,decimal:BigDecimal,instant:Instant,"
                + "date:LocalDate,duration:Duration,uuid:UUID,color:Color};Color(RED,GREEN)");
    assertThat(Codec.of(Order.class).schema())
        .isEqualTo(
            "Order{id:String,lines:List<Line>,numbers:List<List<Integer>>,best:Line};"
                + "Line{sku:String,count:int}");
    assertThat(Codec.of(Tree.class).schema())
        .isEqualTo("Tree[Leaf,Branch];Leaf{value:BigDecimal};Branch{left:Tree,right:Tree}");
    assertThat(Codec.of(Leaf.class).schema()).isEqualTo("Leaf{value:BigDecimal}");
    assertThat(Codec.of(Command.class).schema())
        .isEqualTo(
            "Command[Deposit,In,Out,Mode];Deposit{cents:long};In{cents:long};"
                + "Out{cents:long,answer:Transfer};Mode(ON,OFF);Transfer[In,Out]");
    assertThat(Codec.of(Empty.class).schema()).isEqualTo("Empty{}");
    assertThat(Codec.of(Color.class).schema()).isEqualTo("Color(RED,GREEN)");
    assertThat(Codec.of(Tags.class).schema())
        .isEqualTo("Tags{tag:Tagged,other:Tagged};Tagged{id:long}");
    assertThat(Codec.of(String.class).schema()).isEqualTo("String");
  }

  static List<List<Object>> bytes() {
    return List.of(
        List.of(new Account(1, -1), "0201"),
        List.of(new Payment("a", "é", 64), "0261" + "03c3a9" + "8001"),
        List.of(
            new Primitives(true, (byte) -1, (short) -1, 1, 2, 'b', 1f, 1d),
            "01" + "ff" + "01" + "02" + "04" + "62" + "3f800000" + "3ff0000000000000"),
        List.of(
            new Boxes(null, (byte) 5, null, 1, null, 'b', null, null),
            "000105000102000162" + "0000"),
        List.of(
            new Others(
                null,
                BigInteger.valueOf(128),
                new BigDecimal("-1.5"),
                Instant.ofEpochSecond(1, 2),
                LocalDate.ofEpochDay(-1),
                Duration.ofSeconds(1, 2),
                new UUID(1, 2),
                Color.GREEN),
            "00"
                + "01020080"
                + "0101f102"
                + "010202"
                + "0101"
                + "010202"
                + "0100000000000000010000000000000002"
                + "02"),
        List.of(
            new Order("", Arrays.asList(null, new Line("s", 1)), List.of(), null),
            "01" + "03" + "00" + "01027302" + "01" + "00"),
        List.of(new Out(1, new In(2)), "02" + "0104"),
        List.of("ab", "026162"),
        List.of(Color.GREEN, "01"));
  }

  @ParameterizedTest
  @MethodSource("bytes")
  void theBytesAreWhatTheFormatSays(List<Object> valueAndHex) {
    Object value = valueAndHex.get(0);
    assertThat(HexFormat.of().formatHex(encode(codecOf(value), value)))
        .isEqualTo(valueAndHex.get(1));
  }

  @Test
  void aSealedInterfaceWritesTheIndexOfItsVariant() {
    assertThat(hex(Codec.of(Command.class), new In(1))).isEqualTo("0102");
    assertThat(hex(Codec.of(Command.class), Mode.OFF)).isEqualTo("0301");
    assertThat(hex(Codec.of(Branch.class), new Branch(new Leaf(BigDecimal.ONE), null)))
        .isEqualTo("01" + "01010100" + "00");
  }

  /** The same simple name twice, and the name of a basic type. */
  static final class Other {
    record Line(long price) {}

    record Instant(int tick) {}

    record List(int length) {}
  }

  record Mixed(Line line, Other.Line other, Instant time, Other.Instant tick, Other.List list) {}

  @Test
  void typesThatShareASimpleNameAreToldApart() {
    Codec<Mixed> codec = Codec.of(Mixed.class);
    assertThat(codec.schema())
        .isEqualTo(
            "Mixed{line:dev.oncefold.CodecTest.Line,other:dev.oncefold.CodecTest.Other.Line,"
                + "time:Instant,tick:dev.oncefold.CodecTest.Other.Instant,"
                + "list:dev.oncefold.CodecTest.Other.List};"
                + "dev.oncefold.CodecTest.Line{sku:String,count:int};"
                + "dev.oncefold.CodecTest.Other.Line{price:long};"
                + "dev.oncefold.CodecTest.Other.Instant{tick:int};"
                + "dev.oncefold.CodecTest.Other.List{length:int}");
    assertRoundTrip(
        codec,
        new Mixed(
            new Line("a", 1),
            new Other.Line(2),
            Instant.EPOCH,
            new Other.Instant(3),
            new Other.List(4)));
  }

  @Test
  void recordsWithinMethods() {
    record Inner(int x) {}
    record Local(Inner inner) {}
    Codec<Local> codec = Codec.of(Local.class);
    assertThat(codec.schema()).isEqualTo("Local{inner:Inner};Inner{x:int}");
    assertRoundTrip(codec, new Local(new Inner(1)));
  }

  @Test
  void askingTwiceGivesTheSameCodec() {
    assertThat(Codec.of(Account.class)).isSameAs(Codec.of(Account.class));
  }

  @Test
  void listsAreEqualWhateverHoldsThem() {
    Codec<Order> codec = Codec.of(Order.class);
    Line line = new Line("a", 1);
    byte[] bytes = encode(codec, new Order("o", List.of(line, line), null, null));
    assertThat(encode(codec, new Order("o", Collections.nCopies(2, line), null, null)))
        .isEqualTo(bytes);
    List<@Nullable Line> read = lines(codec.decode(new Decoder(bytes)));
    assertThatThrownBy(() -> read.add(line)).isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> read.set(0, null)).isInstanceOf(UnsupportedOperationException.class);
  }

  private static List<@Nullable Line> lines(Order order) {
    List<@Nullable Line> lines = order.lines();
    if (lines == null) {
      throw new AssertionError("no lines");
    }
    return lines;
  }

  @Test
  void scalesAreKept() {
    Codec<BigDecimal> codec = Codec.of(BigDecimal.class);
    assertThat(encode(codec, new BigDecimal("1.0"))).isNotEqualTo(encode(codec, BigDecimal.ONE));
    assertRoundTrip(codec, new BigDecimal(BigInteger.ONE, Integer.MAX_VALUE));
  }

  @Test
  void nestingIsLimited() {
    assertRoundTrip(Codec.of(Chain.class), chain(64));
    assertDepthRefused(Codec.of(Chain.class), chain(65), "Chain.next.next.");
    assertDepthRefused(Codec.of(Chain.class), chain(50_000), "Chain.next.next.");
    assertRoundTrip(Codec.of(Nested.class), nested(32));
    assertDepthRefused(Codec.of(Nested.class), nested(33), "Nested.all[0].all[0].");
    Tree tree = new Leaf(BigDecimal.ONE);
    for (int i = 1; i < 64; i++) {
      tree = new Branch(null, tree);
    }
    assertRoundTrip(Codec.of(Tree.class), tree);
    assertDepthRefused(Codec.of(Tree.class), new Branch(tree, null), "Tree(Branch).left(Branch).");
    // 65 chains in each other, as an encoder without the limit would write them.
    byte[] deep = new byte[65];
    Arrays.fill(deep, 0, 64, (byte) 1);
    assertThatThrownBy(() -> Codec.of(Chain.class).decode(new Decoder(deep)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("nested");
    byte[] lists = new byte[100_000];
    for (int i = 0; i < lists.length; i++) {
      lists[i] = (byte) (i % 2 == 0 ? 2 : 1);
    }
    assertThatThrownBy(() -> Codec.of(Nested.class).decode(new Decoder(lists)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("nested");
    // A list in the 64th record.
    Links links = new Links(null, List.of());
    for (int i = 1; i < 64; i++) {
      links = new Links(links, null);
    }
    assertDepthRefused(Codec.of(Links.class), links, "Links.next.next.");
    byte[] nested = new byte[63 + 2 + 63];
    Arrays.fill(nested, 0, 63, (byte) 1);
    nested[64] = 1;
    assertThatThrownBy(() -> Codec.of(Links.class).decode(new Decoder(nested)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("nested");
    nested[64] = 0;
    assertThat(Codec.of(Links.class).decode(new Decoder(nested)).next()).isNotNull();
  }

  private static <T> void assertDepthRefused(Codec<T> codec, T value, String where) {
    assertThatThrownBy(() -> codec.encode(value, new Encoder()))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith(where)
        .hasMessageContaining("more than 64 records and lists");
  }

  private static Chain chain(int length) {
    Chain chain = new Chain(null);
    for (int i = 1; i < length; i++) {
      chain = new Chain(chain);
    }
    return chain;
  }

  private static Nested nested(int records) {
    Nested nested = new Nested(List.of());
    for (int i = 1; i < records; i++) {
      nested = new Nested(List.of(nested));
    }
    return nested;
  }

  @Test
  void troubleIsToldWithItsField() {
    Encoder out = new Encoder();
    assertThatThrownBy(() -> Codec.of(Payment.class).encode(new Payment("a", "\ud800", 1), out))
        .isInstanceOf(CodecException.class)
        .hasMessage("Payment.kind: the surrogate at index 0 of the text lacks its other half");
    Order order = new Order("o", List.of(new Line("a", 1), new Line("\udc00", 1)), null, null);
    assertThatThrownBy(() -> Codec.of(Order.class).encode(order, out))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Order.lines[1].sku: ");
    assertThatThrownBy(() -> decode(Codec.of(Order.class), "01" + "03" + "01" + "0261"))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Order.lines[0].count: ");
    assertThatThrownBy(() -> decode(Codec.of(Command.class), "02" + "02" + "0302"))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Command(Out).answer: there is no variant 2");
    assertThatThrownBy(() -> decode(Codec.of(String.class), "05"))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("String: ");
  }

  @Test
  @SuppressWarnings({"unchecked", "rawtypes", "NullAway"})
  void whatIsNoValueIsRefused() {
    Encoder out = new Encoder();
    assertThatThrownBy(() -> Codec.of(Account.class).encode(null, out))
        .isInstanceOf(CodecException.class)
        .hasMessage("Account: is null");
    assertThatThrownBy(() -> Codec.of(String.class).encode(null, out))
        .isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> ((Codec) Codec.of(Account.class)).encode("text", out))
        .isInstanceOf(CodecException.class)
        .hasCauseInstanceOf(ClassCastException.class);
    assertThatThrownBy(() -> ((Codec) Codec.of(Command.class)).encode("text", out))
        .isInstanceOf(CodecException.class)
        .hasMessage("Command: java.lang.String is not a variant of Command");
    List<Nested> polluted = (List) List.of("text");
    assertThatThrownBy(() -> Codec.of(Nested.class).encode(new Nested(polluted), out))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Nested.all[0]");
    assertThatThrownBy(() -> Codec.of(Thrower.class).encode(new Thrower(1, 2), out))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Thrower.b: ")
        .hasMessageContaining("no b today");
  }

  @Test
  void aListThatChangesItsSizeIsRefused() {
    List<Nested> liar =
        new AbstractList<>() {
          @Override
          public Nested get(int index) {
            return new Nested(List.of());
          }

          @Override
          public int size() {
            return 3;
          }

          @Override
          public Iterator<Nested> iterator() {
            return new ArrayList<Nested>().iterator();
          }
        };
    assertThatThrownBy(() -> Codec.of(Nested.class).encode(new Nested(liar), new Encoder()))
        .isInstanceOf(CodecException.class)
        .hasMessage("Nested.all: the list had 3 elements, then 0");
  }

  @Test
  void whatAConstructorRefusesIsMalformed() {
    assertThatThrownBy(() -> decode(Codec.of(Purse.class), "02" + "0101"))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Purse.coins[0]: the constructor of Positive refuses")
        .hasMessageContaining("not positive")
        .hasRootCauseInstanceOf(IllegalArgumentException.class);
  }

  static List<List<Object>> malformed() {
    return List.of(
        List.of(Boxes.class, "02", "0 or 1"),
        List.of(Short.class, "808004", "32768"),
        List.of(Integer.class, "8080808010", "2147483648"),
        List.of(Character.class, "808004", "not a char"),
        List.of(Float.class, "7fc00001", "NaN"),
        List.of(BigInteger.class, "00", "no digits"),
        List.of(BigInteger.class, "020001", "longer than it need be"),
        List.of(BigInteger.class, "02ff80", "longer than it need be"),
        List.of(BigDecimal.class, "010180808080" + "20", "is not from"),
        List.of(LocalDate.class, "ffffffffffffffffff01", "out of the range"),
        List.of(Duration.class, "00ffffffff0f", "nanosecond"),
        List.of(Color.class, "02", "no constant 2"),
        List.of(Color.class, "ffffffffffffffffff01", "no constant 18446744073709551615"),
        List.of(Command.class, "04", "no variant 4"),
        List.of(Nested.class, "05", "bytes are left"),
        List.of(Nested.class, "ffffffff0f", "bytes are left"),
        List.of(Nested.class, "ffffffffffffffffff01", "bytes are left"),
        List.of(Nested.class, "8100", "longer than it need be"));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedBytesAreRefused(List<Object> row) {
    Codec<?> codec = Codec.of((Class<?>) row.get(0));
    assertThatThrownBy(() -> decode(codec, (String) row.get(1)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining((String) row.get(2));
  }

  record Maps(Map<String, String> map) {}

  record Sets(Set<String> set) {}

  record Optionals(Optional<String> maybe) {}

  @SuppressWarnings("ArrayRecordComponent")
  record Arrays1(byte[] bytes) {}

  @SuppressWarnings("ArrayRecordComponent")
  record Arrays2(List<String>[] lists) {}

  record Dates(Date date) {}

  record Times(LocalDateTime time) {}

  record Objects1(Object object) {}

  record Builders(StringBuilder builder) {}

  record Interfaces(Runnable run) {}

  @SuppressWarnings("rawtypes")
  record Raws(List list) {}

  record Generics<T>(T value) {}

  record GenericsIn(Generics<String> in) {}

  record Wildcards(List<? extends Line> lines) {}

  record Deeper(List<Maps> list) {}

  sealed interface HalfOpen permits Open, Leaf2 {}

  static non-sealed class Open implements HalfOpen {}

  record Leaf2() implements HalfOpen {}

  record Lists(
      List<
              List<
                  List<
                      List<
                          List<
                              List<
                                  List<
                                      List<
                                          List<
                                              List<
                                                  List<
                                                      List<
                                                          List<
                                                              List<
                                                                  List<
                                                                      List<
                                                                          List<Long>>>>>>>>>>>>>>>>>
          deep) {}

  static List<List<Object>> uncovered() {
    return List.of(
        List.of(
            Maps.class,
            "Maps.map: java.util.Map<java.lang.String, java.lang.String>",
            "a List of records"),
        List.of(Sets.class, "Sets.set: java.util.Set<java.lang.String>", "use a List"),
        List.of(Optionals.class, "Optionals.maybe: ", "which may be null"),
        List.of(Arrays1.class, "Arrays1.bytes: byte[]", "use a List"),
        List.of(Arrays2.class, "Arrays2.lists: ", "use a List"),
        List.of(Dates.class, "Dates.date: java.util.Date", "an Instant"),
        List.of(Times.class, "Times.time: java.time.LocalDateTime", "an Instant"),
        List.of(Objects1.class, "Objects1.object: java.lang.Object", "use a record"),
        List.of(Builders.class, "Builders.builder: java.lang.StringBuilder", "use a record"),
        List.of(Interfaces.class, "Interfaces.run: java.lang.Runnable", "a sealed interface"),
        List.of(Raws.class, "Raws.list: ", "write List<String>"),
        List.of(Generics.class, "Generics.value: the type variable T", "name the type"),
        List.of(GenericsIn.class, "Generics.value: the type variable T", "name the type"),
        List.of(Wildcards.class, "Wildcards.lines: ? extends", "name the type"),
        List.of(
            Deeper.class,
            "no default codec for dev.oncefold.CodecTest$Deeper: Maps.map: ",
            "a List of records"),
        List.of(
            HalfOpen.class,
            "HalfOpen: its variant dev.oncefold.CodecTest$Open",
            "neither a record"),
        List.of(Lists.class, "Lists.deep: ", "deeper than 16"),
        List.of(List.class, "java.util.List: ", "write List<String>"),
        List.of(Object.class, "java.lang.Object: ", "use a record"),
        List.of(Record.class, "java.lang.Record: ", "use a record"),
        List.of(void.class, "void: ", "use a record"),
        List.of(int[].class, "int[]", "use a List"));
  }

  @ParameterizedTest
  @MethodSource("uncovered")
  void whatIsNotCoveredIsNamedWithWhatToUseInstead(List<Object> row) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Codec.of((Class<?>) row.get(0)))
        .withMessageContaining((String) row.get(1))
        .withMessageContaining((String) row.get(2))
        .withMessageContaining("Covered are records, sealed interfaces")
        .withMessageContaining("Codec.of(schema, encode, decode)");
  }

  @Test
  void aModuleMustOpenThePackage() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Codec.of(Elsewhere.inClosedModule(Payment.class)))
        .withMessageContaining("the module elsewhere does not open the package")
        .withMessageContaining("\"opens dev.oncefold;\"");
  }

  @Test
  void recordsOfOtherModulesAndLoaders() throws Exception {
    for (Class<?> type :
        List.of(
            Elsewhere.inOpenModule(Primitives.class), Elsewhere.inOwnLoader(Primitives.class))) {
      assertThat(type).isNotEqualTo(Primitives.class);
      Constructor<?> constructor = type.getDeclaredConstructors()[0];
      constructor.setAccessible(true);
      Object value = constructor.newInstance(true, (byte) -1, (short) -1, 1, 2L, 'b', 1f, 1d);
      assertRoundTrip(codecOf(value), value);
      assertThat(encode(codecOf(value), value))
          .isEqualTo(
              encode(
                  Codec.of(Primitives.class),
                  new Primitives(true, (byte) -1, (short) -1, 1, 2, 'b', 1f, 1d)));
    }
    Constructor<?> constructor =
        Elsewhere.inOwnLoader(Thrower.class).getDeclaredConstructor(int.class, int.class);
    constructor.setAccessible(true);
    Object thrower = constructor.newInstance(1, 2);
    assertThatThrownBy(() -> encode(codecOf(thrower), thrower))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("no b today");
    Class<?> payment = Elsewhere.inOwnLoader(Payment.class);
    constructor = payment.getDeclaredConstructors()[0];
    constructor.setAccessible(true);
    Object value = constructor.newInstance("a", "b", 1L);
    assertRoundTrip(codecOf(value), value);
  }

  @Test
  void onlySomeFields() {
    Codec<Payment> codec = Codec.of(Payment.class).only("cents", "account", "cents");
    assertThat(codec.schema()).isEqualTo("Payment.only{account:String,cents:long}");
    assertThat(hex(codec, new Payment("a", "x", 1))).isEqualTo("026102");
    assertThat(encode(codec, new Payment("a", "y", 1)))
        .isEqualTo(encode(codec, new Payment("a", "x", 1)));
    assertThatThrownBy(() -> decode(codec, "026102"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> codec.encode(new Payment("\ud800", "x", 1), new Encoder()))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Payment.account: ");
    assertThat(Codec.of(Chain.class).only("next").schema())
        .isEqualTo("Chain.only{next:Chain};Chain{next:Chain}");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Codec.of(Payment.class).only("account", "amount"))
        .withMessage("Payment has no field \"amount\": it has account, kind, cents");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Codec.of(Payment.class).only())
        .withMessageContaining("account, kind, cents");
    for (Codec<?> other : List.of(Codec.of(Command.class), Codec.of(String.class), json(), codec)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.only("account"))
          .withMessageContaining("only the default codec of a record");
    }
  }

  private static Codec<Account> json() {
    return Codec.of(
        "json",
        account -> (account.cents() + "," + account.payments()).getBytes(UTF_8),
        bytes -> {
          String[] parts = new String(bytes, UTF_8).split(",", -1);
          return new Account(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
        });
  }

  @Test
  void codecsOfUsers() {
    Codec<Account> codec = json();
    assertThat(codec.schema()).isEqualTo("json");
    assertRoundTrip(codec, new Account(1, 2));
    assertThat(hex(codec, new Account(1, 2))).isEqualTo("03312c32");
    assertThatThrownBy(() -> decode(codec, "03782c32"))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("\"json\"")
        .hasCauseInstanceOf(NumberFormatException.class);
    assertThatThrownBy(() -> decode(codec, "04312c32")).isInstanceOf(CodecException.class);
    assertThat(codec.reading("json", null)).isSameAs(codec);
    assertThatThrownBy(() -> codec.reading("xml", new Account(0, 0)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("\"xml\"")
        .hasMessageContaining("\"json\"");
  }

  @Test
  @SuppressWarnings("NullAway")
  void whatUsersCodecsThrow() {
    CodecException theirs = new CodecException("theirs");
    Codec<String> refusing =
        Codec.of(
            "s",
            text -> {
              throw new IllegalStateException("no");
            },
            bytes -> {
              throw theirs;
            });
    assertThatThrownBy(() -> refusing.encode("x", new Encoder()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no");
    assertThatThrownBy(() -> decode(refusing, "00")).isSameAs(theirs);
    Codec<String> nulls = Codec.of("s", text -> null, bytes -> null);
    assertThatThrownBy(() -> nulls.encode("x", new Encoder())).isInstanceOf(CodecException.class);
    assertThatThrownBy(() -> decode(nulls, "00")).isInstanceOf(CodecException.class);
  }

  @Test
  void severalThreadsUseOneCodec() throws Exception {
    Codec<Order> codec = Codec.of(Order.class);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        int seed = thread;
        done.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 2_000; i++) {
                    Line line = new Line("sku-" + seed, i);
                    assertRoundTrip(codec, new Order("o-" + i, List.of(line, line), null, line));
                  }
                }));
      }
      for (Future<?> each : done) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @SuppressWarnings("unchecked")
  private static Codec<Object> codecOf(Object value) {
    Class<?> type =
        value instanceof Enum<?> constant ? constant.getDeclaringClass() : value.getClass();
    return (Codec<Object>) Codec.of(type);
  }

  private static <T> void assertRoundTrip(Codec<T> codec, T value) {
    Encoder out = new Encoder().writeByte(9);
    codec.encode(value, out);
    int end = out.length();
    out.writeByte(9);
    Decoder in = new Decoder(out.toByteArray());
    in.skip(1);
    T read = codec.decode(in);
    assertThat(read).isEqualTo(value);
    assertThat(in.position()).isEqualTo(end);
    assertThat(encode(codec, read)).isEqualTo(encode(codec, value));
  }

  private static <T> byte[] encode(Codec<T> codec, T value) {
    Encoder out = new Encoder();
    codec.encode(value, out);
    return out.toByteArray();
  }

  private static <T> String hex(Codec<T> codec, T value) {
    return HexFormat.of().formatHex(encode(codec, value));
  }

  private static <T> T decode(Codec<T> codec, String hex) {
    return codec.decode(new Decoder(HexFormat.of().parseHex(hex)));
  }
}
