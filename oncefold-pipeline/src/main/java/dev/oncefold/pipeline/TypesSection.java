package dev.oncefold.pipeline;

import de.siegmar.fastcsv.reader.CsvParseException;
import dev.oncefold.SourceException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code types}: what fields events have, and where in the input each stands. Columns
 * of CSV that are not declared are texts.
 */
final class TypesSection {
  private final Form root;
  private final Input input;
  private final boolean rehearsal;
  private final Problems problems;
  private final Map<String, FieldType> types = new LinkedHashMap<>();
  private final Map<String, String> from = new LinkedHashMap<>();
  private final Map<String, Node> places = new LinkedHashMap<>();
  private final Set<String> broken = new HashSet<>();

  /**
   * The fields and how they are read.
   *
   * @param fields all of them
   * @param declared those that the file declares; all where it declares none
   */
  record Types(Fields fields, List<String> declared, RowReader reader, RecordWriter writer) {}

  private TypesSection(Form root, Input input, boolean rehearsal, Problems problems) {
    this.root = root;
    this.input = input;
    this.rehearsal = rehearsal;
    this.problems = problems;
  }

  /**
   * Reads the section; null where the fields cannot be known, which has been told as a problem.
   *
   * @param rehearsal whether a source that is not there, or empty, has the columns that are
   *     declared
   */
  static @Nullable Types read(Form root, Input input, boolean rehearsal, Problems problems) {
    TypesSection section = new TypesSection(root, input, rehearsal, problems);
    section.types();
    return section.columns();
  }

  private void types() {
    Node node = root.get("types");
    if (node == null) {
      if (input.csv() == null) {
        problems.add(
            root.where(),
            "types is missing: name the fields of the events, such as \"types: { account: string,"
                + " amount: decimal(2), at: time }\"");
      }
      return;
    }
    if (!(node instanceof Node.Mapping mapping)) {
      problems.add(node, "types is a mapping of fields to types, and this is " + node.told());
      return;
    }
    for (Node.Entry entry : mapping.entries().values()) {
      String name = entry.key().text();
      broken.add(name);
      if (!Fields.isName(name)) {
        problems.add(
            entry.key(),
            StateSection.notAName(name)
                + ", and say what it is called in the input, such as order_id: {type: string, from: \""
                + name
                + "\"}");
        continue;
      }
      Node.Scalar type = null;
      if (entry.value() instanceof Node.Sequence) {
        problems.add(entry.value(), "a type is one word, such as \"string\", and this is a list");
      } else if (entry.value() instanceof Node.Scalar scalar) {
        type = scalar;
      } else {
        Form form = new Form("types: " + name, entry.value(), problems, "type", "from");
        type = form.required("type", "\"type: string\"");
        String other = form.text("from");
        if (other != null) {
          from.put(name, other);
        }
      }
      if (type != null) {
        FieldType parsed = FieldType.parse(type.text().strip());
        if (parsed == null) {
          problems.add(type, StateSection.unknownType(type.text().strip()));
        } else {
          types.put(name, parsed);
          places.put(name, entry.key());
          broken.remove(name);
        }
      }
    }
  }

  /** Finds out what fields there are. */
  private @Nullable Types columns() {
    CsvRowReader.Csv csv = input.csv();
    if (csv == null) {
      if (types.isEmpty()) {
        return null;
      }
      Fields all = Fields.of("Event", types, broken);
      return types(
          all,
          new NdjsonReader(input.isTopic() ? "record" : "line", all, from),
          new NdjsonWriter(all, from));
    }
    List<String> header;
    try {
      header =
          rehearsal && csv.header() == null && !input.hasRecords()
              ? types.keySet().stream().map(name -> from.getOrDefault(name, name)).toList()
              : input.header(csv).stream().map(String::strip).toList();
    } catch (SourceException | CsvParseException e) {
      problems.add(
          root.has("source") ? Objects.requireNonNull(root.key("source")) : root.where(),
          "the columns of " + input.told() + " cannot be read: " + e.getMessage());
      return null;
    }
    if (header.isEmpty()) {
      problems.add(
          root.where(),
          input.told()
              + " is empty: its first line should name the columns; where it has no such"
              + " line, write csv: {header: [id, account, amount]}");
      return null;
    }
    Map<String, Integer> at = new LinkedHashMap<>();
    Map<String, FieldType> all = new LinkedHashMap<>();
    boolean good = true;
    for (Map.Entry<String, FieldType> type : types.entrySet()) {
      String column = from.getOrDefault(type.getKey(), type.getKey());
      int place = header.indexOf(column);
      if (place < 0 || header.lastIndexOf(column) != place) {
        problems.add(
            Objects.requireNonNull(places.get(type.getKey())),
            "the column \""
                + column
                + "\" is "
                + (place < 0 ? "not" : "twice")
                + " in the header of "
                + input.told()
                + (place < 0 ? columns(column, header, csv) : ": rename one"));
        good = false;
        if (header.size() == 1) {
          return null; // all columns are missing for one reason
        }
      }
      at.put(type.getKey(), place);
      all.put(type.getKey(), type.getValue());
    }
    for (int i = 0; i < header.size(); i++) {
      String name = header.get(i);
      boolean once = header.indexOf(name) == header.lastIndexOf(name);
      if (Fields.isName(name) && once && !at.containsValue(i) && !all.containsKey(name)) {
        at.put(name, i);
        all.put(name, FieldType.STRING);
      }
    }
    if (all.isEmpty()) {
      problems.add(
          root.where(),
          "no column of "
              + input.told()
              + " has a name that expressions can use: name them in types,"
              + " such as types: {order_id: {type: string, from: \""
              + header.get(0)
              + "\"}}");
      return null;
    }
    if (!good) {
      return null;
    }
    Fields known = Fields.of("Event", all, broken);
    return types(
        known,
        new CsvRowReader(csv, known, at, header.size()),
        new CsvRecordWriter(csv, known, at, header));
  }

  private Types types(Fields fields, RowReader reader, RecordWriter writer) {
    return new Types(
        fields,
        List.copyOf(types.isEmpty() ? fields.types().keySet() : types.keySet()),
        reader,
        writer);
  }

  private static String columns(String column, List<String> header, CsvRowReader.Csv csv) {
    if (header.size() == 1) {
      return ", which is one column \""
          + header.get(0)
          + "\": is the delimiter "
          + told(csv.delimiter())
          + "? Write csv: {delimiter: "
          + told(likely(header.get(0), csv.delimiter()))
          + "}";
    }
    return Form.likely(column, header);
  }

  private static String told(char delimiter) {
    return delimiter == '\t' ? "tab" : "\"" + delimiter + "\"";
  }

  /** The delimiter that a header seems to have. */
  private static char likely(String header, char not) {
    return (char)
        ";,\t|:".chars().filter(c -> c != not && header.indexOf(c) >= 0).findFirst().orElse(';');
  }
}
