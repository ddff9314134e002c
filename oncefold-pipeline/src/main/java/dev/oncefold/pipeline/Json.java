package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.oncefold.Row;
import java.math.BigDecimal;
import java.util.List;
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
