package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import java.util.Locale;
import java.util.Map;

/** What a run reads: how it is opened, and what is said of it. */
interface Reading {
  /** What follows the reason for which an event failed. */
  String NOTHING_APPLIED = ". Nothing of this event is applied, everything before it is. ";

  /**
   * What a pipeline reads.
   *
   * @param given as the user named the pipeline
   * @param follow whether to wait for more at the end of a file
   */
  static Reading of(PipelineFile given, Pipeline pipeline, boolean follow) {
    Origin origin = pipeline.origin();
    if (origin instanceof Origin.File file) {
      return new FileReading(given, pipeline, file, follow);
    }
    return origin instanceof Origin.Kafka topic
        ? new TopicReading(given, pipeline, topic)
        : new StandardReading(pipeline);
  }

  /** Opens it. */
  Source<Row> open();

  /** Whether it has no end, so that to be stopped is how its run ends. */
  boolean isEndless();

  /** Whether a text is a position of it, as {@code --refuse} takes it. */
  boolean isPosition(String text);

  /** A position, for a message. */
  String positionLike();

  /** How fast it goes from here. */
  Pace pace(Map<String, Position> from);

  /** How far it is, in the terms of {@link #pace}. */
  long offset(Map<String, Position> at);

  /** How much is there to be read, for the end of a line; empty where that is not known. */
  default String behind(Source<Row> source) {
    return "";
  }

  /**
   * Where it begins, in a sentence.
   *
   * @param before what was counted before this run
   */
  String begins(Source<Row> source, Map<String, Position> from, Counts before);

  /** What came of a run to its end. */
  String atEnd(Counts counted, Map<String, Position> from);

  /**
   * What came of a run that was stopped.
   *
   * @param asUsual whether that is how it ends
   */
  String stopped(boolean asUsual);

  /** That a run stopped, for another reason than an event. */
  String stoppedByAProblem();

  /** Where a run stopped that could not go on behind an event. */
  String stoppedBefore(FailedEvent failed);

  /** The event that stopped a run. */
  FailedEvent failed(FailedEventException e);

  /** Why an event stopped the run, and what to do. */
  String told(FailedEvent failed);

  /** How many events were judged before, for the end of a sentence. */
  static String behind(Counts before) {
    return before.events() == 0
        ? ""
        : String.format(Locale.ROOT, "; %,d events were judged before", before.events());
  }

  /** The reason without a point at its end: more of the sentence follows. */
  static String reason(FailedEvent failed) {
    return failed.reason().replaceFirst("\\.$", "");
  }
}
