package dev.oncefold.pipeline;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads records of CSV (RFC 4180), whose columns the header names. */
final class CsvRowReader implements RowReader {
  private final Csv csv;
  private final Fields fields;
  private final int width;
  private final int[] places;
  private final FieldType[] types;
  private final String[] names;
  private final CharsetDecoder decoder;
  private final CsvReader.CsvReaderBuilder reader;

  /**
   * How a CSV file is written.
   *
   * @param delimiter between fields
   * @param quote around fields that have it, a delimiter or a line end in them
   * @param charset the encoding
   * @param decimalComma whether the point of numbers is a comma
   * @param trim whether spaces around fields are taken away
   * @param header the names of the columns where the file has none
   */
  record Csv(
      char delimiter,
      char quote,
      Charset charset,
      boolean decimalComma,
      boolean trim,
      @Nullable List<String> header) {
    /** The fields of one record. */
    List<String> split(String record) {
      return single(builder(), record).getFields();
    }

    /**
     * The fields of one record. FastCSV ends a record at a CR too, and would let go of what stands
     * behind it.
     */
    private static CsvRecord single(CsvReader.CsvReaderBuilder reader, String record) {
      if (record.indexOf('\r') < 0) {
        return reader.ofSingleCsvRecord(record);
      }
      try (CsvReader<CsvRecord> all = reader.ofCsvRecord(record)) {
        Iterator<CsvRecord> each = all.iterator();
        CsvRecord first = each.next();
        // A CR at the very end is as good as one that ends the line together with the LF.
        if (each.hasNext()) {
          throw new FailureException(
              "the record has a CR outside quotes: lines end with LF or CRLF, not with CR alone");
        }
        return first;
      } catch (IOException e) {
        throw new UncheckedIOException(e); // it is read from memory
      }
    }

    /** Some fields as one record, in quotes where they need them. */
    String joined(List<String> values) {
      StringWriter text = new StringWriter();
      try (CsvWriter writer =
          CsvWriter.builder()
              .fieldSeparator(delimiter)
              .quoteCharacter(quote)
              .lineDelimiter(LineDelimiter.LF)
              .build(text)) {
        writer.writeRecord(values);
      } catch (IOException e) {
        throw new UncheckedIOException(e); // it is written to memory
      }
      return text.toString().substring(0, text.getBuffer().length() - 1);
    }

    private CsvReader.CsvReaderBuilder builder() {
      return CsvReader.builder()
          .fieldSeparator(delimiter)
          .quoteCharacter(quote)
          .skipEmptyLines(false)
          .allowExtraFields(true)
          .allowMissingFields(true);
    }
  }

  /**
   * A reader.
   *
   * @param columns the place of each column of the file, by field
   * @param width how many columns the file has
   */
  CsvRowReader(Csv csv, Fields fields, Map<String, Integer> columns, int width) {
    this.csv = csv;
    this.fields = fields;
    this.width = width;
    int count = fields.types().size();
    this.places = new int[count];
    this.types = new FieldType[count];
    this.names = new String[count];
    int at = 0;
    for (Map.Entry<String, FieldType> field : fields.types().entrySet()) {
      places[at] = Objects.requireNonNull(columns.get(field.getKey()));
      types[at] = field.getValue();
      names[at++] = field.getKey();
    }
    this.decoder = csv.charset().newDecoder();
    this.reader = csv.builder();
  }

  @Override
  public @Nullable Row read(byte[] bytes, int from, int length) {
    if (length == 0) {
      return null;
    }
    CsvRecord record;
    try {
      record = Csv.single(reader, text(bytes, from, length));
    } catch (CsvParseException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new FailureException("the record is no CSV: " + cause.getMessage());
    }
    if (record.getFieldCount() != width) {
      throw new FailureException(
          "the record has "
              + record.getFieldCount()
              + (record.getFieldCount() == 1 ? " field" : " fields")
              + ", and the header has "
              + width
              + ": is the delimiter \""
              + csv.delimiter()
              + "\", and is a field with one in it quoted?");
    }
    @Nullable Object[] values = new @Nullable Object[types.length];
    for (int i = 0; i < types.length; i++) {
      values[i] = value(i, record.getField(places[i]));
    }
    return fields.rows().row(values);
  }

  private @Nullable Object value(int i, String field) {
    FieldType type = types[i];
    String text = csv.trim() ? field.strip() : field;
    if (text.isEmpty() && type.optional()) {
      return null;
    }
    if (text.isEmpty() && type.kind() != FieldType.Kind.STRING) {
      throw new FailureException(names[i] + " is empty");
    }
    try {
      return type.fromText(csv.decimalComma() ? withPoint(text, type) : text);
    } catch (FailureException e) {
      String reason = String.valueOf(e.getMessage());
      // As it stands in the file.
      reason = csv.decimalComma() ? reason.replace(text.replace(',', '.'), text) : reason;
      throw new FailureException(names[i] + ": " + reason);
    }
  }

  private static String withPoint(String text, FieldType type) {
    if (type.kind() != FieldType.Kind.DECIMAL && type.kind() != FieldType.Kind.DOUBLE) {
      return text;
    }
    if (text.indexOf('.') >= 0) {
      throw new FailureException(
          FieldType.quoted(text)
              + " has a \".\" in it, and csv: {decimal: \",\"} says that the point"
              + " is a comma");
    }
    return text.replace(',', '.');
  }

  private String text(byte[] bytes, int from, int length) {
    try {
      return decoder.decode(ByteBuffer.wrap(bytes, from, length)).toString();
    } catch (CharacterCodingException e) {
      throw new FailureException(
          "the record is not in "
              + csv.charset()
              + ": say which encoding the file has, as in csv:"
              + " {encoding: windows-1252}");
    }
  }
}
