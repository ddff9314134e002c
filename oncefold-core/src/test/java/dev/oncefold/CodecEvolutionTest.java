package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was written under one version of a type, read under another. */
@SuppressWarnings("SameNameButDifferent") // two versions of a type have the same name
class CodecEvolutionTest {
  /** What was. */
  static final class Old {
    record Account(long cents, long payments) {}

    record Numbers(byte b, short s, int i, Integer boxed, List<Integer> list, long same, char c) {}

    record Order(String id, List<Line> lines, Line best) {}

    record Line(int count, String sku) {}

    sealed interface Event permits In, Out, Mode {}

    record In(long cents) implements Event {}

    record Out(long cents, String to) implements Event {}

    enum Mode implements Event {
      SLOW,
      FAST
    }

    record Log(List<Event> events, Event last, Mode mode) {}

    record Tree(int value, Tree left, Tree right) {}

    record Pair(OldA.Item a, OldB.Item b) {}

    sealed interface Either permits OldA.Item, OldB.Item {}
  }

  static final class OldA {
    record Item(int a) implements Old.Either {}
  }

  static final class OldB {
    record Item(int b) implements Old.Either {}
  }

  /** What is. */
  static final class Now {
    record Account(@Nullable Instant opened, long payments, String owner, long cents) {}

    record Numbers(long i, int b, Integer s, Long boxed, List<Long> list, Long same, Character c) {}

    record Order(List<Line> lines, String id, Line best) {}

    record Line(String sku, int count, @Nullable BigDecimal price) {}

    sealed interface Event permits Mode, Reset, Further {}

    sealed interface Further extends Event permits Out, In {}

    record In(long cents) implements Further {}

    record Out(String to, long cents) implements Further {}

    record Reset() implements Event {}

    enum Mode implements Event {
      WARP,
      FAST {},
      SLOW
    }

    record Log(Event last, Mode mode, List<Event> events) {}

    record Tree(Tree right, Tree left, long value, @Nullable String name) {}

    record Pair(NowA.Item a, NowB.Item b) {}

    sealed interface Either permits NowB.Item, NowA.Item {}
  }

  static final class NowA {
    record Item(int a) implements Now.Either {}
  }

  static final class NowB {
    record Item(int b) implements Now.Either {}
  }

  /** One row of the table. */
  record Row(String what, Object written, @Nullable Object defaults, Object read) {
    @Override
    public String toString() {
      return what;
    }
  }

  @SuppressWarnings("NullAway")
  static Stream<Row> rows() {
    Now.Line added = new Now.Line("default", 0, new BigDecimal("1.50"));
    return Stream.of(
        new Row(
            "fields added, from the defaults, and the rest in another order",
            new Old.Account(5, 2),
            new Now.Account(Instant.EPOCH, 0, "nobody", 0),
            new Now.Account(Instant.EPOCH, 2, "nobody", 5)),
        new Row(
            "a default may be null",
            new Old.Account(5, 2),
            new Now.Account(null, 0, null, 0),
            new Now.Account(null, 2, null, 5)),
        new Row(
            "whole numbers and boxes widen",
            new Old.Numbers((byte) -1, (short) -2, -3, -4, Arrays.asList(1, null), 6, 'c'),
            null,
            new Now.Numbers(-3, -1, -2, -4L, Arrays.asList(1L, null), 6L, 'c')),
        new Row(
            "null stays null",
            new Old.Numbers((byte) 0, (short) 0, 0, null, null, 0, 'c'),
            null,
            new Now.Numbers(0, 0, 0, null, null, 0L, 'c')),
        new Row(
            "@Nullable fields added to nested records",
            new Old.Order("o", Arrays.asList(new Old.Line(1, "a"), null), new Old.Line(2, "b")),
            null,
            new Now.Order(
                Arrays.asList(new Now.Line("a", 1, null), null), "o", new Now.Line("b", 2, null))),
        new Row(
            "nested records take nested defaults, elements of lists have none",
            new Old.Order("o", List.of(new Old.Line(1, "a")), new Old.Line(2, "b")),
            new Now.Order(List.of(added), "d", added),
            new Now.Order(
                List.of(new Now.Line("a", 1, null)),
                "o",
                new Now.Line("b", 2, new BigDecimal("1.50")))),
        new Row(
            "a record that is null in the defaults has no defaults",
            new Old.Order("o", null, new Old.Line(2, "b")),
            new Now.Order(List.of(), "d", null),
            new Now.Order(null, "o", new Now.Line("b", 2, null))),
        new Row(
            "variants and constants go by name",
            new Old.Log(
                List.of(new Old.In(1), new Old.Out(2, "x"), Old.Mode.FAST),
                new Old.Out(3, "y"),
                Old.Mode.SLOW),
            null,
            new Now.Log(
                new Now.Out("y", 3),
                Now.Mode.SLOW,
                List.of(new Now.In(1), new Now.Out("x", 2), Now.Mode.FAST))),
        new Row(
            "a null constant and variant",
            new Old.Log(null, null, null),
            null,
            new Now.Log(null, null, null)),
        new Row(
            "records that contain themselves",
            new Old.Tree(1, new Old.Tree(2, null, new Old.Tree(3, null, null)), null),
            new Now.Tree(null, new Now.Tree(null, null, 0, "below"), 0, "root"),
            new Now.Tree(
                null,
                new Now.Tree(new Now.Tree(null, null, 3, null), null, 2, "below"),
                1,
                "root")),
        new Row(
            "types that share a simple name, elsewhere now",
            new Old.Pair(new OldA.Item(1), new OldB.Item(2)),
            null,
            new Now.Pair(new NowA.Item(1), new NowB.Item(2))));
  }

  @ParameterizedTest
  @MethodSource("rows")
  @SuppressWarnings({"unchecked", "rawtypes"})
  void isRead(Row row) {
    Codec old = Codec.of(row.written().getClass());
    Codec now = Codec.of(row.read().getClass());
    Codec both = now.reading(old.schema(), row.defaults());
    Encoder out = new Encoder();
    old.encode(row.written(), out);
    Decoder in = new Decoder(out.toByteArray());
    assertThat(both.decode(in)).isEqualTo(row.read());
    assertThat(in.remaining()).isZero();
    // It writes what is read without it.
    assertThat(both.schema()).isEqualTo(now.schema());
    Encoder again = new Encoder();
    both.encode(row.read(), again);
    assertThat(now.decode(new Decoder(again.toByteArray()))).isEqualTo(row.read());
    assertThatThrownBy(() -> both.decode(new Decoder(out.array(), 0, out.length() - 1)))
        .isInstanceOf(CodecException.class);
  }

  record Text(String text) {}

  record Two(int a, int b) {}

  record Flag(boolean flag) {}

  record Point(double x) {}

  record Small(short s) {}

  record Count(long n) {}

  record Holder(Count count, List<Count> counts, List<List<Long>> lists) {}

  /** Not a type annotation, and not of the package that the others are of. */
  static final class Holds {
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @interface Nullable {}
  }

  static final class Marks {
    @Target(ElementType.RECORD_COMPONENT)
    @Retention(RetentionPolicy.RUNTIME)
    @interface Nullable {}
  }

  record Declared(
      int a, @Holds.Nullable String text, @Marks.Nullable String other, @Nullable String own) {
    /** Declared here, it does not have the annotation of the component. */
    @Override
    public String own() {
      return own == null ? "none" : own;
    }
  }

  record Odd(@Holds.Nullable int a, int b) {}

  static List<List<Object>> refused() {
    String account = "Account{opened:Instant,payments:long,owner:String,cents:long}";
    return List.of(
        List.of(
            Now.Account.class,
            "Account{cents:long,payments:long}",
            "Account.owner: was not stored, and there is no value to take it from"),
        List.of(
            Now.Account.class,
            account.replace("cents:long", "cents:long,x:long"),
            "Account: field x (long) was stored and is not in Account any more; what is stored"
                + " would be lost"),
        List.of(
            Now.Account.class,
            account.replace("cents:long", "cents:String"),
            "Account.cents: was stored as String and is long now"),
        List.of(
            Now.Account.class,
            account.replace("cents:long", "cents:Long"),
            "Account.cents: was stored as Long and is long now"),
        List.of(
            Now.Account.class,
            account.replace("cents:long", "cents:double"),
            "was stored as double and is long now"),
        List.of(
            Now.Account.class,
            account.replace("owner:String", "owner:List<String>"),
            "Account.owner: was stored as List<String> and is String now"),
        List.of(
            Now.Account.class,
            account.replace("owner:String", "owner:Text") + ";Text{text:String}",
            "Account.owner: was stored as record Text and is String now"),
        List.of(
            Now.Account.class,
            account.replace("Account", "Konto"),
            "Account: was stored as record Konto and is record Account now"),
        List.of(Now.Account.class, "String", "Account: was stored as String and is record Account"),
        List.of(
            String.class, "Text{text:String}", "String: was stored as record Text and is String"),
        List.of(Small.class, "Small{s:int}", "Small.s: was stored as int and is short now"),
        List.of(Small.class, "Small{s:char}", "Small.s: was stored as char and is short now"),
        List.of(Count.class, "Count{n:float}", "Count.n: was stored as float and is long now"),
        List.of(Count.class, "Count{n:boolean}", "Count.n: was stored as boolean and is long now"),
        List.of(Count.class, "Count{n:Integer}", "Count.n: was stored as Integer and is long now"),
        List.of(Point.class, "Point{x:float}", "Point.x: was stored as float and is double now"),
        List.of(Point.class, "Point{x:int}", "Point.x: was stored as int and is double now"),
        List.of(Flag.class, "Flag{flag:byte}", "Flag.flag: was stored as byte and is boolean now"),
        List.of(Count.class, "Count[A];A{}", "was stored as sealed Count and is record Count now"),
        List.of(Count.class, "Count(A)", "was stored as enum Count and is record Count now"),
        List.of(
            Now.Event.class,
            "Event{x:int}",
            "Event: was stored as record Event and is sealed Event now"),
        List.of(
            Now.Event.class,
            "Event[In,Gone];In{cents:long};Gone{}",
            "Event: variant Gone was stored and is not in Event any more"),
        List.of(
            Now.Event.class,
            "Event[In];In{cents:String}",
            "Event(In).cents: was stored as String and is long now"),
        List.of(
            Now.Event.class,
            "Event[In,Out];In{cents:long};Out[In]",
            "Event(Out): was stored as sealed Out and is record Out now"),
        List.of(
            Now.Event.class,
            "Event[In,Mode];In{cents:long};Mode(SLOW,STOP)",
            "Event(Mode): constant STOP was stored and is not in Mode any more"),
        List.of(
            Now.Event.class,
            "Event[x.In,y.In];x.In{cents:long};y.In{cents:long}",
            "Event: variant y.In was stored and is not in Event any more"),
        List.of(
            Now.Either.class,
            "Either[Item];Item{a:int}",
            "Either: variant Item was stored and may be"),
        List.of(
            Now.Pair.class,
            "Pair{a:dev.oncefold.CodecEvolutionTest.NowB.Item,b:b.Item};"
                + "dev.oncefold.CodecEvolutionTest.NowB.Item{b:int};b.Item{b:int}",
            "Pair.a: was stored as record dev.oncefold.CodecEvolutionTest.NowB.Item and is record"
                + " dev.oncefold.CodecEvolutionTest.NowA.Item now"),
        List.of(
            Holder.class,
            "Holder{count:Count,counts:List<Count>,lists:List<List<Long>>};Count{n:long,m:int}",
            "Holder.count: field m (int) was stored and is not in Count any more"),
        List.of(
            Holder.class,
            "Holder{counts:List<Count>,count:Count,lists:List<List<Long>>};Count{n:String}",
            "Holder.counts[].n: was stored as String and is long now"),
        List.of(
            Holder.class,
            "Holder{lists:List<List<String>>,count:Count,counts:List<Count>};Count{n:long}",
            "Holder.lists[][]: was stored as String and is Long now"),
        List.of(Odd.class, "Odd{b:int}", "Odd.a: was not stored"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void isRefusedBeforeAnythingIsRead(List<Object> row) {
    assertThatThrownBy(() -> Codec.of((Class<?>) row.get(0)).reading((String) row.get(1), null))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith(
            ((String) row.get(2)).startsWith("was")
                ? ((Class<?>) row.get(0)).getSimpleName()
                : (String) row.get(2))
        .hasMessageContaining((String) row.get(2));
  }

  @Test
  void annotationsOfAnyPackageAndPlaceWillDo() {
    Codec<Declared> codec = Codec.of(Declared.class).reading("Declared{a:int}", null);
    assertThat(codec.decode(new Decoder(new byte[] {2})))
        .hasToString("Declared[a=1, text=null, other=null, own=null]");
  }

  @Test
  void aVariantTakesTheDefaultsOfItsOwnKind() {
    String old = "Event[Out,In];Out{cents:long};In{cents:long}";
    Codec<Now.Event> codec = Codec.of(Now.Event.class).reading(old, new Now.Out("nobody", 1));
    assertThat(codec.decode(new Decoder(new byte[] {0, 4}))).isEqualTo(new Now.Out("nobody", 2));
    assertThat(codec.decode(new Decoder(new byte[] {1, 4}))).isEqualTo(new Now.In(2));
    assertThatThrownBy(() -> Codec.of(Now.Event.class).reading(old, new Now.In(1)))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Event(Out).to: was not stored");
  }

  static List<String> malformed() {
    return List.of(
        "",
        "Count",
        "Nonsense",
        "Count{",
        "Count{n",
        "Count{n:",
        "Count{n:long",
        "Count{n:long,",
        "Count{n:long,}",
        "Count{,n:long}",
        "Count{n:long}}",
        "Count{n:long};",
        "Count{n:long} ",
        " Count{n:long}",
        "Count{n: long}",
        "Count{n.m:long}",
        "Count{n:long,n:long}",
        "Count{n:long};Count{n:long}",
        "Count{n:lang}",
        "Count{n:List}",
        "Count{n:List<>}",
        "Count{n:List<long}",
        "Count{n:List<long>>}",
        "Count{n:" + "List<".repeat(17) + "Long" + ">".repeat(17) + "}",
        "Count{n:" + "List<".repeat(100_000),
        "Count{n:.x}",
        "Count{n:x.}",
        "Count{n:x..y}",
        "Count[]",
        "Count[A,]",
        "Count[A,A];A{}",
        "Count[A]",
        "Count[long]",
        "Count(A,A)",
        "Count(A.B)",
        "Count(",
        "Count(A",
        "Count)",
        "long{n:long}",
        "List{n:long}",
        "long;Count{n:long}",
        "List<Long>",
        "Count{n:long};long(A)",
        "\ud800",
        "\0{",
        "Count{n:long}".repeat(3));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedSchemasAreRefused(String schema) {
    assertThatThrownBy(() -> Codec.of(Count.class).reading(schema, new Count(1)))
        .isInstanceOf(CodecException.class)
        .hasMessageStartingWith("Count: not a schema: ");
  }

  @Test
  void manyTypesInEachOtherDoNotOverflowTheStack() {
    StringBuilder schema =
        new StringBuilder("Tree{value:long,right:Tree,name:String,left:a0.Tree}");
    for (int i = 0; i < 50_000; i++) {
      schema
          .append(";a" + i)
          .append(".Tree{value:long,right:Tree,name:String,left:a" + (i + 1) + ".Tree}");
    }
    schema.append(";a50000.Tree{value:long,right:Tree,name:String,left:Tree}");
    assertThatThrownBy(() -> Codec.of(Now.Tree.class).reading(schema.toString(), null))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("types are nested deeper than");
    String old = "Tree{value:int,left:Tree,right:Tree}";
    assertThatThrownBy(() -> Codec.of(Now.Tree.class).reading(old, deepDefault(50_000)))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("types are nested deeper than");
  }

  @SuppressWarnings("NullAway")
  private static Now.Tree deepDefault(int depth) {
    Now.Tree tree = new Now.Tree(null, null, 0, "");
    for (int i = 0; i < depth; i++) {
      tree = new Now.Tree(null, tree, 0, "");
    }
    return tree;
  }

  @Test
  void theSameSchemaGivesTheSameCodec() {
    Codec<Count> codec = Codec.of(Count.class);
    assertThat(codec.reading("Count{n:long}", null)).isSameAs(codec);
    Codec<Count> old = codec.reading("Count{n:int}", null);
    assertThat(old).isNotSameAs(codec);
    // What it reads is not what it writes, so to read what it writes takes the codec of the day.
    assertThat(old.reading(old.schema(), null)).isSameAs(codec);
    assertThat(old.reading("Count{n:short}", null).decode(new Decoder(new byte[] {2})))
        .isEqualTo(new Count(1));
    Codec<Integer> basic = Codec.of(Integer.class);
    assertThat(basic.reading("Integer", null)).isSameAs(basic);
    assertThat(basic.reading("short", null).decode(new Decoder(new byte[] {2}))).isEqualTo(1);
  }

  @Test
  void narrowedCodecsReadOnlyTheirOwnSchema() {
    Codec<Two> narrowed = Codec.of(Two.class).only("a");
    assertThat(narrowed.reading("Two.only{a:int}", null)).isSameAs(narrowed);
    assertThatThrownBy(() -> narrowed.reading("Two{a:int,b:int}", new Two(1, 2)))
        .isInstanceOf(CodecException.class);
  }

  @Test
  void depthIsLimitedInWhatWasWrittenEarlierToo() {
    Codec<Now.Tree> codec =
        Codec.of(Now.Tree.class).reading("Tree{value:int,left:Tree,right:Tree}", null);
    Encoder deep = new Encoder();
    for (int i = 0; i < 65; i++) {
      deep.writeSigned(i).writeBoolean(i < 64);
    }
    for (int i = 0; i < 65; i++) {
      deep.writeBoolean(false);
    }
    assertThatThrownBy(() -> codec.decode(new Decoder(deep.toByteArray())))
        .isInstanceOf(CodecException.class)
        .hasMessageContaining("more than 64");
  }
}
