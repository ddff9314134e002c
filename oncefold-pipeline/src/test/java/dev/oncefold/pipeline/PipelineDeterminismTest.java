package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.testkit.Determinism;
import dev.oncefold.testkit.Subject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * There is no clock and no random number in a pipeline, and nothing of the machine: not its time
 * zone, locale or encoding.
 */
class PipelineDeterminismTest {
  @TempDir Path directory;

  /** A pipeline and the events that its source has. */
  static final class OfFile implements Subject<Row, Row, String> {
    private final Pipeline pipeline;

    OfFile(String[] arguments) {
      this.pipeline = Pipeline.load(Path.of(arguments[0]));
    }

    @Override
    public Fold<Row, Row, String> fold() {
      return pipeline.fold();
    }

    @Override
    public List<Event<Row>> events() {
      List<Event<Row>> events = new ArrayList<>();
      try (Source<Row> source = pipeline.source(false)) {
        source.seek(pipeline.partition(), Position.START);
        while (!source.ended()) {
          Polled<Row> polled = source.poll(100, Duration.ZERO);
          for (Received<Row> received :
              polled == null ? List.<Received<Row>>of() : polled.events()) {
            Event<Row> event = received.event();
            if (event != null) {
              events.add(event);
            }
          }
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return events;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"web", "bank-csv"})
  void anExampleComesToTheSameEverywhere(String name) throws Exception {
    Example example = Example.copied(name, directory);
    Determinism.Result result = Determinism.check(OfFile.class, example.file().toString());
    assertThat(result.difference()).isNull();
    assertThat(result.counts().applied()).isGreaterThan(100);
  }
}
