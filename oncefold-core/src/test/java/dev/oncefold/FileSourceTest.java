package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class FileSourceTest {
  @TempDir Path directory;
  private Path file = Path.of("");

  @BeforeEach
  void name() {
    file = directory.resolve("in.txt");
  }

  /** Lines of their own text; those that begin with '#' are none, "bad" is refused. */
  private static @Nullable Event<String> decode(String line) {
    if (line.equals("bad")) {
      throw new IllegalArgumentException("a bad line");
    }
    return line.startsWith("#") ? null : new Event<>(null, "k", null, line);
  }

  private FileSource<String> source() {
    return FileSource.of(file, FileSourceTest::decode);
  }

  private void write(String text) throws IOException {
    Files.writeString(file, text);
  }

  private void append(String text) throws IOException {
    Files.writeString(file, text, StandardOpenOption.APPEND);
  }

  private static @Nullable Polled<String> poll(Source<String> source) {
    try {
      return source.poll(1000, Duration.ZERO);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Everything up to where nothing more comes. Each batch must begin where the last one ended. */
  private static List<String> drain(Source<String> source, Position from) {
    List<String> texts = new ArrayList<>();
    Position at = from;
    for (Polled<String> polled = poll(source); polled != null; polled = poll(source)) {
      assertThat(polled.from()).isEqualTo(at);
      assertThat(polled.events()).isNotEmpty();
      for (Received<String> received : polled.events()) {
        texts.add(text(received));
      }
      at = polled.to();
    }
    return texts;
  }

  private static List<String> read(FileSource<String> source) {
    try (source) {
      source.seek("in.txt", Position.START);
      return drain(source, Position.START);
    }
  }

  private static String text(Received<String> received) {
    Event<String> event = received.event();
    return event == null ? "undecodable: " + received.undecodable() : event.value();
  }

  private static Position position(String before) {
    CRC32C crc = new CRC32C();
    crc.update(before.getBytes(StandardCharsets.UTF_8));
    return new Position(before.length(), crc.getValue());
  }

  // ---------------------------------------------------------------- lines

  @Test
  void readsLinesWithTheirPositions() throws IOException {
    write("one\ntwo\nthree\n");
    FileSource<String> source = source();
    assertThat(source.partitions()).containsExactly("in.txt");
    source.seek("in.txt", Position.START);
    Polled<String> polled = poll(source);
    assertThat(polled).isNotNull();
    assertThat(polled.from()).isEqualTo(Position.START);
    assertThat(polled.events().stream().map(FileSourceTest::text))
        .containsExactly("one", "two", "three");
    assertThat(polled.events().stream().map(Received::offset)).containsExactly(0L, 4L, 8L);
    assertThat(polled.events().stream().map(Received::next))
        .containsExactly(position("one\n"), position("one\ntwo\n"), position("one\ntwo\nthree\n"));
    assertThat(polled.unread()).isFalse();
    assertThat(poll(source)).isNull();
    assertThat(source.ended()).isTrue();
    source.close();
  }

  @Test
  void takesNoMoreThanAskedAndSaysWhatIsLeft() throws Exception {
    write("1\n2\n3\n4");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", Position.START);
      Polled<String> first = source.poll(2, Duration.ZERO);
      assertThat(first).isNotNull();
      assertThat(first.events()).hasSize(2);
      assertThat(first.unread()).isTrue();
      Polled<String> second = source.poll(1, Duration.ZERO);
      assertThat(second).isNotNull();
      assertThat(second.unread()).as("the last line has no end, but it is one").isTrue();
      Polled<String> third = source.poll(5, Duration.ZERO);
      assertThat(third).isNotNull();
      assertThat(third.unread()).isFalse();
      assertThat(third.from()).isEqualTo(position("1\n2\n3\n"));
    }
  }

  @Test
  void takesLineEndsOfWindowsOff() throws IOException {
    write("one\r\ntwo\r\n\r\nth\rree\n");
    assertThat(read(source())).containsExactly("one", "two", "", "th\rree");
  }

  @Test
  void anEmptyFileHasNoEvents() throws IOException {
    write("");
    assertThat(read(source())).isEmpty();
  }

  @Test
  void linesThatAreNoEventsTakePartInPositionsOnly() throws IOException {
    write("# head\none\n# middle\ntwo\n# tail\n");
    assertThat(read(source())).containsExactly("one", "two");
    write("# nothing\n# at all\n");
    assertThat(read(source())).isEmpty();
  }

  /** More of them than a buffer holds: a batch must still begin where the last one ended. */
  @Test
  void manyLinesThatAreNoEvents() throws IOException {
    String comments = "# a comment of some length\n".repeat(20_000);
    write(comments + "one\n" + comments + "two\n" + comments);
    assertThat(read(source())).containsExactly("one", "two");
  }

  @Test
  void whatCannotBeDecodedIsToldWithItsBytes() throws IOException {
    write("one\nbad\ntwo\n");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      Received<String> bad = polled.events().get(1);
      assertThat(bad.undecodable()).isEqualTo("a bad line");
      assertThat(bad.raw()).isEqualTo("bad".getBytes(StandardCharsets.UTF_8));
      assertThat(bad.offset()).isEqualTo(4);
      assertThat(bad.next()).isEqualTo(position("one\nbad\n"));
      assertThat(bad.positionId("in.txt")).isEqualTo("in.txt@4");
    }
  }

  @Test
  void bytesThatAreNotInTheEncodingAreNeverGuessed() throws IOException {
    Files.write(file, new byte[] {'a', (byte) 0xe9, '\n', 'b', '\n'});
    assertThat(read(source()))
        .containsExactly(
            "undecodable: the line is not in UTF-8; say which encoding the file has", "b");
    assertThat(read(source().in(StandardCharsets.ISO_8859_1))).containsExactly("aé", "b");
    assertThat(read(source().in(Charset.forName("windows-1252")))).containsExactly("aé", "b");
    write("a€😀\n");
    assertThat(read(source())).containsExactly("a€😀");
  }

  @Test
  void aLineThatIsTooLongIsUndecodableAndTheNextOneIsRead() throws IOException {
    String tooLong = "undecodable: the line is longer than 10 bytes; raise the bound to read it";
    write("1234567890\n12345678901\nx\n");
    assertThat(read(source().maxLine(10))).containsExactly("1234567890", tooLong, "x");
    write("a\n" + "z".repeat(300_000) + "\nb\n" + "y".repeat(200_000));
    assertThat(read(source().maxLine(10))).containsExactly("a", tooLong, "b", tooLong);
    assertThat(read(source())).hasSize(4).contains("z".repeat(300_000));
  }

  @Test
  void ofALongLineTheBeginningIsKept() throws IOException {
    write("z".repeat(300_000) + "\nb\n");
    try (FileSource<String> source = source().maxLine(10)) {
      source.seek("in.txt", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.events().get(0).raw())
          .isEqualTo("z".repeat(1024).getBytes(StandardCharsets.UTF_8));
      assertThat(polled.events().get(0).next()).isEqualTo(position("z".repeat(300_000) + "\n"));
    }
  }

  // ---------------------------------------------------------------- going on

  @Test
  void goesOnFromAPosition() throws IOException {
    write("one\ntwo\nthree\n");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", position("one\n"));
      assertThat(drain(source, position("one\n"))).containsExactly("two", "three");
    }
  }

  @Test
  void refusesAFileThatWasRewritten() throws IOException {
    write("eno\ntwo\nthree\n");
    refused(position("one\n"), "its first 4 bytes have changed");
  }

  @Test
  void refusesAFileThatWasCut() throws IOException {
    write("one\n");
    refused(position("one\ntwo\n"), "has 4 bytes, fewer than the 8 already applied");
  }

  @Test
  void refusesAFileThatIsGone() throws IOException {
    write("one\n");
    FileSource<String> source = source();
    Files.delete(file);
    assertThatThrownBy(() -> source.seek("in.txt", position("one\n")))
        .isInstanceOf(SourceException.class)
        .hasMessageContainingAll(file.toString(), "does not exist");
    assertThatThrownBy(this::source)
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("there is no file " + file);
  }

  /** A finite source takes a last line without an end as whole, and cannot take it back. */
  @Test
  void refusesALastLineThatTurnsOutLonger() throws IOException {
    write("one\ntw");
    assertThat(read(source())).containsExactly("one", "tw");
    append("o\nthree\n");
    refused(position("one\ntw"), "ended without a line end at offset 6");
  }

  @Test
  void goesOnBehindALastLineThatIsComplete() throws IOException {
    write("one\ntwo");
    Position all = position("one\ntwo");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", all);
      assertThat(drain(source, all)).isEmpty();
    }
  }

  /** As editors leave a file, and the shell's echo goes on with it. */
  @Test
  void goesOnWhereOnlyTheLineEndOfTheLastLineCameLater() throws Exception {
    for (String end : List.of("\n", "\r\n")) {
      write("one\ntwo");
      Position then = position("one\ntwo");
      write("one\ntwo" + end + "three\n");
      try (FileSource<String> source = source()) {
        source.seek("in.txt", then);
        Polled<String> polled = source.poll(10, Duration.ZERO);
        assertThat(polled).isNotNull();
        assertThat(polled.from()).isEqualTo(then);
        assertThat(polled.events())
            .extracting(Received::next)
            .containsExactly(position("one\ntwo" + end + "three\n"));
        assertThat(source.poll(10, Duration.ZERO)).isNull();
      }
      write("one\ntwo" + end);
      try (FileSource<String> source = source()) {
        source.seek("in.txt", then);
        assertThat(source.poll(10, Duration.ZERO)).isNull();
        assertThat(source.ended()).isTrue();
      }
    }
    write("one\ntwo\rthree\n");
    refused(position("one\ntwo"), "ended without a line end at offset 7");
  }

  private void refused(Position from, String message) {
    try (FileSource<String> source = source()) {
      assertThatThrownBy(() -> source.seek("in.txt", from))
          .isInstanceOf(SourceException.class)
          .hasMessageContainingAll(file.toString(), message, "estore the");
    }
  }

  @Test
  void thePartitionCanHaveAnotherName() throws IOException {
    write("one\n");
    try (FileSource<String> source = source().named("payments")) {
      assertThat(source.partitions()).containsExactly("payments");
      source.seek("payments", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.partition()).isEqualTo("payments");
    }
  }

  @Test
  void aFileThatGrowsBehindItsReadEndIsLeftToTheNextRun() throws IOException {
    write("one\ntw");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).containsExactly("one", "tw");
      append("o\n");
      assertThat(poll(source)).as("a piece of a line").isNull();
      source.seek("in.txt", Position.START);
      assertThat(source.ended()).isFalse();
      assertThat(drain(source, Position.START)).containsExactly("one", "two");
    }
  }

  // ---------------------------------------------------------------- bytes

  private FileSource<String> bytes() {
    return FileSource.ofBytes(
        file, (bytes, from, length) -> decode(new String(bytes, from, length, UTF_8)));
  }

  @Test
  void decodesBytesWhereTheyStand() throws IOException {
    write("one\r\nbad\n# none\ntwo");
    Set<byte[]> arrays = Collections.newSetFromMap(new IdentityHashMap<>());
    FileSource<String> source =
        FileSource.ofBytes(
            file,
            (bytes, from, length) -> {
              arrays.add(bytes);
              return decode(new String(bytes, from, length, UTF_8));
            });
    assertThat(read(source)).containsExactly("one", "undecodable: a bad line", "two");
    assertThat(arrays).as("no copies").hasSize(1);
  }

  @Test
  void ofUndecodableBytesACopyIsKept() throws IOException {
    write("bad\none\n");
    try (FileSource<String> source = bytes()) {
      source.seek("in.txt", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.events().get(0).raw()).isEqualTo("bad".getBytes(UTF_8));
      assertThat(polled.to()).isEqualTo(position("bad\none\n"));
    }
  }

  @Test
  void bytesHaveNoEncodingToSet() throws IOException {
    write("");
    assertThatThrownBy(() -> bytes().in(UTF_8))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("decodes bytes");
  }

  // ---------------------------------------------------------------- quotes

  private FileSource<String> quoted() {
    return bytes().quoting('"', ',');
  }

  @Test
  void aLineFeedInQuotesEndsNoRecord() throws IOException {
    write("1,\"a\nb\r\nc\",x\r\n\"\"\"\n\"\"\",2\n\"\",3\n");
    assertThat(read(quoted())).containsExactly("1,\"a\nb\r\nc\",x", "\"\"\"\n\"\"\",2", "\"\",3");
    assertThat(read(bytes())).as("without quotes").hasSize(6);
  }

  @Test
  void aQuoteOpensOnlyAtTheStartOfAField() throws IOException {
    write("5\" disk,a\n\"a\"b\"c\nx \"y\n,\"\n\"\n");
    assertThat(read(quoted())).containsExactly("5\" disk,a", "\"a\"b\"c", "x \"y", ",\"\n\"");
  }

  @Test
  void otherQuotesAndDelimiters() throws IOException {
    write("'a\n;','b\nc'\n");
    assertThat(read(bytes().quoting('\'', ';'))).containsExactly("'a\n;','b", "c'");
    write("1\t'a\nb'\n");
    assertThat(read(bytes().quoting('\'', '\t'))).containsExactly("1\t'a\nb'");
  }

  @Test
  void quotesAndDelimitersAreDifferentAsciiCharacters() throws IOException {
    write("");
    for (String pair : List.of("\u00ab,", "\"\u20ac", "\"\n", "\r,", ",,")) {
      assertThatThrownBy(() -> bytes().quoting(pair.charAt(0), pair.charAt(1)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void goesOnBehindARecordWithLineFeeds() throws IOException {
    String before = "1,\"a\nb\"\n";
    write(before + "2,\"c\nd\"\n");
    try (FileSource<String> source = quoted()) {
      source.seek("in.txt", position(before));
      assertThat(drain(source, position(before))).containsExactly("2,\"c\nd\"");
    }
  }

  @Test
  void aQuoteThatNeverClosesCostsTheRecordUpToTheBound() throws IOException {
    write("a\nb,\"c\n23456789,rest of it\nd\ne\n");
    String reason =
        "undecodable: the line is longer than 10 bytes; a quote that opens at byte 3 of the record"
            + " may never be closed: close it, or raise the bound to read it";
    assertThat(read(quoted().maxLine(10))).containsExactly("a", reason, "d", "e");
  }

  @Test
  void aRecordThatIsTooLongBehindItsQuotesSaysNothingOfThem() throws IOException {
    write("\"a\n\",45678901\nb\n");
    assertThat(read(quoted().maxLine(10)))
        .containsExactly(
            "undecodable: the line is longer than 10 bytes; raise the bound to read it", "b");
  }

  @Test
  void aQuoteThatIsOpenAtTheEndMakesTheRestUndecodable() throws IOException {
    write("a\nb,\"c\nd\n");
    try (FileSource<String> source = quoted()) {
      source.seek("in.txt", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.events().stream().map(FileSourceTest::text))
          .containsExactly(
              "a",
              "undecodable: a quote that opens at byte 3 of the record is never closed: close it");
      assertThat(polled.events().get(1).raw()).isEqualTo("b,\"c\nd\n".getBytes(UTF_8));
      assertThat(source.ended()).isTrue();
      seekBehindAnOpenQuote(polled.to());
    }
  }

  private void seekBehindAnOpenQuote(Position end) throws IOException {
    try (FileSource<String> same = quoted()) {
      same.seek("in.txt", end);
      assertThat(drain(same, end)).isEmpty();
    }
    append("e\",1\n");
    try (FileSource<String> longer = quoted()) {
      assertThatThrownBy(() -> longer.seek("in.txt", end))
          .isInstanceOf(SourceException.class)
          .hasMessageContainingAll(file.toString(), "ended inside quotes at offset 9", "Follow");
    }
  }

  @Test
  void aFollowedFileWaitsForAQuoteToClose() throws IOException {
    write("a\nb,\"c\n");
    try (FileSource<String> source = quoted().following()) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).containsExactly("a");
      append("d\"");
      assertThat(poll(source)).isNull();
      append("\"\n\",e");
      assertThat(poll(source)).isNull();
      append("\nf\n");
      assertThat(drain(source, position("a\n"))).containsExactly("b,\"c\nd\"\"\n\",e", "f");
    }
  }

  // ---------------------------------------------------------------- the beginning

  @Test
  void aHeaderIsNoEvent() throws IOException {
    write("bad\none\ntwo\n");
    assertThat(read(source().withHeader())).containsExactly("one", "two");
    try (FileSource<String> source = source().withHeader()) {
      source.seek("in.txt", position("bad\n"));
      assertThat(drain(source, position("bad\n"))).as("only the first").hasSize(2);
    }
    write("\"he\nad\",b\n1\n");
    assertThat(read(quoted().withHeader())).containsExactly("1");
    write("");
    assertThat(read(source().withHeader())).isEmpty();
    write("head");
    assertThat(read(source().withHeader())).isEmpty();
  }

  @Test
  void aHeaderIsKnownAgainWhenFollowing() throws IOException {
    write("he");
    try (FileSource<String> source = source().withHeader().following()) {
      source.seek("in.txt", Position.START);
      assertThat(poll(source)).isNull();
      assertThat(source.firstRecord()).isEmpty();
      append("ad\none\n");
      assertThat(source.firstRecord()).isEqualTo("head".getBytes(UTF_8));
      assertThat(drain(source, Position.START)).containsExactly("one");
    }
  }

  @Test
  void aHeaderThatDoesNotEndStops() throws IOException {
    write("a,\"b\n1,2\n");
    try (FileSource<String> source = quoted().withHeader()) {
      source.seek("in.txt", Position.START);
      for (int tries = 0; tries < 2; tries++) {
        assertThatThrownBy(() -> poll(source))
            .isInstanceOf(SourceException.class)
            .hasMessageContainingAll(file.toString(), "no first record", "byte 3", "close it");
      }
      assertThatThrownBy(source::firstRecord).isInstanceOf(SourceException.class);
    }
    write("head\n1\n2\n");
    try (FileSource<String> source = bytes().withHeader().maxLine(2)) {
      assertThatThrownBy(source::firstRecord).hasMessageContaining("longer than 2 bytes");
    }
  }

  @Test
  void theFirstRecordIsToldAtAnyTime() throws Exception {
    write("\ufeff\"he\nad\",b\r\none\ntwo\n");
    try (FileSource<String> source = quoted()) {
      byte[] first = "\"he\nad\",b".getBytes(UTF_8);
      assertThat(source.firstRecord()).isEqualTo(first);
      source.seek("in.txt", Position.START);
      assertThat(source.firstRecord()).isEqualTo(first);
      assertThat(source.poll(2, Duration.ZERO)).isNotNull();
      assertThat(source.firstRecord()).isEqualTo(first);
      Polled<String> last = poll(source);
      assertThat(last).isNotNull();
      assertThat(last.events().stream().map(FileSourceTest::text)).containsExactly("two");
    }
    for (String empty : List.of("", "\ufeff", "\n", "\ufeff\r\n")) {
      write(empty);
      assertThat(quoted().firstRecord()).isEmpty();
    }
    write("whole");
    assertThat(quoted().firstRecord()).isEqualTo("whole".getBytes(UTF_8));
  }

  @Test
  void aByteOrderMarkIsSkippedAndCounted() throws IOException {
    write("\ufeffone\n\ufefftwo\n");
    try (FileSource<String> source = source()) {
      source.seek("in.txt", Position.START);
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.events().stream().map(FileSourceTest::text))
          .as("elsewhere it is text")
          .containsExactly("one", "\ufefftwo");
      assertThat(polled.events().stream().map(Received::offset)).containsExactly(0L, 7L);
    }
    write("\ufeff\"a\nb\"\n");
    assertThat(read(quoted())).as("a field starts behind it").containsExactly("\"a\nb\"");
    write("\ufeff");
    assertThat(read(source())).isEmpty();
  }

  @Test
  void utf16AndBinaryFilesAreRefused() throws IOException {
    for (byte[] no :
        List.of(
            "one\n".getBytes(StandardCharsets.UTF_16),
            "\ufeff\u20ac\n".getBytes(StandardCharsets.UTF_16LE),
            "one\n".getBytes(StandardCharsets.UTF_16LE),
            ("x".repeat(1023) + "\0").getBytes(UTF_8))) {
      Files.write(file, no);
      try (FileSource<String> source = source()) {
        assertThatThrownBy(() -> source.seek("in.txt", Position.START))
            .isInstanceOf(SourceException.class)
            .hasMessageContainingAll(file.toString(), "UTF-16 or", "convert it to UTF-8");
        assertThatThrownBy(source::firstRecord).isInstanceOf(SourceException.class);
      }
    }
  }

  @Test
  void zeroBytesFurtherOnAreLeftToTheDecoding() throws IOException {
    write("x".repeat(1023) + "\n\0\n");
    assertThat(read(source())).hasSize(2).contains("\0");
  }

  @Test
  void aFollowedFileThatBecomesUtf16IsRefusedToo() throws IOException {
    write("");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(poll(source)).isNull();
      Files.write(file, "one\n".getBytes(StandardCharsets.UTF_16));
      assertThatThrownBy(() -> poll(source))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("UTF-16");
    }
  }

  @Test
  void tellsTheLineOfAByte() throws Exception {
    write("one\n\"a\nb\"\n" + "z".repeat(100_000) + "\nend\n");
    try (FileSource<String> source = quoted()) {
      assertThat(source.lineAt(0)).isEqualTo(1);
      assertThat(source.lineAt(3)).as("the line feed ends its line").isEqualTo(1);
      assertThat(source.lineAt(4)).isEqualTo(2);
      source.seek("in.txt", Position.START);
      assertThat(source.poll(2, Duration.ZERO)).isNotNull();
      assertThat(source.lineAt(7)).isEqualTo(3);
      assertThat(source.lineAt(100_009)).isEqualTo(4);
      assertThat(source.lineAt(100_011)).isEqualTo(5);
      Polled<String> rest = poll(source);
      assertThat(rest).as("the reading is where it was").isNotNull();
      assertThat(rest.events()).hasSize(2);
    }
  }

  // ---------------------------------------------------------------- following

  @Test
  void followsAGrowingFile() throws IOException {
    write("");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(poll(source)).isNull();
      assertThat(source.ended()).isFalse();
      append("one\ntw");
      assertThat(drain(source, Position.START)).containsExactly("one");
      append("o");
      assertThat(poll(source)).isNull();
      append("\nthree\n");
      assertThat(drain(source, position("one\n"))).containsExactly("two", "three");
      assertThat(source.ended()).isFalse();
    }
  }

  /** What holds no event is not committed, so the next batch begins before it. */
  @Test
  void followsPastLinesThatAreNoEvents() throws IOException {
    write("# head\n");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(poll(source)).isNull();
      append("one\n# more\n");
      assertThat(drain(source, Position.START)).containsExactly("one");
      append("two\n");
      assertThat(drain(source, position("# head\none\n"))).containsExactly("two");
    }
  }

  @Test
  @Timeout(20)
  void aLongLineThatIsNotFinishedWaitsToo() throws IOException {
    write("one\n" + "z".repeat(100_000));
    try (FileSource<String> source = source().following().maxLine(10)) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).containsExactly("one");
      append("z".repeat(100_000));
      assertThat(poll(source)).isNull();
      append("z\ntwo\n");
      Polled<String> polled = poll(source);
      assertThat(polled).isNotNull();
      assertThat(polled.from()).isEqualTo(position("one\n"));
      assertThat(polled.events().stream().map(FileSourceTest::text))
          .containsExactly(
              "undecodable: the line is longer than 10 bytes; raise the bound to read it", "two");
      assertThat(polled.events().get(0).offset()).isEqualTo(4);
      assertThat(polled.to()).isEqualTo(position("one\n" + "z".repeat(200_001) + "\ntwo\n"));
    }
  }

  @Test
  void aFollowedFileThatIsCutStops() throws IOException {
    write("one\ntwo\n");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).hasSize(2);
      write("one\n");
      assertThatThrownBy(() -> poll(source))
          .isInstanceOf(SourceException.class)
          .hasMessageContainingAll("has 4 bytes, fewer than the 8 already read");
    }
  }

  @Test
  void aFollowedFileThatIsReplacedStops() throws IOException {
    write("one\ntwo\n");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).hasSize(2);
      Path rotated = directory.resolve("new.txt");
      Files.writeString(rotated, "uno\ndue\ntre\nquattro\n");
      Files.move(rotated, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      assertThatThrownBy(() -> poll(source))
          .isInstanceOf(SourceException.class)
          .hasMessageContainingAll("was replaced by another file", "another partition name");
    }
  }

  @Test
  void aFollowedFileThatIsReplacedByACopyOfItselfGoesOn() throws IOException {
    write("one\n");
    try (FileSource<String> source = source().following()) {
      source.seek("in.txt", Position.START);
      assertThat(drain(source, Position.START)).containsExactly("one");
      Path copy = directory.resolve("new.txt");
      Files.writeString(copy, "one\ntwo\n");
      Files.move(copy, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      assertThat(poll(source)).as("found to be the same file").isNull();
      assertThat(drain(source, position("one\n"))).containsExactly("two");
    }
  }
}
