package dev.oncefold.pipeline;

import dev.oncefold.Fold;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The section {@code event}: what of an event is its id, its key or keys, and its time. */
final class EventSection {
  // What the update sees besides the states.
  private static final Set<String> RESERVED = Set.of("event", "time", RecordParts.NAME);
  private static final Duration MOST = Duration.ofDays(365_000_000);

  private final Form root;
  private final TypesSection.Types types;
  private final boolean ofTopic;
  private final Problems problems;
  private final List<String> rules = new ArrayList<>();
  private @Nullable Mapping mapping;
  private final Map<String, Expression> keys = new LinkedHashMap<>();
  private boolean hasItsKeys = true;
  private boolean hasTime;
  private Fold.@Nullable Ids ids;
  private List<String> fingerprint = List.of();

  private EventSection(Form root, TypesSection.Types types, boolean ofTopic, Problems problems) {
    this.root = root;
    this.types = types;
    this.ofTopic = ofTopic;
    this.problems = problems;
  }

  /**
   * Reads the section; what is missing afterwards has been told as a problem.
   *
   * @param ofTopic whether events are records of a topic, whose parts expressions may name
   */
  static EventSection read(
      Form root, TypesSection.Types types, boolean ofTopic, Problems problems) {
    EventSection section = new EventSection(root, types, ofTopic, problems);
    section.event();
    return section;
  }

  @Nullable Mapping mapping() {
    return mapping;
  }

  /** The keys by name, of a fold over several; empty otherwise. */
  Map<String, Expression> keys() {
    return keys;
  }

  /** Whether events have a time. */
  boolean hasTime() {
    return hasTime;
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
    if (!(node instanceof Node.Mapping)) {
      return;
    }
    Variables variables = new Variables().add("event", types.fields());
    RecordParts named = ofTopic ? RecordParts.namedIn(node) : null;
    if (named != null) {
      variables.addRecord(named);
    }
    Expressions expressions = new Expressions(variables, problems);
    Expression id = expression(expressions, form, "id", FieldType.STRING);
    Expression time = null;
    TimePattern pattern = null;
    Node when = form.get("time");
    if (when instanceof Node.Mapping) {
      Form parts = new Form("event: time", when, problems, "field", "pattern", "zone", "base");
      Node.Scalar field = parts.required("field", "\"field: event.date\"");
      time = field == null ? null : expressions.compile(field, "time: field", FieldType.STRING);
      pattern = pattern(parts);
    } else if (when != null) {
      time = expressions.compile(when, "time", FieldType.TIME);
    }
    if (time != null) {
      rules.add("time: " + time.text() + (pattern == null ? "" : " by " + pattern));
    }
    hasTime = when != null;
    Expression key = keys(expressions, form);
    remember(form, id != null || form.has("id"), when != null);
    fingerprint(form, time);
    if (key != null) {
      mapping = new Mapping(variables, id, key, time, pattern, named);
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
    Expression key = expression(expressions, form, "key", FieldType.STRING);
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
      if (!Fields.isName(name) || RESERVED.contains(name)) {
        problems.add(
            entry.key(),
            "\"" + name + "\" is no name for a state: take another word, of letters and digits");
        hasItsKeys = false;
        continue;
      }
      Expression made = expressions.compile(entry.value(), "keys: " + name, FieldType.STRING);
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
    Fields known = types.fields();
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
    List<String> declared = new ArrayList<>(types.declared());
    Variables.Variable direct = time == null ? null : time.direct();
    if (direct != null && declared.size() > 1) {
      declared.remove(direct.name().substring("event.".length()));
    }
    fingerprint = declared.size() == known.types().size() ? List.of() : declared;
  }
}
