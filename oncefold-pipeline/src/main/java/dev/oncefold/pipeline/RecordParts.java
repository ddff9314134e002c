package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import dev.oncefold.Row;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What expressions name of a topic's record besides its value: {@code record.key}, {@code
 * record.time}, {@code record.headers.NAME}. Only what is named is decoded: a key of bytes that are
 * no text does no harm to who does not ask for it. Immutable and safe for use by several threads.
 */
final class RecordParts {
  /** What expressions call the record. */
  static final String NAME = "record";

  /** What every record has, for messages. */
  static final Fields FIELDS =
      Fields.of(
          "Record",
          Map.of(
              "key", new FieldType(FieldType.Kind.STRING, 0, true),
              "time", new FieldType(FieldType.Kind.TIME, 0, true)),
          Set.of());

  private static final Pattern KEY = Pattern.compile("\\brecord\\s*\\.\\s*key\\b");
  private static final Pattern HEADER =
      Pattern.compile(
          "\\brecord\\s*\\.\\s*headers\\s*\\.\\s*(?:([A-Za-z_][A-Za-z0-9_]*)|`([^`]*)`)");
  private static final int KEY_PLACE = 0;
  private static final int TIME_PLACE = 1;
  private static final int FIRST_HEADER = 2;

  private final boolean usesKey;
  private final List<String> headers;
  private final Row.Type type;

  private RecordParts(boolean usesKey, List<String> headers) {
    this.usesKey = usesKey;
    this.headers = headers;
    List<Row.Column> columns = new ArrayList<>();
    columns.add(new Row.Column("key", String.class, true));
    columns.add(new Row.Column("time", Instant.class, true));
    for (int i = 0; i < headers.size(); i++) {
      columns.add(new Row.Column("header" + i, String.class, true));
    }
    this.type = new Row.Type("Record", columns);
  }

  /** The parts that the expressions of a section name. */
  static RecordParts namedIn(Node section) {
    List<String> texts = new ArrayList<>();
    collect(section, texts);
    boolean usesKey = false;
    Set<String> headers = new LinkedHashSet<>();
    for (String text : texts) {
      usesKey |= KEY.matcher(text).find();
      Matcher header = HEADER.matcher(text);
      while (header.find()) {
        headers.add(header.group(1) == null ? header.group(2) : header.group(1));
      }
    }
    return new RecordParts(usesKey, List.copyOf(headers));
  }

  private static void collect(Node node, List<String> texts) {
    if (node instanceof Node.Scalar scalar) {
      texts.add(scalar.text());
    } else if (node instanceof Node.Mapping mapping) {
      mapping.entries().values().forEach(entry -> collect(entry.value(), texts));
    } else if (node instanceof Node.Sequence sequence) {
      sequence.elements().forEach(element -> collect(element, texts));
    }
  }

  /** The variables, of a row at some place among the rows. */
  List<Variables.Variable> variables(int row) {
    FieldType text = new FieldType(FieldType.Kind.STRING, 0, true);
    FieldType time = new FieldType(FieldType.Kind.TIME, 0, true);
    List<Variables.Variable> variables = new ArrayList<>();
    variables.add(new Variables.Variable(NAME + ".key", row, KEY_PLACE, text));
    variables.add(new Variables.Variable(NAME + ".time", row, TIME_PLACE, time));
    for (int i = 0; i < headers.size(); i++) {
      String name = NAME + ".headers." + headers.get(i);
      variables.add(new Variables.Variable(name, row, FIRST_HEADER + i, text));
    }
    return variables;
  }

  /**
   * The row that the variables are found in.
   *
   * @throws FailureException if a part that is named is no text
   */
  Row row(TopicRecord record) {
    @Nullable Object[] values = new @Nullable Object[FIRST_HEADER + headers.size()];
    values[KEY_PLACE] = usesKey ? text(record.key(), "key") : null;
    long timestamp = record.timestamp();
    values[TIME_PLACE] =
        timestamp == TopicRecord.NO_TIMESTAMP ? null : Instant.ofEpochMilli(timestamp);
    for (int i = 0; i < headers.size(); i++) {
      String name = headers.get(i);
      values[FIRST_HEADER + i] = text(record.header(name), "headers." + name);
    }
    return type.row(values);
  }

  private static @Nullable String text(byte @Nullable [] bytes, String part) {
    if (bytes == null) {
      return null;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new FailureException(NAME + "." + part + " is no text in UTF-8");
    }
  }
}
