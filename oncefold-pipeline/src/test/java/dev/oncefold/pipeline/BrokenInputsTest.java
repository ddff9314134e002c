package dev.oncefold.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records that cannot be read, and exactly the reason for which each is Failed; and odd ones that
 * are read as they are. The rows are in {@code broken-inputs.txt}.
 */
class BrokenInputsTest {
  private static final String HEADER = "id;account;n;x;yes;money;note";
  private static final String FIELDS =
      """
      name: inputs
      state: { events: int 0 }
      update: [ { set: { events: state.events + 1 } } ]
      store: { journal: data }
      """;
  private static final String TYPES =
      "n: 'int?', x: 'double?', yes: 'bool?', money: 'decimal(2)?', note: 'string?'";
  private static final String KEYS =
      "event: { id: event.id, key: event.account, remember: forever }\n";
  private static final String DAY =
      "types: { id: string, account: string, day: 'string?' }\n"
          + "event: { id: event.id, key: event.account, remember: P7D, time: {field: event.day, ";

  /** The pipelines that the rows name, without the lines that they share. */
  private static final Map<String, String> PIPELINES =
      Map.of(
          "json",
          "source: { file: in.ndjson }\ntypes: { id: string, account: string, at: 'time?', "
              + TYPES
              + ", inner: {type: 'int?', from: /outer/inner} }\n"
              + KEYS,
          "dates",
          "source: { file: in.ndjson }\n" + DAY + "pattern: yyMMdd, zone: UTC } }\n",
          "hours",
          "source: { file: in.ndjson }\n"
              + DAY
              + "pattern: \"yyyy-MM-dd HH:mm\", zone: Europe/Prague } }\n",
          "csv",
          "source: { file: in.csv }\ncsv: { delimiter: \";\" }\ntypes: { " + TYPES + " }\n" + KEYS,
          "comma",
          "source: { file: in.csv }\ncsv: { delimiter: \";\", decimal: \",\", trim: true }\n"
              + "types: { "
              + TYPES
              + " }\n"
              + KEYS,
          "latin",
          "source: { file: in.csv }\ncsv: { delimiter: \";\", encoding: ISO-8859-1 }\ntypes: { "
              + TYPES
              + " }\n"
              + KEYS,
          "required",
          """
          source: { file: in.csv }
          csv: { delimiter: ";", header: [account, money, note] }
          types: { money: decimal(2) }
          event: { key: event.account }
          """);

  @TempDir private Path directory;

  /** One row of the table. */
  record Case(String name, String pipeline, List<String> lines, List<String> told) {
    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  @Timeout(10)
  void everyRecordIsReadAsItIsOrFailedWithItsReason(Case row) throws Exception {
    assertThat(told(row.pipeline(), bytes(row))).containsExactlyElementsOf(row.told());
  }

  private static byte[] bytes(Case row) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (!row.pipeline().matches("json|dates|hours|required")) {
      bytes.write((HEADER + "\n").getBytes(UTF_8));
    }
    for (String line : row.lines()) {
      String text =
          line.replace('⇥', '\t')
              .replace('␀', '\0')
              .replace('␍', '\r')
              .replace("DIGITS", "7".repeat(100_000))
              .replace("DEEP", "{\"a\":".repeat(5_000));
      for (int i = 0; i < text.length(); i++) {
        if (text.startsWith("\\x", i)) {
          bytes.write(Integer.parseInt(text.substring(i + 2, i + 4), 16));
          i += 3;
        } else {
          int c = text.codePointAt(i);
          bytes.write(Character.toString(c).getBytes(UTF_8));
          i += Character.charCount(c) - 1;
        }
      }
      bytes.write('\n');
    }
    return bytes.toByteArray();
  }

  /** What becomes of each record of an input. */
  private List<String> told(String pipeline, byte[] input) throws Exception {
    boolean isCsv = of(pipeline).contains("in.csv");
    Files.write(directory.resolve(isCsv ? "in.csv" : "in.ndjson"), input);
    List<String> told = new ArrayList<>();
    List<Received<Row>> all;
    try {
      all = read(load(pipeline));
    } catch (SourceException | PipelineException e) {
      return List.of("! " + String.valueOf(e.getMessage()).replace(directory.toString(), "DIR"));
    }
    for (Received<Row> received : all) {
      Event<Row> event = received.event();
      if (event == null) {
        told.add(
            "> " + String.valueOf(received.undecodable()).replace(directory.toString(), "DIR"));
        continue;
      }
      StringBuilder text = new StringBuilder("= ");
      text.append(event.id()).append(' ').append(event.key()).append(' ').append(event.time());
      Json.write(event.value(), text.append(' '));
      told.add(text.toString());
    }
    return told;
  }

  private Pipeline load(String pipeline) throws IOException {
    return Pipeline.load(Files.writeString(directory.resolve("p.yaml"), FIELDS + of(pipeline)));
  }

  private static String of(String pipeline) {
    return Objects.requireNonNull(PIPELINES.get(pipeline), pipeline);
  }

  private static List<Received<Row>> read(Pipeline pipeline) throws InterruptedException {
    List<Received<Row>> all = new ArrayList<>();
    try (Source<Row> source = pipeline.source(false)) {
      source.seek(pipeline.partition(), Position.START);
      while (!source.ended()) {
        Polled<Row> polled = source.poll(10, Duration.ZERO);
        if (polled != null) {
          all.addAll(polled.events());
        }
      }
    }
    return all;
  }

  // ---------------------------------------------------------------- what cannot stand in a table

  @Test
  void everyRowHasANameOfItsOwnAndThereAreManyOfThem() throws IOException {
    Set<String> names = new HashSet<>();
    assertThat(rows()).allMatch(row -> names.add(row.name())).hasSizeGreaterThan(100);
  }

  @Test
  void anEmptyFileHasNoEvents() throws Exception {
    assertThat(told("json", new byte[0])).isEmpty();
    assertThat(told("json", new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf})).isEmpty();
  }

  @Test
  void aFileOfAHeaderAloneHasNoEvents() throws Exception {
    assertThat(told("csv", HEADER.getBytes(UTF_8))).isEmpty();
  }

  /**
   * As a Macintosh wrote it. A reader that took the CR for a line end would drop all but a line.
   */
  @Test
  void aFileWhoseLinesEndWithCrAloneIsRefused() throws Exception {
    assertThat(told("csv", (HEADER + "\r1;a;;;;;\r").getBytes(UTF_8)))
        .singleElement()
        .asString()
        .contains(
            "the columns of in.csv cannot be read: the record has a CR outside quotes: lines end"
                + " with LF or CRLF, not with CR alone");
  }

  @Test
  void theLastLineNeedsNoLineEnd() throws Exception {
    assertThat(told("dates", "{\"id\":\"1\",\"account\":\"a\",\"day\":\"930101\"}".getBytes(UTF_8)))
        .containsExactly(
            "= 1 a 1993-01-01T00:00:00Z {\"id\":\"1\",\"account\":\"a\",\"day\":\"930101\"}");
    assertThat(told("required", "a;1.50;x".getBytes(UTF_8)))
        .containsExactly("= null a null {\"money\":1.50,\"account\":\"a\",\"note\":\"x\"}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "csv"})
  @Timeout(30)
  void aLineOf50MegabytesIsFailedAndTakesNoMoreMemoryThanTheBoundOnLines(String pipeline)
      throws Exception {
    boolean isCsv = pipeline.equals("csv");
    Path file = directory.resolve(isCsv ? "in.csv" : "in.ndjson");
    String good = isCsv ? "2;a;;;;;\n" : "{\"id\":\"2\",\"account\":\"a\"}\n";
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      out.write((isCsv ? HEADER + "\n1;a;;;;;" : "{\"id\":\"1\",\"account\":\"").getBytes(UTF_8));
      byte[] block = new byte[1 << 20];
      Arrays.fill(block, (byte) 'x');
      for (int i = 0; i < 50; i++) {
        out.write(block);
      }
      out.write(("\n" + good).getBytes(UTF_8));
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Pipeline loaded = load(pipeline);
    long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    List<Received<Row>> all = read(loaded);
    long allocated = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    assertThat(all).hasSize(2);
    assertThat(all.get(0).undecodable())
        .isEqualTo("the line is longer than 1048576 bytes; raise the bound to read it");
    assertThat(all.get(0).raw()).hasSizeLessThan(1 << 20);
    assertThat(all.get(1).event()).isNotNull();
    // All that was ever allocated, not only what was held at once.
    assertThat(allocated).isLessThan(16 << 20);
  }

  // ---------------------------------------------------------------- the table

  static List<Case> rows() throws IOException {
    List<Case> rows = new ArrayList<>();
    try (InputStream in = BrokenInputsTest.class.getResourceAsStream("broken-inputs.txt")) {
      assertThat(in).isNotNull();
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        if (line.startsWith("=== ")) {
          String[] name = line.substring(4).split(" @", 2);
          rows.add(
              new Case(
                  name[0],
                  name.length > 1 ? name[1] : "json",
                  new ArrayList<>(),
                  new ArrayList<>()));
        } else if (line.startsWith("|")) {
          rows.get(rows.size() - 1).lines().add(line.length() < 2 ? "" : line.substring(2));
        } else if (line.startsWith("> ") || line.startsWith("= ") || line.startsWith("! ")) {
          rows.get(rows.size() - 1).told().add(line);
        }
      }
    }
    return rows;
  }
}
