package dev.oncefold.pipeline;

import dev.oncefold.DryRun;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Row;
import dev.oncefold.Slot;
import dev.oncefold.Source;
import dev.oncefold.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a pipeline makes of some events, judged one after another and kept in memory. */
final class Judged {
  private final List<String> verdicts = new ArrayList<>();
  private final List<String> outputs = new ArrayList<>();
  private final DryRun<Row, Row, String> run;

  private Judged(Fold<Row, Row, String> fold) {
    this.run = new DryRun<>(fold, Kernel.NO_LIMIT);
  }

  /** Loads a pipeline that reads {@code in.ndjson}, and judges lines of that. */
  static Judged by(Path directory, String pipeline, String... lines) {
    try {
      Files.write(directory.resolve("in.ndjson"), List.of(lines));
      Pipeline loaded = Pipeline.load(Files.writeString(directory.resolve("p.yaml"), pipeline));
      Judged judged = new Judged(loaded.fold());
      try (Source<Row> source = loaded.source(false)) {
        source.seek(loaded.partition(), Position.START);
        while (!source.ended()) {
          Polled<Row> polled = source.poll(100, Duration.ZERO);
          if (polled != null) {
            polled.events().forEach(judged::take);
          }
        }
      }
      judged.verdicts.replaceAll(verdict -> verdict.replace(directory + "/", ""));
      return judged;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void take(Received<Row> received) {
    Event<Row> event = received.event();
    if (event == null) {
      verdicts.add("undecodable: " + received.undecodable());
      return;
    }
    Verdict<Row, String> verdict = run.apply(event);
    if (verdict instanceof Verdict.Applied<Row, String> applied) {
      for (Output<String> output : applied.outputs()) {
        outputs.add(output.name() + " " + output.value());
      }
    }
    verdicts.add(told(verdict));
  }

  private static String told(Verdict<Row, String> verdict) {
    return verdict instanceof Verdict.Rejected<Row, String> rejected
        ? "rejected: " + rejected.reason()
        : verdict instanceof Verdict.Failed<Row, String> failed
            ? "failed: " + failed.reason()
            : verdict.kind().name().toLowerCase(java.util.Locale.ROOT);
  }

  /** The verdict of each event, with its reason. */
  List<String> verdicts() {
    return verdicts;
  }

  /** The outputs, each behind its name. */
  List<String> outputs() {
    return outputs;
  }

  /** The state of a key as JSON; null where it has none. */
  @Nullable String state(String key) {
    Slot<Row> slot = run.slots().get(key);
    if (slot == null) {
      return null;
    }
    StringBuilder text = new StringBuilder();
    Json.write(slot.state(), text);
    return text.toString();
  }
}
