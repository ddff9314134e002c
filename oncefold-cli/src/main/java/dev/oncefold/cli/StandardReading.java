package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.pipeline.Pipeline;
import java.util.Map;

/** A run reads standard input, which is there once. */
record StandardReading(Pipeline pipeline) implements Reading {
  private static final String NAME = "standard input";

  @Override
  public Source<Row> open() {
    return pipeline.source(false);
  }

  @Override
  public boolean isEndless() {
    return false;
  }

  @Override
  public boolean isPosition(String text) {
    return text.matches(pipeline.partition() + "@\\d{1,18}");
  }

  @Override
  public String positionLike() {
    return pipeline.partition() + "@1234";
  }

  @Override
  public Pace pace(Map<String, Position> from) {
    return new Pace(NAME, 0, 0);
  }

  @Override
  public long offset(Map<String, Position> at) {
    return 0;
  }

  @Override
  public String begins(Source<Row> source, Map<String, Position> from, Counts before) {
    return "reads " + NAME + Reading.behind(before);
  }

  @Override
  public String atEnd(Counts counted, Map<String, Position> from) {
    if (counted.events() == 0) {
      return "There are no events in " + NAME + ".";
    }
    return counted.events() == counted.duplicates()
        ? "Nothing changed: every event of " + NAME + " was judged before."
        : "Applied " + NAME + " to its end.";
  }

  @Override
  public String stopped(boolean asUsual) {
    return (asUsual ? "Stopped." : "Stopped before the end of " + NAME + ".")
        + " To go on, send all of it again: ids tell what was applied.";
  }

  @Override
  public String stoppedByAProblem() {
    return "Stopped before the end of " + NAME + ".";
  }

  @Override
  public String stoppedBefore(FailedEvent failed) {
    return stoppedByAProblem();
  }

  @Override
  public FailedEvent failed(FailedEventException e) {
    return new FailedEvent(e.position(), 0, e.reason());
  }

  @Override
  public String told(FailedEvent failed) {
    return "an event of "
        + NAME
        + " failed: "
        + Reading.reason(failed)
        + NOTHING_APPLIED
        + "Send all of it again, with the event mended or left out, or write \"failed: refuse\" in"
        + " the pipeline";
  }
}
