package dev.oncefold.cli;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Rehearsal;
import dev.oncefold.testkit.Subject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A pipeline file as the subject of a verification: its fold, over input made for it. */
final class PipelineSubject implements Subject<Row, Row, String> {
  private final Pipeline pipeline;

  /**
   * Loads the pipeline.
   *
   * @param arguments the pipeline file, the sample (or nothing), the input, and a directory for
   *     what the pipeline would write, which nobody opens here
   */
  PipelineSubject(String[] arguments) {
    Path sample = arguments[1].isEmpty() ? null : Path.of(arguments[1]);
    pipeline =
        Rehearsal.of(Path.of(arguments[0]), sample)
            .pipeline()
            .in(Path.of(arguments[3]), Path.of(arguments[2]));
  }

  @Override
  public Fold<Row, Row, String> fold() {
    return pipeline.fold();
  }

  @Override
  public Source<Row> source() {
    return pipeline.source(false);
  }

  @Override
  public List<Event<Row>> events() {
    List<Event<Row>> events = new ArrayList<>();
    try (Source<Row> source = source()) {
      source.seek(pipeline.partition(), Position.START);
      while (!source.ended()) {
        Polled<Row> polled = source.poll(512, Duration.ZERO);
        if (polled != null) {
          for (Received<Row> received : polled.events()) {
            Event<Row> event = received.event();
            if (event != null) {
              events.add(event);
            }
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the input was read", e);
    }
    return events;
  }
}
