package dev.oncefold.pipeline;

import dev.oncefold.Fold;
import dev.oncefold.SourceException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The sections {@code types} and {@code event}: what fields events have, and what of them is the
 * id, the key and the time.
 */
final class EventSection {
  private static final FieldType TEXT = new FieldType(FieldType.Kind.STRING, 0, false);
  private static final Duration MOST = Duration.ofDays(365_000_000);
  private static final FieldType TIME = new FieldType(FieldType.Kind.TIME, 0, false);

  private final Form root;
  private final Input input;
  private final Problems problems;
  private final Map<String, FieldType> types = new LinkedHashMap<>();
  private final Map<String, String> from = new LinkedHashMap<>();
  private final Map<String, Node> places = new LinkedHashMap<>();
  private final Set<String> broken = new HashSet<>();
  private final List<String> rules = new ArrayList<>();
  private @Nullable Fields fields;
  private @Nullable RowReader reader;
  private @Nullable Mapping mapping;
  private final Map<String, Expression> keys = new LinkedHashMap<>();
  private boolean hasItsKeys = true;
  private Fold.@Nullable Ids ids;
  private List<String> fingerprint = List.of();

  private EventSection(Form root, Input input, Problems problems) {
    this.root = root;
    this.input = input;
    this.problems = problems;
  }

  /** Reads both; what is missing afterwards has been told as a problem. */
  static EventSection read(Form root, Input input, Problems problems) {
    EventSection section = new EventSection(root, input, problems);
    section.types();
    if (section.columns()) {
      section.event();
    }
    return section;
  }

  @Nullable Fields fields() {
    return fields;
  }

  @Nullable RowReader reader() {
    return reader;
  }

  @Nullable Mapping mapping() {
    return mapping;
  }

  /** The keys by name, of a fold over several; empty otherwise. */
  Map<String, Expression> keys() {
    return keys;
  }

  /** Whether it is known by what names the update sees its states. */
  boolean hasItsKeys() {
    return hasItsKeys;
  }

  Fold.@Nullable Ids ids() {
    return ids;
  }

  /** The fields that tell a re-send from a conflict; empty where all do. */
  List<String> fingerprint() {
    return fingerprint;
  }

  /** Lines for the text of the rules. */
  List<String> rules() {
    return rules;
  }

  // ---------------------------------------------------------------- types

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

  /** Finds out what fields there are; false where that cannot be known. */
  private boolean columns() {
    CsvRowReader.Csv csv = input.csv();
    if (csv == null) {
      if (types.isEmpty()) {
        return false;
      }
      Fields known = Fields.of("Event", types, broken);
      fields = known;
      reader = new NdjsonReader(known, from);
      return true;
    }
    List<String> header;
    try {
      header = input.header(csv).stream().map(String::strip).toList();
    } catch (SourceException | de.siegmar.fastcsv.reader.CsvParseException e) {
      problems.add(
          root.has("source") ? java.util.Objects.requireNonNull(root.key("source")) : root.where(),
          "the columns of " + input.told() + " cannot be read: " + e.getMessage());
      return false;
    }
    if (header.isEmpty()) {
      problems.add(
          root.where(),
          input.told()
              + " is empty: its first line should name the columns; where it has no such"
              + " line, write csv: {header: [id, account, amount]}");
      return false;
    }
    Map<String, Integer> at = new LinkedHashMap<>();
    Map<String, FieldType> all = new LinkedHashMap<>();
    boolean good = true;
    for (Map.Entry<String, FieldType> type : types.entrySet()) {
      String column = from.getOrDefault(type.getKey(), type.getKey());
      int place = header.indexOf(column);
      if (place < 0 || header.lastIndexOf(column) != place) {
        problems.add(
            java.util.Objects.requireNonNull(places.get(type.getKey())),
            "the column \""
                + column
                + "\" is "
                + (place < 0 ? "not" : "twice")
                + " in the header of "
                + input.told()
                + (place < 0 ? columns(column, header, csv) : ": rename one"));
        good = false;
        if (header.size() == 1) {
          return false; // all columns are missing for one reason
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
        all.put(name, TEXT);
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
      return false;
    }
    if (!good) {
      return false;
    }
    Fields known = Fields.of("Event", all, broken);
    fields = known;
    reader = new CsvRowReader(csv, known, at, header.size());
    return true;
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

  // ---------------------------------------------------------------- event

  private void event() {
    Node node = root.get("event");
    if (node == null) {
      problems.add(
          root.where(),
          "event is missing: say what its key is, such as \"event: { id: event.id, key:"
              + " event.account, time: event.at, remember: P7D }\"");
      return;
    }
    Form form =
        new Form("event", node, problems, "id", "key", "keys", "time", "remember", "fingerprint");
    if (!(node instanceof Node.Mapping) || fields == null) {
      return;
    }
    Variables variables = new Variables().add("event", fields);
    Expressions expressions = new Expressions(variables, problems);
    Expression id = expression(expressions, form, "id", TEXT);
    Expression time = null;
    TimePattern pattern = null;
    Node when = form.get("time");
    if (when instanceof Node.Mapping) {
      Form parts = new Form("event: time", when, problems, "field", "pattern", "zone", "base");
      Node.Scalar field = parts.required("field", "\"field: event.date\"");
      time = field == null ? null : expressions.compile(field, "time: field", TEXT);
      pattern = pattern(parts);
    } else if (when != null) {
      time = expressions.compile(when, "time", TIME);
    }
    if (time != null) {
      rules.add("time: " + time.text() + (pattern == null ? "" : " by " + pattern));
    }
    Expression key = keys(expressions, form);
    remember(form, id != null || form.has("id"), when != null);
    fingerprint(form, time);
    if (key != null) {
      mapping = new Mapping(variables, id, key, time, pattern);
    }
  }

  private @Nullable Expression expression(
      Expressions expressions, Form form, String name, FieldType wanted) {
    Node node = form.get(name);
    Expression made = node == null ? null : expressions.compile(node, name, wanted);
    if (made != null) {
      rules.add(name + ": " + made.text());
    }
    return made;
  }

  /** The key that routes an event; fills in the keys of a fold over several. */
  private @Nullable Expression keys(Expressions expressions, Form form) {
    Expression key = expression(expressions, form, "key", TEXT);
    Node node = form.get("keys");
    if (node == null) {
      if (!form.has("key")) {
        problems.add(
            form.where(),
            "event: key is missing: which state does an event change? Write \"key: event.account\"");
      }
      return key;
    }
    if (!(node instanceof Node.Mapping mapping) || mapping.entries().size() < 2) {
      problems.add(
          node,
          "keys names the states that an event changes, such as \"keys: {from: event.payer, to:"
              + " event.payee}\"; for one there is \"key: event.account\"");
      hasItsKeys = false;
      return null;
    }
    for (Node.Entry entry : mapping.entries().values()) {
      String name = entry.key().text();
      if (!Fields.isName(name) || name.equals("event")) {
        problems.add(
            entry.key(),
            "\"" + name + "\" is no name for a state: take another word, of letters and digits");
        hasItsKeys = false;
        continue;
      }
      Expression made = expressions.compile(entry.value(), "keys: " + name, TEXT);
      if (made != null) {
        keys.put(name, made);
        rules.add("keys: " + name + " = " + made.text());
      }
    }
    if (keys.size() != mapping.entries().size()) {
      hasItsKeys = false;
      return null;
    }
    return form.has("key") ? key : keys.values().iterator().next();
  }

  private @Nullable TimePattern pattern(Form parts) {
    Node.Scalar pattern = parts.required("pattern", "\"pattern: yyyy-MM-dd HH:mm:ss\"");
    String zone = parts.text("zone");
    Node.Scalar base = parts.scalar("base");
    int year = TimePattern.BASE;
    if (base != null) {
      if (base.text().matches("\\d{4}")) {
        year = Integer.parseInt(base.text());
      } else {
        problems.add(base, "base is a year, the first that two digits can mean, such as 1950");
      }
    }
    if (pattern == null) {
      return null;
    }
    boolean hasZone = pattern.text().replaceAll("'[^']*'", "").matches(".*[XxZzVO].*");
    if (zone == null && !hasZone) {
      problems.add(
          pattern,
          "in which zone are these times? Write \"zone: UTC\", or \"zone: Europe/Prague\"");
      return null;
    }
    try {
      return new TimePattern(pattern.text(), zone == null ? "UTC" : zone, year).reading();
    } catch (IllegalArgumentException e) {
      problems.add(pattern, String.valueOf(e.getMessage()));
      return null;
    }
  }

  private void remember(Form form, boolean hasId, boolean hasTime) {
    Node.Scalar remember = form.scalar("remember");
    if (remember == null) {
      if (hasId && !form.has("remember")) {
        problems.add(
            form.where(),
            "event: remember is missing: how long can an event be sent again? Write \"remember: P7D\""
                + " (7 days by the events' own time), forever or none");
      }
      ids = hasId ? null : new Fold.Ids(Fold.Ids.Kind.NONE, Duration.ZERO, Long.MAX_VALUE);
      return;
    }
    String text = remember.text().strip();
    if (text.equals("none")) {
      ids = new Fold.Ids(Fold.Ids.Kind.NONE, Duration.ZERO, Long.MAX_VALUE);
      return;
    }
    if (!hasId) {
      problems.add(
          remember,
          "there are no ids to remember: say which field is the id, such as \"id: event.id\", or"
              + " leave remember out; then the position of an event is its id");
      return;
    }
    if (text.equals("forever")) {
      ids = new Fold.Ids(Fold.Ids.Kind.FOREVER, Duration.ZERO, Long.MAX_VALUE);
      return;
    }
    Duration span;
    try {
      span = Duration.parse(text);
    } catch (DateTimeException e) {
      problems.add(
          remember,
          "\""
              + text
              + "\" is no span of time: write P7D for 7 days, PT12H for 12 hours, forever or"
              + " none"
              + (text.matches("P\\d+[MYW].*") ? "; weeks, months and years go in days" : ""));
      return;
    }
    if (span.compareTo(Duration.ofMillis(2)) < 0) {
      problems.add(remember, "remember is " + text + ": ids are remembered for 2 ms at least");
      return;
    }
    if (span.compareTo(MOST) > 0) {
      problems.add(remember, "remember is " + text + ": write forever instead");
      return;
    }
    if (!hasTime) {
      problems.add(
          remember,
          "ids are forgotten by the time of events, and events have none: add \"time: event.at\", or"
              + " write \"remember: forever\"");
      return;
    }
    ids = new Fold.Ids(Fold.Ids.Kind.SPAN, span, Long.MAX_VALUE);
  }

  private void fingerprint(Form form, @Nullable Expression time) {
    Fields known = java.util.Objects.requireNonNull(fields);
    Node node = form.get("fingerprint");
    if (node instanceof Node.Sequence sequence && !sequence.elements().isEmpty()) {
      List<String> named = new ArrayList<>();
      for (Node element : sequence.elements()) {
        String name = element instanceof Node.Scalar scalar ? scalar.text() : element.told();
        if (known.types().containsKey(name)) {
          named.add(name);
        } else {
          problems.add(
              element,
              "events have no field \"" + name + "\"" + Form.likely(name, known.types().keySet()));
        }
      }
      fingerprint = named;
      return;
    }
    if (node != null) {
      problems.add(node, "fingerprint is a list of fields, such as [account, amount]");
      return;
    }
    // Undeclared columns come and go with who wrote the file; the time is compared on its own.
    List<String> declared =
        new ArrayList<>(types.isEmpty() ? known.types().keySet() : types.keySet());
    Variables.Variable direct = time == null ? null : time.direct();
    if (direct != null && declared.size() > 1) {
      declared.remove(direct.name().substring("event.".length()));
    }
    fingerprint = declared.size() == known.types().size() ? List.of() : declared;
  }
}
