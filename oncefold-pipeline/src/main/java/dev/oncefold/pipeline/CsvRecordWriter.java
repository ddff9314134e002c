package dev.oncefold.pipeline;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Writes records of CSV. Columns that no expression can name stay as they are, or empty. */
final class CsvRecordWriter implements RecordWriter {
  private final CsvRowReader.Csv csv;
  private final Fields fields;
  private final Map<String, Integer> columns;
  private final List<String> header;

  /**
   * A writer.
   *
   * @param columns the place of each column of the file, by field
   * @param header the names of all columns
   */
  CsvRecordWriter(
      CsvRowReader.Csv csv, Fields fields, Map<String, Integer> columns, List<String> header) {
    this.csv = csv;
    this.fields = fields;
    this.columns = columns;
    this.header = header;
  }

  @Override
  public byte[] with(byte @Nullable [] record, Map<String, @Nullable Object> values) {
    List<String> all =
        new ArrayList<>(
            record == null
                ? Collections.nCopies(header.size(), "")
                : csv.split(csv.charset().decode(ByteBuffer.wrap(record)).toString()));
    values.forEach(
        (field, value) -> all.set(Objects.requireNonNull(columns.get(field)), text(field, value)));
    return csv.joined(all).getBytes(csv.charset());
  }

  private String text(String field, @Nullable Object value) {
    if (value == null) {
      return "";
    }
    String text = value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
    FieldType.Kind kind = Objects.requireNonNull(fields.types().get(field)).kind();
    boolean pointed = kind == FieldType.Kind.DECIMAL || kind == FieldType.Kind.DOUBLE;
    return csv.decimalComma() && pointed ? text.replace('.', ',') : text;
  }

  @Override
  public List<byte[]> unreadable() {
    Charset charset = csv.charset();
    String delimiter = String.valueOf(csv.delimiter());
    return List.of(
        ("one field too many" + delimiter.repeat(header.size())).getBytes(charset),
        ("two fields too many" + delimiter.repeat(header.size() + 1)).getBytes(charset));
  }

  @Override
  public byte @Nullable [] header() {
    return csv.header() == null ? csv.joined(header).getBytes(csv.charset()) : null;
  }

  @Override
  public boolean takes(String text) {
    return csv.charset().newEncoder().canEncode(text) && (!csv.trim() || text.strip().equals(text));
  }
}
