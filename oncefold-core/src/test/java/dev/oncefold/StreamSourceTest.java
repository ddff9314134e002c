package dev.oncefold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StreamSourceTest {
  /** Long enough never to pass in a test that works. */
  private static final Duration LONG = Duration.ofMinutes(5);

  private static StreamSource<String> source(InputStream in) {
    return StreamSource.of(
        "stdin",
        in,
        (bytes, from, length) -> {
          String line = new String(bytes, from, length, UTF_8);
          if (line.equals("bad")) {
            throw new IllegalArgumentException("a bad line");
          }
          return line.startsWith("#") ? null : new Event<>(null, "k", null, line);
        });
  }

  private static StreamSource<String> source(String text) {
    return source(stream(text));
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(UTF_8));
  }

  /** Gives what is before, then fails. */
  private static InputStream broken(String before, Throwable failure) {
    return new SequenceInputStream(
        stream(before),
        new InputStream() {
          @Override
          public int read() throws IOException {
            if (failure instanceof IOException e) {
              throw e;
            } else if (failure instanceof Error e) {
              throw e;
            }
            throw new AssertionError(failure);
          }

          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            return read();
          }
        });
  }

  private static String text(Received<String> received) {
    Event<String> event = received.event();
    return event == null ? "undecodable: " + received.undecodable() : event.value();
  }

  /** All that the stream has, to its end. */
  private static List<Received<String>> drain(StreamSource<String> source, Position from)
      throws InterruptedException {
    List<Received<String>> all = new ArrayList<>();
    Position at = from;
    for (Polled<String> polled = source.poll(3, LONG);
        polled != null;
        polled = source.poll(3, LONG)) {
      assertThat(polled.from()).isEqualTo(at);
      assertThat(polled.partition()).isEqualTo("stdin");
      all.addAll(polled.events());
      at = polled.to();
    }
    assertThat(source.ended()).isTrue();
    return all;
  }

  private static List<String> read(StreamSource<String> source) throws InterruptedException {
    try (source) {
      source.seek("stdin", Position.START);
      return drain(source, Position.START).stream().map(StreamSourceTest::text).toList();
    }
  }

  @Test
  void readsRecordsToTheEndOfTheStream() throws Exception {
    assertThat(read(source("one\r\nbad\n# none\n\ntwo\nthree")))
        .containsExactly("one", "undecodable: a bad line", "", "two", "three");
    assertThat(read(source(""))).isEmpty();
    assertThat(read(source("\ufeff"))).isEmpty();
    assertThat(read(source("\ufeffone\n"))).containsExactly("one");
  }

  @Test
  void quotesHeadersAndBoundsAreThoseOfFiles() throws Exception {
    assertThat(read(source("h,\"\n\"\n1,\"a\nb\"\nc\n").quoting('"', ',').withHeader()))
        .containsExactly("1,\"a\nb\"", "c");
    assertThat(read(source("12345\n123\n").maxLine(4)))
        .containsExactly(
            "undecodable: the line is longer than 4 bytes; raise the bound to read it", "123");
    assertThat(read(source("a\n\"b\n").quoting('"', ',')))
        .containsExactly(
            "a",
            "undecodable: a quote that opens at byte 1 of the record is never closed: close it");
    assertThatThrownBy(() -> source("").quoting('\u20ac', ','))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** More than the queue holds, in records that no piece ends with. */
  @Test
  void readsALongStream() throws Exception {
    String line = "x".repeat(997) + "\n";
    assertThat(read(source(line.repeat(5_000)))).hasSize(5_000).containsOnly("x".repeat(997));
  }

  @Test
  void positionsCountOnFromTheStoredOne() throws Exception {
    Position stored = new Position(100, 77);
    try (StreamSource<String> source = source("head\none\nbad\ntwo").withHeader()) {
      source.seek("stdin", stored);
      List<Received<String>> all = drain(source, stored);
      assertThat(all.stream().map(StreamSourceTest::text))
          .as("each stream has its header")
          .containsExactly("one", "undecodable: a bad line", "two");
      assertThat(all.stream().map(Received::offset)).containsExactly(105L, 109L, 113L);
      assertThat(all.stream().map(Received::next))
          .containsExactly(new Position(109, 0), new Position(113, 0), new Position(116, 0));
    }
  }

  @Test
  void saysWhatIsLeft() throws Exception {
    try (StreamSource<String> source = source("1\n2\n3")) {
      source.seek("stdin", Position.START);
      Polled<String> first = source.poll(1, LONG);
      assertThat(first).isNotNull();
      assertThat(first.unread()).isTrue();
      List<Received<String>> rest = drain(source, first.to());
      assertThat(rest.stream().map(StreamSourceTest::text)).containsExactly("2", "3");
      assertThat(source.poll(1, LONG)).as("it does not wait at the end").isNull();
    }
  }

  @Test
  void aPollOfASilentStreamEndsAfterItsWait() throws Exception {
    try (PipedOutputStream out = new PipedOutputStream();
        StreamSource<String> source = source(new PipedInputStream(out))) {
      source.seek("stdin", Position.START);
      assertThat(source.poll(10, Duration.ZERO)).isNull();
      long before = System.nanoTime();
      assertThat(source.poll(10, Duration.ofMillis(30))).isNull();
      assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(30_000_000L);
      assertThat(source.ended()).isFalse();
      out.write("one\ntw".getBytes(UTF_8));
      out.flush();
      assertThat(next(source)).containsExactly("one");
      assertThat(source.poll(10, Duration.ZERO)).as("half a record").isNull();
      out.write("o\n".getBytes(UTF_8));
      out.flush();
      assertThat(next(source)).as("while the stream is open").containsExactly("two");
    }
  }

  private static List<String> next(StreamSource<String> source) throws InterruptedException {
    Polled<String> polled = source.poll(10, LONG);
    assertThat(polled).isNotNull();
    return polled.events().stream().map(StreamSourceTest::text).toList();
  }

  @Test
  void aWaitingPollCanBeInterrupted() throws Exception {
    try (PipedOutputStream out = new PipedOutputStream();
        StreamSource<String> source = source(new PipedInputStream(out))) {
      source.seek("stdin", Position.START);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> source.poll(10, LONG)).isInstanceOf(InterruptedException.class);
      Thread.currentThread().interrupt();
      assertThatThrownBy(source::firstRecord).isInstanceOf(InterruptedException.class);
    }
  }

  /** What came before is taken; the piece of a record behind it is not. */
  @Test
  void aReadErrorIsNoEnd() throws Exception {
    for (Throwable failure : List.of(new IOException("gone"), new LinkageError("gone"))) {
      try (StreamSource<String> source = source(broken("one\ntw", failure))) {
        source.seek("stdin", Position.START);
        assertThat(next(source)).containsExactly("one");
        for (int tries = 0; tries < 2; tries++) {
          assertThatThrownBy(() -> source.poll(10, LONG))
              .isInstanceOf(SourceException.class)
              .hasCause(failure)
              .hasMessageContainingAll("stdin", "cannot be read", "byte 6", "gone");
        }
        assertThat(source.ended()).isFalse();
        assertThat(source.firstRecord()).as("it was there").isEqualTo("one".getBytes(UTF_8));
      }
    }
    try (StreamSource<String> source = source(broken("on", new IOException("gone")))) {
      assertThatThrownBy(source::firstRecord)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("gone");
    }
  }

  @Test
  void theFirstRecordIsToldAtAnyTime() throws Exception {
    byte[] first = "a,\"\nb\"".getBytes(UTF_8);
    for (boolean header : new boolean[] {false, true}) {
      for (String end : List.of("\none\n", "")) {
        StreamSource<String> source = source("\ufeffa,\"\nb\"" + end).quoting('"', ',');
        try (StreamSource<String> taken = header ? source.withHeader() : source) {
          assertThat(taken.firstRecord()).isEqualTo(first);
          assertThat(taken.firstRecord()).isEqualTo(first);
          taken.seek("stdin", Position.START);
          List<String> expected = new ArrayList<>();
          if (!header) {
            expected.add("a,\"\nb\"");
          }
          if (!end.isEmpty()) {
            expected.add("one");
          }
          assertThat(drain(taken, Position.START).stream().map(StreamSourceTest::text))
              .isEqualTo(expected);
          assertThat(taken.firstRecord()).isEqualTo(first);
        }
      }
    }
    for (String empty : List.of("", "\ufeff", "\n1\n")) {
      assertThat(source(empty).firstRecord()).isEmpty();
    }
  }

  @Test
  void theFirstRecordIsToldAfterItWasPolled() throws Exception {
    StreamSource<String> source = source("head\none\n").withHeader();
    assertThat(read(source)).containsExactly("one");
    assertThat(source.firstRecord()).isEqualTo("head".getBytes(UTF_8));
  }

  @Test
  void aHeaderThatDoesNotEndStops() throws Exception {
    for (boolean asked : new boolean[] {false, true}) {
      try (StreamSource<String> source = source("a,\"b\n1,2\n").quoting('"', ',').withHeader()) {
        if (asked) {
          assertThatThrownBy(source::firstRecord).isInstanceOf(SourceException.class);
        }
        source.seek("stdin", Position.START);
        for (int tries = 0; tries < 2; tries++) {
          assertThatThrownBy(() -> source.poll(10, LONG))
              .isInstanceOf(SourceException.class)
              .hasMessageContainingAll("no first record", "byte 3", "close it");
        }
        assertThatThrownBy(source::firstRecord).isInstanceOf(SourceException.class);
      }
    }
  }

  @Test
  void utf16IsRefused() {
    for (byte[] no :
        List.of(
            "one\n".getBytes(StandardCharsets.UTF_16),
            "one\n".getBytes(StandardCharsets.UTF_16LE))) {
      try (StreamSource<String> source = source(new ByteArrayInputStream(no))) {
        source.seek("stdin", Position.START);
        assertThatThrownBy(() -> source.poll(10, LONG))
            .isInstanceOf(SourceException.class)
            .hasMessageContainingAll("stdin", "UTF-16", "convert it to UTF-8");
      }
    }
  }

  /** A stream without end must not fill the memory while nobody takes its records. */
  @Test
  void readsAheadOnlySoFar() throws Exception {
    AtomicInteger reads = new AtomicInteger();
    Semaphore read = new Semaphore(0);
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return '\n';
          }

          @Override
          public int read(byte[] bytes, int from, int length) {
            reads.incrementAndGet();
            read.release();
            Arrays.fill(bytes, from, from + length, (byte) '\n');
            return length;
          }
        };
    try (StreamSource<String> source = source(endless)) {
      source.seek("stdin", Position.START);
      read.acquire(17);
      assertThat(source.poll(1, LONG)).isNotNull();
      read.acquire(1);
      assertThat(reads.get()).isEqualTo(18);
    }
  }

  /** The reader ends, and the stream stays open: it is not the source's. */
  @Test
  void closingLeavesTheStreamAlone() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    CountDownLatch reading = new CountDownLatch(1);
    AtomicInteger closes = new AtomicInteger();
    InputStream silent =
        new InputStream() {
          @Override
          public int read() throws IOException {
            reading.countDown();
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              interrupted.countDown();
              throw new IOException(e);
            }
            return -1;
          }

          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            return read();
          }

          @Override
          public void close() {
            closes.incrementAndGet();
          }
        };
    StreamSource<String> source = source(silent);
    source.seek("stdin", Position.START);
    reading.await();
    source.close();
    interrupted.await();
    assertThat(closes.get()).isZero();
    assertThat(source.poll(1, Duration.ZERO)).isNull();
    source("").close();
  }
}
