package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.oncefold.Row;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.math.BigDecimal;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes values as JSON. Decimals and ints are numbers with all their digits, times are texts such
 * as {@code "2026-01-31T12:00:00Z"}.
 */
public final class Json {
  private Json() {}

  /**
   * Writes a row as an object, with its columns in order.
   *
   * @param row the row
   * @param to takes the text
   */
  public static void write(Row row, StringBuilder to) {
    List<Row.Column> columns = row.type().columns();
    to.append('{');
    for (int i = 0; i < columns.size(); i++) {
      if (i > 0) {
        to.append(',');
      }
      write(columns.get(i).name(), to);
      to.append(':');
      write(row.at(i), to);
    }
    to.append('}');
  }

  /**
   * Writes one value.
   *
   * @param value text, a number, a decimal, a bool, a time or null
   * @param to takes the text
   */
  public static void write(@Nullable Object value, StringBuilder to) {
    if (value == null || value instanceof Boolean || value instanceof Number) {
      // A decimal such as 1E+3 is a number of JSON too, but few would expect it.
      to.append(value instanceof BigDecimal decimal ? decimal.toPlainString() : value);
      return;
    }
    String text = value.toString();
    to.append('"');
    if (isPlain(text)) {
      to.append(text);
    } else {
      JsonStringEncoder.getInstance().quoteAsString(text, to);
    }
    to.append('"');
  }

  /**
   * The line of an output: the object that was emitted, with the output's id as its first field.
   *
   * @param output the output
   * @return the line, without a line end
   */
  public static String line(Emitted<String> output) {
    StringBuilder text = new StringBuilder(output.value().length() + 48).append("{\"id\":");
    write(output.id(), text);
    return text.append(',').append(output.value(), 1, output.value().length()).toString();
  }

  /**
   * The line of an event that is not applied, or of any other: its id, or position, its verdict and
   * its reason first, and then what it was.
   *
   * @param entry the event as it was judged
   * @return the line, without a line end
   */
  public static String line(Entry<Row, Row, String> entry) {
    return line(entry, StandardCharsets.UTF_8);
  }

  /**
   * The same, of a source in another encoding: a line that could not be read is shown by it.
   *
   * @param entry the event as it was judged
   * @param encoding the encoding of the source, as {@link Pipeline#encoding} tells it
   * @return the line, without a line end
   */
  public static String line(Entry<Row, Row, String> entry, Charset encoding) {
    return line(entry, encoding, "line");
  }

  /**
   * The same, of a pipeline's source: what could not be read is shown as what it is there, a line
   * or the value of a topic's record.
   *
   * @param entry the event as it was judged
   * @param pipeline the pipeline
   * @return the line, without a line end
   */
  public static String line(Entry<Row, Row, String> entry, Pipeline pipeline) {
    return line(
        entry, pipeline.encoding(), pipeline.origin() instanceof Origin.Kafka ? "value" : "line");
  }

  private static String line(Entry<Row, Row, String> entry, Charset encoding, String unreadable) {
    StringBuilder text = new StringBuilder(128).append("{\"id\":");
    write(entry.id(), text);
    field("verdict", entry.verdict().name().toLowerCase(Locale.ROOT), text);
    if (entry.reason() != null) {
      field("reason", entry.reason(), text);
    }
    if (entry.key() != null) {
      field("key", entry.key(), text);
    }
    if (entry.time() != null) {
      field("time", entry.time(), text);
    }
    Row event = entry.value();
    byte[] raw = entry.raw();
    if (event != null) {
      write(event, text.append(",\"event\":"));
    } else if (raw != null) {
      // As far as it is text; what is not is shown by the sign for that.
      field(unreadable, new String(raw, encoding), text);
    }
    return text.append('}').toString();
  }

  /**
   * Writes a further field of an object.
   *
   * @param name its name
   * @param value text, a number, a decimal, a bool, a time or null
   * @param to takes the text
   */
  public static void field(String name, @Nullable Object value, StringBuilder to) {
    write(name, to.append(','));
    write(value, to.append(':'));
  }

  private static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || c == '"' || c == '\\') {
        return false;
      }
    }
    return true;
  }
}
