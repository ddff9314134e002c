package dev.oncefold;

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
import java.util.List;
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
