package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What came of a run.
 *
 * @param ending how it ended
 * @param said the same in sentences
 * @param run what this run counted
 * @param total what the journal has counted since it began
 * @param seconds how long this run took
 * @param problem why it ended where it {@link Ending#FAILED}, for a person
 * @param failed the event that it stopped at, or null
 */
record Summary(
    Ending ending,
    List<String> said,
    Counts run,
    Counts total,
    double seconds,
    @Nullable String problem,
    @Nullable FailedEvent failed) {

  /** How a run ended. */
  enum Ending {
    /** The source is applied to its end. */
    END,
    /** Somebody stopped it; everything it judged is committed. */
    STOPPED,
    /** It could not go on; everything before is committed. */
    FAILED
  }

  /**
   * An event that stopped a run.
   *
   * @param position where it stands, as {@code --refuse} takes it
   * @param line its line in the file; 0 where there is no file
   * @param reason why it failed
   */
  record FailedEvent(String position, long line, String reason) {}

  /** The table for a person, and the sentences. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    CountTable.lines("this run", run, "in total", total, lines);
    lines.add(CountTable.row("seconds", String.format(Locale.ROOT, "%,.1f", seconds), ""));
    if (run.events() > 0) {
      lines.add(CountTable.row("events/s", String.format(Locale.ROOT, "%,d", rate()), ""));
    }
    lines.add("");
    lines.addAll(said);
    return lines;
  }

  private long rate() {
    return seconds > 0 ? Math.round(run.events() / seconds) : 0;
  }

  /** The same for machines. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("ending", ending.name().toLowerCase(Locale.ROOT));
    json.put("message", String.join("\n", said));
    if (problem != null) {
      json.put("error", problem);
    }
    if (failed != null) {
      ObjectNode event = json.putObject("failedEvent").put("position", failed.position());
      event.put("line", failed.line()).put("reason", failed.reason());
    }
    ObjectNode now = CountTable.json(run);
    json.set("run", now.put("seconds", Math.round(seconds * 1000) / 1000.0));
    now.put("eventsPerSecond", rate());
    json.set("total", CountTable.json(total));
    return json;
  }
}
