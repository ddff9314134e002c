package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Writes one JSON object a line. What else stands in a line stays as it is. */
final class NdjsonWriter implements RecordWriter {
  // Numbers keep all their digits.
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
          .build();

  private final Map<String, List<String>> steps = new HashMap<>();

  /**
   * A writer.
   *
   * @param from where fields are found, as in {@link NdjsonReader}
   */
  NdjsonWriter(Fields fields, Map<String, String> from) {
    for (String field : fields.types().keySet()) {
      steps.put(field, NdjsonReader.steps(from.getOrDefault(field, field)));
    }
  }

  @Override
  public byte[] with(byte @Nullable [] record, Map<String, @Nullable Object> values) {
    try {
      ObjectNode object =
          record == null ? MAPPER.createObjectNode() : MAPPER.readValue(record, ObjectNode.class);
      values.forEach((field, value) -> put(object, steps(field), value));
      return MAPPER.writeValueAsBytes(object);
    } catch (IOException e) {
      throw new UncheckedIOException("a record that could be read cannot be read again", e);
    }
  }

  private List<String> steps(String field) {
    return Objects.requireNonNull(steps.get(field));
  }

  private static void put(ObjectNode object, List<String> steps, @Nullable Object value) {
    ObjectNode at = object;
    for (String step : steps.subList(0, steps.size() - 1)) {
      at = at.get(step) instanceof ObjectNode inner ? inner : at.putObject(step);
    }
    String name = steps.get(steps.size() - 1);
    if (value == null) {
      at.remove(name);
    } else if (value instanceof Long number) {
      at.put(name, number);
    } else if (value instanceof Double number) {
      at.put(name, number);
    } else if (value instanceof Boolean bool) {
      at.put(name, bool);
    } else if (value instanceof BigDecimal decimal) {
      at.put(name, decimal);
    } else {
      at.put(name, value.toString());
    }
  }

  @Override
  public List<byte[]> unreadable() {
    return List.of(utf8("{\"torn\":"), utf8("no JSON"), utf8("[1,2]"));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public byte @Nullable [] header() {
    return null;
  }

  @Override
  public boolean takes(String text) {
    return true;
  }
}
