package dev.oncefold.testkit;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Texts of any characters in one line: for the records of an input, and for whatever a fixture
 * writes to read it back.
 */
public final class Fields {
  private Fields() {}

  /**
   * Makes a line of texts.
   *
   * @param fields the texts
   * @return the line, in ASCII, without a line end
   */
  public static String join(Object... fields) {
    List<String> encoded = new ArrayList<>(fields.length);
    for (Object field : fields) {
      encoded.add(URLEncoder.encode(field.toString(), StandardCharsets.UTF_8));
    }
    return String.join(" ", encoded);
  }

  /**
   * Reads what {@link #join} made.
   *
   * @param line the line
   * @return the texts
   * @throws IllegalArgumentException if the line is broken
   */
  public static List<String> split(String line) {
    return Arrays.stream(line.split(" ", -1))
        .map(field -> URLDecoder.decode(field, StandardCharsets.UTF_8))
        .toList();
  }
}
