package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.FileSource;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Locale;
import java.util.Map;

/** A run reads a file. */
record FileReading(PipelineFile given, Pipeline pipeline, Origin.File file, boolean follow)
    implements Reading {
  @Override
  public Source<Row> open() {
    return pipeline.source(follow);
  }

  @Override
  public boolean isEndless() {
    return follow;
  }

  @Override
  public boolean isPosition(String text) {
    int at = text.lastIndexOf('@');
    return at >= 0
        && text.substring(0, at).equals(file.partition())
        && text.substring(at + 1).matches("\\d{1,18}");
  }

  @Override
  public String positionLike() {
    return file.partition() + "@1234";
  }

  @Override
  public Pace pace(Map<String, Position> from) {
    return new Pace(name(), offset(from), follow ? 0 : size());
  }

  @Override
  public long offset(Map<String, Position> at) {
    return at.getOrDefault(file.partition(), Position.START).offset();
  }

  private long size() {
    try {
      return Files.size(file.path());
    } catch (IOException e) {
      return 0; // it is for progress only, and the source itself tells what is wrong
    }
  }

  private String name() {
    return String.valueOf(file.path().getFileName());
  }

  @Override
  public String begins(Source<Row> source, Map<String, Position> from, Counts before) {
    long offset = offset(from);
    return offset == 0
        ? "begins with " + name() + Reading.behind(before)
        : String.format(
            Locale.ROOT,
            "goes on behind line %,d of %s%s",
            lineAt(source, offset - 1),
            name(),
            Reading.behind(before));
  }

  /** The line of the file in which a byte stands; 0 where that cannot be known. */
  private static long lineAt(Source<Row> source, long offset) {
    return source instanceof FileSource<Row> file ? file.lineAt(offset) : 0;
  }

  @Override
  public String atEnd(Counts counted, Map<String, Position> from) {
    if (counted.events() == 0) {
      return offset(from) > 0
          ? "Nothing new in " + name() + ": it was applied to its end before."
          : "There are no events in " + name() + ".";
    }
    return counted.events() == counted.duplicates()
        ? "Nothing changed: every event of " + name() + " was judged before."
        : "Applied " + name() + " to its end.";
  }

  @Override
  public String stopped(boolean asUsual) {
    return (asUsual ? "Stopped." : "Stopped before the end of " + name() + ".")
        + " Run it again to go on from here.";
  }

  @Override
  public String stoppedByAProblem() {
    return "Stopped before the end of " + name() + ".";
  }

  @Override
  public String stoppedBefore(FailedEvent failed) {
    return failed.line() == 0
        ? stoppedByAProblem()
        : String.format(Locale.ROOT, "Stopped before line %,d of %s.", failed.line(), name());
  }

  @Override
  public FailedEvent failed(FailedEventException e) {
    long line = 0;
    try (Source<Row> source = pipeline.source(false)) {
      line = lineAt(source, e.offset());
    } catch (SourceException gone) {
      line = 0; // the position is told instead; why the event failed counts for more
    }
    return new FailedEvent(e.position(), line, e.reason());
  }

  @Override
  public String told(FailedEvent failed) {
    return (failed.line() == 0
            ? "the event at " + failed.position()
            : "line " + failed.line() + " of " + name())
        + " failed: "
        + Reading.reason(failed)
        + NOTHING_APPLIED
        + "Mend the line and run again; or let it go to the refusals:\n  "
        + given.command("run")
        + (follow ? " --follow" : "")
        + " --refuse "
        + PipelineFile.word(failed.position());
  }
}
