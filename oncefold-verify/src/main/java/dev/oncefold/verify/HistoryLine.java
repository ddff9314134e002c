package dev.oncefold.verify;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.oncefold.Counts;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An observation as a line of JSON and back; {@code docs/history.md} describes it. */
final class HistoryLine {
  private static final int FORMAT = 1;
  private static final JsonFactory JSON = new JsonFactory();

  private HistoryLine() {}

  /** What is wrong with a line, without the place in it that Jackson adds. */
  static String told(Exception e) {
    return e instanceof JsonProcessingException json
        ? "this is no line of JSON: " + json.getOriginalMessage()
        : String.valueOf(e.getMessage());
  }

  // ---------------------------------------------------------------- writing

  static String write(long number, Observation observation) {
    StringWriter text = new StringWriter(160);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeNumberField("n", number);
      new Fields(json).write(observation);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // not of a writer in memory
    }
    return text.toString();
  }

  /** The fields of each kind, in the order in which a person would read them. */
  private record Fields(JsonGenerator json) {
    void write(Observation observation) throws IOException {
      if (observation instanceof Observation.Begin begin) {
        begin(begin);
      } else if (observation instanceof Observation.Input input) {
        input(input);
      } else if (observation instanceof Observation.Judged judged) {
        judged(judged);
      } else if (observation instanceof Observation.Commit commit) {
        commit(commit);
      } else if (observation instanceof Observation.Answered answered) {
        text("answered", answered.partition());
        json.writeNumberField("to", answered.to());
      } else if (observation instanceof Observation.Claimed claimed) {
        text("claimed", claimed.partition());
        json.writeNumberField("epoch", claimed.epoch());
        json.writeNumberField("position", claimed.position());
      } else if (observation instanceof Observation.Snapshot snapshot) {
        snapshot(snapshot);
      } else if (observation instanceof Observation.Slot slot) {
        text("slot", slot.key());
        slotRest(slot);
      } else if (observation instanceof Observation.Query query) {
        query(query);
      } else if (observation instanceof Observation.Output output) {
        text("output", output.name());
        text("reader", output.reader());
        text("key", output.key());
        text("id", output.id());
        text("value", output.value());
      } else if (observation instanceof Observation.Refusal refusal) {
        text("refusal", refusal.id());
        text("reader", refusal.reader());
        text("key", refusal.key());
        text("verdict", String.valueOf(refusal.verdict()));
      } else if (observation instanceof Observation.Complete complete) {
        text("complete", complete.reader());
      } else if (observation instanceof Observation.Fault fault) {
        text("fault", fault.fault());
        text("what", fault.what());
        json.writeBooleanField("landed", fault.landed());
        json.writeBooleanField("killed", fault.killed());
        json.writeBooleanField("openCommit", fault.openCommit());
      } else if (observation instanceof Observation.Damaged damaged) {
        text("damaged", damaged.what());
      } else if (observation instanceof Observation.Refused refused) {
        text("refused", refused.message());
      } else if (observation instanceof Observation.Repaired) {
        json.writeBooleanField("repaired", true);
      } else if (observation instanceof Observation.Calm) {
        json.writeBooleanField("calm", true);
      } else if (observation instanceof Observation.End end) {
        json.writeNumberField("end", end.observations());
      }
    }

    private void text(String name, String value) throws IOException {
      json.writeStringField(name, value);
    }

    private void textOrNull(String name, @Nullable String value) throws IOException {
      if (value != null) {
        json.writeStringField(name, value);
      }
    }

    private void numberOrNull(String name, @Nullable Long value) throws IOException {
      if (value != null) {
        json.writeNumberField(name, value);
      }
    }

    private void begin(Observation.Begin begin) throws IOException {
      json.writeNumberField("history", FORMAT);
      text("engine", begin.engine());
      text("fold", begin.fold());
      json.writeNumberField("seed", begin.seed());
      text("model", begin.model());
      if (begin.spanMillis() == Observation.Begin.FOREVER) {
        text("ids", "forever");
      } else if (begin.spanMillis() == Observation.Begin.NO_IDS) {
        text("ids", "none");
      } else {
        json.writeNumberField("spanMillis", begin.spanMillis());
      }
      numberOrNull("conserved", begin.conserved());
      Observation.Needs needs = begin.needs();
      json.writeObjectFieldStart("needs");
      json.writeNumberField("events", needs.events());
      json.writeNumberField("kills", needs.kills());
      json.writeNumberField("openCommits", needs.openCommits());
      json.writeNumberField("snapshots", needs.snapshots());
      json.writeArrayFieldStart("faults");
      for (String fault : needs.faults()) {
        json.writeString(fault);
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeObjectFieldStart("about");
      for (Map.Entry<String, String> about : begin.about().entrySet()) {
        text(about.getKey(), about.getValue());
      }
      json.writeEndObject();
    }

    private void input(Observation.Input input) throws IOException {
      text("input", input.partition());
      json.writeNumberField("at", input.at());
      json.writeNumberField("next", input.next());
      textOrNull("key", input.key());
      textOrNull("id", input.id());
      numberOrNull("time", input.time());
      text("payload", input.payload());
    }

    private void judged(Observation.Judged judged) throws IOException {
      text("judged", judged.partition());
      json.writeNumberField("at", judged.at());
      changes("before", judged.before());
      text("verdict", String.valueOf(Letters.of(judged.effect().verdict())));
      changes("after", judged.effect().changes());
      json.writeArrayFieldStart("outputs");
      for (Model.Emitted output : judged.effect().outputs()) {
        json.writeStartObject();
        text("name", output.name());
        text("value", output.value());
        json.writeEndObject();
      }
      json.writeEndArray();
    }

    private void changes(String name, List<Model.Change> changes) throws IOException {
      json.writeArrayFieldStart(name);
      for (Model.Change change : changes) {
        json.writeStartObject();
        text("key", change.key());
        textOrNull("state", change.state());
        json.writeEndObject();
      }
      json.writeEndArray();
    }

    private void commit(Observation.Commit commit) throws IOException {
      text("commit", commit.partition());
      json.writeNumberField("from", commit.from());
      json.writeNumberField("to", commit.to());
      json.writeNumberField("epoch", commit.epoch());
      numberOrNull("floor", commit.floor());
      numberOrNull("latest", commit.latest());
      json.writeNumberField("foldVersion", commit.foldVersion());
      text("verdicts", commit.verdicts());
    }

    private void snapshot(Observation.Snapshot snapshot) throws IOException {
      json.writeObjectFieldStart("snapshot");
      for (Map.Entry<String, Long> position : snapshot.positions().entrySet()) {
        json.writeNumberField(position.getKey(), position.getValue());
      }
      json.writeEndObject();
      Counts counts = snapshot.counts();
      json.writeObjectFieldStart("counts");
      json.writeNumberField("applied", counts.applied());
      json.writeNumberField("rejected", counts.rejected());
      json.writeNumberField("duplicates", counts.duplicates());
      json.writeNumberField("conflicts", counts.conflicts());
      json.writeNumberField("expired", counts.expired());
      json.writeNumberField("failed", counts.failed());
      json.writeNumberField("outputs", counts.outputs());
      json.writeEndObject();
      numberOrNull("floor", snapshot.floor());
      json.writeNumberField("changed", snapshot.changed());
    }

    private void slotRest(Observation.Slot slot) throws IOException {
      json.writeNumberField("version", slot.version());
      textOrNull("state", slot.state());
    }

    private void query(Observation.Query query) throws IOException {
      text("query", query.session());
      json.writeBooleanField("whole", query.whole());
      json.writeArrayFieldStart("slots");
      for (Observation.Slot slot : query.slots()) {
        json.writeStartObject();
        text("key", slot.key());
        slotRest(slot);
        json.writeEndObject();
      }
      json.writeEndArray();
    }
  }

  // ---------------------------------------------------------------- reading

  static Observation read(long number, String line) throws IOException {
    Line fields;
    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("a JSON object is expected");
      }
      fields = new Line(object(json));
      if (json.nextToken() != null) {
        throw new IllegalArgumentException("a second value follows the object");
      }
    }
    long n = fields.number("n");
    if (n != number) {
      throw new HistoryException(
          "it is observation " + n + " where " + number + " is expected: lines are missing", null);
    }
    Observation observation = observation(fields);
    fields.nothingElse();
    return observation;
  }

  private static Map<String, Object> object(JsonParser json) throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      json.nextToken();
      if (fields.put(name, value(json)) != null) {
        throw new IllegalArgumentException("the field \"" + name + "\" stands twice");
      }
    }
    return fields;
  }

  private static Object value(JsonParser json) throws IOException {
    JsonToken token = json.currentToken();
    if (token == JsonToken.VALUE_STRING) {
      return json.getText();
    } else if (token == JsonToken.VALUE_NUMBER_INT) {
      return json.getLongValue();
    } else if (token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE) {
      return token == JsonToken.VALUE_TRUE;
    } else if (token == JsonToken.START_OBJECT) {
      return object(json);
    } else if (token == JsonToken.START_ARRAY) {
      List<Object> values = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        values.add(value(json));
      }
      return values;
    }
    throw new IllegalArgumentException("no field has the value " + json.getText());
  }

  private static Observation observation(Line line) {
    // Behind the number the first field tells the kind.
    String kind = line.first();
    return switch (kind) {
      case "history" -> begin(line);
      case "input" ->
          new Observation.Input(
              line.text(kind),
              line.number("at"),
              line.number("next"),
              line.textOrNull("key"),
              line.textOrNull("id"),
              line.numberOrNull("time"),
              line.text("payload"));
      case "judged" ->
          new Observation.Judged(
              line.text(kind),
              line.number("at"),
              line.changes("before"),
              new Model.Effect(
                  Letters.kind(line.letter("verdict")),
                  line.changes("after"),
                  line.objects("outputs").stream()
                      .map(o -> new Model.Emitted(o.text("name"), o.text("value")))
                      .toList()));
      case "commit" ->
          new Observation.Commit(
              line.text(kind),
              line.number("from"),
              line.number("to"),
              line.number("epoch"),
              line.numberOrNull("floor"),
              line.numberOrNull("latest"),
              (int) line.number("foldVersion"),
              line.text("verdicts"));
      case "answered" -> new Observation.Answered(line.text(kind), line.number("to"));
      case "claimed" ->
          new Observation.Claimed(line.text(kind), line.number("epoch"), line.number("position"));
      case "snapshot" -> snapshot(line);
      case "slot" ->
          new Observation.Slot(line.text(kind), line.number("version"), line.textOrNull("state"));
      case "query" ->
          new Observation.Query(
              line.text(kind),
              line.flag("whole"),
              line.objects("slots").stream()
                  .map(
                      o ->
                          new Observation.Slot(
                              o.text("key"), o.number("version"), o.textOrNull("state")))
                  .toList());
      case "output" ->
          new Observation.Output(
              line.text("reader"),
              line.text(kind),
              line.text("key"),
              line.text("id"),
              line.text("value"));
      case "refusal" ->
          new Observation.Refusal(
              line.text("reader"), line.text("key"), line.text(kind), line.letter("verdict"));
      case "complete" -> new Observation.Complete(line.text(kind));
      case "fault" ->
          new Observation.Fault(
              line.text(kind),
              line.text("what"),
              line.flag("landed"),
              line.flag("killed"),
              line.flag("openCommit"));
      case "damaged" -> new Observation.Damaged(line.text(kind));
      case "refused" -> new Observation.Refused(line.text(kind));
      case "repaired" -> line.truly(kind, new Observation.Repaired());
      case "calm" -> line.truly(kind, new Observation.Calm());
      case "end" -> new Observation.End(line.number(kind));
      default -> throw new IllegalArgumentException("there is no observation \"" + kind + '"');
    };
  }

  private static Observation begin(Line line) {
    long format = line.number("history");
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "the history has format " + format + ", this program reads format " + FORMAT);
    }
    String ids = line.textOrNull("ids");
    Line needs = line.object("needs");
    Line about = line.object("about");
    Map<String, String> told = new LinkedHashMap<>();
    about.names().forEach(name -> told.put(name, about.text(name)));
    if (ids != null && !ids.equals("forever") && !ids.equals("none")) {
      throw new IllegalArgumentException("\"ids\" is \"forever\" or \"none\", not \"" + ids + '"');
    }
    return new Observation.Begin(
        line.text("engine"),
        line.text("fold"),
        line.number("seed"),
        line.text("model"),
        ids == null
            ? line.number("spanMillis")
            : ids.equals("none") ? Observation.Begin.NO_IDS : Observation.Begin.FOREVER,
        line.numberOrNull("conserved"),
        new Observation.Needs(
            needs.number("events"),
            (int) needs.number("kills"),
            (int) needs.number("openCommits"),
            (int) needs.number("snapshots"),
            needs.texts("faults")),
        told);
  }

  private static Observation snapshot(Line line) {
    Line at = line.object("snapshot");
    Map<String, Long> positions = new LinkedHashMap<>();
    at.names().forEach(partition -> positions.put(partition, at.number(partition)));
    Line counts = line.object("counts");
    return new Observation.Snapshot(
        positions,
        new Counts(
            counts.number("applied"),
            counts.number("rejected"),
            counts.number("duplicates"),
            counts.number("conflicts"),
            counts.number("expired"),
            counts.number("failed"),
            counts.number("outputs")),
        line.numberOrNull("floor"),
        (int) line.number("changed"));
  }

  /** The fields of one object, each asked for once. */
  private record Line(Map<String, Object> fields) {
    List<String> names() {
      return List.copyOf(fields.keySet());
    }

    String first() {
      return fields.isEmpty() ? "" : fields.keySet().iterator().next();
    }

    /** An observation that says no more than that it happened. */
    Observation truly(String kind, Observation observation) {
      if (!flag(kind)) {
        throw new IllegalArgumentException("\"" + kind + "\" can only be true");
      }
      return observation;
    }

    void nothingElse() {
      if (!fields.isEmpty()) {
        throw new IllegalArgumentException("it has an unknown field \"" + first() + '"');
      }
    }

    private <T> @Nullable T take(String name, Class<T> type) {
      Object value = fields.remove(name);
      if (value != null && !type.isInstance(value)) {
        throw new IllegalArgumentException(
            "the field \""
                + name
                + "\" should be a "
                + type.getSimpleName().toLowerCase(Locale.ROOT)
                + ", not "
                + value);
      }
      return type.cast(value);
    }

    private <T> T need(String name, Class<T> type) {
      T value = take(name, type);
      if (value == null) {
        throw new IllegalArgumentException("the field \"" + name + "\" is missing");
      }
      return value;
    }

    long number(String name) {
      return need(name, Long.class);
    }

    @Nullable Long numberOrNull(String name) {
      return take(name, Long.class);
    }

    String text(String name) {
      return need(name, String.class);
    }

    @Nullable String textOrNull(String name) {
      return take(name, String.class);
    }

    boolean flag(String name) {
      return need(name, Boolean.class);
    }

    char letter(String name) {
      String text = text(name);
      if (text.length() != 1) {
        throw new IllegalArgumentException("the field \"" + name + "\" should be one letter");
      }
      return text.charAt(0);
    }

    @SuppressWarnings("unchecked") // objects are made by object()
    Line object(String name) {
      return new Line(need(name, Map.class));
    }

    List<String> texts(String name) {
      List<String> texts = new ArrayList<>();
      for (Object value : need(name, List.class)) {
        texts.add(String.valueOf(value));
      }
      return texts;
    }

    @SuppressWarnings("unchecked") // objects are made by object()
    List<Line> objects(String name) {
      List<Line> objects = new ArrayList<>();
      for (Object value : need(name, List.class)) {
        if (!(value instanceof Map)) {
          throw new IllegalArgumentException("\"" + name + "\" should hold objects, not " + value);
        }
        objects.add(new Line((Map<String, Object>) value));
      }
      return objects;
    }

    List<Model.Change> changes(String name) {
      return objects(name).stream()
          .map(o -> new Model.Change(o.text("key"), o.textOrNull("state")))
          .toList();
    }
  }
}
