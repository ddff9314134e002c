package dev.oncefold.pipeline;

import dev.oncefold.Event;
import dev.oncefold.FailureException;
import dev.oncefold.FileSource;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import dev.oncefold.StreamSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where the events of a pipeline come from, and how they are written there. */
final class Input {
  /** What a pipeline file, or a command, names standard input. */
  static final String STANDARD = "-";

  private final Origin origin;
  private final CsvRowReader.@Nullable Csv csv;
  // Standard input is read once: its header is taken before anything can be decoded.
  private final @Nullable StreamSource<Row> stream;
  private FileSource.@Nullable BytesDecoding<Row> decoding;

  /**
   * An input.
   *
   * @param origin where it comes from
   * @param standard standard input
   * @param csv how CSV is written; null for JSON
   */
  Input(Origin origin, InputStream standard, CsvRowReader.@Nullable Csv csv) {
    this.origin = origin;
    this.csv = csv;
    this.stream = origin instanceof Origin.Standard ? stream(standard) : null;
  }

  private StreamSource<Row> stream(InputStream standard) {
    StreamSource<Row> source = StreamSource.of(partition(), standard, this::decode);
    if (csv != null) {
      source = source.quoting(csv.quote(), csv.delimiter());
      source = csv.header() == null ? source.withHeader() : source;
    }
    return source;
  }

  private @Nullable Event<Row> decode(byte[] bytes, int from, int length) throws Exception {
    if (decoding == null) {
      throw new IllegalStateException("decoded before the columns are known");
    }
    return decoding.decode(bytes, from, length);
  }

  Origin origin() {
    return origin;
  }

  /** The file, or null where it is none. */
  @Nullable Path file() {
    return origin instanceof Origin.File file ? file.path() : null;
  }

  /** Whether it is a topic of Kafka. */
  boolean isTopic() {
    return origin instanceof Origin.Kafka;
  }

  /** The name in the store: of its partition, or what the names of its partitions begin with. */
  String partition() {
    if (origin instanceof Origin.File file) {
      return file.partition();
    }
    return origin instanceof Origin.Kafka kafka
        ? kafka.name()
        : ((Origin.Standard) origin).partition();
  }

  CsvRowReader.@Nullable Csv csv() {
    return csv;
  }

  /** Whether it is a file with something in it. */
  boolean hasRecords() {
    Path file = file();
    try {
      return file != null && Files.isRegularFile(file) && Files.size(file) > 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** What messages call it. */
  String told() {
    if (origin instanceof Origin.File file) {
      return String.valueOf(file.path().getFileName());
    }
    return origin instanceof Origin.Kafka kafka ? "the topic " + kafka.topic() : "standard input";
  }

  /**
   * The names of the columns of a CSV file: those that the pipeline gives, or its first record.
   *
   * @throws SourceException if there is no such file, or it cannot be read
   */
  List<String> header(CsvRowReader.Csv how) {
    List<String> given = how.header();
    if (given != null) {
      return given;
    }
    byte[] first = first();
    try {
      return first.length == 0
          ? List.of()
          : how.split(how.charset().newDecoder().decode(ByteBuffer.wrap(first)).toString());
    } catch (FailureException e) {
      throw new SourceException(String.valueOf(e.getMessage()), e);
    } catch (CharacterCodingException e) {
      throw new SourceException(
          "they are not in "
              + how.charset()
              + ": say which encoding the file has, as in csv:"
              + " {encoding: windows-1252}",
          e);
    }
  }

  private byte[] first() {
    if (stream == null) {
      try (FileSource<Row> source = file(this::decode)) {
        return source.firstRecord();
      }
    }
    try {
      return stream.firstRecord();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SourceException("interrupted while waiting for standard input", e);
    }
  }

  private FileSource<Row> file(FileSource.BytesDecoding<Row> with) {
    FileSource<Row> source =
        FileSource.ofBytes(Objects.requireNonNull(file()), with).named(partition());
    if (csv != null) {
      source = source.quoting(csv.quote(), csv.delimiter());
      source = csv.header() == null ? source.withHeader() : source;
    }
    return source;
  }

  /** Opens it; standard input once only. A topic is opened by who has a client for it. */
  Source<Row> open(FileSource.BytesDecoding<Row> with, boolean follow) {
    if (stream != null) {
      decoding = with;
      return stream;
    }
    FileSource<Row> source = file(with);
    return follow ? source.following() : source;
  }
}
